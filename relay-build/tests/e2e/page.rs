//! Runs the commands of a page of the documentation.
//!
//! Their output must be what the page shows.

use crate::peers;
use std::{env, path::Path, process::Command};

/// A command, whether it is for the machine that a package is installed on, and the lines that the page shows of its output.
pub(crate) struct Step<'p> {
    pub(crate) is_for_machine: bool,
    pub(crate) command: &'p str,
    pub(crate) shown: Vec<&'p str>,
}

/// The commands of a page, in their order.
pub(crate) fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for block in blocks(page, "console") {
        for line in block.lines() {
            let command = line.strip_prefix("$ ").or_else(|| line.strip_prefix("# "));
            match command {
                Some(command) => {
                    steps.push(Step { is_for_machine: line.starts_with('#'), command, shown: Vec::new() });
                }
                None => steps.last_mut().expect("output stands below a command").shown.push(line),
            }
        }
    }
    steps
}

/// The blocks of a language.
pub(crate) fn blocks<'p>(page: &'p str, language: &str) -> impl Iterator<Item = &'p str> {
    page.split(&format!("```{language}\n"))
        .skip(1)
        .map(|block| block.split("```").next().unwrap())
        .collect::<Vec<_>>()
        .into_iter()
}

/// Runs a command where relay-build and what `.ci/peers` installed are found, and gives what it printed.
pub(crate) fn run(command: &str, directory: &Path) -> String {
    let relay_build = Path::new(env!("CARGO_BIN_EXE_relay-build")).parent().unwrap();
    let venv = peers::directory().join("venv/bin");
    let path = format!("{}:{}:{}", relay_build.display(), venv.display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    let output =
        shell.args(["-euc", command]).current_dir(directory).env("PATH", path).output().expect("sh runs");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().expect("cp runs").success());
}
