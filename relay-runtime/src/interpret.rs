//! The reference interpreter: the meaning of a table, slow and obvious.
//!
//! [`Interpreter::dispatch`](Dispatch::dispatch) reads like carbon-relay-ng's table: blocklist, rewriters,
//! aggregators, routes, top to bottom. Generated code must agree with it on every name. The interpreter also
//! runs a table that was changed at run time, and `trace` shows what it does.
//!
//! Validation comes before it. Choosing among a route's destinations by hash, in turn or by liveness comes
//! after it, in [`select`](crate::select).

use crate::{
    aggregate::OutputName,
    dispatch::{Dispatch, Scratch, Sink},
    matcher::{Matcher, MatcherError},
    regex::RegexError,
    rewriter::{Rewriter, RewriterError, is_usable},
    table::{
        self, AggregatorIndex, BlocklistIndex, DestinationIndex, RewriterIndex, RouteDestination, RouteIndex,
        RouteKind, Table,
    },
};
use std::{fmt, mem};

/// A table ready to be interpreted.
#[derive(Clone, Debug)]
pub struct Interpreter {
    blocklist: Vec<Matcher>,
    rewriters: Vec<Rewriter>,
    aggregators: Vec<Aggregator>,
    routes: Vec<Route>,
}

/// A rule that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The condition of a blocklist entry is not valid.
    Blocklist(BlocklistIndex, MatcherError),
    /// A rewriter is not valid.
    Rewriter(RewriterIndex, RewriterError),
    /// The condition of an aggregator is not valid.
    Aggregator(AggregatorIndex, MatcherError),
    /// The regex to whose groups an aggregator's format refers is not valid.
    Output(AggregatorIndex, RegexError),
    /// The condition of a route is not valid.
    Route(RouteIndex, MatcherError),
    /// The condition of one of a route's destinations is not valid.
    Destination(RouteIndex, DestinationIndex, MatcherError),
}

#[derive(Clone, Debug)]
struct Aggregator {
    matcher: Matcher,
    output: OutputName,
    drop_raw: bool,
}

#[derive(Clone, Debug)]
struct Route {
    matcher: Matcher,
    action: Action,
    stop: bool,
}

/// What a route does with a name that it takes.
#[derive(Clone, Debug)]
enum Action {
    /// Delivers to every destination that matches.
    All(Vec<(Matcher, DestinationIndex)>),
    /// Delivers to the first destination that matches.
    First(Vec<(Matcher, DestinationIndex)>),
    /// Leaves the choice to the selector.
    Select,
    /// Takes the name and reports no destination: the route's kind does not send to destinations of the table.
    Take,
}

impl Dispatch for Interpreter {
    fn dispatch<S: Sink>(&self, name: &[u8], scratch: &mut Scratch, sink: &mut S) {
        if let Some(entry) = self.blocklist.iter().position(|entry| entry.matches(name)) {
            return sink.blocked(BlocklistIndex::new(entry));
        }

        let mut rewritten = mem::take(&mut scratch.name);
        let name = if self.rewrite(name, &mut rewritten, &mut scratch.next_name) {
            if !is_usable(&rewritten) {
                sink.unusable(&rewritten);
                scratch.name = rewritten;
                return;
            }
            sink.rewritten(&rewritten);
            &rewritten
        } else {
            name
        };

        if self.aggregate(name, sink) {
            sink.dropped_raw();
        } else {
            self.route(name, scratch, sink);
        }
        scratch.name = rewritten;
    }

    fn route<S: Sink>(&self, name: &[u8], _: &mut Scratch, sink: &mut S) {
        for (index, route) in self.routes.iter().enumerate() {
            if !route.matcher.matches(name) {
                continue;
            }
            let index = RouteIndex::new(index);
            sink.route(index);
            match &route.action {
                Action::All(destinations) => {
                    for (matcher, destination) in destinations {
                        if matcher.matches(name) {
                            sink.deliver(*destination);
                        }
                    }
                }
                Action::First(destinations) => {
                    if let Some((_, first)) = destinations.iter().find(|(matcher, _)| matcher.matches(name)) {
                        sink.deliver(*first);
                    }
                }
                Action::Select => sink.select(index, name),
                Action::Take => {}
            }
            if route.stop {
                return;
            }
        }
    }

    fn output(&self, aggregator: AggregatorIndex, name: &[u8], out: &mut Vec<u8>) {
        self.aggregators[aggregator.get()].output.write(name, out);
    }
}

impl Interpreter {
    /// Makes a table ready to run. Fails if a regex is not valid, which a checked plan excludes.
    pub fn new(table: &Table) -> Result<Self, Error> {
        let blocklist = collect(&table.blocklist, |index, entry| {
            Matcher::new(entry).map_err(|error| Error::Blocklist(BlocklistIndex::new(index), error))
        })?;
        let rewriters = collect(&table.rewriters, |index, rewriter| {
            Rewriter::new(rewriter).map_err(|error| Error::Rewriter(RewriterIndex::new(index), error))
        })?;
        let aggregators = collect(&table.aggregators, |index, aggregator| {
            let matcher = Matcher::new(&aggregator.matcher)
                .map_err(|error| Error::Aggregator(AggregatorIndex::new(index), error))?;
            let output = OutputName::new(aggregator)
                .map_err(|error| Error::Output(AggregatorIndex::new(index), error))?;
            Ok(Aggregator { matcher, output, drop_raw: aggregator.drop_raw })
        })?;
        let routes = collect(&table.routes, |index, route| Route::new(RouteIndex::new(index), route))?;
        Ok(Self { blocklist, rewriters, aggregators, routes })
    }

    /// Passes the name through all rewriters, each working on the result of the one before it. Returns whether
    /// any changed it; if so, the result is in `rewritten`.
    fn rewrite(&self, name: &[u8], rewritten: &mut Vec<u8>, next: &mut Vec<u8>) -> bool {
        let mut changed = false;
        for rewriter in &self.rewriters {
            let current = if changed { &rewritten[..] } else { name };
            if rewriter.apply(current, next) {
                mem::swap(rewritten, next);
                changed = true;
            }
        }
        changed
    }

    /// Reports the aggregators that take the name, up to one that hides it. Returns whether one did.
    fn aggregate<S: Sink>(&self, name: &[u8], sink: &mut S) -> bool {
        for (index, aggregator) in self.aggregators.iter().enumerate() {
            if aggregator.matcher.matches(name) {
                sink.aggregate(AggregatorIndex::new(index));
                if aggregator.drop_raw {
                    return true;
                }
            }
        }
        false
    }
}

impl Route {
    fn new(index: RouteIndex, route: &table::Route) -> Result<Self, Error> {
        let matcher = Matcher::new(&route.matcher).map_err(|error| Error::Route(index, error))?;
        let matchers = |destinations: &[RouteDestination]| {
            collect(destinations, |_, RouteDestination { matcher, destination }| {
                let matcher =
                    Matcher::new(matcher).map_err(|error| Error::Destination(index, *destination, error))?;
                Ok((matcher, *destination))
            })
        };
        let action = match &route.kind {
            RouteKind::SendAllMatch { destinations } => Action::All(matchers(destinations)?),
            RouteKind::SendFirstMatch { destinations } => Action::First(matchers(destinations)?),
            RouteKind::ConsistentHash(_) | RouteKind::RoundRobin { .. } | RouteKind::Failover { .. } => {
                Action::Select
            }
            RouteKind::Blackhole
            | RouteKind::GrafanaNet(_)
            | RouteKind::KafkaMdm(_)
            | RouteKind::PubSub(_)
            | RouteKind::CloudWatch(_) => Action::Take,
        };
        Ok(Self { matcher, action, stop: route.stop })
    }
}

fn collect<T, U>(rules: &[T], make: impl Fn(usize, &T) -> Result<U, Error>) -> Result<Vec<U>, Error> {
    rules.iter().enumerate().map(|(index, rule)| make(index, rule)).collect()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocklist(index, error) => write!(f, "blocklist entry {}: {error}", index.0),
            Self::Rewriter(index, error) => write!(f, "rewriter {}: {error}", index.0),
            Self::Aggregator(index, error) => write!(f, "aggregation {}: {error}", index.0),
            Self::Output(index, error) => write!(f, "aggregation {}: {error}", index.0),
            Self::Route(index, error) => write!(f, "route {}: {error}", index.0),
            Self::Destination(route, destination, error) => {
                write!(f, "route {}, destination {}: {error}", route.0, destination.0)
            }
        }
    }
}

impl std::error::Error for Error {}
