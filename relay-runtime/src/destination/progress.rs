//! Whether the peer of one connection still acknowledges what it gets, at whatever rate lines come.
//!
//! A full socket is no sign: at ten lines a second it takes hours to fill. What counts is the oldest byte that nobody has
//! acknowledged. Where nothing can be acknowledged (datagrams) nothing stalls.

use std::time::Instant;

/// What is on its way, and since when nothing of it arrives.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Progress {
    unacknowledged: usize,
    stalled_since: Option<Instant>,
}

impl Progress {
    /// The kernel took `bytes`.
    pub(super) fn wrote(&mut self, bytes: usize, now: Instant) {
        self.unacknowledged += bytes;
        self.stalled_since.get_or_insert(now);
    }

    /// The peer's kernel still has to acknowledge `outstanding` bytes. Returns whether it acknowledged any since it was last
    /// heard.
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

    /// Since when bytes are on their way and none was acknowledged.
    pub(super) const fn stalled_since(&self) -> Option<Instant> {
        self.stalled_since
    }
}
