//! Compiles tables for the tests to run beside the interpreter, a module each: random ones in every form that the
//! code generator knows, and those of the recorded cases. `RELAY_TEST_SEED` picks other random ones.

#[path = "src/forms.rs"]
mod forms;
#[path = "src/random.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod random;
#[path = "src/recorded.rs"]
mod recorded;
#[path = "../../../relay-runtime/tests/vectors/mod.rs"]
mod vectors;

use random::Random;
use relay_build::{
    analyses::{Traffic, strategy::Force},
    codegen::{Door, Options, generate},
    config::Checked,
    corpus::Corpus,
};
use relay_runtime::{plan::Plan, table::Table};
use std::{env, fmt::Write, fs, path::Path};

const RANDOM_TABLES: u64 = 20;

fn main() {
    println!("cargo::rerun-if-env-changed=RELAY_TEST_SEED");
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=../../../relay-runtime/tests/vectors");
    let seed = env::var("RELAY_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut code = Code::default();
    for number in 0..RANDOM_TABLES {
        let table = Random::new(seed * 1_000 + number).table();
        for (form, force) in forms::all() {
            code.add("random", &format!("random_{number}_{form}"), table.clone(), force);
        }
        code.add_steered(&format!("random_{number}_steered"), table, number);
    }
    for (number, (_, table)) in vectors::routing::tables().enumerate() {
        code.add("routing", &format!("routing_{number}"), table, Force::default());
    }
    for (number, (_, table)) in recorded::matchers().into_iter().enumerate() {
        for (form, force) in forms::all() {
            code.add("matchers", &format!("matchers_{number}_{form}"), table.clone(), force);
        }
    }
    for (number, (_, table)) in recorded::rewriters().into_iter().enumerate() {
        code.add("rewriters", &format!("rewriters_{number}"), table, Force::default());
    }
    code.write(seed);
}

/// Modules with a table each, and for each kind of them the calls of the function that checks one.
#[derive(Default)]
struct Code {
    modules: String,
    calls: std::collections::BTreeMap<&'static str, String>,
}

impl Code {
    fn add(&mut self, kind: &'static str, name: &str, table: Table, force: Force) {
        let plan = Plan { table, ..Plan::default() };
        self.add_checked(kind, name, &Checked { plan, ..Checked::default() }, force);
    }

    /// A random table with strategies chosen for lines of its own.
    fn add_steered(&mut self, name: &str, table: Table, seed: u64) {
        let corpus = Corpus::generated(&table, 500, seed);
        let plan = Plan { table, ..Plan::default() };
        let traffic = Traffic::of(&plan, &corpus).ok();
        self.add_checked("random", name, &Checked { plan, traffic, ..Checked::default() }, Force::default());
    }

    fn add_checked(&mut self, kind: &'static str, name: &str, checked: &Checked, force: Force) {
        let options = Options { door: Door::Router, force, ..Options::default() };
        let code = generate(checked, &options).expect("a table of good regexes").text();
        let calls = self.calls.entry(kind).or_default();
        writeln!(self.modules, "pub(crate) mod {name} {{\n{code}\n}}").expect("a string takes everything");
        writeln!(calls, "    check(\"{name}\", {name}::PLAN, &{name}::Table::new());").expect("as above");
    }

    fn write(&self, seed: u64) {
        let mut text = format!("pub(crate) const SEED: u64 = {seed};\n{}", self.modules);
        let check = "check: &mut dyn FnMut(&str, &str, &dyn relay_runtime::dispatch::DynDispatch)";
        for (kind, calls) in &self.calls {
            writeln!(text, "pub(crate) fn each_of_{kind}({check}) {{\n{calls}}}").expect("as above");
        }
        let out = env::var_os("OUT_DIR").expect("cargo sets it");
        fs::write(Path::new(&out).join("tables.rs"), text).expect("cargo made the directory");
    }
}
