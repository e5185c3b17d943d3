//! A carbon-cache that writes whisper files at once, one point a second.
//!
//! The tests read the files with carbon's own tools.

use crate::peers::{self, Process};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub(crate) struct Carbon {
    pub(crate) line_port: u16,
    pub(crate) pickle_port: u16,
    storage: PathBuf,
    _process: Process,
}

impl Carbon {
    pub(crate) fn start(directory: &Path) -> Self {
        let [line_port, pickle_port, query_port] = std::array::from_fn(|_| peers::free_port());
        let storage = directory.join("whisper");
        fs::create_dir_all(&storage).unwrap();
        let here = directory.display();
        let config = format!(
            "[cache]\n\
             STORAGE_DIR = {here}\nLOCAL_DATA_DIR = {here}/whisper\nCONF_DIR = {here}\nLOG_DIR = {here}/log\n\
             PID_DIR = {here}\nMAX_CREATES_PER_MINUTE = inf\nMAX_UPDATES_PER_SECOND = inf\n\
             LINE_RECEIVER_INTERFACE = 127.0.0.1\nLINE_RECEIVER_PORT = {line_port}\n\
             PICKLE_RECEIVER_INTERFACE = 127.0.0.1\nPICKLE_RECEIVER_PORT = {pickle_port}\n\
             CACHE_QUERY_INTERFACE = 127.0.0.1\nCACHE_QUERY_PORT = {query_port}\n\
             WHISPER_AUTOFLUSH = True\nCARBON_METRIC_INTERVAL = 0\n"
        );
        fs::write(directory.join("carbon.conf"), config).unwrap();
        fs::write(directory.join("storage-schemas.conf"), "[all]\npattern = .*\nretentions = 1s:1h\n")
            .unwrap();
        let bin = peers::directory().join("venv/bin");
        let process = Process::start(
            Command::new(bin.join("python"))
                .arg(bin.join("carbon-cache.py"))
                .arg(format!("--config={here}/carbon.conf"))
                .args(["--nodaemon", "start"])
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        );
        peers::wait_for_port("carbon-cache", line_port);
        peers::wait_for_port("carbon-cache", pickle_port);
        Self { line_port, pickle_port, storage, _process: process }
    }

    /// Whether whisper has a file for the metric.
    pub(crate) fn holds(&self, metric: &str) -> bool {
        self.storage.join(format!("{}.wsp", metric.replace('.', "/"))).exists()
    }

    /// Every point in whisper: metric and timestamp, and the value.
    pub(crate) fn everything(&self) -> BTreeMap<(String, u64), f64> {
        const DUMP: &str = "
import json, os, sys, time, whisper
points = []
root = sys.argv[1]
for folder, _, files in os.walk(root):
    for name in files:
        path = os.path.join(folder, name)
        metric = os.path.relpath(path, root)[:-len('.wsp')].replace(os.sep, '.')
        (start, _, step), values = whisper.fetch(path, int(time.time()) - 3500)
        points += [[metric, start + i * step, v] for i, v in enumerate(values) if v is not None]
json.dump(points, sys.stdout)
";
        let output = Command::new(peers::directory().join("venv/bin/python"))
            .args(["-c", DUMP])
            .arg(&self.storage)
            .output()
            .expect("python runs");
        // A file that carbon is just creating cannot be read yet; the caller asks again.
        let points: Vec<(String, u64, f64)> = serde_json::from_slice(&output.stdout).unwrap_or_default();
        points.into_iter().map(|(metric, at, value)| ((metric, at), value)).collect()
    }
}
