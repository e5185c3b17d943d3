//! The seam between a routing table and whatever carries out what it says.
//!
//! Two things implement [`Dispatch`]: the reference interpreter, and the type that `relay-build` generates
//! for one table. Two kinds of things implement [`Sink`]: the data path, which only wants destinations, and
//! `trace`, which wants everything. Generated code therefore has one body for both, and what one sink does
//! not ask for is optimised away.
//!
//! Validation comes before this seam, sockets after it.

use crate::{
    matching::Look,
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RouteIndex},
};

/// A routing table in a form that can be run.
///
/// Implementations call the sink in the order of the pipeline: `blocked` (and nothing after it), or
/// `rewritten` if any rewriter changed the name, then `aggregate` for each aggregator that takes it in order,
/// then `dropped_raw` (and nothing after it) or, for each route that matches in order, `route` followed by
/// its `deliver`s or its one `select`, up to a route that stops. A name that no route takes ends without any `route` call.
pub trait Dispatch: Send + Sync {
    /// Takes a metric through the whole table.
    fn dispatch<S: Sink>(&self, name: &[u8], scratch: &mut Scratch, sink: &mut S);

    /// Takes the output of an aggregator through the routes only (spec §6).
    fn route<S: Sink>(&self, name: &[u8], scratch: &mut Scratch, sink: &mut S);

    /// Writes what an aggregator that took a name calls its output, without what each function adds. It may be a name that
    /// [cannot be sent](crate::rewriter::is_usable). A table without aggregators is not asked.
    fn output(&self, aggregator: AggregatorIndex, name: &[u8], out: &mut Vec<u8>) {
        let _ = (aggregator, name, out);
    }
}

/// What becomes of one metric.
pub trait Sink {
    /// The first blocklist entry that matches. Ends the metric's way.
    fn blocked(&mut self, entry: BlocklistIndex);

    /// The rewriters changed the name to this; once, after all of them.
    fn rewritten(&mut self, name: &[u8]);

    /// The rewriters made a name that cannot be sent: empty, or with white space (spec §6, "Want"). Ends the
    /// metric's way; called instead of `rewritten`.
    fn unusable(&mut self, name: &[u8]);

    /// Whether an aggregator, all of whose cheap conditions hold, takes the name after rewriting: what `matches` says,
    /// which depends on nothing but the name. A sink that remembers names need not ask.
    #[inline]
    fn takes(&mut self, aggregator: AggregatorIndex, name: &[u8], matches: impl FnOnce() -> bool) -> bool
    where
        Self: Sized,
    {
        let _ = (aggregator, name);
        matches()
    }

    /// An aggregator takes it.
    fn aggregate(&mut self, aggregator: AggregatorIndex);

    /// The aggregator just reported hides it from everything after. Ends the metric's way.
    fn dropped_raw(&mut self);

    /// A route takes it.
    fn route(&mut self, route: RouteIndex);

    /// The route just reported sends it there.
    fn deliver(&mut self, destination: DestinationIndex);

    /// The route just reported picks its destinations by hash, in turn, or by who is up: see
    /// [`Selectors`](crate::select::Selectors). `name` is the metric after rewriting.
    fn select(&mut self, route: RouteIndex, name: &[u8]);
}

/// A [`Dispatch`] whose type is forgotten: for everything but the data path, so that it is compiled once, in
/// this crate, and not again for each table.
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

/// Memory that a dispatch may use between calls, so that the steady state allocates nothing.
#[derive(Debug, Default)]
pub struct Scratch {
    /// The name as rewritten so far.
    pub name: Vec<u8>,
    /// What the rewriter at work writes to.
    pub next_name: Vec<u8>,
    /// What a look at the name found.
    pub look: Look,
}
