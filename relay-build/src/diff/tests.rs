//! Tests of the comparison: what two configurations do differently, each with a shortest metric.

use super::*;
use crate::config::{Options, Source, check_text};

const MANDATORY: &str = "instance = 'a'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\n";

fn plan(text: &str) -> Plan {
    let source = Source { path: "relay.toml".into(), text: format!("{MANDATORY}{text}") };
    let checked = check_text(source, &Options::default());
    assert!(!checked.has_errors(), "{:?}\n{text}", checked.diagnostics);
    checked.plan
}

fn compare(old: &str, new: &str) -> Report {
    diff(&plan(old), &plan(new), None).unwrap()
}

fn route(key: &str, rest: &str) -> String {
    format!("[[route]]\nkey = '{key}'\ntype = 'sendAllMatch'\n{rest}\n")
}

const TO: &str = "destinations = ['10.0.0.1:2003']";

/// The witness of a kind of difference, and whether the result is proven.
fn found(report: &Report, kind: Kind) -> (Option<&str>, bool) {
    let one = report.kinds.iter().find(|one| one.kind == kind).unwrap();
    (one.witness.as_deref(), one.is_proven)
}

#[track_caller]
fn check(old: &str, new: &str, wanted: &[(Kind, &str)]) {
    let report = compare(old, new);
    for kind in Kind::ALL {
        let witness = wanted.iter().find(|(one, _)| *one == kind).map(|(_, witness)| *witness);
        assert_eq!(found(&report, kind), (witness, true), "{kind:?}\n{old}\n{new}");
    }
    assert_eq!(report.equal, wanted.is_empty() && report.settings.is_empty());
}

#[test]
fn what_is_written_otherwise_and_means_the_same_is_equal() {
    let old = format!("blocklist = ['prefix a.']\n{}", route("r", &format!("prefix = 'b.'\n{TO}")));
    check(&old, &old, &[]);
    let new = format!("blocklist = ['regex ^a\\.']\n{}", route("r", &format!("regex = '^b\\.'\n{TO}")));
    check(&old, &new, &[]);
    check("blocklist = ['prefix a', 'prefix ab', 'sub x']\n", "blocklist = ['sub x', 'regex ^a']\n", &[]);
}

#[test]
fn a_shortest_metric_shows_what_is_blocked_and_what_is_not_any_more() {
    check("blocklist = ['prefix abc']\n", "blocklist = ['prefix ab']\n", &[(Kind::NewlyBlocked, "ab")]);
    check("blocklist = ['prefix ab']\n", "blocklist = ['prefix abc']\n", &[(Kind::NoLongerBlocked, "ab")]);
    check(
        "blocklist = ['prefix a', 'sub xy']\n",
        "blocklist = ['regex ^[ab]', 'sub xyz']\n",
        &[(Kind::NewlyBlocked, "b"), (Kind::NoLongerBlocked, "xy")],
    );
}

#[test]
fn a_shortest_metric_shows_the_route_that_takes_it() {
    let old = route("r", &format!("prefix = 'abc.'\n{TO}"));
    let new = route("r", &format!("prefix = 'ab'\n{TO}"));
    check(&old, &new, &[(Kind::RouteGained, "ab")]);
    check(&new, &old, &[(Kind::RouteLost, "ab")]);
    check(
        &old,
        &route("s", &format!("prefix = 'abc.'\n{TO}")),
        &[(Kind::RouteGained, "abc."), (Kind::RouteLost, "abc.")],
    );
    // A blocked name cannot show the difference.
    let blocked = |text: &str| format!("blocklist = ['regex ^.{{1,4}}$', 'prefix abd']\n{text}");
    check(&blocked(&old), &blocked(&new), &[(Kind::RouteGained, "abaaa")]);
}

#[test]
fn several_routes_of_one_key_count_as_one() {
    let one = |prefix: &str| route("r", &format!("prefix = '{prefix}'\n{TO}"));
    check(&format!("{}{}", one("a"), one("b")), &route("r", &format!("regex = '^[ab]'\n{TO}")), &[]);
    check(
        &format!("{}{}", one("a"), one("b")),
        &route("r", &format!("regex = '^[a-c]'\n{TO}")),
        &[(Kind::RouteGained, "c")],
    );
}

#[test]
fn a_destination_that_gets_more_or_less_is_named() {
    let old = route("r", "destinations = ['10.0.0.1:2003 prefix=ab', '10.0.0.2:2003']");
    let new = route("r", "destinations = ['10.0.0.1:2003 prefix=a', '10.0.0.2:2003']");
    check(&old, &new, &[(Kind::DestinationGained, "a")]);
    let report = compare(&old, &new);
    assert_eq!(report.differences[0].subject, "route `r` to 10.0.0.1:2003");
    let first = |order: &str| route("r", order).replace("sendAllMatch", "sendFirstMatch");
    let old = first("destinations = ['10.0.0.1:2003 prefix=ab', '10.0.0.2:2003 prefix=a']");
    let new = first("destinations = ['10.0.0.2:2003 prefix=a', '10.0.0.1:2003 prefix=ab']");
    check(&old, &new, &[(Kind::DestinationGained, "ab"), (Kind::DestinationLost, "ab")]);
}

#[test]
fn aggregations_are_compared_by_what_they_do() {
    let one = |regex: &str, more: &str| {
        format!(
            "[[aggregation]]\nfunction = 'sum'\nregex = '{regex}'\nformat = 'all'\ninterval = 10\nwait = 20\n{more}\n{}",
            route("r", TO)
        )
    };
    check(&one("^ab", ""), &one("^a", ""), &[(Kind::AggregatedOtherwise, "a")]);
    let report = compare(&one("^a", ""), &one("^a", "dropRaw = true"));
    assert_eq!(found(&report, Kind::RouteLost), (Some("a"), true));
    assert_eq!(found(&report, Kind::RouteGained), (None, true));
}

#[test]
fn rewriters_are_compared_by_what_they_make_and_nothing_more_is_claimed() {
    let one = |old: &str, new: &str| {
        format!("[[rewriter]]\nold = '{old}'\nnew = '{new}'\nmax = -1\n{}", route("r", TO))
    };
    let report = compare(&one("abc", "x"), &one("abc", "y"));
    assert_eq!(found(&report, Kind::RewrittenOtherwise).0, Some("abc"));
    assert!(!report.exact);
    let same = compare(&one("abc", "x"), &one("abc", "x"));
    assert!(same.equal && same.exact);
}

#[test]
fn what_moves_on_a_ring_is_counted_exactly() {
    let ring = |hosts: &[&str]| {
        let list: Vec<_> = hosts.iter().map(|host| format!("'{host}:2003'")).collect();
        format!("[[route]]\nkey = 'ring'\ntype = 'consistentHashing'\ndestinations = [{}]\n", list.join(", "))
    };
    let report = compare(&ring(&["10.0.0.1", "10.0.0.2"]), &ring(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]));
    let [moves] = report.rings.as_slice() else { panic!("{:?}", report.rings) };
    assert!(moves.exact && moves.positions == 65_536, "{moves:?}");
    assert!((0.2..0.5).contains(&moves.share), "{}", moves.share);
    assert!(moves.moves.iter().all(|one| one.to == "10.0.0.3:2003"), "{moves:?}");
    assert_eq!(moves.moved, moves.moves.iter().map(|one| one.positions).sum::<u64>());
    assert!(!report.equal && text(&report).contains("of all positions move"));
}

#[test]
fn settings_are_compared_by_value() {
    let old = route("r", "destinations = ['10.0.0.1:2003']");
    let new = format!("listen_addr = ':2003'\n{}", route("r", "destinations = ['10.0.0.1:2003 flush=5']"));
    let report = compare(&old, &new);
    let paths: Vec<_> = report.settings.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["destination 10.0.0.1:2003.flush_ms", "settings.listen"]);
    assert!(!report.equal);
}

#[test]
fn names_in_use_are_counted_by_kind() {
    let names = ["ab.c", "x", "abd"].map(str::to_owned);
    let (old, new) = (plan("blocklist = ['prefix ab.']\n"), plan("blocklist = ['prefix x']\n"));
    let corpus = diff(&old, &new, Some(&names)).unwrap().corpus.unwrap();
    assert_eq!((corpus.names, corpus.different), (3, 2));
    assert_eq!(corpus.counts[&Kind::NewlyBlocked], 1);
    assert_eq!(corpus.list[0], ("ab.c".to_owned(), vec![Kind::NoLongerBlocked]));
}

/// If it is proven that there is no difference, no tried name shows one; and no tried name is shorter than a
/// shortest witness.
#[test]
fn proofs_hold_for_every_short_name() {
    const TEXTS: [&str; 6] = ["a", "ab", "b", ".a", "b.", "aa"];
    const REGEXES: [&str; 5] = ["^a", "a$", "^[ab]+$", "^a.b", "b\\.a"];
    let mut random = Random::new(11);
    let mut pick = |of: &[&str]| of[random.below(of.len())].to_owned();
    let mut dice = Random::new(12);
    let mut conditions = || match pick(&["prefix", "sub", "regex", "notPrefix", "notSub"]).as_str() {
        "regex" => format!("regex = '{}'", pick(&REGEXES)),
        other => format!("{other} = '{}'", pick(&TEXTS)),
    };
    let mut table = || {
        let block = conditions().replacen(" = '", " ", 1);
        let entry = block.trim_end_matches('\'').to_owned();
        let mut routes = ["r", "s", "t"].map(|key| {
            let stop = ["", "stop = true\n"][dice.below(2)];
            route(key, &format!("{}\n{stop}{TO}", conditions()))
        });
        routes.rotate_left(dice.below(3));
        format!("blocklist = ['{entry}']\n{}", routes.concat())
    };
    let mut names = vec![String::new()];
    for start in 0.. {
        if names.len() > 1_000 {
            break;
        }
        let name: String = names[start].clone();
        names.extend(["a", "b", ".", "z"].map(|letter| format!("{name}{letter}")));
    }
    names.remove(0);
    for _ in 0..60 {
        let (old, new) = (table(), table());
        let report = diff(&plan(&old), &plan(&new), Some(&names)).unwrap();
        let corpus = report.corpus.as_ref().unwrap();
        for kind in Kind::ALL {
            let shown = corpus
                .list
                .iter()
                .filter(|(_, kinds)| kinds.contains(&kind))
                .map(|(name, _)| name.len())
                .min();
            let (witness, is_proven) = found(&report, kind);
            assert!(is_proven, "{kind:?}\n{old}\n{new}");
            match (witness, shown) {
                (None, Some(_)) => panic!("{kind:?} shows itself\n{old}\n{new}"),
                (Some(witness), Some(length)) => {
                    assert!(witness.len() <= length, "{kind:?} {witness}\n{old}\n{new}");
                }
                _ => {}
            }
        }
    }
}

#[test]
fn a_route_that_stops_takes_metrics_from_later_ones() {
    let first = |stop: bool| route("first", &format!("prefix = 'a'\nstop = {stop}\n{TO}"));
    let second = route("second", &format!("prefix = 'ab'\n{TO}"));
    let third = route("third", TO);
    let table = |stop| format!("{}{second}{third}", first(stop));
    check(&table(false), &table(true), &[(Kind::RouteLost, "a")]);
    check(&table(true), &table(false), &[(Kind::RouteGained, "a")]);
    // Another place in the order, and other names that are stopped.
    let later = format!("{second}{}{third}", first(true));
    check(&table(true), &later, &[(Kind::RouteGained, "ab")]);
    check(
        &table(true),
        &table(true).replace("prefix = 'a'\n", "prefix = 'ac'\n"),
        &[(Kind::RouteLost, "a"), (Kind::RouteGained, "a")],
    );
}

#[test]
fn a_route_that_stops_nothing_may_do_so_or_not() {
    let table = |stop: bool| {
        let one = route("one", &format!("prefix = 'a.'\nstop = {stop}\n{TO}"));
        let two = route("two", &format!("prefix = 'b.'\nstop = {stop}\n{TO}"));
        format!("{one}{two}{}", route("rest", &format!("notRegex = '^[ab]\\.'\nstop = {stop}\n{TO}")))
    };
    check(&table(false), &table(true), &[]);
}

#[test]
fn negations_and_stops_that_mean_the_same_are_equal() {
    let one = |more: &str| route("one", &format!("prefix = 'a.'\n{more}{TO}"));
    let all = |more: &str| route("all", &format!("{more}{TO}"));
    check(
        &format!("{}{}", one(""), all("notPrefix = 'a.'\n")),
        &format!("{}{}", one("stop = true\n"), all("")),
        &[],
    );
    check(
        &format!("{}{}", one(""), all("notPrefix = 'a.b'\n")),
        &format!("{}{}", one("stop = true\n"), all("")),
        &[(Kind::RouteLost, "a.")],
    );
}

#[test]
fn where_a_metric_goes_is_compared_where_routes_stop_too() {
    let (other, both) =
        ("destinations = ['10.0.0.2:2003']", "destinations = ['10.0.0.1:2003', '10.0.0.2:2003']");
    let stop = route("stop", &format!("prefix = 'a'\nstop = true\n{TO}"));
    let old = format!("{stop}{}", route("all", TO));
    check(&old, &format!("{stop}{}", route("all", both)), &[(Kind::DestinationGained, "b")]);
    check(
        &old,
        &format!("{stop}{}", route("all", other)),
        &[(Kind::DestinationGained, "b"), (Kind::DestinationLost, "b")],
    );
}
