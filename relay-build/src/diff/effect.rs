//! What a table can do with a name: the unit in which two tables are compared.
//!
//! Each effect yields constraints on names, and can be checked on the outcome of one name; `search` needs both.

use super::follow::{Outcome, Side};
use relay_runtime::table::{Aggregator, Matcher, Pattern, RouteDestination, RouteKind, Table};

/// One thing that a table does with a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effect {
    /// The blocklist drops it.
    Blocks,
    /// A route with this key takes it.
    Takes(String),
    /// A route with this key (first) sends it to this destination (second).
    Sends(String, String),
    /// An aggregation takes it that computes what this text describes (see [`meaning`]).
    Aggregates(String),
    /// The rewriters turn it into another name than the other table's rewriters do.
    Rewrites,
}

/// Matchers that must match a name, and matchers that must not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Constraints {
    pub(super) all: Vec<Matcher>,
    pub(super) none: Vec<Matcher>,
}

impl Effect {
    /// Whether the first table, with outcome `one`, has this effect and the second, with outcome `other`, has
    /// not.
    pub(super) fn differs(&self, one: (&Side<'_>, &Outcome), other: (&Side<'_>, &Outcome)) -> bool {
        match self {
            Self::Blocks => one.1.blocked.is_some() && other.1.blocked.is_none() && other.1.refused.is_none(),
            _ if !one.1.passes() || !other.1.passes() => {
                *self == Self::Rewrites
                    && [one.1, other.1]
                        .iter()
                        .all(|outcome| outcome.refused.is_none() && outcome.blocked.is_none())
                    && (one.1.is_unusable, &one.1.rewritten) != (other.1.is_unusable, &other.1.rewritten)
            }
            Self::Rewrites => one.1.rewritten != other.1.rewritten,
            Self::Sends(key, _) => {
                let is_taken = other.1.routes.iter().any(|(at, _)| other.0.table.routes[*at].key == *key);
                self.holds(one) && is_taken && !self.holds(other)
            }
            _ => self.holds(one) && !self.holds(other),
        }
    }

    /// Whether the table had this effect on the name.
    pub(super) fn holds(&self, (side, outcome): (&Side<'_>, &Outcome)) -> bool {
        let table = side.table;
        match self {
            Self::Blocks => outcome.blocked.is_some(),
            Self::Takes(key) => outcome.routes.iter().any(|(at, _)| table.routes[*at].key == *key),
            Self::Sends(key, to) => outcome.routes.iter().any(|(at, destinations)| {
                let is_there =
                    |index: &relay_runtime::table::DestinationIndex| written(table, index.get()) == *to;
                table.routes[*at].key == *key && destinations.iter().any(is_there)
            }),
            Self::Aggregates(meaning) => {
                outcome.aggregators.iter().any(|at| self::meaning(&table.aggregators[*at]) == *meaning)
            }
            Self::Rewrites => outcome.rewritten.is_some(),
        }
    }

    /// Alternative constraints: every name on which the table has this effect meets one of them, unless a
    /// rewriter changed the name.
    pub(super) fn terms(&self, table: &Table) -> Vec<Constraints> {
        let one = |matcher: &Matcher| Constraints { all: vec![matcher.clone()], none: Vec::new() };
        match self {
            Self::Blocks => table.blocklist.iter().map(one).collect(),
            Self::Takes(key) => table
                .routes
                .iter()
                .filter(|route| route.key == *key)
                .map(|route| one(&route.matcher))
                .collect(),
            Self::Sends(key, to) => {
                let routes = table.routes.iter().filter(|route| route.key == *key);
                let terms = routes.flat_map(|route| {
                    let (destinations, is_first) = own_matchers(&route.kind);
                    let places = destinations.iter().enumerate();
                    let here = places.filter(|(_, one)| written(table, one.destination.get()) == *to);
                    here.map(move |(at, destination)| Constraints {
                        all: vec![route.matcher.clone(), destination.matcher.clone()],
                        none: destinations[..if is_first { at } else { 0 }]
                            .iter()
                            .map(|one| one.matcher.clone())
                            .collect(),
                    })
                });
                terms.collect()
            }
            Self::Aggregates(meaning) => {
                let same = table.aggregators.iter().filter(|one| self::meaning(one) == *meaning);
                same.map(|aggregator| one(&aggregator.matcher)).collect()
            }
            Self::Rewrites => table.rewriters.iter().map(|rewriter| one(&finds(&rewriter.old))).collect(),
        }
    }
}

/// The destinations of a route that have matchers of their own, and whether only the first that matches gets a
/// line.
pub(super) fn own_matchers(kind: &RouteKind) -> (&[RouteDestination], bool) {
    match kind {
        RouteKind::SendAllMatch { destinations } => (destinations, false),
        RouteKind::SendFirstMatch { destinations } => (destinations, true),
        _ => (&[], false),
    }
}

/// A matcher of the names that contain the pattern.
pub(super) fn finds(pattern: &Pattern) -> Matcher {
    match pattern {
        Pattern::Text(text) => Matcher { sub: Some(text.clone()), ..Matcher::default() },
        Pattern::Regex(regex) => Matcher { regex: Some(regex.clone()), ..Matcher::default() },
    }
}

/// The destination as both tables would write it.
pub(super) fn written(table: &Table, destination: usize) -> String {
    table.destinations.get(destination).map(relay_runtime::table::Destination::written).unwrap_or_default()
}

/// What an aggregator computes from what it takes. Its regex is part of this only if the format refers to its
/// groups.
pub(super) fn meaning(aggregator: &Aggregator) -> String {
    let hides = if aggregator.drop_raw { ", hidden" } else { "" };
    let groups = match &aggregator.matcher.regex {
        Some(regex) if aggregator.format.contains('$') => format!(" of {regex}"),
        _ => String::new(),
    };
    let (function, format) = (aggregator.function_names(), &aggregator.format);
    format!(
        "{function} → {format}{groups} every {} s, wait {} s{hides}",
        aggregator.interval, aggregator.wait
    )
}
