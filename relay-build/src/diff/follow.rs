//! Follows a name through one table and records the numbers of the rules that act on it.
//!
//! Runs the interpreter, the oracle, so a comparison of two outcomes compares meanings.

use relay_runtime::{
    dispatch::{Dispatch as _, Scratch, Sink},
    interpret::{Error, Interpreter},
    rewriter::Rewriter,
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RewriterIndex, RouteIndex, Table},
    validate::{Reason, Validator},
};

/// One of the two tables, ready to follow names.
pub(super) struct Side<'t> {
    pub(super) table: &'t Table,
    interpreter: Interpreter,
    rewriters: Vec<Rewriter>,
    validator: Validator,
}

/// What a table does with a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// Why validation refuses the name.
    pub(super) refused: Option<Reason>,
    /// The first entry of the blocklist that matches.
    pub(super) blocked: Option<usize>,
    /// The rewriters that changed the name.
    pub(super) touched: Vec<usize>,
    /// The name after rewriting, if that changed it.
    pub(super) rewritten: Option<Vec<u8>>,
    /// Whether rewriting left a name that cannot be sent.
    pub(super) is_unusable: bool,
    /// The aggregators that take it.
    pub(super) aggregators: Vec<usize>,
    /// Whether the last of them hides it from the routes (`drop_raw`).
    pub(super) is_hidden: bool,
    /// The routes that take it, each with the destinations that the table itself selects.
    pub(super) routes: Vec<(usize, Vec<DestinationIndex>)>,
}

impl<'t> Side<'t> {
    pub(super) fn new(table: &'t Table) -> Result<Self, Error> {
        let rewriter =
            |(at, rule)| Rewriter::new(rule).map_err(|error| Error::Rewriter(RewriterIndex::new(at), error));
        Ok(Self {
            table,
            interpreter: Interpreter::new(table)?,
            rewriters: table.rewriters.iter().enumerate().map(rewriter).collect::<Result<_, _>>()?,
            validator: Validator::new(table.validation),
        })
    }

    /// Follows `name` through the table.
    pub(super) fn follow(&self, name: &str) -> Outcome {
        let mut outcome = Outcome::default();
        let line = format!("{name} 1 1700000000");
        if let Err(rejected) = self.validator.check(line.as_bytes(), 0) {
            outcome.refused = Some(rejected.reason);
            return outcome;
        }
        self.interpreter.dispatch(name.as_bytes(), &mut Scratch::default(), &mut outcome);
        if outcome.blocked.is_none() {
            let (mut name, mut out) = (name.as_bytes().to_vec(), Vec::new());
            for (at, rewriter) in self.rewriters.iter().enumerate() {
                if rewriter.apply(&name, &mut out) {
                    outcome.touched.push(at);
                    name.clone_from(&out);
                }
            }
        }
        outcome
    }
}

impl Outcome {
    /// Whether the name reaches the aggregators and routes.
    pub(super) fn passes(&self) -> bool {
        self.refused.is_none() && self.blocked.is_none() && !self.is_unusable
    }
}

impl Sink for Outcome {
    fn blocked(&mut self, entry: BlocklistIndex) {
        self.blocked = Some(entry.get());
    }

    fn rewritten(&mut self, name: &[u8]) {
        self.rewritten = Some(name.to_vec());
    }

    fn unusable(&mut self, name: &[u8]) {
        self.rewritten = Some(name.to_vec());
        self.is_unusable = true;
    }

    fn aggregate(&mut self, aggregator: AggregatorIndex) {
        self.aggregators.push(aggregator.get());
    }

    fn dropped_raw(&mut self) {
        self.is_hidden = true;
    }

    fn route(&mut self, route: RouteIndex) {
        self.routes.push((route.get(), Vec::new()));
    }

    fn deliver(&mut self, destination: DestinationIndex) {
        if let Some((_, destinations)) = self.routes.last_mut() {
            destinations.push(destination);
        }
    }

    fn select(&mut self, _: RouteIndex, _: &[u8]) {}
}
