//! What generated code and reports look like, reviewed like code.
//!
//! The texts are in `snapshots/`. After a change that is meant, write them anew with `INSTA_UPDATE=always` and read the
//! difference. Versions and the embedded plan are left out: neither is what these tests are about.

use relay_build::{
    analyses::{
        Force,
        strategy::{PrefixStrategy, RuleForm, SubstringStrategy},
    },
    codegen::{self, generate},
    config::{Checked, Options, Source, check_text},
    diagnostics::{render, to_json},
};
use std::fmt::Write as _;

const MANDATORY: &str = "instance = \"relay1\"\nlog_level = \"info\"\nbad_metrics_max_age = \"24h\"\n";

fn check(text: &str) -> Checked {
    check_text(Source { path: "relay.toml".into(), text: format!("{MANDATORY}{text}") }, &Options::default())
}

/// The files of the program for this configuration. Long data is cut off, and automata are only named.
fn code(text: &str, force: Force) -> String {
    let checked = check(text);
    assert!(!checked.has_errors(), "{}", render(&checked.diagnostics, &checked.source, false));
    let options = codegen::Options { force, manifest: "{}".to_owned(), ..codegen::Options::default() };
    let mut shown = String::new();
    for (name, text) in generate(&checked, &options).expect("regexes that parse").files() {
        let _ = writeln!(shown, "// {name}");
        for line in text.replacen(env!("CARGO_PKG_VERSION"), "0.0.0", 1).lines() {
            let _ = match line.split_once(['=', '<']) {
                Some((item, _)) if line.contains("const PLAN") || line.contains("Aligned<") => {
                    writeln!(shown, "{item}…")
                }
                _ if line.starts_with("pub(crate) static") && line.len() > 120 => {
                    writeln!(shown, "{}…", &line[..line.floor_char_boundary(120)])
                }
                _ => writeln!(shown, "{line}"),
            };
        }
    }
    shown
}

/// A route with this line of conditions.
fn route(key: &str, conditions: &str) -> String {
    format!(
        "[[route]]\nkey = '{key}'\ntype = 'sendAllMatch'\n{conditions}\ndestinations = ['10.0.0.1:2003']\n"
    )
}

fn prefixes() -> String {
    (0..8).map(|at| route(&format!("team-{at}"), &format!("prefix = 'teams.t{at}.'"))).collect()
}

#[test]
fn few_prefixes_are_compared() {
    let text = format!(
        "blocklist = ['prefix debug.', 'notPrefix .']\n{}{}",
        route("servers", "prefix = 'servers.'\nnotSub = '.tmp.'"),
        route("all", "")
    );
    insta::assert_snapshot!(code(&text, Force::default()));
}

#[test]
fn many_prefixes_are_hashed() {
    insta::assert_snapshot!(code(&prefixes(), Force::default()));
}

#[test]
fn prefixes_of_many_lengths_make_a_trie() {
    let force = Force { prefixes: Some(PrefixStrategy::Trie), ..Force::default() };
    insta::assert_snapshot!(code(&prefixes(), force));
}

#[test]
fn few_substrings_are_searched() {
    let text = format!("{}{}", route("cpu", "sub = '.cpu.'"), route("suffix", "regex = '\\.count$'"));
    insta::assert_snapshot!(code(&text, Force::default()));
}

#[test]
fn many_long_substrings_are_skipped_to() {
    let text: String = (0..5).map(|at| route(&format!("s{at}"), &format!("sub = '.sub{at}.'"))).collect();
    insta::assert_snapshot!(code(&text, Force::default()));
}

#[test]
fn many_substrings_make_an_automaton() {
    let text: String = (0..5).map(|at| route(&format!("s{at}"), &format!("sub = '.s{at}.'"))).collect();
    insta::assert_snapshot!(code(&text, Force::default()));
    let force = Force { substrings: Some(SubstringStrategy::Search), ..Force::default() };
    assert_ne!(code(&text, Force::default()), code(&text, force));
}

#[test]
fn regexes_become_automata() {
    let text = format!(
        "{}{}{}",
        route("guarded", "regex = '^servers\\.[^.]+\\.(cpu|load)\\.'"),
        route("late", "regex = 'a[0-9]{2}b.*\\.count'\nnotRegex = '^x|y$'"),
        route("literal", "regex = '^stats\\.'")
    );
    insta::assert_snapshot!(code(&text, Force::default()));
}

#[test]
fn long_tables_are_rows() {
    let force = Force { form: Some(RuleForm::Rows), ..Force::default() };
    let text = format!("blocklist = ['sub .tmp.']\n{}{}", prefixes(), route("late", "regex = '[0-9]+$'"));
    insta::assert_snapshot!(code(&text, force));
}

#[test]
fn rewriters_and_aggregations_come_before_routes() {
    let text = format!(
        "[[rewriter]]\nold = 'servers.'\nnew = 'hosts.'\nmax = 1\n\
         [[rewriter]]\nold = '/cpu-([0-9]+)/'\nnew = 'cpu.${{1}}'\nnot = 'raw'\nmax = -1\n\
         [[aggregation]]\nfunction = 'sum'\nregex = '^hosts\\.[^.]+\\.(.*)'\nformat = 'sum.$1'\ninterval = 10\nwait = 20\ndropRaw = true\n{}",
        route("all", "")
    );
    insta::assert_snapshot!(code(&text, Force::default()));
}

#[test]
fn aggregations_that_differ_in_their_regexes_only_are_asked_alike() {
    let rule = |at: &str| {
        format!(
            "[[aggregation]]\nfunction = 'sum'\nregex = '^hosts\\.[^.]+\\.{at}\\.(.*)'\nformat = 'sum.{at}.$1'\n\
             interval = 10\nwait = 20\n"
        )
    };
    let text: String = ["mysql", "nginx", "kafka", "redis", "varnish"].map(rule).concat();
    insta::assert_snapshot!(code(&format!("{text}{}", route("all", "")), Force::default()));
}

#[test]
fn each_kind_of_route_has_its_code() {
    let mut text = String::new();
    let two = "destinations = ['10.0.0.1:2003:a', '10.0.0.2:2003:b']";
    for (kind, keys) in [
        ("sendAllMatch", "destinations = ['10.0.0.1:2003:a sub=x', '10.0.0.2:2003:b']"),
        (
            "sendFirstMatch",
            "destinations = ['10.0.0.1:2003:a prefix=sendFirstMatch.a.', '10.0.0.2:2003:b regex=[0-9]$', '10.0.0.3:2003']",
        ),
        ("consistentHashing", two),
        ("roundRobin", two),
        ("failover", two),
        ("blackhole", ""),
        (
            "grafanaNet",
            "addr = 'https://graphite.example.com/metrics'\napiKey = 'k'\nschemasFile = 'schemas.conf'",
        ),
        (
            "kafkaMdm",
            "brokers = ['10.0.0.9:9092']\ntopic = 'mdm'\ncodec = 'none'\npartitionBy = 'byOrg'\nschemasFile = 'schemas.conf'",
        ),
        ("pubsub", "project = 'p'\ntopic = 't'"),
        ("cloudWatch", "region = 'eu-west-1'\nnamespace = 'n'"),
    ] {
        let _ = writeln!(text, "[[route]]\nkey = '{kind}'\ntype = '{kind}'\nprefix = '{kind}.'\n{keys}");
    }
    insta::assert_snapshot!(code(&text, Force::default()));
}

#[test]
fn a_route_that_stops_returns_where_a_later_one_shares_names() {
    let stop = |key, conditions: &str| route(key, &format!("{conditions}\nstop = true"));
    let text = [
        stop("one", "prefix = 'a.'"),
        stop("other", "prefix = 'b.'"),
        route("later", "sub = '.b.'"),
        stop("all", ""),
        stop("never", "prefix = 'c.'"),
    ];
    insta::assert_snapshot!(code(&text.concat(), Force::default()));
}

#[test]
fn a_router_is_a_module_without_main() {
    let checked = check(&route("all", ""));
    let options = codegen::Options { door: codegen::Door::Router, ..codegen::Options::default() };
    let text = generate(&checked, &options).expect("no regexes").text();
    assert!(!text.contains("fn main") && text.contains("pub struct Table"), "{text}");
}

const WITH_ERRORS: &str = r#"listen_adr = ":2003"
blocklist = ["prefx debug.", "regex servers.(", "prefix "]

[[rewriter]]
old = "/cpu-([0-9]+)/"
new = "cpu.$1_total"
max = 1

[[route]]
key = "carbon"
type = "sendAllMatches"
destinations = ["10.0.0.1:2003"]

[[route]]
key = "ring"
type = "consistentHashing"
destinations = ["10.0.0.1:2003 spol=true", "::1:2003"]
"#;

const WITH_WARNINGS: &str = r#"blocklist = [
    "prefix debug.",
    "notPrefix servers.",
    "sub .tmp.",
    "regex ^debug\\.[a-z]+\\.",
]

[[rewriter]]
old = "servers."
new = ""
max = -1

[[route]]
key = "stats"
type = "sendAllMatch"
prefix = "stats."
regex = "^servers"
destinations = ["10.0.0.1:2003", "10.0.0.1:2003"]

[[route]]
key = "stats"
type = "consistentHashing-v2"
destinations = ["10.0.0.1:2003", "10.0.0.1:2004"]
"#;

#[test]
fn errors_are_reported_at_their_places() {
    let checked = check(WITH_ERRORS);
    insta::assert_snapshot!(render(&checked.diagnostics, &checked.source, false));
}

#[test]
fn warnings_point_at_their_causes() {
    let checked = check(WITH_WARNINGS);
    assert!(!checked.has_errors());
    insta::assert_snapshot!(render(&checked.diagnostics, &checked.source, false));
}

#[test]
fn programs_get_the_same_as_json() {
    let checked = check(WITH_WARNINGS);
    let json = to_json(&checked.diagnostics, &checked.source);
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).expect("JSON"));
}
