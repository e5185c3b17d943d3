//! The commands of `docs/packaging.md`, in their order: after `$` where relays are built, after `#` on a Debian that runs
//! systemd and has a network of its own. What the page shows of their output must be in it.

use crate::{
    machine::{Machine, Network},
    peers,
};
use std::{env, fs, path::Path, process::Command};

/// A command, whether it is for the machine, and the lines that the page shows of its output.
struct Step<'p> {
    is_for_machine: bool,
    command: &'p str,
    shown: Vec<&'p str>,
}

fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    for block in page.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
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

/// Where commands of the page are found: relay-build and what `.ci/peers` installed first.
fn search_path() -> String {
    let relay_build = Path::new(env!("CARGO_BIN_EXE_relay-build")).parent().unwrap();
    let venv = peers::directory().join("venv/bin");
    format!("{}:{}:{}", relay_build.display(), venv.display(), env::var("PATH").unwrap())
}

#[test]
#[ignore = "boots a Debian, which .ci/peers makes"]
fn every_command_of_the_page_does_what_it_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = fs::read_to_string(root.join("docs/packaging.md")).unwrap();
    let steps = steps(&page);
    assert!(steps.len() > 15, "the page has commands");
    let directory = tempfile::tempdir().unwrap();
    let repository = directory.path().join("repository");
    copy(&root.join("examples/pipeline"), &repository);
    let machine = Machine::boot(&directory.path().join("machine"), Network::Own);
    for Step { is_for_machine, command, shown } in steps {
        println!("{} {command}", if is_for_machine { '#' } else { '$' });
        let said = if is_for_machine {
            let dist = repository.join("dist");
            if !machine.path("/root/dist").exists() {
                copy(&dist, &machine.path("/root/dist"));
            }
            machine.run(&format!("cd /root; {command}"))
        } else {
            let mut shell = Command::new("sh");
            let output = shell
                .args(["-euc", command])
                .current_dir(&repository)
                .env("PATH", search_path())
                .output()
                .expect("sh runs");
            assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        if !shown.is_empty() {
            assert_eq!(said.lines().collect::<Vec<_>>(), shown, "{command}");
        }
    }
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-r").args([from, to]).status().expect("cp runs").success());
}
