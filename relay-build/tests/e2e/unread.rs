//! Relays whose stdout and stderr nobody reads: a full pipe may hold up what they say, but not one line. And the threads
//! that relays take.

use crate::{
    peers::{self, Process, Recorder},
    relay,
};
use serde_json::Value;
use std::{
    fs,
    io::{PipeReader, Read as _, Write as _, pipe},
    net::TcpStream,
    process::Command,
    thread,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes that a pipe holds.
const PIPE: usize = 65_536;

/// What a relay is given to stop before somebody reads: less than it waits for a reader.
const SLEEP: Duration = Duration::from_millis(200);

/// More than twice as many questions as ledgers wait for a reader: two that come together get one.
const ASKED: usize = 40;

/// Ledgers that wait for a reader: one that is being written, and those behind it.
const KEPT: usize = 1 + 16;

#[test]
#[ignore = "compiles a relay for musl, which .ci/peers installs"]
fn an_appliance_has_one_thread_and_does_not_wait_for_who_reads_its_log() {
    assert_eq!(threads_of("max_procs = 0\n", &["--profile", "appliance"]), 1);
}

#[test]
#[ignore = "compiles a relay"]
fn a_relay_with_two_workers_does_not_wait_for_who_reads_its_log() {
    // One reads signals, one writes the log, one waits for recorders.
    assert_eq!(threads_of("max_procs = 2\n", &[]), 3 + 2);
}

/// Runs a relay through all that it may say, and counts its threads.
fn threads_of(setting: &str, arguments: &[&str]) -> usize {
    let (directory, recorder, port) = (tempfile::tempdir().unwrap(), Recorder::start(), peers::free_port());
    let config = format!(
        "instance = 'e2e'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\nlisten_addr = '127.0.0.1:{port}'\n{setting}\
         [[route]]\nkey = 'r'\ntype = 'sendAllMatch'\ndestinations = ['127.0.0.1:{}']\n",
        recorder.port
    );
    let executable = relay::build(directory.path(), &config, arguments);
    let (reader, mut writer) = pipe().unwrap();
    writer.write_all(&vec![b'\n'; PIPE]).unwrap();
    let mut command = Command::new(executable);
    let mut relay = Process::start(command.stdout(writer.try_clone().unwrap()).stderr(writer));
    drop(command);

    let mut client = None;
    peers::wait_for("the relay", PATIENCE, || {
        client = TcpStream::connect(("127.0.0.1", port)).ok();
        client.is_some()
    });
    let mut client = client.expect("connected");
    for asked in 0..ASKED {
        let usr1 = Command::new("kill").args(["-USR1", &relay.0.id().to_string()]).status().unwrap();
        assert!(usr1.success());
        writeln!(client, "a.b {asked} {}", peers::unix_now()).unwrap();
        peers::wait_for("a line after a question", PATIENCE, || recorder.lines() == asked + 1);
    }
    let threads = fs::read_dir(format!("/proc/{}/task", relay.0.id())).unwrap().count();

    let said = thread::spawn(move || {
        thread::sleep(SLEEP);
        read(reader)
    });
    assert_eq!(relay.terminate(), Some(0), "a clean stop exits with 0");
    let said = said.join().unwrap();
    assert!(said.contains("listening"), "{said}");
    assert!(said.trim_end().lines().any(|line| line.ends_with("stopping")), "{said}");
    let ledgers: Vec<Value> =
        said.lines().filter(|line| line.starts_with('{')).map(|line| line.parse().unwrap()).collect();
    assert_eq!(ledgers.len(), KEPT + 1, "what was kept, and the last");
    let left_out = said.lines().filter(|line| line.contains("a ledger is left out")).count();
    assert!((1..=ASKED - KEPT).contains(&left_out), "{left_out} of {ASKED} are left out, and said to be");
    let last = ledgers.last().unwrap();
    assert_eq!(last["received"], ASKED);
    relay::assert_balanced(last);
    threads
}

fn read(mut reader: PipeReader) -> String {
    let mut said = String::new();
    reader.read_to_string(&mut said).unwrap();
    said
}
