//! What somebody who builds relays sees and waits for: progress in a log, how long it took last time, a signal that ends all of it.
//!
//! Cargo is a script here, so that nothing depends on how fast this machine compiles.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const CONFIG: &str = "instance = \"i\"\nlog_level = \"info\"\nbad_metrics_max_age = \"24h\"\nlisten_addr = \"127.0.0.1:0\"\n\
    [[route]]\nkey = \"r\"\ntype = \"sendAllMatch\"\ndestinations = [\"127.0.0.1:2103\"]\n";

/// A configuration and a cargo that answers `tree` with these crates and runs `build` instead of building.
fn place(tree: &str, build: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().expect("a directory");
    let cargo = place.path().join("cargo");
    let script = format!("#!/bin/sh\ncase $1 in\ntree) printf '{tree}';;\nbuild) {build};;\nesac\n");
    fs::write(&cargo, script).expect("written");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).expect("executable");
    fs::write(place.path().join("relay.toml"), CONFIG).expect("written");
    place
}

fn build(place: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_relay-build"));
    command.args(["build", "relay.toml", "--out", "out"]).current_dir(place);
    command.env("CARGO", place.join("cargo")).env("RELAY_BUILD_CACHE", place.join("cache"));
    command.env_remove("RELAY_BUILD_VENDOR").stdin(Stdio::null());
    command
}

/// What cargo says when it begins and ends a crate.
fn compiles(name: &str) -> String {
    let artifact = format!(
        "{{\"reason\":\"compiler-artifact\",\"package_id\":\"x#{name}@1.0.0\",\"target\":{{\"kind\":[\"lib\"]}},\
         \"fresh\":false}}"
    );
    format!("echo '   Compiling {name} v1.0.0' >&2; sleep 0.2; echo '{artifact}'; ")
}

#[test]
fn a_log_says_what_is_compiled_how_far_it_is_and_how_long_it_took_last_time() {
    let place = place("a v1.0.0\\nb v1.0.0\\nb v1.0.0 (*)\\n", &[compiles("a"), compiles("b")].concat());
    let said =
        || String::from_utf8_lossy(&build(place.path()).output().expect("it starts").stderr).into_owned();
    let first = said();
    assert!(first.contains("compiling 0 of 2 crates, 0 s: a\n"), "{first}");
    let second = said();
    assert!(second.contains("compiling 0 of 2 crates, 0 s (last time 1 s): a\n"), "{second}");
}

#[test]
fn a_signal_ends_cargo_and_what_cargo_started() {
    for signal in ["TERM", "INT"] {
        let place = place("a v1.0.0\\n", "sleep 1000 & echo $! $$ > pids; echo ' Compiling a v1' >&2; wait");
        let mut running = build(place.path()).stderr(Stdio::piped()).spawn().expect("it starts");
        let mut said = BufReader::new(running.stderr.take().expect("piped")).lines().map_while(Result::ok);
        assert!(said.any(|line| line.starts_with("compiling")));
        let pids = fs::read_to_string(place.path().join("pids")).expect("the script wrote it");
        let kill = ["-s", signal, &running.id().to_string()];
        assert!(Command::new("kill").args(kill).status().expect("kill is there").success());
        assert!(said.any(|line| line.contains("ended by signal")));
        let status = running.wait().expect("it ends");
        assert_eq!(status.signal(), Some(if signal == "TERM" { 15 } else { 2 }));
        let deadline = Instant::now() + Duration::from_mins(1);
        for pid in pids.split_whitespace() {
            while is_running(pid) {
                assert!(Instant::now() < deadline, "{pid} still runs");
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
}

/// One that has ended and that nobody has waited for does not run.
fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
