//! Generates random tables, each in several forms, into one module each; the tests run them beside the
//! interpreter. `RELAY_TEST_SEED` picks other tables.

#[path = "src/random.rs"]
mod random;

use random::Random;
use relay_build::{
    analyses::strategy::{Force, PrefixStrategy, RuleForm, SubstringStrategy},
    codegen::{Door, Options, generate},
    config::Checked,
};
use std::{env, fmt::Write, fs, path::Path};

const PLANS: u64 = 20;

fn main() {
    println!("cargo::rerun-if-env-changed=RELAY_TEST_SEED");
    let seed = env::var("RELAY_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut text = format!("pub(crate) const SEED: u64 = {seed};\n");
    let mut list = String::new();
    for number in 0..PLANS {
        let plan = Random::new(seed * 1_000 + number).plan();
        let checked = Checked { plan, ..Checked::default() };
        for (form, force) in forces().into_iter().enumerate() {
            let options = Options { door: Door::Router, force, ..Options::default() };
            let code = generate(&checked, &options).expect("a table of good regexes").text();
            let name = format!("table_{number}_{form}");
            writeln!(text, "pub(crate) mod {name} {{\n{code}\n}}").expect("a string takes everything");
            writeln!(list, "    crate::check(&{name}::Table::new(), {name}::PLAN, \"{name}\");").expect("as above");
        }
    }
    writeln!(text, "pub(crate) fn check_all() {{\n{list}}}").expect("as above");
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("tables.rs"), text).expect("cargo made the directory");
}

/// What is chosen by itself, then every strategy by force.
fn forces() -> [Force; 5] {
    let compare = Force {
        prefixes: Some(PrefixStrategy::Compare),
        substrings: Some(SubstringStrategy::Search),
        form: Some(RuleForm::Rows),
        regexes_at_start: true,
        ..Force::default()
    };
    let hash = Force {
        prefixes: Some(PrefixStrategy::Hash),
        substrings: Some(SubstringStrategy::Automaton),
        form: Some(RuleForm::Code),
        ..Force::default()
    };
    let trie = Force { prefixes: Some(PrefixStrategy::Trie), form: Some(RuleForm::Rows), ..hash };
    [Force::default(), compare, hash, trie, Force { regexes_plain: true, form: Some(RuleForm::Code), ..compare }]
}
