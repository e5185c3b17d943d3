//! A collectd that writes what it reads of this machine to two Graphite nodes: the relay and a recorder.

use crate::peers::{self, Process};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

pub(crate) struct Collectd(Process);

impl Collectd {
    pub(crate) fn start(directory: &Path, relay_port: u16, recorder_port: u16) -> Self {
        let _ = peers::directory();
        fs::create_dir_all(directory).unwrap();
        let here = directory.display();
        let node = |name: &str, port: u16| {
            format!(
                "  <Node \"{name}\">\n    Host \"127.0.0.1\"\n    Port \"{port}\"\n    Protocol \"tcp\"\n    \
                 Prefix \"collectd.\"\n    StoreRates true\n  </Node>\n"
            )
        };
        let config = format!(
            "Hostname \"e2e\"\nFQDNLookup false\nInterval 1\nBaseDir \"{here}\"\nPIDFile \"{here}/pid\"\n\
             PluginDir \"/usr/lib/collectd\"\nTypesDB \"/usr/share/collectd/types.db\"\n\
             LoadPlugin load\nLoadPlugin memory\nLoadPlugin uptime\nLoadPlugin write_graphite\n\
             <Plugin write_graphite>\n{}{}</Plugin>\n",
            node("relay", relay_port),
            node("recorder", recorder_port)
        );
        let path = directory.join("collectd.conf");
        fs::write(&path, config).unwrap();
        Self(Process::start(
            Command::new("/usr/sbin/collectd")
                .args(["-f", "-C"])
                .arg(path)
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        ))
    }

    /// Stops it; it flushes what it holds first.
    pub(crate) fn stop(mut self) {
        self.0.terminate();
    }
}
