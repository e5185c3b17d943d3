//! Follows a metric's name through a table rule by rule: what `explain METRIC` prints.
//!
//! `trace` shows what happened; this also shows why nothing else did. It asks the same matchers and rewriters
//! as the interpreter, in the same order, and stops where the metric's way ends.

use crate::{
    aggregate::OutputName,
    interpret::Error,
    matcher::{Matcher, MatcherError},
    rewriter::{Rewriter, is_usable},
    select::{Liveness, Selectors},
    table::{
        self, AggregatorIndex, BlocklistIndex, Condition, DestinationIndex, RewriterIndex, Route,
        RouteDestination, RouteIndex, RouteKind, Table,
    },
};

/// A rule and its result for the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The rule.
    pub rule: Rule,
    /// The result.
    pub outcome: Outcome,
}

/// A rule of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An entry of the blocklist.
    Blocklist(BlocklistIndex),
    /// A rewriter.
    Rewriter(RewriterIndex),
    /// An aggregator.
    Aggregator(AggregatorIndex),
    /// A route.
    Route(RouteIndex),
    /// A destination of the route before it.
    Destination(RouteIndex, DestinationIndex),
}

/// The result of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It matches. For a destination: the line is sent there.
    Matched,
    /// An aggregator takes the metric; the name of the output series, which is empty if it cannot be sent.
    Aggregated(Vec<u8>),
    /// It does not match; this is the first condition that fails.
    Failed(Condition),
    /// The destination is not chosen: an earlier one matches too, or the route's choice (hash, turn, liveness)
    /// fell on others.
    NotChosen,
    /// The rewriter made this name.
    Rewritten(Vec<u8>),
    /// The rewriter does not change the name.
    Unchanged,
    /// The rewriter is the last that changed the name, and its result cannot be sent.
    Unusable(Vec<u8>),
}

/// Follows a name through the table. Fails if a regex is not valid, which a checked plan excludes.
pub fn explain_name(table: &Table, name: &[u8]) -> Result<Vec<Step>, Error> {
    let mut steps = Vec::new();
    for (index, entry) in table.blocklist.iter().enumerate() {
        let index = BlocklistIndex::new(index);
        let outcome = ask(entry, name).map_err(|error| Error::Blocklist(index, error))?;
        let blocked = outcome == Outcome::Matched;
        steps.push(Step { rule: Rule::Blocklist(index), outcome });
        if blocked {
            return Ok(steps);
        }
    }
    let Some(name) = rewrite(table, name, &mut steps)? else { return Ok(steps) };
    for (index, aggregator) in table.aggregators.iter().enumerate() {
        let index = AggregatorIndex::new(index);
        let mut outcome = ask(&aggregator.matcher, &name).map_err(|error| Error::Aggregator(index, error))?;
        let matched = outcome == Outcome::Matched;
        if matched {
            let output = OutputName::new(aggregator).ok().and_then(|output| output.of(&name));
            outcome = Outcome::Aggregated(output.unwrap_or_default());
        }
        let hidden = aggregator.drop_raw && matched;
        steps.push(Step { rule: Rule::Aggregator(index), outcome });
        if hidden {
            return Ok(steps);
        }
    }
    let mut selectors = Selectors::new(table, Liveness::all_up(table.destinations.len()));
    for (index, route) in table.routes.iter().enumerate() {
        let index = RouteIndex::new(index);
        let outcome = ask(&route.matcher, &name).map_err(|error| Error::Route(index, error))?;
        let matched = outcome == Outcome::Matched;
        steps.push(Step { rule: Rule::Route(index), outcome });
        if matched {
            explain_destinations(index, route, &name, &mut selectors, &mut steps)?;
            if route.stop {
                break;
            }
        }
    }
    Ok(steps)
}

/// The name after all rewriters; `None` if it cannot be sent.
fn rewrite(table: &Table, name: &[u8], steps: &mut Vec<Step>) -> Result<Option<Vec<u8>>, Error> {
    let (mut name, mut out, mut last_change) = (name.to_vec(), Vec::new(), None);
    for (index, rewriter) in table.rewriters.iter().enumerate() {
        let index = RewriterIndex::new(index);
        let rewriter = Rewriter::new(rewriter).map_err(|error| Error::Rewriter(index, error))?;
        let outcome = if rewriter.apply(&name, &mut out) {
            name.clone_from(&out);
            last_change = Some(steps.len());
            Outcome::Rewritten(name.clone())
        } else {
            Outcome::Unchanged
        };
        steps.push(Step { rule: Rule::Rewriter(index), outcome });
    }
    match last_change {
        Some(at) if !is_usable(&name) => {
            steps[at].outcome = Outcome::Unusable(name);
            Ok(None)
        }
        _ => Ok(Some(name)),
    }
}

fn explain_destinations(
    index: RouteIndex,
    route: &Route,
    name: &[u8],
    selectors: &mut Selectors,
    steps: &mut Vec<Step>,
) -> Result<(), Error> {
    let (matched, first_only) = match &route.kind {
        RouteKind::SendAllMatch { destinations } => (destinations, false),
        RouteKind::SendFirstMatch { destinations } => (destinations, true),
        _ => {
            let mut chosen = Vec::new();
            selectors.select(index, name, &mut chosen);
            let others = route.destinations().into_iter().filter(|other| !chosen.contains(other));
            let others: Vec<_> = others.map(|other| (other, Outcome::NotChosen)).collect();
            let all = chosen.into_iter().map(|one| (one, Outcome::Matched)).chain(others);
            let rule = |destination| Rule::Destination(index, destination);
            steps.extend(all.map(|(destination, outcome)| Step { rule: rule(destination), outcome }));
            return Ok(());
        }
    };
    let mut taken = false;
    for RouteDestination { destination, matcher } in matched {
        let mut outcome =
            ask(matcher, name).map_err(|error| Error::Destination(index, *destination, error))?;
        if outcome == Outcome::Matched {
            if taken && first_only {
                outcome = Outcome::NotChosen;
            }
            taken = true;
        }
        steps.push(Step { rule: Rule::Destination(index, *destination), outcome });
    }
    Ok(())
}

fn ask(matcher: &table::Matcher, name: &[u8]) -> Result<Outcome, MatcherError> {
    Ok(Matcher::new(matcher)?.failed(name).map_or(Outcome::Matched, Outcome::Failed))
}
