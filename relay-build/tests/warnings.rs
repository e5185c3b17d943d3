//! Warnings about whole configurations: which there are, where they point, and that their help helps.

use relay_build::{
    config::{Checked, Options, Source, check_text},
    diagnostics::{Code, Severity, codes},
};
use std::fmt::Write as _;

const MANDATORY: &str = "instance = \"relay1\"\nlog_level = \"info\"\nbad_metrics_max_age = \"24h\"\n";

fn check(text: &str) -> Checked {
    let checked = check_text(
        Source { path: "relay.toml".into(), text: format!("{MANDATORY}{text}") },
        &Options::default(),
    );
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    checked
}

/// The codes of the warnings with the lines (after the mandatory ones) that they and their causes are in.
fn found(text: &str) -> Vec<(Code, usize, Vec<usize>)> {
    let checked = check(text);
    let line = |span: relay_build::diagnostics::Span| checked.source.line_column(span.start).0 - 3;
    let one = |one: &relay_build::diagnostics::Diagnostic| {
        assert_eq!(one.severity, Severity::Warning);
        assert!(one.help.is_some(), "{one:?}");
        let (place, _) = one.place.clone().expect("a place");
        (one.code, line(place), one.related.iter().map(|(span, _)| line(*span)).collect())
    };
    checked.diagnostics.iter().filter(|one| (800..900).contains(&one.code.0)).map(one).collect()
}

#[track_caller]
fn check_found(text: &str, want: &[(Code, usize, &[usize])]) {
    let want: Vec<_> = want.iter().map(|(code, line, related)| (*code, *line, related.to_vec())).collect();
    assert_eq!(found(text), want, "{text}");
}

/// A route to somewhere on one line, for rules that only matter with one.
fn route(key: &str, conditions: &str) -> String {
    format!(
        "[[route]]\nkey = '{key}'\n{conditions}\ntype = 'sendAllMatch'\ndestinations = ['10.0.0.1:2003 flush={}']\n",
        1 + key.len()
    )
}

fn rewriter(old: &str, new: &str, more: &str) -> String {
    format!("[[rewriter]]\nold = '{old}'\nnew = '{new}'\nmax = -1\n{more}\n")
}

#[test]
fn a_blocklist_entry_may_be_blocked_by_several_together() {
    let text = "blocklist = [\n'notPrefix a',\n'sub zz',\n'prefix ab',\n'regex ^a[^b]',\n'regex ^a.+z',\n'prefix b']\n";
    check_found(
        text,
        &[(codes::UNREACHED_BLOCKLIST_ENTRY, 6, &[4, 5]), (codes::UNREACHED_BLOCKLIST_ENTRY, 7, &[2])],
    );
}

#[test]
fn an_entry_that_still_blocks_something_is_not_reported() {
    check_found("blocklist = ['prefix ab', 'regex ^ab?', 'sub abc', 'regex b$']\n", &[]);
    check_found("blocklist = ['regex ^a[0-9]+$', 'regex ^a[0-9]{1,3}']\n", &[]);
    check_found(
        "blocklist = ['regex ^a[0-9]', 'regex ^a[0-9]{1,3}$']\n",
        &[(codes::UNREACHED_BLOCKLIST_ENTRY, 1, &[1])],
    );
}

#[test]
fn the_letter_case_and_the_unit_of_a_name_matter_as_the_runtime_has_it() {
    check_found(
        "blocklist = ['regex (?i)^abc', 'prefix aBc']\n",
        &[(codes::UNREACHED_BLOCKLIST_ENTRY, 1, &[1])],
    );
    check_found("blocklist = ['regex ^abc', 'prefix aBc']\n", &[]);
    check_found(
        "blocklist = ['notRegex ^[a-z]', 'prefix é']\n",
        &[(codes::UNREACHED_BLOCKLIST_ENTRY, 1, &[1])],
    );
}

#[test]
fn a_blocked_route_is_not_reported_when_a_rewriter_can_make_its_names() {
    let blocked = format!("blocklist = ['prefix old.']\n{}", route("r", "prefix = 'old.x.'"));
    check_found(&blocked, &[(codes::BLOCKED_RULE, 2, &[1])]);
    let far = rewriter("new.", "no.dots!", "");
    check_found(&format!("{blocked}{far}"), &[]);
    let near = rewriter("new.", "!", "");
    check_found(
        &format!("blocklist = ['prefix old.']\n{near}{}", route("r", "regex = '^old\\.[a-z]+$'")),
        &[(codes::BLOCKED_RULE, 7, &[1])],
    );
    check_found(&format!("{blocked}{}", rewriter("/^new\\.(.+)/", "${1}", "")), &[]);
}

#[test]
fn a_blocked_route_is_not_reported_when_an_aggregation_can_make_its_names() {
    let aggregation = |format: &str| {
        format!(
            "[[aggregation]]\nfunction = 'sum'\nregex = '^x\\.(.*)'\nformat = '{format}'\ninterval = 10\nwait = 20\n"
        )
    };
    let blocked = format!("blocklist = ['prefix sum.']\n{}", route("r", "prefix = 'sum.'"));
    check_found(&format!("{blocked}{}", aggregation("sum.$1")), &[]);
    check_found(&format!("{blocked}{}", aggregation("total.$1")), &[(codes::BLOCKED_RULE, 2, &[1])]);
}

#[test]
fn an_aggregation_of_blocked_metrics_is_reported() {
    let text = "blocklist = ['sub x']\n[[aggregation]]\nfunction = 'sum'\nregex = '^x+$'\nformat = 'a'\ninterval = 10\nwait = 20\n";
    check_found(text, &[(codes::BLOCKED_RULE, 2, &[1])]);
}

#[test]
fn conditions_that_exclude_each_other_are_named() {
    for (conditions, label) in [
        ("prefix = 'a.'\nnotPrefix = 'a.'", "no name meets both `prefix` and `notPrefix`"),
        ("prefix = 'a.b'\nnotSub = '.'", "no name meets both `prefix` and `notSub`"),
        ("sub = 'b'\nregex = '^a+$'", "no name meets both `sub` and `regex`"),
        ("regex = 'a$b'", "`regex` alone is met by no name"),
        ("notRegex = '.*'", "`notRegex` alone is met by no name"),
        ("prefix = 'ab'\nnotRegex = '^.b'", "no name meets both `prefix` and `notRegex`"),
        ("prefix = 'a'\nregex = '^.b'\nnotSub = 'ab'", "no name meets all of its conditions"),
    ] {
        let checked = check(&route("r", conditions));
        let one = checked.diagnostics.iter().find(|one| one.code == codes::CONTRADICTION);
        let one = one.unwrap_or_else(|| panic!("{conditions}"));
        assert_eq!(one.place.as_ref().map(|(_, text)| text.as_str()), Some(label), "{conditions}");
    }
    check_found(
        &route("r", "prefix = 'a'\nnotPrefix = 'ab'\nsub = 'b'\nregex = 'c$'\nnotRegex = '^abc'"),
        &[],
    );
}

#[test]
fn a_destination_must_agree_with_its_route() {
    let text = |destinations: &str| {
        format!(
            "[[route]]\nkey = 'r'\nprefix = 'a.'\ntype = 'sendAllMatch'\ndestinations = [\n{destinations}]\n"
        )
    };
    check_found(&text("'x:1',\n'y:1 prefix=b.'"), &[(codes::CONTRADICTION, 7, &[1])]);
    check_found(&text("'x:1',\n'y:1 sub=b notSub=b'"), &[(codes::CONTRADICTION, 7, &[])]);
    check_found(&text("'x:1',\n'y:1 sub=b regex=c$'"), &[]);
}

#[test]
fn the_first_match_leaves_nothing_for_later_destinations() {
    let text = |destinations: &str| {
        format!(
            "[[route]]\nkey = 'r'\nprefix = 'a.'\ntype = 'sendFirstMatch'\ndestinations = [\n{destinations}]\n"
        )
    };
    check_found(&text("'x:1 prefix=a',\n'y:1'"), &[(codes::UNREACHED_DESTINATION, 7, &[6])]);
    check_found(
        &text("'x:1 sub=b',\n'z:1 regex=c',\n'w:1 notSub=b notSub=b notRegex=c',\n'y:1'"),
        &[(codes::UNREACHED_DESTINATION, 9, &[6, 7, 8])],
    );
    check_found(
        &text("'x:1 sub=b',\n'z:1 notSub=bb',\n'y:1'"),
        &[(codes::UNREACHED_DESTINATION, 8, &[6, 7])],
    );
    check_found(&text("'x:1 sub=bb',\n'z:1 notSub=b',\n'y:1'"), &[]);
}

#[test]
fn one_destination_twice_is_fine_for_different_metrics() {
    let text = |kind: &str, destinations: &str| {
        format!("[[route]]\nkey = 'r'\ntype = '{kind}'\ndestinations = [\n{destinations}]\n")
    };
    check_found(&text("sendAllMatch", "'x:1 prefix=a',\n'x:1 prefix=b'"), &[]);
    check_found(
        &text("sendAllMatch", "'x:1 prefix=a',\n'x:1 sub=b'"),
        &[(codes::DUPLICATE_DESTINATION, 6, &[5])],
    );
    check_found(&text("sendFirstMatch", "'x:1 prefix=a',\n'x:1 sub=b'"), &[]);
    check_found(&text("failover", "'x:1',\n'y:1',\n'x:1'"), &[(codes::DUPLICATE_DESTINATION, 7, &[5])]);
    check_found(&text("roundRobin", "'x:1',\n'x:1',\n'y:1'"), &[]);
}

#[test]
fn a_rewriter_without_effect_says_why() {
    let dead = codes::REWRITER_WITHOUT_EFFECT;
    check_found(&rewriter("ab", "ab", ""), &[(dead, 1, &[])]);
    check_found(&rewriter("ab", "c", "not = 'a'"), &[(dead, 1, &[])]);
    check_found(&rewriter("/a[0-9]/", "c", "not = '/[a-c][0-9]/'"), &[(dead, 1, &[])]);
    check_found(&rewriter("/a[0-9]/", "c", "not = '/[a-c][0-8]/'"), &[]);
    check_found(&format!("blocklist = ['sub a']\n{}", rewriter("ba", "c", "")), &[(dead, 2, &[1])]);
    check_found(&format!("blocklist = ['prefix a']\n{}", rewriter("a", "c", "")), &[]);
    // The first one makes what the second one replaces, although it came in blocked.
    check_found(
        &format!("blocklist = ['sub a']\n{}{}", rewriter("b", "ba", ""), rewriter("ba", "c", "")),
        &[],
    );
}

#[test]
fn what_an_earlier_rewriter_removes_is_gone_unless_something_brings_it_back() {
    let dead = codes::REWRITER_WITHOUT_EFFECT;
    let pair = |first: String, second: String| format!("{first}{second}");
    check_found(&pair(rewriter("ab", "x", ""), rewriter("cab", "y", "")), &[(dead, 6, &[1])]);
    check_found(&pair(rewriter("ab", "x", ""), rewriter("/c?abd*/", "y", "")), &[(dead, 6, &[1])]);
    check_found(&pair(rewriter("ab", "x", ""), rewriter("/c?ab?d*/", "y", "")), &[]);
    check_found(&pair(rewriter("ab", "a", ""), rewriter("cab", "y", "")), &[]);
    check_found(&pair(rewriter("ab", "x", "not = 'q'"), rewriter("cab", "y", "")), &[]);
    let brought_back =
        format!("{}{}{}", rewriter("ab", "x", ""), rewriter("x", "b", ""), rewriter("ab", "y", ""));
    check_found(&brought_back, &[]);
    let still_gone =
        format!("{}{}{}", rewriter("ab", "x", ""), rewriter("x", "z", ""), rewriter("abc", "y", ""));
    check_found(&still_gone, &[(dead, 11, &[1])]);
    let twice = pair(rewriter("ab", "x", ""), rewriter("ab", "x", ""));
    check_found(&twice, &[(codes::DUPLICATE_REWRITER, 6, &[1])]);
    let twice = pair(rewriter("ab", "x", "not = 'c'"), rewriter("ab", "x", "not = 'c'"));
    check_found(&twice, &[(codes::DUPLICATE_REWRITER, 6, &[1])]);
    check_found(&pair(rewriter("ab", "", ""), rewriter("ab", "", "")).replace("new = ''", "new = 'b'"), &[]);
}

#[test]
fn routes_that_repeat_are_found() {
    let text = format!("{}{}", route("r", "prefix = 'a'"), route("r", "prefix = 'a'"));
    check_found(&text, &[(codes::DUPLICATE_ROUTE, 6, &[1])]);
    let text = format!("{}{}", route("r", "prefix = 'a'"), route("r", "prefix = 'b'"));
    check_found(&text, &[(codes::DUPLICATE_ROUTE_KEY, 6, &[1])]);
    check_found(&format!("{}{}", route("", "prefix = 'a'"), route("", "prefix = 'b'")), &[]);
}

#[test]
fn what_shares_its_places_depends_on_the_ring() {
    let shared = codes::SHARED_POSITIONS;
    let text = |kind: &str, destinations: &str| {
        format!("[[route]]\nkey = 'r'\ntype = '{kind}'\ndestinations = [\n{destinations}]\n")
    };
    for kind in ["consistentHashing", "consistentHashing-v2", "mmh3_ch"] {
        check_found(&text(kind, "'x:1',\n'y:1',\n'x:2'"), &[(shared, 7, &[5])]);
        check_found(&text(kind, "'x:1:a',\n'x:2:b',\n'x:3'"), &[]);
        check_found(&text(kind, "'x:1:a',\n'x:2:a'"), &[(shared, 6, &[5])]);
    }
    // This one looks at the instance alone.
    check_found(&text("fnv1a_ch", "'x:1',\n'y:1'"), &[(shared, 6, &[5])]);
    check_found(&text("fnv1a_ch", "'x:1:a',\n'x:2:b'"), &[]);
    check_found(&text("jump_fnv1a_ch", "'x:1',\n'x:2'"), &[]);
}

#[test]
fn names_that_cannot_be_sent_are_shown() {
    let message = |text: &str| {
        let checked = check(text);
        let one = checked.diagnostics.iter().find(|one| one.code == codes::UNUSABLE_NAME);
        one.map(|one| one.message.clone())
    };
    let empties = |name: &str| Some(format!("this rewriter leaves nothing of the name `{name}`"));
    assert_eq!(message(&rewriter("a.", "", "")), empties("a."));
    assert_eq!(message(&rewriter("/^stats\\.(.*)$/", "$1", "")), empties("stats."));
    assert_eq!(message(&rewriter("/^stats\\.(.+)$/", "$1", "")), None);
    assert_eq!(message(&rewriter("/[^.]/", "", "not = 'a'")), empties("b"));
    assert_eq!(message(&format!("{}{}", rewriter("a", "", ""), rewriter("/^$/", "none", ""))), None);
    let spaced = Some("this rewriter makes `x y` of the name `a`".to_owned());
    assert_eq!(message(&rewriter("a", "x y", "")), spaced);
    assert_eq!(message(&rewriter("/a/", "x y", "")), spaced);
    assert_eq!(message(&format!("{}{}", rewriter("a", "x y", ""), rewriter(" ", "_", ""))), None);
    assert_eq!(message(&format!("blocklist = ['sub a']\n{}", rewriter("a", "x y", ""))), None);
}

#[test]
fn following_the_help_about_an_empty_name_mends_it() {
    let cases = [
        ("a.", "", None),
        ("/^stats\\.(.*)$/", "$1", None),
        ("/[^.]/", "", None),
        ("a", "x y", None),
        ("ab", "", Some("q")),
    ];
    for (old, new, not) in cases {
        let not_line = not.map(|not| format!("not = '{not}'")).unwrap_or_default();
        let text = rewriter(old, new, &not_line);
        let checked = check(&text);
        let one = checked.diagnostics.iter().find(|one| one.code == codes::UNUSABLE_NAME).expect("a warning");
        let help = one.help.clone().unwrap_or_default();
        let mended = if let Some((_, written)) = help.split_once("with `") {
            rewriter(old, new, written.trim_end_matches('`'))
        } else if let Some((_, written)) = help.split_once("write `") {
            text.replace(&format!("new = '{new}'"), written.trim_end_matches('`'))
        } else {
            let entry = help
                .split_once("with ")
                .and_then(|(_, rest)| rest.split_once(" in `blocklist`"))
                .expect("an entry")
                .0;
            format!("blocklist = [{entry}]\n{text}")
        };
        check_found(&mended, &[]);
    }
}

#[test]
fn examples_have_no_warnings() {
    let text = include_str!("../../examples/hello/relay.toml").to_owned();
    let checked = check_text(Source { path: "relay.toml".into(), text }, &Options::default());
    assert_eq!(checked.diagnostics, []);
}

#[test]
fn ten_thousand_rules_are_checked_at_once() {
    let mut text = String::from("blocklist = [\n");
    for at in 0..10_000 {
        let _ = writeln!(text, "'prefix blocked.{}.{at}.',", at % 100);
    }
    text.push_str("'prefix blocked.7.77']\n");
    for at in 0..10_000 {
        let _ = writeln!(
            text,
            "[[route]]\nkey = 'r{at}'\ntype = 'sendAllMatch'\nprefix = 'served.{at}.'\ndestinations = ['10.0.0.1:2003']"
        );
    }
    text.push_str("[[route]]\nkey = 'last'\ntype = 'sendAllMatch'\nprefix = 'blocked.77.77.'\ndestinations = ['10.0.0.1:2003']\n");
    check_found(&text, &[(codes::BLOCKED_RULE, 60_003, &[79])]);
    let checked = check(&text);
    let start = std::time::Instant::now();
    let found = relay_build::analyses::warnings(&checked.plan.table, &checked.origins);
    println!("{:?} of it for {} warnings", start.elapsed(), found.len());
}

/// The fuel of each analysis bounds what tables can cost for which no literal decides anything.
#[test]
fn tables_that_are_hard_to_decide_end_soon() {
    let list = |count: usize, entry: &dyn Fn(usize) -> String| {
        let entries: Vec<_> = (0..count).map(|at| format!("'{}'", entry(at))).collect();
        format!("blocklist = [{}]\n", entries.join(", "))
    };
    let many = |count: usize, rule: &dyn Fn(usize) -> String| (0..count).map(rule).collect::<String>();
    for (what, text) in [
        ("substrings", list(10_000, &|at| format!("sub x{at}."))),
        ("regexes", list(2_000, &|at| format!("regex ^[a-z]+{at}\\.[0-9]+"))),
        ("far regexes", list(50, &|at| format!("regex a.{{{}}}b$", 20 + at))),
        ("negations", list(1_000, &|at| format!("notSub x{at}."))),
        ("rewriters", many(1_000, &|at| rewriter(&format!("x{at}."), &format!("y{}.", at % 7), ""))),
        ("deletions", many(250, &|at| rewriter(&format!("x{at}."), "", ""))),
        ("regex rewriters", many(250, &|at| rewriter(&format!("/x{at}.*/"), "$0", "not = 'x'"))),
        (
            "regex routes",
            many(1_000, &|at| route(&format!("r{at}"), &format!("regex = '[a-z]{{3}}{at}$'\nnotSub = 'x'"))),
        ),
    ] {
        let start = std::time::Instant::now();
        let found = check(&text).diagnostics.len();
        let took = start.elapsed();
        println!("{what}: {took:?}, {found} reports");
        assert!(took < std::time::Duration::from_mins(5), "{what}: {took:?}");
    }
}

#[test]
fn a_route_whose_metrics_earlier_routes_stop_is_reported() {
    let stop = |key, conditions: &str| route(key, &format!("{conditions}\nstop = true"));
    let wide = stop("wide", "prefix = 'a.'");
    check_found(&format!("{wide}{}", route("in", "prefix = 'a.b.'")), &[(codes::STOPPED_ROUTE, 7, &[1])]);
    check_found(&format!("{}{wide}", route("in", "prefix = 'a.b.'")), &[]);
    check_found(&format!("{wide}{}", route("partly", "sub = '.b.'")), &[]);
    // Two together, and the third is not in vain.
    let both =
        format!("{}{}", stop("old", "regex = '^[ab]\\.old'"), stop("not old", "notRegex = '^[a-z]\\.old'"));
    check_found(&format!("{both}{}", route("in", "prefix = 'a.'")), &[(codes::STOPPED_ROUTE, 13, &[1, 7])]);
    check_found(&format!("{both}{}", route("c", "prefix = 'c.'")), &[]);
    // Not by routes that do not stop, nor by what comes later.
    check_found(&format!("{}{}", route("wide", "prefix = 'a.'"), route("in", "prefix = 'a.b.'")), &[]);
}

#[test]
fn what_the_blocklist_leaves_of_a_route_may_be_stopped() {
    let text = |more: &str| {
        let stop = route("stop", "regex = '^a\\.[a-m]'\nstop = true");
        format!("blocklist = ['regex ^a\\.([^a-m]|$)']\n{stop}{}{more}", route("in", "prefix = 'a.'"))
    };
    check_found(&text(""), &[(codes::STOPPED_ROUTE, 8, &[1, 2])]);
    // A rewriter can make what the blocklist would have dropped.
    check_found(&text(&rewriter("b.", "a.x", "")), &[]);
}

#[test]
fn an_equal_route_behind_one_that_stops_gets_nothing_and_is_no_repetition() {
    let same = route("same", "prefix = 'a.'\nstop = true");
    let again = same.replacen("same", "again", 1);
    check_found(&format!("{same}{again}"), &[(codes::STOPPED_ROUTE, 7, &[1])]);
}

/// An aggregation's output comes to the routes in their order, as lines do.
#[test]
fn a_loop_that_an_earlier_route_stops_is_none() {
    let text = |stop: bool| {
        format!(
            "{MANDATORY}listen_addr = '127.0.0.1:2003'\n[[aggregation]]\nfunction = 'sum'\nregex = '^(.*)$'\n\
             format = 'sum.$1'\ninterval = 10\nwait = 15\n{}[[route]]\nkey = 'all'\ntype = 'sendAllMatch'\n\
             destinations = ['127.0.0.1:2003']\n",
            route("sums", &format!("prefix = 'sum.'\nstop = {stop}"))
        )
    };
    let loops = |text: String| {
        let checked = check_text(Source { path: "relay.toml".into(), text }, &Options::default());
        checked.diagnostics.iter().any(|one| one.code == codes::AGGREGATION_LOOP)
    };
    assert!(loops(text(false)));
    assert!(!loops(text(true)));
}
