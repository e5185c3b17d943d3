//! What one aggregation rule counted: nothing that it does not put out goes unseen.

use std::ops::AddAssign;

/// The counts of one rule. `taken = added + late + future + no_room + bad_name`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AggregatorCounts {
    /// Datapoints that the rule took.
    pub taken: u64,
    /// Of those, the ones that are in a bucket.
    pub added: u64,
    /// Of the added ones, those whose bucket had been emitted before (`lateness = "reemit"`).
    pub corrections: u64,
    /// Dropped, for their bucket was emitted.
    pub late: u64,
    /// Dropped, for their bucket is too far in the future.
    pub future: u64,
    /// Dropped, for there are too many buckets, series or values.
    pub no_room: u64,
    /// Dropped, for the output would have no name, or one with white space.
    pub bad_name: u64,
    /// Lines put out.
    pub emitted: u64,
    /// Buckets put out that did not see their whole interval: emitted before it was over, or begun before the relay was.
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
