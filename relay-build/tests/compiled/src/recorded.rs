//! Makes tables of the recorded matchers and rewriters.
//!
//! The records are answers of carbon-relay-ng's own code.

use crate::vectors::{self, cases, is_utf8};
use relay_runtime::table::{Route, RouteKind, Table};
use serde_json::Value;

/// How many matchers share a table: every name is shown to all of a table.
const MATCHERS: usize = 64;

/// Every good matcher, each as the matcher of a route.
pub(crate) fn matchers() -> Vec<(Vec<Value>, Table)> {
    let cases: Vec<_> = good(cases(include_str!("../../../../relay-runtime/tests/vectors/matcher.jsonl")));
    let route = |(number, case): (usize, &Value)| {
        Route::new(number.to_string(), vectors::routing::matcher(case), RouteKind::Blackhole)
    };
    let table = |cases: &[Value]| {
        let routes = cases.iter().enumerate().map(route).collect();
        (cases.to_vec(), Table { routes, ..Table::default() })
    };
    cases.chunks(MATCHERS).map(table).collect()
}

/// Every good rewriter, each in a table of its own.
pub(crate) fn rewriters() -> Vec<(Value, Table)> {
    let cases = good(cases(include_str!("../../../../relay-runtime/tests/vectors/rewriter.jsonl")));
    let table = |case: Value| {
        let rewriters = vec![vectors::routing::rewriter(&case)];
        (case, Table { rewriters, ..Table::default() })
    };
    cases.into_iter().map(table).collect()
}

fn good(cases: impl Iterator<Item = Value>) -> Vec<Value> {
    // A negative max other than -1 cannot be written in a table.
    let is_good = |case: &Value| case["ok"] == true && case["max"].as_i64().is_none_or(|max| max >= -1);
    cases.filter(|case| is_utf8(case) && is_good(case)).collect()
}
