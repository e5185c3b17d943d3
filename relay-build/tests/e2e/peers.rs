//! What all peers need: where `.ci/peers` put them, free ports, waiting, and processes that end with the test.

use std::{
    env,
    io::{BufRead, BufReader},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The directory that `.ci/peers` fills.
pub(crate) fn directory() -> PathBuf {
    let directory = env::var_os("STATIC_RELAY_PEERS").map_or_else(
        || PathBuf::from(env::var_os("HOME").expect("HOME is set")).join(".cache/static-relay/peers"),
        PathBuf::from,
    );
    assert!(directory.join("ready").exists(), "{} holds no peers: run .ci/peers first", directory.display());
    directory
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Seconds since 1970.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs()
}

/// Polls until `done`; fails the test after `limit`.
#[track_caller]
pub(crate) fn wait_for(what: &str, limit: Duration, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < limit, "waited {limit:?} for {what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Waits until somebody accepts connections on the port.
#[track_caller]
pub(crate) fn wait_for_port(what: &str, port: u16) {
    wait_for(what, Duration::from_mins(1), || TcpStream::connect(("127.0.0.1", port)).is_ok());
}

/// A child process that does not outlive the test.
pub(crate) struct Process(pub Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}")))
    }

    /// SIGTERM, then waits for the end; the exit code.
    pub(crate) fn terminate(&mut self) -> Option<i32> {
        let killed = Command::new("kill").arg(self.0.id().to_string()).status().expect("kill runs");
        assert!(killed.success());
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(40) {
            if let Some(status) = self.0.try_wait().expect("the child can be waited for") {
                return status.code();
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("process {} did not end within 40 s of SIGTERM", self.0.id());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; either way nothing is left of it.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A listener that keeps every line it is sent: what a peer sent, seen without a relay between.
pub(crate) struct Recorder {
    pub(crate) port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound listener").port();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&lines);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    for line in BufReader::new(connection).lines().map_while(Result::ok) {
                        shared.lock().expect("no holder panics").push(line);
                    }
                });
            }
        });
        Self { port, lines }
    }

    pub(crate) fn lines(&self) -> usize {
        self.lines.lock().expect("no holder panics").len()
    }

    pub(crate) fn take(&self) -> Vec<String> {
        // What was in flight when the sender stopped arrives within this moment on loopback.
        thread::sleep(Duration::from_millis(500));
        std::mem::take(&mut self.lines.lock().expect("no holder panics"))
    }
}
