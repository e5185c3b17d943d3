//! Which rules the lines of tests reached: an entry that blocked one, a rewriter that changed one, an
//! aggregator or a route that took one.
//!
//! Counts rules, not combinations of them.

use crate::{config::Checked, diagnostics::Span};
use relay_runtime::{
    dispatch::{Dispatch as _, Scratch, Sink},
    interpret::{Error, Interpreter},
    rewriter::Rewriter,
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RewriterIndex, RouteIndex, Table},
};
use serde::Serialize;

/// How much of a table the tests reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The number of rules.
    pub rules: usize,
    /// How many of them some test reached.
    pub reached: usize,
    /// The rules that no test reached, in the order of the table.
    pub unreached: Vec<Unreached>,
}

/// A rule that no test reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreached {
    /// The path of the file.
    pub file: String,
    /// The number of the line where the rule is written, from 1.
    pub line: usize,
    /// The rule in words.
    pub rule: String,
}

impl Coverage {
    /// The percentage of rules that were reached, 0 to 100. A table without rules has 100.
    #[must_use]
    pub fn percent(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no table has that many rules")]
        let share = |part: usize| part as f64 / self.rules as f64 * 100.0;
        if self.rules == 0 { 100.0 } else { share(self.reached) }
    }
}

/// Records which rules are reached.
pub(super) struct Counter {
    rewriters: Vec<Rewriter>,
    reached: Reached,
}

/// One flag per rule.
struct Reached {
    blocklist: Vec<bool>,
    rewriters: Vec<bool>,
    aggregators: Vec<bool>,
    routes: Vec<bool>,
    is_blocked: bool,
}

impl Counter {
    pub(super) fn new(table: &Table) -> Result<Self, Error> {
        let rewriter = |(at, rewriter)| {
            Rewriter::new(rewriter).map_err(|error| Error::Rewriter(RewriterIndex::new(at), error))
        };
        let rewriters = table.rewriters.iter().enumerate().map(rewriter).collect::<Result<_, _>>()?;
        let reached = Reached {
            blocklist: vec![false; table.blocklist.len()],
            rewriters: vec![false; table.rewriters.len()],
            aggregators: vec![false; table.aggregators.len()],
            routes: vec![false; table.routes.len()],
            is_blocked: false,
        };
        Ok(Self { rewriters, reached })
    }

    /// Follows a valid name through the table. Returns the name as the rewriters leave it, or `None` if it is
    /// blocked.
    pub(super) fn follow(&mut self, name: &[u8], interpreter: &Interpreter) -> Option<Vec<u8>> {
        self.reached.is_blocked = false;
        interpreter.dispatch(name, &mut Scratch::default(), &mut self.reached);
        if self.reached.is_blocked {
            return None;
        }
        let (mut name, mut out) = (name.to_vec(), Vec::new());
        for (rewriter, reached) in self.rewriters.iter().zip(&mut self.reached.rewriters) {
            if rewriter.apply(&name, &mut out) {
                *reached = true;
                name.clone_from(&out);
            }
        }
        Some(name)
    }

    /// Whether this aggregator has taken a name.
    pub(super) fn has_reached(&self, aggregator: AggregatorIndex) -> bool {
        self.reached.aggregators[aggregator.get()]
    }

    pub(super) fn finish(self, checked: &Checked) -> Coverage {
        let (table, origins, reached) = (&checked.plan.table, &checked.origins, &self.reached);
        let mut coverage = Coverage::default();
        let mut add = |flags: &[bool], spans: &[Span], rule: &dyn Fn(usize) -> String| {
            coverage.rules += flags.len();
            coverage.reached += flags.iter().filter(|reached| **reached).count();
            for (at, _) in flags.iter().enumerate().filter(|(_, reached)| !**reached) {
                let line = spans.get(at).map_or(0, |span| checked.source.line_column(span.start).0);
                let file = checked.source.path.display().to_string();
                coverage.unreached.push(Unreached { file, line, rule: rule(at) });
            }
        };
        add(&reached.blocklist, &origins.blocklist, &|at| {
            let conditions = table.blocklist[at].conditions();
            let written: Vec<_> =
                conditions.map(|(condition, text)| format!("{} {text}", condition.name())).collect();
            format!("blocklist {}", written.join(" "))
        });
        add(&reached.rewriters, &origins.rewriters, &|at| {
            format!("rewriter {} → {}", table.rewriters[at].old.written(), table.rewriters[at].new)
        });
        add(&reached.aggregators, &origins.aggregators, &|at| {
            format!(
                "aggregation {} → {}",
                table.aggregators[at].function_names(),
                table.aggregators[at].format
            )
        });
        add(&reached.routes, &origins.routes, &|at| format!("route `{}`", table.routes[at].key));
        coverage
    }
}

impl Sink for Reached {
    fn blocked(&mut self, entry: BlocklistIndex) {
        self.blocklist[entry.get()] = true;
        self.is_blocked = true;
    }

    fn rewritten(&mut self, _: &[u8]) {}

    fn unusable(&mut self, _: &[u8]) {}

    fn aggregate(&mut self, aggregator: AggregatorIndex) {
        self.aggregators[aggregator.get()] = true;
    }

    fn dropped_raw(&mut self) {}

    fn route(&mut self, route: RouteIndex) {
        self.routes[route.get()] = true;
    }

    fn deliver(&mut self, _: DestinationIndex) {}

    fn select(&mut self, _: RouteIndex, _: &[u8]) {}
}
