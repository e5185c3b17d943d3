//! Destinations of a hash ring that stand at the same points, so that one of them gets almost nothing (BUG-41).
//!
//! The runtime's own ring says where the points are; which parts of an address it hashes depends on the
//! algorithm.

use super::Facts;
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::{
    ring::wanted_positions,
    table::{Destination, DestinationIndex, HashAlgorithm, RouteKind},
};
use std::collections::{BTreeMap, BTreeSet};

/// Hashing is expensive: with more destinations than this in all rings together, there is no warning.
const DESTINATIONS_MAX: usize = 2_000;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut left = DESTINATIONS_MAX;
    for (at, route) in facts.table.routes.iter().enumerate() {
        let RouteKind::ConsistentHash(ring) = &route.kind else { continue };
        let Some(less) = left.checked_sub(ring.destinations.len()) else { return };
        left = less;
        check_ring(facts, at, ring.algorithm, &ring.destinations, found);
    }
}

fn check_ring(
    facts: &Facts<'_>,
    route: usize,
    algorithm: HashAlgorithm,
    destinations: &[DestinationIndex],
    found: &mut Vec<Diagnostic>,
) {
    let destination = |at: &DestinationIndex| facts.table.destinations.get(at.get());
    let positions = |one: &Destination| wanted_positions(algorithm, one);
    let all: Vec<_> = destinations.iter().filter_map(|at| Some((at, destination(at)?))).collect();
    let mut taken: BTreeSet<_> = all.iter().map(|(_, one)| positions(one)).collect();
    let mut first = BTreeMap::new();
    for (at, (index, one)) in all.iter().enumerate() {
        let own = positions(one);
        if own.is_empty() {
            return;
        }
        let Some(&twin) = first.get(&own) else {
            first.insert(own, at);
            continue;
        };
        let (twin_index, other) = all[twin];
        if twin_index == *index {
            // The same destination twice; another warning reports that.
            continue;
        }
        let message = format!("`{}` has the same places on the ring as `{}`", one.written(), other.written());
        let apart = apart(one, |one| taken.insert(positions(one)));
        let example = apart.map(|one| format!(": `{}`", one.written())).unwrap_or_default();
        found.push(
            Diagnostic::warning(codes::SHARED_POSITIONS, facts.destination_place(route, at), message)
                .label("almost no metric goes to this one")
                .related(facts.destination_place(route, twin), "this one gets its share")
                .help(format!("give it an instance of its own{example}")),
        );
    }
}

/// The destination with an instance that gives it points of its own.
fn apart(destination: &Destination, mut is_free: impl FnMut(&Destination) -> bool) -> Option<Destination> {
    let named = |instance: char| Destination { instance: Some(instance.to_string()), ..destination.clone() };
    ('b'..='z').chain('0'..='9').map(named).find(|one| is_free(one))
}
