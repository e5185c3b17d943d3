//! The books of one destination: `routed + recovered = sent + queued + spooled + dropped`, at every moment.
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
    /// The disk does not take lines, and memory is full.
    SlowSpool,
    /// The spool is as large as it may be.
    SpoolFull,
    /// Waited in the spool for longer than it may.
    SpoolExpired,
    /// Damaged on disk.
    SpoolDamaged,
    /// Cannot be sent as a pickle.
    BadPickle,
}

impl DropReason {
    /// All reasons.
    pub const ALL: [Self; 9] = [
        Self::SlowConn,
        Self::ConnDownNoSpool,
        Self::Shutdown,
        Self::TooLong,
        Self::SlowSpool,
        Self::SpoolFull,
        Self::SpoolExpired,
        Self::SpoolDamaged,
        Self::BadPickle,
    ];

    /// The name in ledgers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SlowConn => names::DROPPED_SLOW_CONN,
            Self::ConnDownNoSpool => names::DROPPED_CONN_DOWN_NO_SPOOL,
            Self::Shutdown => names::DROPPED_SHUTDOWN,
            Self::TooLong => names::DROPPED_TOO_LONG,
            Self::SlowSpool => names::DROPPED_SLOW_SPOOL,
            Self::SpoolFull => names::DROPPED_SPOOL_FULL,
            Self::SpoolExpired => names::DROPPED_SPOOL_EXPIRED,
            Self::SpoolDamaged => names::DROPPED_SPOOL_DAMAGED,
            Self::BadPickle => names::DROPPED_BAD_PICKLE,
        }
    }
}

/// What became of the lines for one destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestinationCounts {
    /// Lines handed to the destination.
    pub routed: u64,
    /// Lines found in the spool at the start.
    pub recovered: u64,
    /// Lines that the peer's kernel has acknowledged; datagrams once they are gone. A line counts once.
    pub sent: u64,
    /// Lines in memory that wait, or are on their way.
    pub queued: u64,
    /// Of those, the ones on their way: the kernel has them, and the peer's kernel has not acknowledged them.
    pub in_flight: u64,
    /// Lines in the spool that wait, or are on their way.
    pub spooled: u64,
    /// Bytes of the spool's files.
    pub spool_bytes: u64,
    /// Lines that went out again after a connection broke, for they may have been lost with it.
    pub repeated: u64,
    /// Errors of the disk.
    pub spool_errors: u64,
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
    /// Of a destination that takes everything at once.
    #[must_use]
    pub fn delivered(lines: u64) -> Self {
        Self { routed: lines, sent: lines, up: true, ..Self::default() }
    }

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
        self.routed + self.recovered == self.sent + self.queued + self.spooled + self.dropped_total()
    }

    pub(crate) const fn drop_lines(&mut self, reason: DropReason, lines: u64) {
        self.dropped[reason as usize] += lines;
    }
}
