//! Compiled tables and the interpreter must agree on every name: this crate holds random and recorded tables,
//! compiled in every form that the code generator knows, and runs them side by side.

#![cfg(test)]

mod events;
mod forms;
#[allow(dead_code, reason = "the build script uses the rest")]
mod random;
mod recorded;
#[path = "../../../../relay-runtime/tests/vectors/mod.rs"]
mod vectors;

mod tables {
    #![allow(dead_code, unreachable_pub, missing_docs, clippy::all, clippy::pedantic, reason = "generated")]
    include!(concat!(env!("OUT_DIR"), "/tables.rs"));
}

use events::{Event, dispatched, routed};
use random::Random;
use relay_runtime::{
    admission::Admission, dispatch::DynDispatch, interpret::Interpreter, plan::Plan, replay::replay_lines,
};
use serde_json::Value;
use vectors::{bytes, routing};

const NAMES: u64 = 1_000;

#[test]
fn random_tables_are_compiled_as_they_are_interpreted() {
    let mut checked = 0;
    tables::each_of_random(&mut |which, plan, compiled| {
        let interpreter = interpreter(plan);
        for number in 0..NAMES {
            let name = Random::new(tables::SEED * 1_000_000 + number).name();
            check_same(which, &name, compiled, &interpreter);
            checked += 1;
        }
    });
    assert!(checked >= 100_000, "{checked}");
}

/// Compares what is sent when, byte for byte, outputs of aggregators included, and the ledger.
#[test]
fn random_tables_replay_the_same_compiled_and_interpreted() {
    let mut aggregated = 0;
    tables::each_of_random(&mut |which, plan, compiled| {
        let plan: Plan = serde_json::from_str(plan).expect("the plan that was generated from");
        let interpreter = Interpreter::new(&plan.table).expect("a good table");
        let mut traffic = Vec::new();
        for number in 0..300_u64 {
            let name = Random::new(tables::SEED * 2_000_000 + number % 100).name();
            let (at, time) = (1_000 + number / 3, 990 + number / 3 + number % 20);
            traffic.extend_from_slice(format!("{at}\t").as_bytes());
            traffic.extend_from_slice(&name);
            // Now and then a device without a clock.
            let time = if number % 7 == 0 { "-1".to_owned() } else { time.to_string() };
            traffic.extend_from_slice(format!(" {number}.5 {time}\n").as_bytes());
        }
        let replayed = |dispatch: &dyn DynDispatch| {
            let mut out = Vec::new();
            let ledger = replay_lines(
                &plan.table,
                dispatch,
                Admission::of(&plan, |_| None),
                None,
                &mut &traffic[..],
                &mut out,
            )
            .expect("memory");
            assert_eq!(ledger.difference(), None);
            aggregated += ledger.aggregators.iter().map(|(_, counts)| counts.emitted).sum::<u64>();
            (out.escape_ascii().to_string(), ledger.to_json())
        };
        let both: [&dyn DynDispatch; 2] = [compiled, &interpreter];
        let [compiled, interpreted] = both.map(replayed);
        assert_eq!(compiled, interpreted, "{which}, seed {}", tables::SEED);
    });
    assert!(aggregated > 1_000, "{aggregated}");
}

#[test]
fn compiled_tables_deliver_where_want_says() {
    let (mut cases, mut checked) = (routing::tables(), 0);
    tables::each_of_routing(&mut |_, _, compiled| {
        let (case, table) = cases.next().expect("a table per case");
        checked += routing::check(&case, &table, compiled, &mut |_| {});
    });
    assert!(checked > 2300, "{checked}");
}

#[test]
fn compiled_matchers_answer_as_recorded() {
    let mut tables = recorded::matchers().into_iter().flat_map(|table| forms::all().map(|_| table.clone()));
    let mut checked = 0;
    tables::each_of_matchers(&mut |which, plan, compiled| {
        let interpreter = interpreter(plan);
        let (cases, _) = tables.next().expect("a table per module");
        for (number, case) in cases.iter().enumerate() {
            for input in inputs(case) {
                let name = bytes(input, "in");
                let is_taken = dispatched(compiled, &name).contains(&Event::Route(number));
                let shown = name.escape_ascii();
                assert_eq!(Value::from(is_taken), input["want"], "{which}: {shown} through {case}");
                check_same(which, &name, compiled, &interpreter);
                checked += 1;
            }
        }
    });
    assert!(checked > 5 * 5_000, "{checked}");
}

#[test]
fn compiled_rewriters_write_what_go_writes() {
    let (mut cases, mut checked) = (recorded::rewriters().into_iter(), 0);
    tables::each_of_rewriters(&mut |which, plan, compiled| {
        let interpreter = interpreter(plan);
        let (case, _) = cases.next().expect("a table per case");
        for input in inputs(&case) {
            let name = bytes(input, "in");
            let written = dispatched(compiled, &name).into_iter().find_map(|event| match event {
                Event::Rewritten(name) | Event::Unusable(name) => Some(name),
                _ => None,
            });
            let written = written.as_deref().unwrap_or(&name).escape_ascii().to_string();
            assert_eq!(written, bytes(input, "out").escape_ascii().to_string(), "{which}: {case}");
            check_same(which, &name, compiled, &interpreter);
            checked += 1;
        }
    });
    assert!(checked > 4_000, "{checked}");
}

fn interpreter(plan: &str) -> Interpreter {
    let plan: Plan = serde_json::from_str(plan).expect("the plan that was generated from");
    Interpreter::new(&plan.table).expect("a good table")
}

fn check_same(which: &str, name: &[u8], compiled: &dyn DynDispatch, interpreter: &Interpreter) {
    let seed = tables::SEED;
    let shown = name.escape_ascii();
    assert_eq!(dispatched(compiled, name), dispatched(interpreter, name), "{which} on {shown}, seed {seed}");
    assert_eq!(
        routed(compiled, name),
        routed(interpreter, name),
        "{which} on {shown} as an aggregate, seed {seed}"
    );
}

fn inputs(case: &Value) -> impl Iterator<Item = &Value> {
    case["cases"].as_array().into_iter().flatten()
}
