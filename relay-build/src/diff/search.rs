//! The shortest name that two tables treat differently in one respect.
//!
//! A best-first search: each node is a set of constraints, and its price is the length of the shortest name
//! that meets them, found with automata. The name of the cheapest node is followed through both tables. If they
//! differ, no shorter name can show a difference. If they do not, the rule that prevented it becomes another
//! constraint, and the search goes on. So only rules that matter are examined. When no node is left, no name
//! shows the difference: a proof, unless the search had to give something up, which [`Found::is_proven`]
//! reports.

use super::{
    effect::{Constraints, Effect, finds, own_matchers, written},
    follow::{Outcome, Side},
    stops,
};
use crate::analyses::language::{Answer, Languages, Names};
use relay_runtime::{table::Matcher, validate::Reason};
use std::{cmp::Reverse, collections::BinaryHeap};

/// How many names one search may follow.
const NODES_MAX: usize = 400;

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// A name that the tables treat differently.
    pub(super) name: Option<String>,
    /// With a name: no shorter name shows the difference. Without: no name does.
    pub(super) is_proven: bool,
}

/// A set of constraints; a heap orders nodes by the length of the shortest name that meets them.
#[derive(PartialEq, Eq)]
struct Node {
    price: Reverse<(usize, usize)>,
    name: String,
    constraints: Constraints,
}

/// A search in progress.
struct Search<'s> {
    languages: &'s mut Languages,
    heap: BinaryHeap<Node>,
    seen: Vec<Constraints>,
    is_exact: bool,
}

/// Searches for a name on which `one` has this effect and `other` has not.
pub(super) fn search(effect: &Effect, one: &Side<'_>, other: &Side<'_>, languages: &mut Languages) -> Found {
    let mut starts = effect.terms(one.table);
    if *effect == Effect::Rewrites {
        starts.extend(effect.terms(other.table));
        starts.dedup();
    }
    // An entry that both blocklists contain cannot be the difference.
    if *effect == Effect::Blocks {
        let kept = |start: &Constraints| !other.table.blocklist.contains(&start.all[0]);
        starts.retain(kept);
    }
    let has_rewriters = !one.table.rewriters.is_empty() || !other.table.rewriters.is_empty();
    // A name that a rewriter changes may meet other constraints before than after.
    let is_exact = !has_rewriters || *effect == Effect::Blocks;
    let mut search = Search { languages, heap: BinaryHeap::new(), seen: Vec::new(), is_exact };
    for start in starts {
        search.push(start);
    }
    for _ in 0..NODES_MAX {
        let Some(node) = search.heap.pop() else {
            return Found { name: None, is_proven: search.is_exact };
        };
        let (ones, others) = (one.follow(&node.name), other.follow(&node.name));
        if effect.differs((one, &ones), (other, &others)) {
            return Found { name: Some(node.name), is_proven: search.is_exact };
        }
        search.refine(effect, &node, (one, &ones), (other, &others));
    }
    Found { name: None, is_proven: false }
}

impl Search<'_> {
    /// Adds a node for these constraints if some name meets them.
    fn push(&mut self, constraints: Constraints) {
        if self.seen.contains(&constraints) {
            return;
        }
        self.seen.push(constraints.clone());
        let (all, none): (Vec<_>, Vec<_>) =
            (constraints.all.iter().collect(), constraints.none.iter().collect());
        match self.languages.find(Names::OfLines, &all, &none) {
            Answer::Empty => {}
            Answer::Unknown => self.is_exact = false,
            Answer::Witness(name) => {
                let price = Reverse((name.len(), self.seen.len()));
                self.heap.push(Node { price, name, constraints });
            }
        }
    }

    /// Adds a node with one more constraint: `matcher` does not match. Does nothing if that was a constraint
    /// already.
    fn without(&mut self, node: &Node, matcher: &Matcher) {
        if node.constraints.none.contains(matcher) {
            self.is_exact = false;
            return;
        }
        let mut constraints = node.constraints.clone();
        constraints.none.push(matcher.clone());
        self.push(constraints);
    }

    /// Adds a node with one more constraint: `matcher` matches.
    fn with(&mut self, node: &Node, matcher: &Matcher) {
        if node.constraints.all.contains(matcher) {
            self.is_exact = false;
            return;
        }
        let mut constraints = node.constraints.clone();
        constraints.all.push(matcher.clone());
        self.push(constraints);
    }

    /// Adds nodes that exclude the rule which prevented the difference for this node's name.
    fn refine(
        &mut self,
        effect: &Effect,
        node: &Node,
        one: (&Side<'_>, &Outcome),
        other: (&Side<'_>, &Outcome),
    ) {
        for (side, outcome) in [one, other] {
            if let Some(reason) = outcome.refused {
                return self.refused(node, reason);
            }
            let is_the_difference = *effect == Effect::Blocks && std::ptr::eq(side, one.0);
            if let Some(entry) = outcome.blocked.filter(|_| !is_the_difference) {
                return self.without(node, &side.table.blocklist[entry]);
            }
        }
        for (side, outcome) in [one, other] {
            if let Some(rewriter) = outcome.touched.first() {
                self.is_exact = false;
                return self.without(node, &finds(&side.table.rewriters[*rewriter].old));
            }
        }
        // If no rewriter changes the name, none matches it, or `not` excludes it.
        if *effect == Effect::Rewrites {
            self.is_exact = false;
            let rules = one.0.table.rewriters.iter().chain(&other.0.table.rewriters);
            let guards: Vec<Matcher> = rules.filter_map(|rule| rule.not.as_ref()).map(finds).collect();
            for guard in guards.iter().filter(|guard| !node.constraints.none.contains(guard)) {
                self.without(node, guard);
            }
            return;
        }
        // A name that an aggregator of `one` hides cannot reach the routes.
        if one.1.is_hidden
            && !matches!(effect, Effect::Aggregates(_))
            && let Some(hiding) = one.1.aggregators.last()
        {
            return self.without(node, &one.0.table.aggregators[*hiding].matcher);
        }
        // A name that an earlier route of `one` stops cannot be the difference either.
        if matches!(effect, Effect::Takes(_) | Effect::Sends(..))
            && !effect.holds(one)
            && let Some(stop) = stops::stopped_by(one.0.table, one.1)
        {
            return self.without(node, &one.0.table.routes[stop].matcher);
        }
        match effect {
            Effect::Sends(key, to) => self.refine_sends(key, to, node, one, other),
            Effect::Aggregates(_) => {
                if let Some(hiding) = one.1.aggregators.last().filter(|_| one.1.is_hidden) {
                    self.without(node, &one.0.table.aggregators[*hiding].matcher);
                }
                self.without_terms(effect, node, other);
            }
            _ => {
                self.without_terms(effect, node, other);
                self.with_stops(effect, node, one, other);
            }
        }
    }

    /// Adds nodes in which an earlier route of `other` stops the name and no earlier route of `one` does.
    fn with_stops(
        &mut self,
        effect: &Effect,
        node: &Node,
        one: (&Side<'_>, &Outcome),
        other: (&Side<'_>, &Outcome),
    ) {
        let Effect::Takes(key) = effect else { return };
        let taking = |(side, outcome): (&Side<'_>, &Outcome)| {
            let mut routes = outcome.routes.iter().map(|(at, _)| *at);
            routes.find(|at| side.table.routes[*at].key == *key)
        };
        let (Some(here), Some(there)) = (taking(one), taking(other)) else { return };
        for stop in stops::before(other.0.table, there) {
            if !stops::before(one.0.table, here).any(|mine| mine == stop) {
                self.with(node, stop);
            }
        }
    }

    /// Excludes what makes the other table have the same effect.
    fn without_terms(&mut self, effect: &Effect, node: &Node, other: (&Side<'_>, &Outcome)) {
        let reason = match effect {
            Effect::Takes(key) => {
                let mut routes = other.1.routes.iter().map(|(at, _)| &other.0.table.routes[*at]);
                routes.find(|route| route.key == *key).map(|route| route.matcher.clone())
            }
            Effect::Aggregates(meaning) => {
                let mut aggregators = other.1.aggregators.iter().map(|at| &other.0.table.aggregators[*at]);
                let same = aggregators.find(|aggregator| super::effect::meaning(aggregator) == *meaning);
                same.map(|aggregator| aggregator.matcher.clone())
            }
            _ => None,
        };
        match reason {
            Some(matcher) => self.without(node, &matcher),
            None => self.is_exact = false,
        }
    }

    /// Adds nodes for a name that `other` sends there too, or that the route of `other` does not match.
    fn refine_sends(
        &mut self,
        key: &str,
        to: &str,
        node: &Node,
        one: (&Side<'_>, &Outcome),
        other: (&Side<'_>, &Outcome),
    ) {
        if let Some(hiding) = other.1.aggregators.last().filter(|_| other.1.is_hidden) {
            return self.without(node, &other.0.table.aggregators[*hiding].matcher);
        }
        let taken: Vec<_> =
            other.1.routes.iter().filter(|(at, _)| other.0.table.routes[*at].key == key).collect();
        if taken.is_empty() {
            // Only routes before a route that stops can get the names that it matches.
            let routes = &other.0.table.routes;
            let stop = stops::stopped_by(other.0.table, other.1);
            let asked = &routes[..stop.unwrap_or(routes.len())];
            asked.iter().filter(|route| route.key == key).for_each(|route| self.with(node, &route.matcher));
            if let Some(stop) = stop {
                self.without(node, &routes[stop].matcher);
            }
            return;
        }
        // Then another one of these routes may take it and send it elsewhere.
        let same_key = other.0.table.routes.iter().filter(|route| route.key == key).count();
        self.is_exact &= same_key == 1 || !other.0.table.routes.iter().any(|route| route.stop);
        let mut is_explained = false;
        for (at, _) in taken {
            let route = &other.0.table.routes[*at];
            let (destinations, is_first) = own_matchers(&route.kind);
            for (place, destination) in destinations.iter().enumerate() {
                if written(other.0.table, destination.destination.get()) != to {
                    continue;
                }
                is_explained = true;
                self.without(node, &destination.matcher);
                if is_first {
                    destinations[..place].iter().for_each(|earlier| self.with(node, &earlier.matcher));
                }
                self.without(node, &route.matcher);
            }
        }
        // Then an earlier destination gets the name first, and the terms have excluded that one already.
        if !is_explained && !one.1.routes.is_empty() {
            self.is_exact = false;
        }
    }

    /// Adds constraints that exclude the names which validation refuses for `reason`.
    fn refused(&mut self, node: &Node, reason: Reason) {
        let pattern = match reason {
            Reason::EmptyKey => r"^\.?(;|$)",
            Reason::EmptyNode => r"\.\.",
            Reason::IllegalChar => r"[^a-zA-Z0-9_.\-]",
            Reason::NullByte => r"\x00",
            Reason::NonAsciiChar => r"[^\x00-\x7f]",
            // Tags, or metrics 2.0: some of these names are valid, but no automaton here decides which.
            _ => {
                self.is_exact = false;
                "[=;]|_is_"
            }
        };
        let refused = Matcher { regex: Some(pattern.to_owned()), ..Matcher::default() };
        self.without(node, &refused);
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Node {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.price.cmp(&other.price)
    }
}
