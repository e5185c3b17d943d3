//! Runs relays and destinations in separate processes.
//!
//! Each process is this test program again, with another test selected.

use super::{traffic::Directory, wait_until};
use relay_runtime::plan::Plan;
use std::{
    fs,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

/// A destination in a process of its own, which writes down what it reads.
pub(crate) struct Sink {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) file: PathBuf,
}

impl Sink {
    pub(crate) fn start(directory: &Directory) -> Self {
        let file = directory.0.join("sink");
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["sink_process", "--exact", "--nocapture"])
            .env("RELAY_TEST_SINK", &file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains("address=") {
            text.clear();
            assert!(out.read_line(&mut text).unwrap() > 0, "it ended");
        }
        let address = text.trim().split("address=").nth(1).unwrap().parse().unwrap();
        thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
        Self { child, address, file }
    }

    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(&self.file).unwrap();
        text.split_inclusive('\n').map(str::to_owned).collect()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A relay in a process of its own.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) out: BufReader<ChildStdout>,
    log: Arc<Mutex<String>>,
}

impl Process {
    pub(crate) fn start(plan: &Plan) -> Self {
        Self::start_by(&mut Command::new("env"), plan)
    }

    /// Started by another program, which gets the command line as its last arguments.
    pub(crate) fn start_by(starter: &mut Command, plan: &Plan) -> Self {
        let mut child = starter
            .arg(std::env::current_exe().unwrap())
            .args(["relay_process", "--exact", "--nocapture"])
            .env("RELAY_TEST_PLAN", serde_json::to_string(plan).unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let (mut text, mut so_far) = (String::new(), String::new());
        while !text.contains("listening") {
            text.clear();
            assert!(log.read_line(&mut text).unwrap() > 0, "it ended");
            so_far.push_str(&text);
        }
        let address =
            text.split("address=").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
        let kept = Arc::new(Mutex::new(so_far));
        let keep = Arc::clone(&kept);
        thread::spawn(move || {
            text.clear();
            while log.read_line(&mut text).is_ok_and(|bytes| bytes > 0) {
                keep.lock().unwrap().push_str(&text);
                text.clear();
            }
        });
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, address, out, log: kept }
    }

    /// What it has logged.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the log has a line with all of these in it.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, parts: &[&str]) {
        wait_until(&format!("the log has {parts:?}"), || {
            self.log().lines().any(|line| parts.iter().all(|part| line.contains(part)))
        });
    }

    /// Its books now.
    pub(crate) fn ledger(&mut self) -> serde_json::Value {
        self.signal("-USR1");
        self.next_ledger()
    }

    pub(crate) fn next_ledger(&mut self) -> serde_json::Value {
        loop {
            let mut text = String::new();
            assert!(self.out.read_line(&mut text).unwrap() > 0, "it ended");
            if let Some(at) = text.find("{\"") {
                return serde_json::from_str(&text[at..]).unwrap();
            }
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Ends it in good order, and gives its books.
    pub(crate) fn stop(mut self) -> serde_json::Value {
        self.signal("-TERM");
        let ledger = self.next_ledger();
        assert!(self.child.wait().unwrap().success());
        ledger
    }
}
