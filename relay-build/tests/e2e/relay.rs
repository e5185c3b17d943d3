//! Builds a relay from a configuration with the command line, and runs it.
//!
//! The relay ends with the test that started it.

use crate::peers::Process;
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::Duration,
};

pub(crate) struct Relay {
    pub(crate) data_port: u16,
    process: Process,
    log: Receiver<String>,
}

impl Relay {
    /// `relay-build build`, then the executable it leaves.
    pub(crate) fn build_and_start(directory: &Path, config: &str) -> Self {
        Self::start(&mut Command::new(build(directory, config, &[])))
    }

    /// Starts it by this command, and waits until it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut process = Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()));
        let (sender, log) = mpsc::channel();
        let streams: [Option<Box<dyn Read + Send>>; 2] = [
            process.0.stdout.take().map(|stream| Box::new(stream) as _),
            process.0.stderr.take().map(|stream| Box::new(stream) as _),
        ];
        for stream in streams.into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let data_port = loop {
            let line = log.recv_timeout(Duration::from_secs(20)).expect("the relay says where it listens");
            if line.contains("listening") && line.contains("tcp") {
                break port_in(&line);
            }
        };
        Self { data_port, process, log }
    }

    /// SIGTERM; the ledger that the relay prints at exit.
    pub(crate) fn stop(mut self) -> Value {
        assert_eq!(self.process.terminate(), Some(0), "a clean stop exits with 0");
        self.log
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .find(|value| value.get("destinations").is_some())
            .expect("the ledger is printed at exit")
    }
}

/// The relay that `relay-build build` makes of a configuration, with more arguments.
pub(crate) fn build(directory: &Path, config: &str, arguments: &[&str]) -> PathBuf {
    fs::create_dir_all(directory).unwrap();
    let path = directory.join("relay.toml");
    fs::write(&path, config).unwrap();
    let out = directory.join("out");
    let built = Command::new(env!("CARGO_BIN_EXE_relay-build"))
        .arg("build")
        .arg(&path)
        .arg("--out")
        .arg(&out)
        .args(arguments)
        .status()
        .expect("relay-build runs");
    assert!(built.success());
    assert!(out.join("manifest.json").exists());
    out.join("relay")
}

/// The two sums that must hold in a quiet relay.
pub(crate) fn assert_balanced(ledger: &Value) {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let sum = |value: &Value| value.as_object().map_or(0, |map| map.values().map(number).sum::<u64>());
    let accounted = sum(&ledger["invalid"])
        + ["blocked", "aggregated_away", "unroutable", "routed"]
            .iter()
            .map(|k| number(&ledger[*k]))
            .sum::<u64>();
    assert_eq!(number(&ledger["received"]), accounted, "{ledger}");
    for destination in ledger["destinations"].as_array().expect("a list of destinations") {
        let accounted =
            ["sent", "queued", "spooled"].iter().map(|key| number(&destination[*key])).sum::<u64>()
                + sum(&destination["dropped"]);
        let got = number(&destination["routed"]) + number(&destination["recovered"]);
        assert_eq!(got, accounted, "{ledger}");
    }
}

/// The port at the end of the first `address:port` in a log line.
fn port_in(line: &str) -> u16 {
    line.split(|c: char| c.is_whitespace() || c == '=' || c == ',' || c == '"')
        .filter_map(|word| word.rsplit_once(':'))
        .filter(|(address, _)| address.contains("127.0.0.1"))
        .find_map(|(_, port)| port.parse().ok())
        .unwrap_or_else(|| panic!("no address in {line:?}"))
}
