//! The books of one destination: `routed = sent + queued + dropped`, at every moment.
//!
//! Plain numbers in the thread that owns the destination; a copy travels when somebody asks.

use crate::ledger::names;

/// Why lines were given up. A new reason gets its name in [`crate::ledger::names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Connected, but too slow, and the queue is full.
    SlowConn,
    /// Down, and the queue is full.
    ConnDownNoSpool,
    /// The deadline of a stop passed.
    Shutdown,
    /// Longer than any datagram.
    TooLong,
}

impl DropReason {
    /// All reasons.
    pub const ALL: [Self; 4] = [Self::SlowConn, Self::ConnDownNoSpool, Self::Shutdown, Self::TooLong];

    /// The name in ledgers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowConn => names::DROPPED_SLOW_CONN,
            Self::ConnDownNoSpool => names::DROPPED_CONN_DOWN_NO_SPOOL,
            Self::Shutdown => names::DROPPED_SHUTDOWN,
            Self::TooLong => names::DROPPED_TOO_LONG,
        }
    }
}

/// What became of the lines for one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestinationCounts {
    /// Lines handed to the destination.
    pub routed: u64,
    /// Lines the kernel took to their last byte.
    pub sent: u64,
    /// Lines that wait.
    pub queued: u64,
    /// Lines given up, in the order of [`DropReason::ALL`].
    pub(super) dropped: [u64; DropReason::ALL.len()],
    /// Connections made.
    pub connects: u64,
    /// Lines that were on the wire in part when their connection broke, and started again.
    pub restarted_lines: u64,
    /// Whether the connection stands.
    pub up: bool,
}

impl DestinationCounts {
    /// Lines given up for `reason`.
    #[must_use]
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Lines given up.
    #[must_use]
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// Whether every line is accounted for.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.routed == self.sent + self.queued + self.dropped_total()
    }

    pub(crate) const fn drop_lines(&mut self, reason: DropReason, lines: u64) {
        self.dropped[reason as usize] += lines;
    }
}
