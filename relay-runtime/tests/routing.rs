//! Whole tables against what carbon-relay-ng's own code delivered, through the interpreter.

use relay_runtime::{
    explain::{Outcome, Rule, explain_name},
    interpret::Interpreter,
    table::{
        Condition, Destination, DestinationIndex, HashAlgorithm, HashRing, Matcher, Pattern, Rewriter, Route,
        RouteDestination, RouteKind, Table,
    },
    trace::{Trace, Tracer, trace_lines},
};
use serde_json::{Value, json};

mod vectors;
use vectors::cases;

#[test]
fn lines_and_aggregates_go_where_want_says() {
    let mut checked = 0;
    for case in cases(include_str!("vectors/routing.jsonl")) {
        let table = table(&case);
        let interpreter = Interpreter::new(&table).unwrap();
        let mut tracer = Tracer::new(&table, &interpreter);
        for line in list(&case["lines"]) {
            let written = line["in"].as_str().unwrap();
            let trace = tracer.trace(written.as_bytes());
            // It compiles every rule anew, so not for all of them.
            if checked % 8 == 0 {
                check_explained(&table, &trace);
            }
            checked += 1;
            if let Some(reason) = trace.reason {
                // `want` was made without validation; what is rejected goes nowhere.
                assert!(trace.routes.is_empty());
                let ours_alone = match reason {
                    "empty_key" => "BUG-30",
                    "timestamp_out_of_range" => "BUG-31",
                    "rewritten_name" => "the guard on rewritten names of spec §6",
                    _ => "",
                };
                assert!(line["to"] == json!([]) || !ours_alone.is_empty(), "{written:?} {reason}");
                continue;
            }
            assert_eq!(deliveries(&trace), wanted(&case, line), "{written:?} through {case}");
        }
        for line in list(&case["aggregates"]) {
            let written = line["in"].as_str().unwrap();
            let name = written.split(' ').next().unwrap();
            assert_eq!(
                deliveries(&tracer.trace_aggregate(name.as_bytes())),
                wanted(&case, line),
                "{written:?}"
            );
            checked += 1;
        }
    }
    assert!(checked > 2300, "{checked}");
}

#[test]
fn the_trace_has_these_fields_for_every_line() {
    let table = table(&json!({
        "blocklist": [{"prefix": "bad."}],
        "rewriters": [{"old": "x", "new": " ", "max": -1}, {"old": "/^(a)/", "new": "${1}b", "max": -1}],
        "routes": [{"key": "r", "type": "sendFirstMatch", "dests": [{"addr": "h:1", "sub": "q"}, {"addr": "h:2"}]}],
    }));
    let interpreter = Interpreter::new(&table).unwrap();
    let mut out = Vec::new();
    trace_lines(
        &table,
        &interpreter,
        &mut &b".a 1.0 7.5\r\nbad.z 1 2\na 1\nx 1 2\na q 3\nb 4 5"[..],
        &mut out,
    )
    .unwrap();
    let lines: Vec<Value> =
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let base = json!({"accepted": true, "reason": null, "blocked_by": null, "rewritten": null, "aggregators": [],
        "dropped_raw": false, "routes": []});
    let check = |at: usize, differences: Value| {
        let mut want = base.clone();
        want.as_object_mut().unwrap().extend(differences.as_object().unwrap().clone());
        assert_eq!(lines[at], want);
    };
    let routes = json!([{"key": "r", "destinations": ["h:2"]}]);
    check(0, json!({"line": ".a 1.0 7.5", "name": ".a", "value": "1.0", "timestamp": 7, "routes": routes}));
    check(
        1,
        json!({"line": "bad.z 1 2", "name": "bad.z", "value": "1", "timestamp": 2, "blocked_by": "prefix bad."}),
    );
    let nothing = json!({"line": "a 1", "accepted": false, "reason": "wrong_num_fields", "name": null,
        "value": null, "timestamp": null});
    check(2, nothing);
    check(
        3,
        json!({"line": "x 1 2", "accepted": false, "reason": "rewritten_name", "rewritten": " ", "name": "x",
        "value": "1", "timestamp": 2}),
    );
    check(
        4,
        json!({"line": "a q 3", "accepted": false, "reason": "value_not_number", "name": "a", "value": "q",
        "timestamp": 3}),
    );
    check(5, json!({"line": "b 4 5", "name": "b", "value": "4", "timestamp": 5, "routes": routes}));
}

/// The rule-by-rule account ends in the same deliveries.
fn check_explained(table: &Table, trace: &Trace) {
    let (true, Some(name)) = (trace.accepted, &trace.name) else { return };
    let steps = explain_name(table, name.as_bytes()).unwrap();
    let sent = steps.iter().filter_map(|step| match (step.rule, &step.outcome) {
        (Rule::Destination(_, destination), Outcome::Matched) => {
            Some(table.destinations[destination.get()].written())
        }
        _ => None,
    });
    let traced = trace.routes.iter().flat_map(|route| route.destinations.clone());
    assert_eq!(sent.collect::<Vec<_>>(), traced.collect::<Vec<_>>(), "{name}");
}

/// Each delivery as route, address and metric, sorted.
type Deliveries = Vec<(String, String, String)>;

fn deliveries(trace: &Trace) -> Deliveries {
    let name = trace.rewritten.as_ref().or(trace.name.as_ref()).cloned().unwrap_or_default();
    let to = |key: &String, to: &String| (key.clone(), to.clone(), name.clone());
    let routes = trace.routes.iter();
    let mut all: Vec<_> =
        routes.flat_map(|route| route.destinations.iter().map(|one| to(&route.key, one))).collect();
    all.sort();
    all
}

fn wanted(case: &Value, line: &Value) -> Deliveries {
    let mut all: Vec<_> = list(&line["want"])
        .map(|to| {
            let route = &case["routes"][index(&to["route"])];
            let destination = &route["dests"][index(&to["dest"])];
            let name = to["line"].as_str().unwrap().rsplitn(3, ' ').last().unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&route["key"]), text(&destination["addr"]), name.to_owned())
        })
        .collect();
    all.sort();
    all
}

fn index(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The table of a case. Every destination of a case has an address of its own.
fn table(case: &Value) -> Table {
    let mut table = Table::default();
    table.blocklist = list(&case["blocklist"]).map(matcher).collect();
    table.rewriters = list(&case["rewriters"]).map(rewriter).collect();
    for written in list(&case["routes"]) {
        let destinations: Vec<RouteDestination> = list(&written["dests"])
            .map(|destination| {
                table.destinations.push(Destination::new(destination["addr"].as_str().unwrap()));
                let index = DestinationIndex::new(table.destinations.len() - 1);
                RouteDestination { destination: index, matcher: matcher(destination) }
            })
            .collect();
        let hash = |algorithm| {
            let destinations = destinations.iter().map(|one| one.destination).collect();
            RouteKind::ConsistentHash(HashRing { algorithm, replicas: 1, diverse: false, destinations })
        };
        let kind = match written["type"].as_str().unwrap() {
            "sendAllMatch" => RouteKind::SendAllMatch { destinations },
            "sendFirstMatch" => RouteKind::SendFirstMatch { destinations },
            "consistentHashing" => hash(HashAlgorithm::ConsistentHashingV1),
            // As wanted: carbon's own ring (BUG-42).
            _ => hash(HashAlgorithm::CarbonCh),
        };
        let key = written["key"].as_str().unwrap().to_owned();
        table.routes.push(Route { key, matcher: matcher(written), kind });
    }
    table
}

fn matcher(written: &Value) -> Matcher {
    let mut matcher = Matcher::default();
    for condition in Condition::ALL {
        matcher.set(condition, written[condition.name()].as_str().unwrap_or_default());
    }
    matcher
}

fn rewriter(written: &Value) -> Rewriter {
    let text = |key: &str| written[key].as_str().unwrap_or_default();
    let not = Some(text("not")).filter(|not| !not.is_empty()).map(Pattern::parse);
    let max = written["max"].as_i64().and_then(|max| u32::try_from(max).ok());
    Rewriter { old: Pattern::parse(text("old")), new: text("new").to_owned(), not, max }
}
