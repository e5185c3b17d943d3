//! A sink that records every decision of a table about a name.
//!
//! Two tables agree if they record the same events.

use relay_runtime::{
    dispatch::{DynDispatch, Scratch, Sink},
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RouteIndex},
};

/// One call of a [`Sink`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    Blocked(usize),
    Rewritten(Vec<u8>),
    Unusable(Vec<u8>),
    Aggregate(usize),
    /// What an aggregator calls its output.
    Named(usize, Vec<u8>),
    DroppedRaw,
    Route(usize),
    Deliver(usize),
    Select(usize, Vec<u8>),
}

/// All that a table says about a name.
pub(crate) fn dispatched(table: &dyn DynDispatch, name: &[u8]) -> Vec<Event> {
    let mut events = Events::default();
    table.dispatch_dyn(name, &mut Scratch::default(), &mut events);
    let Events(mut events) = events;
    let rewritten = events.iter().find_map(|event| match event {
        Event::Rewritten(name) => Some(name.clone()),
        _ => None,
    });
    let name = rewritten.as_deref().unwrap_or(name);
    let named = |event: &Event| match event {
        Event::Aggregate(aggregator) => {
            let mut output = Vec::new();
            table.output_dyn(AggregatorIndex::new(*aggregator), name, &mut output);
            Some(Event::Named(*aggregator, output))
        }
        _ => None,
    };
    let named: Vec<_> = events.iter().filter_map(named).collect();
    events.extend(named);
    events
}

/// The same for the output of an aggregator.
pub(crate) fn routed(table: &dyn DynDispatch, name: &[u8]) -> Vec<Event> {
    let mut events = Events::default();
    table.route_dyn(name, &mut Scratch::default(), &mut events);
    events.0
}

#[derive(Default)]
struct Events(Vec<Event>);

impl Sink for Events {
    fn blocked(&mut self, entry: BlocklistIndex) {
        self.0.push(Event::Blocked(entry.get()));
    }

    fn rewritten(&mut self, name: &[u8]) {
        self.0.push(Event::Rewritten(name.to_vec()));
    }

    fn unusable(&mut self, name: &[u8]) {
        self.0.push(Event::Unusable(name.to_vec()));
    }

    fn aggregate(&mut self, aggregator: AggregatorIndex) {
        self.0.push(Event::Aggregate(aggregator.get()));
    }

    fn dropped_raw(&mut self) {
        self.0.push(Event::DroppedRaw);
    }

    fn route(&mut self, route: RouteIndex) {
        self.0.push(Event::Route(route.get()));
    }

    fn deliver(&mut self, destination: DestinationIndex) {
        self.0.push(Event::Deliver(destination.get()));
    }

    fn select(&mut self, route: RouteIndex, name: &[u8]) {
        self.0.push(Event::Select(route.get(), name.to_vec()));
    }
}
