//! A relay starts with each default that docs/configuration.md states, left out and written out.
//!
//! The tables there are read: a new key is covered when it has a row. What routes by other protocols than carbon's takes does
//! not run yet, and is not here.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Command, Stdio},
    sync::Mutex,
    thread,
};

/// A section of the document, how that of a configuration begins, and what a relay that does a bit of everything has there.
const SECTIONS: [(&str, &str, &[&str]); 5] = [
    (
        "## Global keys",
        "",
        &[
            "instance = 'test'",
            "log_level = 'info'",
            "bad_metrics_max_age = '24h'",
            "listen_addr = '127.0.0.1:0'",
        ],
    ),
    (
        "## `[[aggregation]]`",
        "[[aggregation]]",
        &["function = 'sum'", "regex = '^a'", "format = 's'", "interval = 10"],
    ),
    ("## `[[rewriter]]`", "[[rewriter]]", &["old = 'x'", "new = 'y'", "max = -1"]),
    ("## `[[route]]`", "[[route]]", &["key = 'r'", "type = 'sendAllMatch'"]),
    ("## Destinations", "[[route.destination]]", &["address = '127.0.0.1:9'", "spool = true"]),
];

/// Defaults in words, and how they are written. Of those with an empty text the only way to write them is to leave them out.
const IN_WORDS: [(&str, &str); 9] = [
    ("off", ""),
    ("none", ""),
    ("by `type`", ""),
    ("`function` alone", ""),
    ("current directory", "\".\""),
    ("10 intervals", "100"),
    ("-1 with a warning", "-1"),
    ("1000 with a spool, else 0", "1000"),
    ("\"\"", "\"\""),
];

/// A default as it is written in a configuration.
#[derive(Debug)]
struct Written {
    /// Of the sections above.
    section: usize,
    key: String,
    value: String,
}

/// Each default that can be written.
fn documented() -> Vec<Written> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let text = fs::read_to_string(path).unwrap();
    let mut found = Vec::new();
    for (section, (heading, ..)) in SECTIONS.iter().enumerate() {
        let start = text.find(heading).unwrap() + heading.len();
        let body = text[start..].split("\n## ").next().unwrap();
        found.extend(body.lines().filter(|line| line.starts_with("| `")).filter_map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let key = cells[1].split('`').nth(1).unwrap().to_owned();
            Some(Written { section, key, value: value(cells[3], cells[2])? })
        }));
    }
    found
}

/// `None` for one that must be given, or cannot be written.
fn value(default: &str, kind: &str) -> Option<String> {
    if default == "mandatory" {
        return None;
    }
    if let Some((_, text)) = IN_WORDS.iter().find(|(words, _)| *words == default) {
        return (!text.is_empty()).then(|| (*text).to_owned());
    }
    let value = default.trim_matches('`');
    let is_text = matches!(kind.split(',').next(), Some("string" | "duration"));
    Some(if is_text { format!("'{}'", value.trim_matches('"')) } else { value.to_owned() })
}

fn config(written: Option<&Written>) -> String {
    let mut config = String::new();
    for (section, (_, head, lines)) in SECTIONS.iter().enumerate() {
        let own = written.filter(|written| written.section == section);
        let is_other = |line: &&&str| own.is_none_or(|own| line.split(" =").next() != Some(&own.key));
        let lines = lines.iter().filter(is_other).map(|line| (*line).to_owned());
        let own = own.map(|own| format!("{} = {}", own.key, own.value));
        for line in [(*head).to_owned()].into_iter().chain(lines).chain(own) {
            config.push_str(&line);
            config.push('\n');
        }
    }
    config
}

/// Starts a relay and stops it.
fn try_start(config: &str) {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("relay.toml"), config).unwrap();
    let mut relay = Command::new(env!("CARGO_BIN_EXE_relay-build"))
        .args(["run", "--interpreted", "relay.toml"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(relay.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("listening") && said.read_line(&mut text).unwrap() > 0 {}
    if text.contains("listening") {
        let stopped = Command::new("kill").arg(relay.id().to_string()).status().unwrap();
        assert!(stopped.success());
    }
    said.read_to_string(&mut text).unwrap();
    assert!(relay.wait().unwrap().success() && text.contains("listening"), "{config}\n{text}");
}

#[test]
fn a_relay_starts_with_each_documented_default() {
    let defaults = documented();
    assert!(defaults.len() > 50, "the tables are read: {defaults:?}");
    let configs = Mutex::new([None].into_iter().chain(defaults.iter().map(Some)).map(config));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(config) = { configs.lock().unwrap().next() } {
                    try_start(&config);
                }
            });
        }
    });
}
