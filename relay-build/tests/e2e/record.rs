//! Records the lines of a running relay and reads the recording with the real zstd and with relay-build.
//!
//! Lines sent before the recording begins are not part of it.

use crate::{peers, relay};
use std::{
    fs,
    io::Write as _,
    net::TcpStream,
    path::Path,
    process::{Command, Output},
    thread,
    time::Duration,
};

const LINES: usize = 20_000;

#[test]
#[ignore = "compiles a relay; needs zstd, which .ci/peers installs"]
fn what_a_running_relay_gets_can_be_recorded_and_used() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at = |name: &str| directory.path().join(name);
    let config = "instance = 'e2e'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\n\
                  listen_addr = '127.0.0.1:0'\n[[route]]\nkey = 'r'\ntype = 'blackhole'\n";
    let executable = relay::build(&at("relay"), config, &[]);

    let alone = record(&executable, &["--seconds", "1", "--pid", "1"], &at("none"));
    assert_eq!(alone.status.code(), Some(1));
    assert!(text(&alone).contains("process 1 is not a relay"), "{}", text(&alone));

    let running = relay::Relay::start(&mut Command::new(&executable));
    let recording = {
        let (executable, file) = (executable.clone(), at("lines.txt.zst"));
        let lines = LINES.to_string();
        thread::spawn(move || record(&executable, &["--lines", &lines], &file))
    };
    // Sends until the recording has begun; lines before that are not part of it.
    peers::wait_for("the recorder", Duration::from_secs(20), || fs::metadata(at("lines.txt.zst")).is_ok());
    let mut client = TcpStream::connect(("127.0.0.1", running.data_port)).expect("the relay listens");
    let mut sent = 0;
    while !recording.is_finished() {
        writeln!(client, "servers.web{}.cpu {sent} 1700000000\nbad line {sent} x", sent % 100)
            .expect("it takes lines");
        sent += 1;
        if sent % 500 == 0 {
            thread::sleep(Duration::from_millis(5));
        }
    }
    let recorded = recording.join().expect("no panic");
    assert!(recorded.status.success(), "{}", text(&recorded));
    assert!(text(&recorded).contains(&format!("recorded {LINES} lines")), "{}", text(&recorded));

    let plain = Command::new("zstd").arg("-dc").arg(at("lines.txt.zst")).output().expect("zstd").stdout;
    let lines: Vec<_> = plain.split(|byte| *byte == b'\n').collect();
    assert_eq!(lines.len(), LINES + 1, "whole lines and nothing after the last");
    // What came in, in order, whether it was any good or not.
    let number = |line: &[u8]| {
        let text = String::from_utf8_lossy(line).into_owned();
        text.split(' ').rev().nth(1).and_then(|word| word.parse::<u64>().ok()).expect("a line of ours")
    };
    let numbers: Vec<_> = lines[..LINES].iter().map(|line| number(line)).collect();
    assert!(numbers.is_sorted(), "a line was reordered");

    let bench = Command::new(env!("CARGO_BIN_EXE_relay-build"))
        .arg("bench")
        .arg(at("relay/relay.toml"))
        .arg("--corpus")
        .arg(at("lines.txt.zst"))
        .args(["--format", "json", "--rounds", "1", "--without-valgrind", "--steered"])
        .output()
        .expect("relay-build");
    let report: serde_json::Value = serde_json::from_slice(&bench.stdout).expect("JSON");
    assert_eq!(report["lines"], LINES, "{}", text(&bench));
    assert!(report["steered"]["ns_per_line"].is_number());

    // A second recording, ended by time with nothing coming in.
    drop(client);
    let idle = record(&executable, &["--seconds", "0.5"], &at("idle.txt"));
    assert!(idle.status.success(), "{}", text(&idle));
    relay::assert_balanced(&running.stop());
}

fn record(executable: &Path, options: &[&str], file: &Path) -> Output {
    Command::new(executable).arg("record").args(options).arg(file).output().expect("the relay runs")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
