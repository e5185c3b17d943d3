//! Compiled tables and the interpreter must agree on every name: this crate holds random tables in every form
//! that the compiler knows, and runs them side by side.

#![cfg(test)]

mod random;

mod tables {
    #![allow(dead_code, unreachable_pub, missing_docs, clippy::all, clippy::pedantic, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/tables.rs"));
}

use random::Random;
use relay_runtime::{
    dispatch::{Dispatch, Scratch, Sink},
    interpret::Interpreter,
    plan::Plan,
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RouteIndex},
};

const NAMES: u64 = 1_000;

#[test]
fn compiled_and_interpreted_tables_agree_on_every_name() {
    tables::check_all();
}

pub(crate) fn check(table: &impl Dispatch, plan: &str, which: &str) {
    let plan: Plan = serde_json::from_str(plan).expect("the plan that was generated from");
    let interpreter = Interpreter::new(&plan.table).expect("a good table");
    let (mut one, mut other) = (Scratch::default(), Scratch::default());
    for number in 0..NAMES {
        let name = Random::new(tables::SEED * 1_000_000 + number).name();
        let (mut got, mut want) = (Events::default(), Events::default());
        table.dispatch(&name, &mut one, &mut got);
        interpreter.dispatch(&name, &mut other, &mut want);
        let shown = String::from_utf8_lossy(&name);
        assert_eq!(got, want, "{which} on {shown}, seed {}", tables::SEED);
        let (mut got, mut want) = (Events::default(), Events::default());
        table.route(&name, &mut one, &mut got);
        interpreter.route(&name, &mut other, &mut want);
        assert_eq!(got, want, "{which} on {shown} from an aggregator, seed {}", tables::SEED);
    }
}

/// Everything that a sink hears, in order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Events(Vec<(&'static str, u32, Vec<u8>)>);

impl Sink for Events {
    fn blocked(&mut self, entry: BlocklistIndex) {
        self.0.push(("blocked", entry.0, Vec::new()));
    }
    fn rewritten(&mut self, name: &[u8]) {
        self.0.push(("rewritten", 0, name.to_vec()));
    }
    fn unusable(&mut self, name: &[u8]) {
        self.0.push(("unusable", 0, name.to_vec()));
    }
    fn aggregate(&mut self, aggregator: AggregatorIndex) {
        self.0.push(("aggregate", aggregator.0, Vec::new()));
    }
    fn dropped_raw(&mut self) {
        self.0.push(("dropped_raw", 0, Vec::new()));
    }
    fn route(&mut self, route: RouteIndex) {
        self.0.push(("route", route.0, Vec::new()));
    }
    fn deliver(&mut self, destination: DestinationIndex) {
        self.0.push(("deliver", destination.0, Vec::new()));
    }
    fn select(&mut self, route: RouteIndex, name: &[u8]) {
        self.0.push(("select", route.0, name.to_vec()));
    }
}
