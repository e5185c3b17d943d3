//! Whether the peer of one connection still acknowledges what it gets, whatever the rate of lines.
//!
//! A full socket is no indication: at ten lines a second it takes hours to fill. What counts is the age of the
//! oldest byte that is not acknowledged. If nothing can be acknowledged (datagrams), nothing stalls.

use std::time::Instant;

/// The bytes in flight, and since when none of them arrives.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    unacknowledged: usize,
    stalled_since: Option<Instant>,
}

impl Progress {
    /// Records that the kernel accepted `bytes` bytes.
    pub(super) fn wrote(&mut self, bytes: usize, now: Instant) {
        self.unacknowledged += bytes;
        self.stalled_since.get_or_insert(now);
    }

    /// Records that the peer's kernel has not acknowledged `outstanding` bytes. Returns whether it acknowledged
    /// any since the last call.
    pub(super) fn heard(&mut self, outstanding: usize, now: Instant) -> bool {
        let has_moved = outstanding < self.unacknowledged;
        if has_moved || outstanding == 0 {
            self.stalled_since = (outstanding > 0).then_some(now);
        }
        self.unacknowledged = outstanding;
        has_moved
    }

    /// Bytes that may not have arrived, as far as is known.
    pub(super) const fn unacknowledged(&self) -> usize {
        self.unacknowledged
    }

    /// Since when bytes are in flight and none was acknowledged.
    pub(super) const fn stalled_since(&self) -> Option<Instant> {
        self.stalled_since
    }
}
