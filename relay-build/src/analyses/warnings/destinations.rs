//! Destinations of a route that receive nothing, or receive every line twice.
//!
//! The checks depend on the type of the route: `sendAllMatch` needs other checks than `sendFirstMatch`.

use super::{
    Facts, contradictions,
    cover::{Cover, cover, obvious},
    rule_set::RuleSet,
};
use crate::{
    analyses::language::{Answer, FUEL, Languages, Names},
    diagnostics::{Diagnostic, Span, codes},
};
use relay_runtime::table::{Destination, DestinationIndex, HashRing, Matcher, RouteDestination, RouteKind};
use std::collections::BTreeMap;

/// What one comparison of two destinations costs, in fuel.
const PAIR_PRICE: u64 = 10;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut languages = Languages::new(FUEL);
    for (at, route) in facts.table.routes.iter().enumerate() {
        let mut one = OfRoute { facts, at, languages: &mut languages, found };
        match &route.kind {
            RouteKind::SendAllMatch { destinations } => {
                one.check_conditions(destinations);
                one.check_overlaps(destinations);
            }
            RouteKind::SendFirstMatch { destinations } => one.check_order(destinations),
            RouteKind::ConsistentHash(HashRing { destinations, .. })
            | RouteKind::Failover { destinations } => one.check_repeats(destinations),
            // In a round-robin route, a destination that is named twice gets a double share, which may be
            // intended.
            _ => {}
        }
    }
}

struct OfRoute<'f, 't> {
    facts: &'f Facts<'t>,
    at: usize,
    languages: &'f mut Languages,
    found: &'f mut Vec<Diagnostic>,
}

impl OfRoute<'_, '_> {
    fn place(&self, destination: usize) -> Span {
        self.facts.destination_place(self.at, destination)
    }

    fn written(&self, destination: DestinationIndex) -> String {
        let destination = self.facts.table.destinations.get(destination.get());
        destination.map(Destination::written).unwrap_or_default()
    }

    /// Reports destinations whose conditions match none of the route's metrics.
    fn check_conditions(&mut self, destinations: &[RouteDestination]) {
        let route = &self.facts.table.routes[self.at];
        for (at, one) in destinations.iter().enumerate() {
            let both = [&route.matcher, &one.matcher];
            if !one.matcher.is_empty()
                && obvious(&both).is_none()
                && self.languages.find(Names::OfLines, &both, &[]) == Answer::Empty
            {
                self.report_contradiction(at, one);
            }
        }
    }

    fn report_contradiction(&mut self, at: usize, one: &RouteDestination) {
        let route = &self.facts.table.routes[self.at];
        if self.languages.find(Names::OfLines, &[&route.matcher], &[]) == Answer::Empty {
            // The route itself is reported already.
            return;
        }
        let subject = format!("the destination `{}`", self.written(one.destination));
        let here = self.place(at);
        if self.languages.find(Names::OfLines, &[&one.matcher], &[]) == Answer::Empty {
            let report = contradictions::report(self.languages, here, &subject, &one.matcher, "destination");
            return self.found.push(report);
        }
        let route_place = super::place(&self.facts.origins.routes, self.at);
        self.found.push(
            Diagnostic::warning(
                codes::CONTRADICTION,
                here,
                format!("no metric of the route can match {subject}"),
            )
            .label("its conditions and those of the route contradict each other")
            .related(route_place, "none of the route's metrics meets its conditions")
            .help("change the destination's conditions or the route's, or remove this destination"),
        );
    }

    /// The first destination that matches takes a metric, so a later one gets only what is left.
    fn check_order(&mut self, destinations: &[RouteDestination]) {
        let facts = self.facts;
        let route = &facts.table.routes[self.at];
        let rules = RuleSet::new(destinations.iter().map(|one| &one.matcher));
        for (at, one) in destinations.iter().enumerate() {
            match cover(self.languages, &[&route.matcher, &one.matcher], &rules, at) {
                Cover::Nothing if !one.matcher.is_empty() => self.report_contradiction(at, one),
                Cover::TakenBy(by) => {
                    let message =
                        format!("no metric reaches the destination `{}`", self.written(one.destination));
                    let label =
                        if by.len() == 1 { "takes all of its metrics" } else { "takes part of its metrics" };
                    let mut diagnostic =
                        Diagnostic::warning(codes::UNREACHED_DESTINATION, self.place(at), message)
                            .label("the first destination that matches takes the metric");
                    for earlier in by {
                        diagnostic = diagnostic.related(self.place(earlier), label);
                    }
                    self.found.push(diagnostic.help(
                        "remove this destination, move it to the front, or write `type = \"sendAllMatch\"`",
                    ));
                }
                Cover::Nothing | Cover::Leaves(_) | Cover::Unknown => {}
            }
        }
    }

    /// The same destination may be named for several sets of metrics if the sets are disjoint.
    fn check_overlaps(&mut self, destinations: &[RouteDestination]) {
        let route = &self.facts.table.routes[self.at];
        let mut known: BTreeMap<DestinationIndex, Vec<usize>> = BTreeMap::new();
        for (at, one) in destinations.iter().enumerate() {
            let earlier = known.entry(one.destination).or_default();
            for &first in earlier.iter() {
                let Some(fuel) = self.languages.fuel.checked_sub(PAIR_PRICE) else { return };
                self.languages.fuel = fuel;
                let all = [&route.matcher, &destinations[first].matcher, &one.matcher];
                if let Some(name) = common_name(self.languages, &all) {
                    let label = format!("gets `{name}`, for example, already");
                    self.report_repeat(one.destination, at, first, &label);
                    break;
                }
            }
            earlier.push(at);
        }
    }

    fn check_repeats(&mut self, destinations: &[DestinationIndex]) {
        let mut known = BTreeMap::new();
        for (at, &destination) in destinations.iter().enumerate() {
            if let Some(&first) = known.get(&destination) {
                self.report_repeat(destination, at, first, "it is one of the route's destinations already");
            } else {
                known.insert(destination, at);
            }
        }
    }

    fn report_repeat(&mut self, destination: DestinationIndex, at: usize, first: usize, label: &str) {
        let message = format!("the route has the destination `{}` twice", self.written(destination));
        self.found.push(
            Diagnostic::warning(codes::DUPLICATE_DESTINATION, self.place(at), message)
                .label(label)
                .related(self.place(first), "first here")
                .help("remove this destination"),
        );
    }
}

/// A name that all of these match, if one is found.
fn common_name(languages: &mut Languages, all: &[&Matcher]) -> Option<String> {
    let mut prefixes = all.iter().filter_map(|one| one.prefix.as_deref());
    // Different prefixes are by far the most common reason that there is none.
    let longest = prefixes.clone().max_by_key(|prefix| prefix.len()).unwrap_or("");
    if !prefixes.all(|prefix| longest.starts_with(prefix)) {
        return None;
    }
    obvious(all).or_else(|| match languages.find(Names::OfLines, all, &[]) {
        Answer::Witness(name) => Some(name),
        Answer::Empty | Answer::Unknown => None,
    })
}
