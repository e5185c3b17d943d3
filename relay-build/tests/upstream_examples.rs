//! Every example that carbon-relay-ng publishes is checked, built and started; `upstream/` has them in our own words.
//!
//! Routes that leave Graphite are refused, each with one error that says what a later version serves; the rest of such a
//! file starts. Nothing outside of a temporary directory is written, so paths below `/var` and the ports are changed.

use relay_build::{
    config::{Checked, Options, Source, check_text, unsupported},
    diagnostics::{Severity, codes},
};
use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Far more than a start takes; only a relay that never listens waits for so long.
const PATIENCE: Duration = Duration::from_mins(10);

/// An example, with the types of its routes that this version refuses.
struct Example {
    name: &'static str,
    refused: &'static [&'static str],
}

const EXAMPLES: [Example; 7] = [
    Example { name: "stock", refused: &[] },
    Example { name: "image", refused: &[] },
    Example { name: "many_aggregations", refused: &[] },
    Example { name: "grafana_cloud", refused: &["grafanaNet"] },
    Example { name: "documented", refused: &[] },
    Example { name: "documented_cloud", refused: &["grafanaNet", "kafkaMdm", "kafkaMdm", "cloudWatch"] },
    Example { name: "documented_commands", refused: &["grafanaNet", "pubsub"] },
];

impl Example {
    fn text(&self) -> String {
        fs::read_to_string(directory().join(self.name).with_extension("toml")).unwrap()
    }

    /// The file without the routes that this version refuses.
    fn served(&self) -> String {
        let is_refused = |text: &str, before: &str, after: &str| {
            self.refused.iter().any(|kind| text.contains(&format!("{before}{kind}{after}")))
        };
        let text = self.text();
        let lines = text.split_inclusive('\n').filter(|line| !is_refused(line, "'addRoute ", " "));
        let text: String = lines.collect();
        // A table ends where the next begins.
        let tables = text.split_inclusive("\n\n").filter(|table| !is_refused(table, "\ntype = '", "'"));
        tables.collect()
    }
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/upstream")
}

fn check(text: String) -> Checked {
    check_text(Source { path: "relay.toml".into(), text }, &Options::default())
}

/// Starts a relay of this configuration by `relay-build run`, connects to it, and stops it.
fn start(text: &str, arguments: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("var/run")).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let line = |line: &str| match line.split_once(" = ") {
        Some(("listen_addr", _)) => format!("listen_addr = '127.0.0.1:{port}'\n"),
        Some(("pickle_addr", _)) => "pickle_addr = '127.0.0.1:0'\n".to_owned(),
        _ => format!("{}\n", line.replace("\"/var/", &format!("\"{}/var/", root.display()))),
    };
    fs::write(root.join("relay.toml"), text.lines().map(line).collect::<String>()).unwrap();
    let mut relay = Command::new(env!("CARGO_BIN_EXE_relay-build"))
        .arg("run")
        .args(arguments)
        .arg("relay.toml")
        .current_dir(root)
        .env("INSTANCE", "relay1")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert_eq!(relay.try_wait().unwrap(), None, "it ended before it listened:\n{text}");
        assert!(begun.elapsed() < PATIENCE, "nothing listens:\n{text}");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").arg(relay.id().to_string()).status().unwrap().success());
    let output = relay.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains("\"balanced\":true"), "{text}\n{said}");
}

#[test]
fn every_file_is_listed() {
    let mut names: Vec<_> = EXAMPLES.iter().map(|example| format!("{}.toml", example.name)).collect();
    names.sort();
    let files = fs::read_dir(directory()).unwrap();
    let mut files: Vec<_> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, names);
}

#[test]
fn what_a_later_version_serves_is_one_error_for_each_route_and_nothing_else_is_wrong() {
    for example in &EXAMPLES {
        let checked = check(example.text());
        assert!(!checked.has_errors(), "{}: {:#?}", example.name, checked.diagnostics);
        let unserved = unsupported(&checked);
        let errors = unserved.iter().filter(|one| one.severity == Severity::Error);
        let found: Vec<_> = errors.map(|one| (one.code, one.help.clone().unwrap())).collect();
        let want = example.refused.iter().map(|kind| {
            (codes::UNSUPPORTED_ROUTE, format!("remove the route; a later version serves `{kind}`"))
        });
        assert_eq!(found, want.collect::<Vec<_>>(), "{}", example.name);
        let served = check(example.served());
        assert!(!served.has_errors(), "{}: {:#?}", example.name, served.diagnostics);
        let left = checked.plan.table.routes.len() - example.refused.len();
        assert_eq!(served.plan.table.routes.len(), left, "{}", example.name);
    }
}

#[test]
fn every_example_starts() {
    for example in &EXAMPLES {
        start(&example.served(), &["--interpreted"]);
    }
}

#[test]
#[ignore = "compiles a relay for each example"]
fn every_example_is_built_and_starts() {
    for example in &EXAMPLES {
        start(&example.served(), &[]);
    }
}
