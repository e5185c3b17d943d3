//! Converts rules to rows of data.
//!
//! The rows have the order of the rules; relay-runtime has the loop that runs them.

use super::{ArenaList, IndexTable, WordList};
use crate::{
    analyses::strategy::{Strategy, Test, TestKind},
    codegen::engines::EngineList,
};
use relay_runtime::{
    matching::{Check, Kind, STOPS},
    table::{DestinationIndex, RouteKind, Table},
};
use std::collections::BTreeMap;

/// The parts of a `matching::Rows`.
#[derive(Clone, Debug, Default)]
pub(in crate::codegen) struct RowsTable {
    pub rule_checks: WordList,
    pub checks: WordList,
    pub literals: ArenaList,
    pub drop_raw: Vec<u8>,
    pub kinds: Vec<u8>,
    pub route_targets: WordList,
    pub targets: WordList,
    pub target_checks: WordList,
}

impl RowsTable {
    pub(in crate::codegen) fn new(
        table: &Table,
        strategy: &Strategy,
        index: Option<&IndexTable>,
        engines: &EngineList,
    ) -> Self {
        let mut writer = Writer { index, engines, rows: Self::default(), known: BTreeMap::new() };
        writer.rows.rule_checks.push(0);
        for rule in &strategy.rules {
            writer.write_tests(&rule.tests);
            let end = writer.checks();
            writer.rows.rule_checks.push(end);
        }
        writer.rows.drop_raw = table.aggregators.iter().map(|one| u8::from(one.drop_raw)).collect();
        for ((route, tests), stops) in table.routes.iter().zip(&strategy.targets).zip(&strategy.stops) {
            writer.write_route(&route.kind, *stops, tests);
        }
        let end = writer.rows.targets.len();
        writer.rows.route_targets.push(end);
        let mut literals = vec![String::new(); writer.known.len()];
        for (literal, number) in writer.known {
            literals[number] = literal;
        }
        writer.rows.literals = literals.iter().map(String::as_bytes).collect();
        writer.rows
    }
}

struct Writer<'a> {
    index: Option<&'a IndexTable>,
    engines: &'a EngineList,
    rows: RowsTable,
    known: BTreeMap<String, usize>,
}

impl Writer<'_> {
    fn checks(&self) -> usize {
        self.rows.checks.len() / 2
    }

    fn write_route(&mut self, kind: &RouteKind, stops: bool, tests: &[Vec<Test>]) {
        self.rows.route_targets.push(self.rows.targets.len());
        let kind = match kind {
            RouteKind::SendAllMatch { destinations } => {
                self.write_targets(destinations.iter().map(|one| one.destination), tests);
                Kind::All
            }
            RouteKind::SendFirstMatch { destinations } => {
                self.write_targets(destinations.iter().map(|one| one.destination), tests);
                Kind::First
            }
            RouteKind::ConsistentHash(_) | RouteKind::RoundRobin { .. } | RouteKind::Failover { .. } => {
                Kind::Select
            }
            // A route without targets sends to none.
            RouteKind::Blackhole
            | RouteKind::GrafanaNet(_)
            | RouteKind::KafkaMdm(_)
            | RouteKind::PubSub(_)
            | RouteKind::CloudWatch(_) => Kind::All,
        };
        self.rows.kinds.push(kind as u8 | if stops { STOPS } else { 0 });
    }

    fn write_targets(&mut self, targets: impl Iterator<Item = DestinationIndex>, tests: &[Vec<Test>]) {
        for (target, tests) in targets.zip(tests) {
            self.rows.targets.push(target.get());
            self.rows.target_checks.push(self.checks());
            self.write_tests(tests);
            self.rows.target_checks.push(self.checks());
        }
    }

    fn write_tests(&mut self, tests: &[Test]) {
        for test in tests {
            let (check, about) = match &test.kind {
                TestKind::Exact(text) => (Check::Exact, self.literal(text)),
                TestKind::Prefix(text) => (Check::Prefix, self.literal(text)),
                TestKind::Suffix(text) => (Check::Suffix, self.literal(text)),
                TestKind::Always => (Check::Prefix, self.literal("")),
                TestKind::Found(text) => (Check::Found, self.index.map_or(0, |index| index.numbers[text])),
                TestKind::Contains(text) => (Check::Contains, self.engines.finder(text)),
                TestKind::Regex(regex) => (Check::Regex, *regex),
                TestKind::Confirm(regex) => (Check::Confirm, *regex),
            };
            self.rows.checks.push(check as usize + usize::from(test.negated));
            self.rows.checks.push(about);
        }
    }

    fn literal(&mut self, text: &str) -> usize {
        let next = self.known.len();
        *self.known.entry(text.to_owned()).or_insert(next)
    }
}
