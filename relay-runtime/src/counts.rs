//! One worker's counts of lines, its part of the ledger.
//!
//! Between two calls of the pipeline, `received == invalid + blocked + aggregated_away + unroutable + routed`
//! holds exactly. What happens to lines that were routed is counted by their destinations.

use crate::{table::RouteIndex, validate::Reason};

/// How many lines of one worker ended in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines received, valid or not.
    pub received: u64,
    /// Invalid lines, by [`Reason`] in the order of [`Reason::ALL`].
    pub invalid: [u64; Reason::COUNT],
    /// Lines whose metric is on the blocklist.
    pub blocked: u64,
    /// Lines that an aggregator with `dropRaw` hid from the routes.
    pub aggregated_away: u64,
    /// Lines that no route took.
    pub unroutable: u64,
    /// Lines that at least one route took.
    pub routed: u64,
    /// Lines that aggregators emitted. They are not part of `received`.
    pub emitted: u64,
    /// Emitted lines that no route took.
    pub emitted_unroutable: u64,
    /// Routed and emitted lines, by route. A line counts at each route that takes it.
    pub routes: Vec<RouteCounts>,
}

/// The counts of one route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteCounts {
    /// Lines that the route's matcher matched.
    pub matched: u64,
    /// Lines among them that none of its destinations took (BUG-40); for a black hole, all of them.
    pub undelivered: u64,
}

impl Counts {
    /// The number of invalid lines, for all reasons.
    #[must_use]
    pub fn invalid_total(&self) -> u64 {
        self.invalid.iter().sum()
    }

    /// The number of invalid lines, for one reason.
    #[must_use]
    pub const fn invalid_for(&self, reason: Reason) -> u64 {
        self.invalid[reason as usize]
    }

    /// Whether every line is accounted for.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let gone = self.invalid_total() + self.blocked + self.aggregated_away + self.unroutable;
        self.received == gone + self.routed
    }

    /// Adds the counts of another worker.
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        for (ours, theirs) in self.invalid.iter_mut().zip(&other.invalid) {
            *ours += theirs;
        }
        self.blocked += other.blocked;
        self.aggregated_away += other.aggregated_away;
        self.unroutable += other.unroutable;
        self.routed += other.routed;
        self.emitted += other.emitted;
        self.emitted_unroutable += other.emitted_unroutable;
        if self.routes.len() < other.routes.len() {
            self.routes.resize(other.routes.len(), RouteCounts::default());
        }
        for (ours, theirs) in self.routes.iter_mut().zip(&other.routes) {
            ours.matched += theirs.matched;
            ours.undelivered += theirs.undelivered;
        }
    }

    /// Counts an invalid line that was not counted as received before.
    pub(crate) fn refuse(&mut self, reason: Reason) {
        self.received += 1;
        self.invalid[reason as usize] += 1;
    }

    /// Counts a line that `route` takes.
    #[inline]
    pub(crate) fn route_matched(&mut self, route: RouteIndex) {
        if let Some(counts) = self.routes.get_mut(route.get()) {
            counts.matched += 1;
        } else {
            self.route_seen_first(route).matched += 1;
        }
    }

    /// Counts a line that `route` took and none of its destinations did.
    #[cold]
    pub(crate) fn route_undelivered(&mut self, route: RouteIndex) {
        self.route_seen_first(route).undelivered += 1;
    }

    #[cold]
    fn route_seen_first(&mut self, route: RouteIndex) -> &mut RouteCounts {
        if self.routes.len() <= route.get() {
            self.routes.resize(route.get() + 1, RouteCounts::default());
        }
        &mut self.routes[route.get()]
    }
}
