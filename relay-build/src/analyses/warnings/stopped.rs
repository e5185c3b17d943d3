//! Routes that no metric reaches, because earlier routes with `stop` match it.
//!
//! Every metric passes all earlier routes before it reaches a route, and so do outputs of aggregations.
//! Metrics that the blocklist drops need no earlier route, unless a rewriter or an aggregation can produce
//! them.

use super::{
    Facts,
    cover::{Cover, cover},
    place, produced,
    rule_set::RuleSet,
};
use crate::{
    analyses::language::{FUEL, Languages},
    diagnostics::{Diagnostic, codes},
};
use relay_runtime::table::Matcher;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let routes = &facts.table.routes;
    let stopping: Vec<usize> = (0..routes.len()).filter(|at| routes[*at].stop).collect();
    if stopping.is_empty() {
        return;
    }
    let blocked = &facts.table.blocklist;
    let stops = || stopping.iter().map(|at| &routes[*at].matcher);
    let (alone, together) = (RuleSet::new(stops()), RuleSet::new(blocked.iter().chain(stops())));
    let made: Vec<Matcher> = (facts.table.rewriters.iter().filter_map(produced::by_rewriter))
        .chain(facts.table.aggregators.iter().map(produced::by_aggregator))
        .collect();
    let mut languages = Languages::new(FUEL);
    for (at, route) in routes.iter().enumerate() {
        let earlier = stopping.partition_point(|stop| *stop < at);
        if earlier == 0 {
            continue;
        }
        let all = [&route.matcher];
        if let Cover::TakenBy(by) = cover(&mut languages, &all, &alone, earlier) {
            let by: Vec<_> = by.into_iter().map(|stop| stopping[stop]).collect();
            found.push(report(facts, at, &[], &by));
        } else if !blocked.is_empty()
            && let Cover::TakenBy(by) = cover(&mut languages, &all, &together, blocked.len() + earlier)
            && let (entries, by) = by.split_at(by.partition_point(|rule| *rule < blocked.len()))
            && !by.is_empty()
            && made.iter().all(|one| languages.intersect(&[&route.matcher, one]) == Some(false))
        {
            let by: Vec<_> = by.iter().map(|rule| stopping[rule - blocked.len()]).collect();
            found.push(report(facts, at, entries, &by));
        }
    }
}

/// Reports the route: the routes `by` match everything that the blocklist does not drop.
fn report(facts: &Facts<'_>, at: usize, entries: &[usize], by: &[usize]) -> Diagnostic {
    let message = format!("no metric reaches {}", facts.route_name(at));
    let is_one = entries.is_empty() && by.len() == 1;
    let label = if is_one {
        "matches all of its metrics, and stops"
    } else {
        "matches part of its metrics, and stops"
    };
    let mut diagnostic = Diagnostic::warning(codes::STOPPED_ROUTE, place(&facts.origins.routes, at), message)
        .label("earlier routes match all of its metrics");
    for &entry in entries {
        diagnostic = diagnostic.related(place(&facts.origins.blocklist, entry), "blocks part of it");
    }
    for &earlier in by {
        diagnostic = diagnostic.related(place(&facts.origins.routes, earlier), label);
    }
    let help = if by.len() == 1 {
        "remove this route, or move it in front of the one that stops"
    } else {
        "remove this route, or move it in front of the ones that stop"
    };
    diagnostic.help(help)
}
