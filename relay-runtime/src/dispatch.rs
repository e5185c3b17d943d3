//! The interface between a routing table and the code that carries out its decisions.
//!
//! [`Dispatch`] has two implementations: the reference interpreter, and the type that relay-build generates for
//! one table. [`Sink`] has implementations of two kinds: the data path, which only needs destinations, and
//! `trace`, which needs everything. So generated code has one body for both, and the compiler removes whatever
//! one sink does not use.
//!
//! Validation comes before this interface, sockets after it.

use crate::{
    matching::Look,
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RouteIndex},
};

/// A routing table in a form that can be run.
///
/// Implementations call the sink in the order of the pipeline: `blocked` (and nothing after it), or `rewritten`
/// if any rewriter changed the name; then `aggregate` for each aggregator that takes the name, in order; then
/// `dropped_raw` (and nothing after it) or, for each route that matches, in order, `route` followed by its
/// `deliver`s or its one `select`, up to a route that stops. For a name that no route takes there is no call of
/// `route`.
pub trait Dispatch: Send + Sync {
    /// Passes a metric through the whole table.
    fn dispatch<S: Sink>(&self, name: &[u8], scratch: &mut Scratch, sink: &mut S);

    /// Passes the output of an aggregator through the routes only (spec §6).
    fn route<S: Sink>(&self, name: &[u8], scratch: &mut Scratch, sink: &mut S);

    /// Appends the name that an aggregator gives to its output for `name`, without the suffix of a function.
    /// `name` must be one that the aggregator took. The result may be a name that [cannot be
    /// sent](crate::rewriter::is_usable). Not called for a table without aggregators.
    fn output(&self, aggregator: AggregatorIndex, name: &[u8], out: &mut Vec<u8>) {
        let _ = (aggregator, name, out);
    }
}

/// Receives what a table decides about one metric.
pub trait Sink {
    /// The first blocklist entry that matches. It ends the metric's way.
    fn blocked(&mut self, entry: BlocklistIndex);

    /// The name after all rewriters, if they changed it. Called once.
    fn rewritten(&mut self, name: &[u8]);

    /// The name after all rewriters, if it cannot be sent: it is empty, or has white space (spec §6, "Want").
    /// It ends the metric's way; called instead of `rewritten`.
    fn unusable(&mut self, name: &[u8]);

    /// Returns whether an aggregator, all of whose cheap conditions hold, takes the rewritten name. The answer
    /// is that of `matches`, which depends on the name alone, so a sink that remembers names need not call it.
    #[inline]
    fn takes(&mut self, aggregator: AggregatorIndex, name: &[u8], matches: impl FnOnce() -> bool) -> bool
    where
        Self: Sized,
    {
        let _ = (aggregator, name);
        matches()
    }

    /// An aggregator takes the metric.
    fn aggregate(&mut self, aggregator: AggregatorIndex);

    /// The aggregator reported last hides the metric from everything after it. It ends the metric's way.
    fn dropped_raw(&mut self);

    /// A route takes the metric.
    fn route(&mut self, route: RouteIndex);

    /// The route reported last sends the metric to this destination.
    fn deliver(&mut self, destination: DestinationIndex);

    /// The route reported last chooses its destinations by hash, in turn, or by which are up: see
    /// [`Selectors`](crate::select::Selectors). `name` is the metric after rewriting.
    fn select(&mut self, route: RouteIndex, name: &[u8]);
}

/// A [`Dispatch`] as a trait object. Everything except the data path uses it, so that such code is compiled
/// once, in this crate, and not again for each table.
pub trait DynDispatch: Send + Sync {
    /// [`Dispatch::dispatch`].
    fn dispatch_dyn(&self, name: &[u8], scratch: &mut Scratch, sink: &mut dyn Sink);

    /// [`Dispatch::route`].
    fn route_dyn(&self, name: &[u8], scratch: &mut Scratch, sink: &mut dyn Sink);

    /// [`Dispatch::output`].
    fn output_dyn(&self, aggregator: AggregatorIndex, name: &[u8], out: &mut Vec<u8>);
}

impl<D: Dispatch> DynDispatch for D {
    fn dispatch_dyn(&self, name: &[u8], scratch: &mut Scratch, mut sink: &mut dyn Sink) {
        self.dispatch(name, scratch, &mut sink);
    }

    fn route_dyn(&self, name: &[u8], scratch: &mut Scratch, mut sink: &mut dyn Sink) {
        self.route(name, scratch, &mut sink);
    }

    fn output_dyn(&self, aggregator: AggregatorIndex, name: &[u8], out: &mut Vec<u8>) {
        self.output(aggregator, name, out);
    }
}

impl Sink for &mut dyn Sink {
    fn blocked(&mut self, entry: BlocklistIndex) {
        (**self).blocked(entry);
    }

    fn rewritten(&mut self, name: &[u8]) {
        (**self).rewritten(name);
    }

    fn unusable(&mut self, name: &[u8]) {
        (**self).unusable(name);
    }

    fn aggregate(&mut self, aggregator: AggregatorIndex) {
        (**self).aggregate(aggregator);
    }

    fn dropped_raw(&mut self) {
        (**self).dropped_raw();
    }

    fn route(&mut self, route: RouteIndex) {
        (**self).route(route);
    }

    fn deliver(&mut self, destination: DestinationIndex) {
        (**self).deliver(destination);
    }

    fn select(&mut self, route: RouteIndex, name: &[u8]) {
        (**self).select(route, name);
    }
}

/// Memory that a dispatch reuses between calls, so that the steady state allocates nothing.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The name as rewritten so far.
    pub name: Vec<u8>,
    /// The output of the current rewriter.
    pub next_name: Vec<u8>,
    /// The result of scanning the name.
    pub look: Look,
}
