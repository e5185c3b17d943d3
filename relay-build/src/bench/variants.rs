//! Variants of a table with some rules missing, to find out what rules cost.
//!
//! A variant is a complete plan that is compiled like any other.

use super::{Figures, RuleCost};
use crate::{config::Checked, diagnostics::Span};
use relay_runtime::table::Table;
use std::ops::Range;

/// At most this many tables are compiled to measure the cost of rules; with more rules, neighbours are left out
/// together.
const GROUPS_MAX: usize = 16;

/// How many beginnings of a table are measured.
const BEGINNINGS: usize = 8;

/// Neighbouring rules of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    kind: Kind,
    range: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Blocklist,
    Rewriter,
    Aggregator,
    Route,
}

const KINDS: [Kind; 4] = [Kind::Blocklist, Kind::Rewriter, Kind::Aggregator, Kind::Route];

/// How many rules a table has.
pub(super) fn rules(table: &Table) -> usize {
    KINDS.iter().map(|kind| kind.count(table)).sum()
}

/// All rules, in groups of neighbours if there are too many to measure each.
pub(super) fn groups(table: &Table) -> Vec<Group> {
    let size = rules(table).div_ceil(GROUPS_MAX).max(1);
    let mut groups = Vec::new();
    for kind in KINDS {
        let count = kind.count(table);
        groups.extend(
            (0..count).step_by(size).map(|start| Group { kind, range: start..(start + size).min(count) }),
        );
    }
    groups
}

/// The configuration without the rules of `group`.
pub(super) fn without(checked: &Checked, group: &Group) -> Checked {
    let mut variant = bare(checked);
    let table = &mut variant.plan.table;
    match group.kind {
        Kind::Blocklist => drop(table.blocklist.drain(group.range.clone())),
        Kind::Rewriter => drop(table.rewriters.drain(group.range.clone())),
        Kind::Aggregator => drop(table.aggregators.drain(group.range.clone())),
        Kind::Route => drop(table.routes.drain(group.range.clone())),
    }
    variant
}

/// The numbers of rules at which to measure, ascending; the last is the whole table.
pub(super) fn beginnings(table: &Table) -> Vec<usize> {
    let all = rules(table);
    let mut sizes: Vec<usize> = (1..=BEGINNINGS).map(|at| (all * at).div_ceil(BEGINNINGS)).collect();
    sizes.dedup();
    sizes
}

/// The configuration with its first `count` rules only, in the order in which a line meets them.
pub(super) fn beginning(checked: &Checked, mut count: usize) -> Checked {
    let mut variant = bare(checked);
    let table = &mut variant.plan.table;
    for kind in KINDS {
        let kept = count.min(kind.count(table));
        count -= kept;
        match kind {
            Kind::Blocklist => table.blocklist.truncate(kept),
            Kind::Rewriter => table.rewriters.truncate(kept),
            Kind::Aggregator => table.aggregators.truncate(kept),
            Kind::Route => table.routes.truncate(kept),
        }
    }
    variant
}

/// What a group costs, computed from the figures with and without it.
pub(super) fn cost(checked: &Checked, group: &Group, with: &Figures, without: Figures) -> RuleCost {
    let origins = &checked.origins;
    let (spans, name): (&[Span], _) = match group.kind {
        Kind::Blocklist => (&origins.blocklist, "blocklist"),
        Kind::Rewriter => (&origins.rewriters, "rewriter"),
        Kind::Aggregator => (&origins.aggregators, "aggregation"),
        Kind::Route => (&origins.routes, "route"),
    };
    let line = spans.get(group.range.start).map_or(0, |span| checked.source.line_column(span.start).0);
    let count = group.range.len();
    let rules = match (group.kind, count) {
        (Kind::Route, 1) => format!("route `{}`", checked.plan.table.routes[group.range.start].key),
        (_, 1) => format!("{name} {}", group.range.start + 1),
        _ => format!("{name} {} to {}", group.range.start + 1, group.range.end),
    };
    let both = with.instructions_per_line.zip(without.instructions_per_line);
    RuleCost {
        place: format!("{}:{line}", checked.source.path.display()),
        rules,
        count: count as u64,
        instructions: both.map(|(with, without)| with - without),
        ns: with.ns_per_line_min - without.ns_per_line_min,
        without,
    }
}

/// The same plan without the places of its rules, which would be wrong once rules are left out.
fn bare(checked: &Checked) -> Checked {
    Checked { source: checked.source.clone(), plan: checked.plan.clone(), ..Checked::default() }
}

impl Kind {
    fn count(self, table: &Table) -> usize {
        match self {
            Self::Blocklist => table.blocklist.len(),
            Self::Rewriter => table.rewriters.len(),
            Self::Aggregator => table.aggregators.len(),
            Self::Route => table.routes.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_runtime::table::Matcher;

    fn checked(entries: usize) -> Checked {
        let mut checked = Checked::default();
        let entry = |at| Matcher { prefix: Some(format!("p{at}.")), ..Matcher::default() };
        checked.plan.table.blocklist = (0..entries).map(entry).collect();
        checked
    }

    #[test]
    fn every_rule_is_in_one_group_and_there_are_few() {
        for entries in [0, 1, 15, 16, 17, 1_000] {
            let checked = checked(entries);
            let groups = groups(&checked.plan.table);
            assert!(groups.len() <= GROUPS_MAX);
            assert_eq!(groups.iter().map(|group| group.range.len()).sum::<usize>(), entries);
            for group in &groups {
                let left = without(&checked, group).plan.table.blocklist.len();
                assert_eq!(left + group.range.len(), entries);
            }
        }
    }

    #[test]
    fn beginnings_grow_to_the_whole() {
        let checked = checked(100);
        let sizes = beginnings(&checked.plan.table);
        assert_eq!(sizes.last(), Some(&100));
        assert!(sizes.is_sorted() && sizes.len() == BEGINNINGS);
        for size in sizes {
            assert_eq!(rules(&beginning(&checked, size).plan.table), size);
        }
        assert_eq!(beginnings(&self::checked(3).plan.table), [1, 2, 3]);
    }
}
