//! A table that is too long to be code: its rules as rows of numbers, and one loop over the candidates of a scan.
//!
//! It means exactly the same as generated code for these rules.

use super::{
    Engines, Look,
    words::{Arena, Pairs, Words},
};
use crate::{
    dispatch::Sink,
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RouteIndex},
};

/// The rules of a table, numbered in one sequence: blocklist, aggregators, routes.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The number of the first aggregator.
    pub first_aggregator: u32,
    /// The number of the first route.
    pub first_route: u32,
    /// The number of rules.
    pub end: u32,
    /// For each rule, where its checks start in `checks`; the last entry is where those of the last rule end.
    pub rule_checks: Words<'a>,
    /// A [`Check`], and the number of the literal, substring or regex that it checks.
    pub checks: Pairs<'a>,
    /// The literals of checks.
    pub literals: Arena<'a>,
    /// For each aggregator, whether it hides what it takes (`drop_raw`).
    pub drop_raw: &'a [u8],
    /// For each route, its [`Kind`], and [`STOPS`] if it does.
    pub kinds: &'a [u8],
    /// For each route, where its targets start in `targets`; the last entry is where those of the last route
    /// end.
    pub route_targets: Words<'a>,
    /// The numbers of destinations.
    pub targets: Words<'a>,
    /// For each target, where its checks start and end in `checks`.
    pub target_checks: Pairs<'a>,
}

/// What a check compares. Each odd number is the negation of the even one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Check {
    /// The name starts with a literal.
    Prefix = 0,
    /// The name equals a literal.
    Exact = 2,
    /// The name ends with a literal.
    Suffix = 4,
    /// The scan has found a substring.
    Found = 6,
    /// A search finds a substring.
    Contains = 8,
    /// A regex matches.
    Regex = 10,
    /// A regex matches a name that contains its required literal.
    Confirm = 12,
}

/// What a route does with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// Delivers to each target whose checks hold.
    All = 0,
    /// Delivers to the first target whose checks hold.
    First = 1,
    /// Leaves the choice to the sink.
    Select = 2,
}

/// Added to the [`Kind`] of a route with `stop`.
pub const STOPS: u8 = 0x80;

impl Rows<'_> {
    /// The first blocklist entry that matches, if there is one.
    #[inline]
    #[must_use]
    pub fn blocked(&self, name: &[u8], look: Option<&Look>, engines: &Engines) -> Option<BlocklistIndex> {
        let mut rules = candidates(look, 0, self.first_aggregator);
        rules.find(|&rule| self.holds(rule, name, look, engines)).map(BlocklistIndex)
    }

    /// Reports the aggregators that take the name to `sink`. Returns true if the last one hides it.
    #[inline]
    pub fn aggregate<S: Sink>(
        &self,
        name: &[u8],
        look: Option<&Look>,
        engines: &Engines,
        sink: &mut S,
    ) -> bool {
        for rule in candidates(look, self.first_aggregator, self.first_route) {
            let aggregator = AggregatorIndex(rule - self.first_aggregator);
            if self.takes(rule, aggregator, name, look, engines, sink) {
                sink.aggregate(aggregator);
                if self.drop_raw[aggregator.get()] != 0 {
                    sink.dropped_raw();
                    return true;
                }
            }
        }
        false
    }

    /// Reports the routes that take the name, and where they send it, to `sink`.
    #[inline]
    pub fn route<S: Sink>(&self, name: &[u8], look: Option<&Look>, engines: &Engines, sink: &mut S) {
        for rule in candidates(look, self.first_route, self.end) {
            if self.holds(rule, name, look, engines) {
                let route = RouteIndex(rule - self.first_route);
                sink.route(route);
                if self.send(route, name, look, engines, sink) {
                    return;
                }
            }
        }
    }

    /// Whether this was the last route.
    #[inline]
    fn send<S: Sink>(
        &self,
        route: RouteIndex,
        name: &[u8],
        look: Option<&Look>,
        engines: &Engines,
        sink: &mut S,
    ) -> bool {
        let (kind, stops) = (self.kinds[route.get()] & !STOPS, self.kinds[route.get()] & STOPS != 0);
        if kind == Kind::Select as u8 {
            sink.select(route, name);
            return stops;
        }
        let end = self.route_targets.get(route.get() + 1) as usize;
        for target in self.route_targets.get(route.get()) as usize..end {
            let (start, stop) = self.target_checks.get(target);
            if self.all(start, stop, name, look, engines) {
                sink.deliver(DestinationIndex(self.targets.get(target)));
                if kind == Kind::First as u8 {
                    break;
                }
            }
        }
        stops
    }

    /// Whether an aggregator takes the name. Regexes come last, and the sink may remember their answer.
    #[inline]
    fn takes<S: Sink>(
        &self,
        rule: u32,
        aggregator: AggregatorIndex,
        name: &[u8],
        look: Option<&Look>,
        engines: &Engines,
        sink: &mut S,
    ) -> bool {
        let checks = self.rule_checks.get(rule as usize)..self.rule_checks.get(rule as usize + 1);
        let is_regex = |check: &u32| self.checks.get(*check as usize).0 & !1 >= Check::Regex as u32;
        if !checks
            .clone()
            .filter(|check| !is_regex(check))
            .all(|check| self.check(check, name, look, engines))
        {
            return false;
        }
        let mut regexes = checks.filter(is_regex).peekable();
        regexes.peek().is_none()
            || sink.takes(aggregator, name, || regexes.all(|check| self.check(check, name, look, engines)))
    }

    #[inline]
    fn holds(&self, rule: u32, name: &[u8], look: Option<&Look>, engines: &Engines) -> bool {
        let rule = rule as usize;
        self.all(self.rule_checks.get(rule), self.rule_checks.get(rule + 1), name, look, engines)
    }

    #[inline]
    fn all(&self, start: u32, stop: u32, name: &[u8], look: Option<&Look>, engines: &Engines) -> bool {
        (start..stop).all(|check| self.check(check, name, look, engines))
    }

    fn check(&self, check: u32, name: &[u8], look: Option<&Look>, engines: &Engines) -> bool {
        const EXACT: u32 = Check::Exact as u32;
        const SUFFIX: u32 = Check::Suffix as u32;
        const FOUND: u32 = Check::Found as u32;
        const CONTAINS: u32 = Check::Contains as u32;
        const REGEX: u32 = Check::Regex as u32;
        const CONFIRM: u32 = Check::Confirm as u32;
        let (kind, about) = self.checks.get(check as usize);
        let holds = match kind & !1 {
            EXACT => name == self.literals.get(about),
            SUFFIX => name.ends_with(self.literals.get(about)),
            FOUND => look.is_some_and(|look| look.contains(about)),
            CONTAINS => engines.contains(about as usize, name),
            REGEX => engines.matches(about as usize, name),
            CONFIRM => engines.confirms(about as usize, name),
            _ => name.starts_with(self.literals.get(about)),
        };
        holds != (kind & 1 == 1)
    }
}

/// The rules to check: the candidates of the scan, or all rules if none has a guard.
#[inline]
fn candidates(look: Option<&Look>, start: u32, end: u32) -> impl Iterator<Item = u32> + '_ {
    let (waiting, all) = look.map_or((&[][..], start..end), |look| (look.rules(start, end), 0..0));
    waiting.iter().copied().chain(all)
}
