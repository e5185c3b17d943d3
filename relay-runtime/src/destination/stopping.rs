//! Whether a stop should wait for a destination that spools: if it accepts its lines too slowly, it gets them
//! at the next start, from disk.
//!
//! Only measures; the decision is used in [`super::Destination::is_settled`].

use std::time::{Duration, Instant};

/// How often the pace is measured, and how long a stop waits at least.
const PERIOD: Duration = Duration::from_secs(1);

/// A destination that would need more periods than this at its pace is not waited for.
const PERIODS_MAX: usize = 10;

/// The progress of a stop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopping {
    since: Instant,
    /// Undelivered bytes at the start of the period.
    waiting: usize,
    is_slow: bool,
}

impl Stopping {
    pub(super) const fn new(waiting: usize, now: Instant) -> Self {
        Self { since: now, waiting, is_slow: false }
    }

    /// Records that `waiting` bytes are not delivered yet.
    pub(super) fn measure(&mut self, waiting: usize, now: Instant) {
        if now >= self.since + PERIOD {
            let delivered = self.waiting.saturating_sub(waiting);
            *self = Self { since: now, waiting, is_slow: delivered.saturating_mul(PERIODS_MAX) < waiting };
        }
    }

    /// Whether too little was delivered in the last period.
    pub(super) const fn is_slow(&self) -> bool {
        self.is_slow
    }

    /// When to measure again.
    pub(super) fn next_measure(&self) -> Instant {
        self.since + PERIOD
    }
}
