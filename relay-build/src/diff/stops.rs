//! Computes which names routes with `stop` leave to later routes, as constraints for the search.
//!
//! Earlier routes whose prefixes exclude a common name are left out, so the constraints stay few.

use super::follow::Outcome;
use relay_runtime::table::{Matcher, Route, Table};
use std::collections::BTreeMap;

/// For each key, its routes: each with its matcher, and with the matchers of earlier routes that can stop its
/// names.
pub(super) fn reached(table: &Table) -> BTreeMap<&str, Vec<(&Matcher, Vec<&Matcher>)>> {
    let mut reached: BTreeMap<&str, Vec<_>> = BTreeMap::new();
    let mut stops: Vec<&Matcher> = Vec::new();
    for Route { key, matcher, stop, kind: _ } in &table.routes {
        let earlier = stops.iter().copied().filter(|earlier| can_meet(earlier, matcher)).collect();
        reached.entry(key).or_default().push((matcher, earlier));
        if *stop {
            stops.push(matcher);
        }
    }
    reached
}

/// The matchers of the routes with `stop` before this one.
pub(super) fn before(table: &Table, route: usize) -> impl Iterator<Item = &Matcher> {
    table.routes[..route].iter().filter(|route| route.stop).map(|route| &route.matcher)
}

/// The route that stopped a name.
pub(super) fn stopped_by(table: &Table, outcome: &Outcome) -> Option<usize> {
    outcome.routes.last().map(|(last, _)| *last).filter(|last| table.routes[*last].stop)
}

/// Whether prefixes allow that both match a name.
fn can_meet(one: &Matcher, other: &Matcher) -> bool {
    match (&one.prefix, &other.prefix) {
        (Some(one), Some(other)) => one.starts_with(other.as_str()) || other.starts_with(one.as_str()),
        _ => true,
    }
}
