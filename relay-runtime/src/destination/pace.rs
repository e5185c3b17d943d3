//! Limits a rate to a number of lines per second.
//!
//! Unused time is not saved up, so there are no bursts.

use std::time::{Duration, Instant};

/// Determines when the next lines may be taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    per_second: Option<u32>,
    next: Option<Instant>,
}

impl Pace {
    pub(super) const fn new(per_second: Option<u32>) -> Self {
        Self { per_second, next: None }
    }

    /// When the next lines may be taken, if not now.
    pub(super) fn wait_until(&self, now: Instant) -> Option<Instant> {
        self.next.filter(|next| *next > now)
    }

    /// Records that `lines` lines were taken.
    pub(super) fn took(&mut self, lines: u64, now: Instant) {
        if let Some(per_second) = self.per_second {
            let nanoseconds = lines.saturating_mul(1_000_000_000) / u64::from(per_second.max(1));
            self.next = Some(self.wait_until(now).unwrap_or(now) + Duration::from_nanos(nanoseconds));
        }
    }
}
