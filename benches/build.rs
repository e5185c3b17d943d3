//! Compiles the tables that are timed, if the feature `tables` is on: that takes minutes.
//!
//! Without the feature the crate builds at once and only interprets tables.

#[path = "tables.rs"]
#[allow(dead_code, unreachable_pub, reason = "the benchmarks use the rest")]
mod tables;

use relay_build::{
    codegen::{Door, Options, generate},
    config::Checked,
};
use relay_runtime::plan::Plan;
use std::{env, fmt::Write as _, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=tables.rs");
    println!("cargo::rerun-if-changed=production.rs");
    if env::var_os("CARGO_FEATURE_TABLES").is_none() {
        return;
    }
    let (mut text, mut list) = (String::new(), String::new());
    for name in tables::ALL.into_iter().chain([tables::SERIES]) {
        let plan = Plan { table: tables::table(name), ..Plan::default() };
        let checked = Checked { plan, ..Checked::default() };
        let options = Options { door: Door::Router, ..Options::default() };
        let code = generate(&checked, &options).expect("a table of good regexes").text();
        writeln!(text, "pub mod {name} {{\n{code}\n}}").expect("a string takes everything");
        writeln!(list, "        \"{name}\" => Some(pipeline(&table, {name}::Table::new())),")
            .expect("as above");
    }
    let head = "pub(crate) fn compiled(name: &str) -> Option<Box<dyn LinePipeline>> {\n    \
                let table = tables::table(name);\n    match name {\n";
    writeln!(text, "{head}{list}        _ => None,\n    }}\n}}").expect("as above");
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("tables.rs"), text).expect("cargo made the directory");
}
