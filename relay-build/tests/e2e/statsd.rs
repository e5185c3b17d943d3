//! A statsd that flushes to the relay every two seconds: never two flushes in one second of whisper.

use crate::peers::{self, Process};
use std::{
    fs,
    net::UdpSocket,
    path::Path,
    process::{Command, Stdio},
};

pub(crate) struct Statsd {
    process: Process,
    port: u16,
}

impl Statsd {
    pub(crate) fn start(directory: &Path, relay_port: u16) -> Self {
        let [port, management] = std::array::from_fn(|_| peers::free_port());
        fs::create_dir_all(directory).unwrap();
        let config = format!(
            "{{ graphitePort: {relay_port}, graphiteHost: \"127.0.0.1\", port: {port}, address: \"127.0.0.1\", \
             mgmt_address: \"127.0.0.1\", mgmt_port: {management}, flushInterval: 2000, \
             graphite: {{ legacyNamespace: false }}, backends: [\"./backends/graphite\"] }}"
        );
        let path = directory.join("config.js");
        fs::write(&path, config).unwrap();
        let process = Process::start(
            Command::new("node")
                .arg(peers::directory().join("node_modules/statsd/stats.js"))
                .arg(path)
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        peers::wait_for_port("statsd", management);
        Self { process, port }
    }

    /// Counts up by one, so often; returns how often.
    pub(crate) fn count(&self, metric: &str, times: u32) -> u32 {
        for _ in 0..times {
            self.send(&format!("{metric}:1|c"));
        }
        times
    }

    pub(crate) fn gauge(&self, metric: &str, value: u32) {
        self.send(&format!("{metric}:{value}|g"));
    }

    fn send(&self, packet: &str) {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.send_to(packet.as_bytes(), ("127.0.0.1", self.port)).expect("loopback takes a datagram");
    }

    pub(crate) fn stop(mut self) {
        self.process.terminate();
    }
}
