//! The counters of one destination: `routed + recovered = sent + queued + spooled + dropped`, at every moment.
//!
//! They are plain numbers in the thread that owns the destination; a copy is sent when the ledger is asked for.

use crate::ledger::names;

/// Why lines were dropped. A new reason gets its key in [`crate::ledger::names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// The destination is connected but too slow, and the queue is full.
    SlowConn,
    /// The destination is down, the queue is full, and there is no spool.
    ConnDownNoSpool,
    /// The deadline of a stop passed before the line was sent.
    Shutdown,
    /// The line is longer than any datagram.
    TooLong,
    /// The disk is too slow for the lines, and memory is full.
    SlowSpool,
    /// The spool has reached its limit.
    SpoolFull,
    /// The line was in the spool for longer than allowed.
    SpoolExpired,
    /// The line was damaged on disk.
    SpoolDamaged,
    /// The line cannot be sent as a pickle.
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

    /// What an operator can do about it, for logs.
    #[must_use]
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::SlowConn => {
                "the destination is slower than its lines come: `spool = true` keeps them on disk, a larger `connbuf` in memory, `when_full = \"block\"` makes the senders wait"
            }
            Self::ConnDownNoSpool => {
                "the destination is down and its queue is full: `spool = true` keeps lines on disk, a larger `connbuf` in memory"
            }
            Self::Shutdown => {
                "not delivered before the stop: `spool = true` keeps them, a longer `shutdown_timeout` gives more time"
            }
            Self::TooLong => "longer than any datagram: use `protocol = \"tcp\"`",
            Self::SlowSpool => {
                "the disk is too slow or fails, and memory is full: use a faster disk, or a larger `spoolbuf`"
            }
            Self::SpoolFull => {
                "the spool has reached its limit: raise `spool_max_bytes` or `spool_dir_max_bytes`, or free space on the disk"
            }
            Self::SpoolExpired => "older than `spool_max_age` allows allows",
            Self::SpoolDamaged => "damaged on disk; the damaged bytes are kept in `.damaged`",
            Self::BadPickle => "they cannot be sent as pickles: use `pickle = false`",
        }
    }

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

/// How many lines for one destination ended in which way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DestinationCounts {
    /// Lines handed to the destination.
    pub routed: u64,
    /// Lines that other workers have handed over and that have not reached the destination's worker: not among the `routed`
    /// ones yet.
    pub on_the_way: u64,
    /// Lines found in the spool at the start.
    pub recovered: u64,
    /// Lines that the peer's kernel has acknowledged or, as datagrams, that were sent. Each line counts once.
    pub sent: u64,
    /// Lines that are in memory only, queued or in flight.
    pub queued: u64,
    /// Queued lines that are in flight: this machine's kernel has accepted them, and the peer's kernel has not
    /// acknowledged them.
    pub in_flight: u64,
    /// Lines in the spool that are not acknowledged.
    pub spooled: u64,
    /// Bytes of the spool's files.
    pub spool_bytes: u64,
    /// Lines that were sent again after a connection broke, because they may have been lost with it.
    pub repeated: u64,
    /// Errors of the disk of the spool.
    pub spool_errors: u64,
    /// Dropped lines, in the order of [`DropReason::ALL`].
    pub(super) dropped: [u64; DropReason::ALL.len()],
    /// The number of connections made.
    pub connects: u64,
    /// Lines that were written in part when their connection broke, and were sent again from their start.
    pub restarted_lines: u64,
    /// Whether the destination is connected.
    pub up: bool,
}

impl DestinationCounts {
    /// The counters of a destination that accepted `lines` lines at once.
    #[must_use]
    pub fn delivered(lines: u64) -> Self {
        Self { routed: lines, sent: lines, up: true, ..Self::default() }
    }

    /// The number of lines dropped for `reason`.
    #[must_use]
    pub const fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// The number of lines dropped for all reasons.
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
