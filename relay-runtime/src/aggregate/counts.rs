//! The counts of one aggregation rule.
//!
//! Every datapoint that a rule takes is in exactly one of them.

use std::ops::AddAssign;

/// The counts of one rule. `taken = added + late + future + no_room + bad_name`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AggregatorCounts {
    /// Datapoints that the rule took.
    pub taken: u64,
    /// Datapoints among them that were added to a bucket.
    pub added: u64,
    /// Added datapoints whose bucket had been emitted before (`lateness = "reemit"`).
    pub corrections: u64,
    /// Datapoints that were dropped because their bucket had been emitted.
    pub late: u64,
    /// Datapoints that were dropped because their bucket is too far in the future.
    pub future: u64,
    /// Datapoints that were dropped because the limit on buckets, series or values was reached.
    pub no_room: u64,
    /// Datapoints that were dropped because the output would have no name, or one with white space.
    pub bad_name: u64,
    /// Lines that were emitted.
    pub emitted: u64,
    /// Emitted buckets that did not see their whole interval: emitted before it ended, or begun before the
    /// relay started.
    pub incomplete: u64,
    /// Buckets that are open now.
    pub open: u64,
}

impl AggregatorCounts {
    /// Whether every datapoint is accounted for.
    #[must_use]
    pub const fn is_balanced(&self) -> bool {
        self.taken == self.added + self.late + self.future + self.no_room + self.bad_name
    }
}

impl AddAssign for AggregatorCounts {
    fn add_assign(&mut self, other: Self) {
        let Self { taken, added, corrections, late, future, no_room, bad_name, emitted, incomplete, open } =
            other;
        self.taken += taken;
        self.added += added;
        self.corrections += corrections;
        self.late += late;
        self.future += future;
        self.no_room += no_room;
        self.bad_name += bad_name;
        self.emitted += emitted;
        self.incomplete += incomplete;
        self.open += open;
    }
}
