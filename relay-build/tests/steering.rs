//! What a corpus changes: what rules wait for and ask first, never what they mean.

use relay_build::{
    analyses::{Force, Strategy, Traffic, TrafficError, strategy::Guard},
    config::{Checked, Options, Source, check_text},
    corpus::{Corpus, read_file},
};
use std::process::Command;

fn checked(text: &str) -> Checked {
    let head = "instance = 'test'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\n";
    let checked =
        check_text(Source { path: "relay.toml".into(), text: format!("{head}{text}") }, &Options::default());
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    checked
}

fn guards(checked: &Checked, traffic: Option<&Traffic>) -> Vec<Guard> {
    let strategy = Strategy::choose(&checked.plan, Force::default(), traffic).expect("good regexes");
    strategy.rules.into_iter().map(|rule| rule.guard).collect()
}

/// Seven rules of a beginning and a text within each; few names have the one that is not `common`.
fn table(common: &str) -> Checked {
    let rule = |n: u32| {
        let (prefix, sub) = if common == "prefix" {
            ("servers.".to_owned(), format!(".rare{n}."))
        } else {
            (format!("rare{n}."), ".common.".to_owned())
        };
        format!(
            "[[route]]\nkey = 'r{n}'\ntype = 'sendAllMatch'\nprefix = '{prefix}'\nsub = '{sub}'\n\
             destinations = ['127.0.0.1:{}']\n",
            2100 + n
        )
    };
    checked(&(0..7).map(rule).collect::<String>())
}

#[test]
fn rules_wait_for_what_few_names_have() {
    let names = |name: &str| Corpus::of_file("names", format!("{name}\n").repeat(100).as_bytes());
    for (common, name) in [("prefix", "servers.web1.cpu.user"), ("sub", "web1.common.cpu")] {
        let checked = table(common);
        let traffic = Traffic::of(&checked.plan, &names(name)).expect("names");
        for guard in guards(&checked, Some(&traffic)) {
            match guard {
                Guard::Substrings(texts) => {
                    assert!(common == "prefix" && texts[0].starts_with(".rare"), "{texts:?}");
                }
                Guard::Prefixes(texts) => {
                    assert!(common == "sub" && texts[0].starts_with("rare"), "{texts:?}");
                }
                Guard::None => panic!("a rule that is asked for every name"),
            }
        }
    }
}

#[test]
fn a_corpus_without_a_line_is_refused() {
    let checked = table("prefix");
    let of = |text: &str| Traffic::of(&checked.plan, &Corpus::of_file("x", text.as_bytes()));
    assert_eq!(of(""), Err(TrafficError::NoLine));
    assert_eq!(of("no line at all\n"), Err(TrafficError::NoLine));
    assert_eq!(of("a.b 1 1700000000\nno line at all\n").map(|traffic| traffic.names), Ok(1));
}

#[test]
fn an_artifact_can_be_built_again_without_the_corpus() {
    let checked = table("prefix");
    let traffic =
        Traffic::of(&checked.plan, &Corpus::of_file("x", b"servers.a 1 1700000000\n")).expect("a line");
    let text = serde_json::to_string(&traffic).expect("JSON");
    let again: Traffic = serde_json::from_str(&text).expect("what was written");
    assert_eq!(again, traffic);
    assert_eq!(guards(&checked, Some(&again)), guards(&checked, Some(&traffic)));
    // Counts of what the rules ask, and no name.
    assert!(text.contains("\"prefix servers.\":1") && !text.contains("servers.a"), "{text}");
}

#[test]
fn explain_says_what_was_chosen_for_a_corpus() {
    let directory = tempfile::tempdir().expect("a directory");
    let lines = directory.path().join("lines.txt");
    let common = (0..990).map(|n| format!("servers.web{n}.cpu.user 1 1700000000\n"));
    let rare = ["db1.mysql.queries", "web1.nginx.api.5xx", "web1.kafka.a.lag", "web1.x.slow_queries.p99"];
    let rare = rare.map(|rest| format!("servers.{rest} 1 1700000000\n"));
    std::fs::write(&lines, common.chain(rare).collect::<String>()).expect("a file");
    let explain = |more: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_relay-build"))
            .args(["explain", concat!(env!("CARGO_MANIFEST_DIR"), "/../benches/steering/relay.toml")])
            .args(more)
            .output()
            .expect("relay-build");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(explain(&[]).contains("Aho-Corasick"));
    let steered = explain(&["--corpus", &lines.to_string_lossy()]);
    assert!(steered.contains("skips") && steered.contains("of 994 names of the corpus contain"), "{steered}");
}

#[test]
fn a_compressed_corpus_is_read_frame_by_frame() {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("lines.zst");
    let frames = [&b"a.b 1 1700000000\n"[..], &b"a.c 2 1700000001\n"[..]];
    let bytes: Vec<u8> =
        frames.iter().flat_map(|frame| compress_to_vec(*frame, CompressionLevel::Fastest)).collect();
    std::fs::write(&path, &bytes).expect("a file");
    assert_eq!(read_file(&path).expect("two frames"), frames.concat());
    std::fs::write(&path, &bytes[..bytes.len() - 3]).expect("a file");
    assert!(read_file(&path).is_err(), "a torn file is no shorter corpus");
}
