//! A program that measures tables: each compiled exactly as in a relay, around `relay_runtime::measure`.

use super::{BuildError, Job, Profile, Sources, Target, Vendor, cache_directory, codegen, lock, sha256};
use crate::{
    analyses::Force,
    codegen::{Door, Generated},
    config::Checked,
    private::Private,
};
use std::{fmt::Write as _, path::PathBuf};

/// A program that measures tables, compiled.
#[derive(Clone, Debug)]
pub struct BenchProgram {
    /// The executable.
    pub path: PathBuf,
    /// The name of each table, in the order given.
    pub names: Vec<String>,
}

/// Compiles the tables of these configurations into one program.
pub fn build_bench(tables: &[Checked]) -> Result<BenchProgram, BuildError> {
    let _private: Vec<_> = tables.iter().map(Private::of).collect();
    let generate = |checked: &Checked| -> Result<Generated, BuildError> {
        let options =
            codegen::Options { door: Door::Router, force: Force::default(), ..codegen::Options::default() };
        codegen::generate(checked, &options).map_err(BuildError::BadRegex)
    };
    let names: Vec<String> = (0..tables.len()).map(|at| format!("t{at}")).collect();
    let mut files = vec![("main.rs".to_owned(), main_rs(&names))];
    for (name, table) in names.iter().zip(tables) {
        files.push((format!("{name}.rs"), generate(table)?.text()));
    }
    let texts: Vec<&str> = files.iter().map(|(_, text)| text.as_str()).collect();
    let crate_name = format!("bench-{}", &sha256(texts.concat().as_bytes())[..16]);
    let cache = cache_directory(None);
    let _lock = lock(&cache, &mut |_| {})?;
    let (profile, vendor) = (Profile::Server, Vendor::find(None)?);
    let target = Target::new(None, None, profile)?;
    let job = Job {
        name: &crate_name,
        features: &["default".to_owned()],
        profile,
        target: &target,
        cache: &cache,
        vendor: vendor.as_ref(),
    };
    job.write(&files, &Sources::get()?)?;
    let (path, _) = job.compile(&mut |_| {})?;
    Ok(BenchProgram { path, names })
}

fn main_rs(names: &[String]) -> String {
    let mut text = "//! Measures tables; see relay_runtime::measure.\n\nuse relay_runtime::measure::{Entry, \
                    compiled, main as measure};\n\n"
        .to_owned();
    for name in names {
        let written = writeln!(text, "#[allow(dead_code)]\nmod {name};");
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    text.push_str("\nfn main() -> std::process::ExitCode {\n    measure(&[\n");
    for name in names {
        let written = writeln!(
            text,
            "        Entry {{ name: \"{name}\", plan: {name}::PLAN, pipeline: |table| \
             compiled({name}::Table::new(), table) }},"
        );
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    text.push_str("    ])\n}\n");
    text
}
