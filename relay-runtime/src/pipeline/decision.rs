//! What a table decides about one line, as far as the data path needs it.
//!
//! A [`Sink`] that collects destinations and nothing that only `trace` would show.

use crate::{
    aggregate::{Intake, NameId},
    counts::Counts,
    dispatch::Sink,
    select::Selectors,
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RouteIndex},
};

/// The decision about the current line. It collects destinations, and neither looks up sets nor copies.
///
/// One is made per line, so what a table does not use should cost nothing: the first destination is a field
/// instead of an element, and the flags are constants to the optimiser once `dispatch` is inlined.
#[derive(Debug)]
pub(super) struct Decision<'a> {
    counts: &'a mut Counts,
    selectors: &'a mut Selectors,
    memory: &'a mut Memory,
    aggregation: &'a mut Option<Intake>,
    /// The entry of the name, if aggregators had to look it up.
    looked_up: Option<NameId>,
    is_aggregated: bool,
    first: Option<DestinationIndex>,
    /// Whether there are more destinations than `first`; then `memory` has all of them.
    has_more: bool,
    /// The last route, as long as it has no destination.
    waiting: Option<RouteIndex>,
    is_routed: bool,
    is_rewritten: bool,
    /// The first hash route; its destinations are chosen later.
    deferred: Option<RouteIndex>,
    /// Whether there are more hash routes than `deferred`; then `memory` has all of them.
    has_more_deferred: bool,
    varies: bool,
    end: End,
}

/// Memory that is reused from decision to decision.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    pub(super) destinations: Vec<DestinationIndex>,
    pub(super) deferred: Vec<RouteIndex>,
    pub(super) rewritten: Vec<u8>,
    pub(super) aggregators: Vec<AggregatorIndex>,
    chosen: Vec<DestinationIndex>,
}

/// Where the line's way through the table ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the routes.
    Routes,
    /// The blocklist dropped it.
    Blocked,
    /// The rewriters made a name that cannot be sent.
    Unusable,
    /// An aggregator hid it (`drop_raw`).
    Hidden,
}

/// The outcome of a decision, which borrows nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    pub(super) end: End,
    pub(super) is_routed: bool,
    /// The name to send is in [`Memory::rewritten`].
    pub(super) is_rewritten: bool,
    /// The aggregators in [`Memory::aggregators`] take the line.
    pub(super) is_aggregated: bool,
    pub(super) looked_up: Option<NameId>,
    pub(super) first: Option<DestinationIndex>,
    /// There are several destinations; they are in [`Memory::destinations`].
    pub(super) has_more: bool,
    /// A hash route whose destinations come in addition.
    pub(super) deferred: Option<RouteIndex>,
    /// There are several hash routes; they are in [`Memory::deferred`], and their destinations come in
    /// addition.
    pub(super) has_more_deferred: bool,
    /// The next line of this series may have other destinations.
    pub(super) varies: bool,
}

impl<'a> Decision<'a> {
    #[inline]
    pub(super) fn new(
        counts: &'a mut Counts,
        selectors: &'a mut Selectors,
        memory: &'a mut Memory,
        aggregation: &'a mut Option<Intake>,
    ) -> Self {
        Self {
            counts,
            selectors,
            memory,
            aggregation,
            looked_up: None,
            is_aggregated: false,
            first: None,
            has_more: false,
            waiting: None,
            is_routed: false,
            is_rewritten: false,
            deferred: None,
            has_more_deferred: false,
            varies: false,
            end: End::Routes,
        }
    }

    #[inline]
    pub(super) fn outcome(mut self) -> Outcome {
        self.settle();
        let Self {
            end,
            is_routed,
            is_rewritten,
            is_aggregated,
            looked_up,
            first,
            has_more,
            deferred,
            has_more_deferred,
            varies,
            ..
        } = self;
        Outcome {
            end,
            is_routed,
            is_rewritten,
            is_aggregated,
            looked_up,
            first,
            has_more,
            deferred,
            has_more_deferred,
            varies,
        }
    }

    /// Ends the last route: it gets no more destinations.
    #[inline]
    fn settle(&mut self) {
        if let Some(route) = self.waiting.take() {
            self.counts.route_undelivered(route);
        }
    }

    #[inline(never)]
    fn choose(&mut self, route: RouteIndex, name: &[u8]) {
        let mut chosen = std::mem::take(&mut self.memory.chosen);
        chosen.clear();
        self.selectors.select(route, name, &mut chosen);
        for &destination in &chosen {
            self.deliver(destination);
        }
        self.memory.chosen = chosen;
    }
}

impl Sink for Decision<'_> {
    #[inline]
    fn blocked(&mut self, _: BlocklistIndex) {
        self.end = End::Blocked;
    }

    #[inline]
    fn rewritten(&mut self, name: &[u8]) {
        self.is_rewritten = true;
        self.memory.rewritten.clear();
        self.memory.rewritten.extend_from_slice(name);
    }

    #[inline]
    fn unusable(&mut self, _: &[u8]) {
        self.end = End::Unusable;
    }

    #[inline]
    fn takes(&mut self, aggregator: AggregatorIndex, name: &[u8], matches: impl FnOnce() -> bool) -> bool {
        let Some(intake) = self.aggregation else { return matches() };
        let looked_up = *self.looked_up.get_or_insert_with(|| intake.look_up(name));
        intake.takes(looked_up, aggregator, matches)
    }

    #[inline]
    fn aggregate(&mut self, aggregator: AggregatorIndex) {
        if !self.is_aggregated {
            self.is_aggregated = true;
            self.memory.aggregators.clear();
        }
        self.memory.aggregators.push(aggregator);
    }

    #[inline]
    fn dropped_raw(&mut self) {
        self.end = End::Hidden;
    }

    #[inline]
    fn route(&mut self, route: RouteIndex) {
        self.settle();
        self.counts.route_matched(route);
        self.is_routed = true;
        self.waiting = Some(route);
    }

    #[inline]
    fn deliver(&mut self, destination: DestinationIndex) {
        self.waiting = None;
        match self.first {
            None => self.first = Some(destination),
            Some(first) => {
                if !self.has_more {
                    self.has_more = true;
                    self.memory.destinations.clear();
                    self.memory.destinations.push(first);
                }
                self.memory.destinations.push(destination);
            }
        }
    }

    #[inline]
    fn select(&mut self, route: RouteIndex, name: &[u8]) {
        if !self.selectors.is_hashed(route) {
            self.varies = true;
            return self.choose(route, name);
        }
        // Whether it chooses a destination is known only then.
        self.waiting = None;
        match self.deferred {
            None => self.deferred = Some(route),
            Some(first) => {
                if !self.has_more_deferred {
                    self.has_more_deferred = true;
                    self.memory.deferred.clear();
                    self.memory.deferred.push(first);
                }
                self.memory.deferred.push(route);
            }
        }
    }
}
