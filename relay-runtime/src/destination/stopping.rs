//! Whether a stop is worth waiting for: a destination with a spool that takes its lines too slowly gets them at the next
//! start, from disk.

use std::time::{Duration, Instant};

/// How often the pace is measured, and how long a stop waits at least.
const PERIOD: Duration = Duration::from_secs(1);

/// A destination that would need more periods than this at its pace is not waited for.
const PERIODS_MAX: usize = 10;

/// How a stop goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopping {
    since: Instant,
    /// Bytes that waited then.
    waiting: usize,
    is_slow: bool,
}

impl Stopping {
    pub(super) const fn new(waiting: usize, now: Instant) -> Self {
        Self { since: now, waiting, is_slow: false }
    }

    /// `waiting` bytes are left to be delivered.
    pub(super) fn measure(&mut self, waiting: usize, now: Instant) {
        if now >= self.since + PERIOD {
            let delivered = self.waiting.saturating_sub(waiting);
            *self = Self { since: now, waiting, is_slow: delivered.saturating_mul(PERIODS_MAX) < waiting };
        }
    }

    /// Whether the last period delivered too little.
    pub(super) const fn is_slow(&self) -> bool {
        self.is_slow
    }

    /// When to measure again.
    pub(super) fn next_measure(&self) -> Instant {
        self.since + PERIOD
    }
}
