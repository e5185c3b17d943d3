//! Compares what a test wants of a line with what happened to the line.
//!
//! Only keys that the test sets are compared.

use crate::config::{Wanted, WantedRoute};
use relay_runtime::{table::Table, trace::Trace};
use serde::Serialize;

/// One key of a test whose value differs from the outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The key of the test.
    pub what: &'static str,
    /// The wanted value.
    pub wanted: String,
    /// The actual value.
    pub got: String,
}

/// Every key of `wanted` whose value differs from `trace`.
pub(super) fn compare(wanted: &Wanted, trace: &Trace, table: &Table) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut expect = |what, wanted: Option<String>, got: String| {
        failures.extend(wanted.filter(|wanted| *wanted != got).map(|wanted| Failure { what, wanted, got }));
    };
    let is_blocked = trace.blocked_by.is_some();
    expect("accepted", wanted.accepted.map(yes_or_no), yes_or_no(trace.accepted));
    expect("reason", wanted.reason.clone(), trace.reason.unwrap_or("none").to_owned());
    expect("blocked", wanted.blocked.map(yes_or_no), yes_or_no(is_blocked));
    let blocked_by = trace.blocked_by.clone().unwrap_or_else(|| "nothing".to_owned());
    expect("blocked_by", wanted.blocked_by.clone(), blocked_by);
    let rewritten = |name: Option<&String>| name.cloned().unwrap_or_else(|| "not rewritten".to_owned());
    let name = wanted.rewritten.as_ref().map(|name| rewritten(name.as_ref()));
    expect("rewritten", name, rewritten(trace.rewritten.as_ref()));
    let aggregators = wanted.aggregators.as_ref();
    let got = aggregators.map_or(String::new(), |wanted| list(&as_wanted(&trace.aggregators, wanted, table)));
    expect("aggregators", aggregators.map(|wanted| list(wanted)), got);
    expect("dropped_raw", wanted.dropped_raw.map(yes_or_no), yes_or_no(trace.dropped_raw));
    if let Some(routes) = &wanted.routes {
        expect(
            "routes",
            Some(list(&routes.iter().map(route).collect::<Vec<_>>())),
            list(&taken(trace, routes)),
        );
    }
    let destinations = trace.routes.iter().flat_map(|route| route.destinations.iter().cloned());
    expect(
        "destinations",
        wanted.destinations.as_ref().map(|wanted| list(wanted)),
        list(&destinations.collect::<Vec<_>>()),
    );
    failures
}

/// The aggregators by their keys, or by their formats where the test writes those.
fn as_wanted(keys: &[String], wanted: &[String], table: &Table) -> Vec<String> {
    let shown = |key: &String| {
        if wanted.contains(key) {
            return key.clone();
        }
        let format = table.aggregators.iter().find(|one| one.key() == *key).map(|one| one.format.clone());
        format.unwrap_or_else(|| key.clone())
    };
    keys.iter().map(shown).collect()
}

/// The routes, with their destinations where the test lists some.
fn taken(trace: &Trace, wanted: &[WantedRoute]) -> Vec<String> {
    let shown = |(at, taken): (usize, &relay_runtime::trace::RouteTrace)| {
        let named = wanted.get(at).is_some_and(|wanted| wanted.destinations.is_some());
        route(&WantedRoute {
            key: taken.key.clone(),
            destinations: named.then(|| taken.destinations.clone()),
        })
    };
    trace.routes.iter().enumerate().map(shown).collect()
}

fn route(route: &WantedRoute) -> String {
    match &route.destinations {
        None => route.key.clone(),
        Some(destinations) => format!("{} → {}", route.key, list(destinations)),
    }
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn yes_or_no(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}
