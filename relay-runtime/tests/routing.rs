//! Runs whole tables in the interpreter and compares with the recorded deliveries of carbon-relay-ng's own
//! code.
//!
//! relay-build's tests run the same vectors through compiled tables.

use relay_runtime::{
    admission::Admission,
    explain::{Outcome, Rule, explain_name},
    interpret::Interpreter,
    table::Table,
    trace::{Trace, trace_lines},
};
use serde_json::{Value, json};

mod vectors;
use vectors::routing::{check, table, tables};

#[test]
fn lines_and_aggregates_go_where_want_says() {
    let (mut checked, mut seen) = (0, 0);
    for (case, table) in tables() {
        let interpreter = Interpreter::new(&table).unwrap();
        checked += check(&case, &table, &interpreter, &mut |trace| {
            // It compiles every rule anew, so not for all of them.
            if seen % 8 == 0 {
                check_explained(&table, trace);
            }
            seen += 1;
        });
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
        Admission::new(table.validation, 65_535),
        &|| 1_700_000_000,
        &mut &b".a 1.0 7.5\r\nbad.z 1 2\na 1\nx 1 2\na q 3\nb 4 5\nb 4 -1"[..],
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
    let now =
        json!({"line": "b 4 -1", "name": "b", "value": "4", "timestamp": 1_700_000_000, "routes": routes});
    check(6, now);
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
