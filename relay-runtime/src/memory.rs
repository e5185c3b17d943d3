//! The memory that a relay may use: what its configuration implies, and how a limit is divided.
//!
//! ```text
//!  memory = fixed        code, tables, each worker's buffers, the cost of every connection
//!         + aggregates   open buckets, at the limits of their rules
//!         + names        metrics that workers remember for aggregators: a quarter of the rest
//!         + unfinished   unfinished lines and pickles of all connections together: another quarter
//!         + queues       lines queued for destinations: what remains
//! ```
//!
//! Without `memory` in the configuration each queue may grow to its own limits, and the ceiling is the sum. All
//! figures are upper bounds: chunks of lines are at most half empty, so they count twice. The kernel's socket
//! buffers are not part of the process and not included.

use crate::counted;
use std::fmt;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Code, stacks, allocator, logging.
const BASE: u64 = 10 * MIB;

/// A rule or a destination: in the plan, in the table, in the ledger.
const PER_RULE: u64 = 4 * KIB;

/// The read buffer, what is gathered before it is handed over, and the chunks that are kept for reuse.
const PER_WORKER: u64 = 8 * MIB;

/// Chunks on their way from other workers (`mailbox.rs`), and in addition one turn of each worker.
const MAIL_PER_WORKER: u64 = 18 * MIB;

/// An open connection without an unfinished line.
const PER_CONNECTION: u64 = KIB;

/// The last timestamp of each series, if `validate_order` is on.
const ORDER: u64 = 16 * MIB;

/// Decoding a pickle takes up to 64 times its length, and its lines may take as much.
const PER_FRAME_BYTE: u64 = 128;

/// A growing vector may have twice the capacity that it needs, and so may a chunk of lines.
const SLACK: u64 = 2;

/// Bytes that the kernel may hold for a connection and that must be kept until they are acknowledged: the
/// default of `net.ipv4.tcp_wmem`.
const IN_FLIGHT: u64 = 4 * MIB;

/// The limit for unfinished lines if `memory` is not set.
const UNFINISHED_MAX: u64 = 64 * MIB;

/// An open bucket, a series that has one with its name, and a value that is stored for a percentile.
const PER_BUCKET: u64 = 100;
const PER_SERIES: u64 = 160;
const PER_VALUE: u64 = 8;

/// With less than this, a destination would wait more than it sends.
const QUEUE_MIN: u64 = MIB;

/// What uses memory in a configuration.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// The number of event loops.
    pub workers: u64,
    /// The number of rules and destinations of the table.
    pub rules: u64,
    /// The most connections at a time.
    pub connections: u64,
    /// The longest line or frame that a connection may have unfinished, in bytes.
    pub unfinished_bytes: u64,
    /// The longest pickle in bytes; 0 if there is no pickle input.
    pub frame_bytes: u64,
    /// Whether the order of datapoints is checked.
    pub has_order: bool,
    /// The most buckets of all aggregators together.
    pub buckets: u64,
    /// The most series of all aggregators together.
    pub series: u64,
    /// The most stored values of all aggregators together.
    pub values: u64,
    /// Bytes in which each worker may remember names.
    pub names: u64,
    /// Bytes that each destination may hold, those for redo included and those in flight not.
    pub queues: Vec<u64>,
}

/// How the memory is divided, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// For what the relay needs whatever comes in.
    pub fixed: u64,
    /// For open buckets of aggregators.
    pub aggregates: u64,
    /// For names that aggregators have seen.
    pub names: u64,
    /// For unfinished lines of all connections.
    pub unfinished: u64,
    /// For lines queued for destinations.
    pub queues: u64,
    /// Whether the queues share less than the sum of their own limits.
    pub is_shared: bool,
    /// The number of destinations, each with its queue.
    pub destinations: u64,
}

/// A part of the memory, named with the keys that bound it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LargestPart {
    bytes: u64,
    what: &'static str,
    bounds: &'static str,
    destinations: u64,
}

/// A limit below what the configuration needs at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooSmall {
    /// The limit.
    pub limit: u64,
    /// The smallest limit that would be enough.
    pub needed: u64,
}

/// A number of bytes, formatted for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readable(pub u64);

impl Memory {
    /// Divides `limit` among the demands; without a limit every demand gets what it asks for.
    pub fn divide(demands: &Demands, limit: Option<u64>) -> Result<Self, TooSmall> {
        let (fixed, aggregates) = (fixed(demands), aggregates(demands));
        let first = fixed.saturating_add(aggregates);
        let unfinished = demands.connections.saturating_mul(demands.unfinished_bytes).saturating_mul(SLACK);
        let queue = |bytes: &u64| bytes.saturating_add(IN_FLIGHT).saturating_mul(SLACK);
        let queues = demands.queues.iter().map(queue).fold(0, u64::saturating_add);
        let unfinished = unfinished.min(UNFINISHED_MAX);
        let names = demands.workers.saturating_mul(demands.names);
        let destinations = demands.queues.len() as u64;
        let Some(limit) = limit else {
            return Ok(Self { fixed, aggregates, names, unfinished, queues, is_shared: false, destinations });
        };
        let queues_min = QUEUE_MIN.saturating_mul(SLACK).saturating_mul(demands.queues.len() as u64);
        let unfinished_min = unfinished.min(demands.unfinished_bytes.saturating_mul(SLACK));
        // The queues must get their minimum from what the quarters of the others leave.
        let quarters = if names > 0 { 2 } else { 3 };
        let queues_need = queues_min.saturating_mul(4) / quarters;
        let needed = first.saturating_add(queues_need.max(unfinished_min.saturating_mul(4)));
        if limit < needed {
            return Err(TooSmall { limit, needed });
        }
        let quarter = (limit - first) / 4;
        let (names, unfinished) = (names.min(quarter), unfinished.min(quarter));
        let rest = limit - first - names - unfinished;
        let queues_get = queues.min(rest);
        let is_shared = queues > rest;
        Ok(Self { fixed, aggregates, names, unfinished, queues: queues_get, is_shared, destinations })
    }

    /// The part that makes most of the ceiling, if it is more than half; `None` if no part is, or if the queues are already
    /// bounded by `memory`.
    #[must_use]
    pub fn largest_part(&self) -> Option<LargestPart> {
        let part = |bytes, what, bounds, destinations| LargestPart { bytes, what, bounds, destinations };
        let parts = [
            part(self.queues, "queues", "`connbuf`, and `spoolbuf` with a spool,", self.destinations),
            part(self.aggregates, "open buckets", "`max_buckets`, `max_series` and `max_values`", 0),
        ];
        let largest = parts.into_iter().max_by_key(|part| part.bytes)?;
        (!self.is_shared && largest.bytes > self.ceiling() / 2).then_some(largest)
    }

    /// The most bytes that the process uses.
    #[must_use]
    pub const fn ceiling(&self) -> u64 {
        let first = self.fixed.saturating_add(self.aggregates).saturating_add(self.names);
        first.saturating_add(self.unfinished).saturating_add(self.queues)
    }

    /// The most bytes of lines queued for all destinations together, if they must share; otherwise `None`.
    #[must_use]
    pub const fn shared_line_bytes(&self) -> Option<u64> {
        if self.is_shared { Some(self.queues / SLACK) } else { None }
    }
}

fn fixed(demands: &Demands) -> u64 {
    let Demands { workers, rules, connections, frame_bytes, has_order, .. } = demands;
    let mail = if *workers > 1 { MAIL_PER_WORKER } else { 0 };
    let per_worker = (PER_WORKER + mail).saturating_add(frame_bytes.saturating_mul(PER_FRAME_BYTE));
    BASE.saturating_add(workers.saturating_mul(per_worker))
        .saturating_add(rules.saturating_mul(PER_RULE))
        .saturating_add(connections.saturating_mul(PER_CONNECTION))
        .saturating_add(if *has_order { ORDER } else { 0 })
}

fn aggregates(demands: &Demands) -> u64 {
    let Demands { buckets, series, values, .. } = demands;
    let parts = [(buckets, PER_BUCKET), (series, PER_SERIES), (values, PER_VALUE)];
    let bytes = parts.into_iter().map(|(count, each)| count.saturating_mul(each));
    bytes.fold(0, u64::saturating_add).saturating_mul(SLACK)
}

impl fmt::Display for Readable {
    /// Largest unit with one decimal, rounded up, so that the printed amount is always sufficient.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("TiB", MIB * MIB), ("GiB", KIB * MIB), ("MiB", MIB), ("KiB", KIB)];
        match units.into_iter().find(|(_, unit)| self.0 >= *unit) {
            None => write!(f, "{} B", self.0),
            Some((name, unit)) => {
                let tenths = (u128::from(self.0) * 10).div_ceil(u128::from(unit));
                match (tenths / 10, tenths % 10) {
                    (whole, 0) => write!(f, "{whole} {name}"),
                    (whole, tenth) => write!(f, "{whole}.{tenth} {name}"),
                }
            }
        }
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { fixed, aggregates, names, unfinished, queues, is_shared, destinations: _ } = self;
        let how = if *is_shared { ", shared" } else { "" };
        write!(f, "at most {}: {} fixed, ", Readable(self.ceiling()), Readable(*fixed))?;
        if *aggregates > 0 {
            write!(f, "{} for open buckets, {} for names, ", Readable(*aggregates), Readable(*names))?;
        }
        write!(f, "{} for unfinished lines, {} for queues{how}", Readable(*unfinished), Readable(*queues))
    }
}

impl fmt::Display for LargestPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, what, bounds, destinations } = self;
        write!(f, "most of it, {}, is for {what}", Readable(*bytes))?;
        if *destinations > 0 {
            let each = Readable(bytes / destinations);
            write!(f, " of {}, {each} each when it is full", counted(*destinations, "destination"))?;
        }
        write!(f, "; {bounds} bound it, and `memory` in the configuration bounds the whole")
    }
}

impl fmt::Display for TooSmall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, needed } = self;
        write!(f, "this configuration needs {}, and `memory` is {}", Readable(*needed), Readable(*limit))
    }
}

impl std::error::Error for TooSmall {}

#[cfg(test)]
mod tests {
    use super::*;

    fn demands(destinations: usize) -> Demands {
        Demands {
            workers: 2,
            rules: 10,
            connections: 10_000,
            unfinished_bytes: 65_535,
            queues: vec![24 * MIB; destinations],
            ..Demands::default()
        }
    }

    #[test]
    fn without_a_limit_the_ceiling_is_the_sum() {
        let memory = Memory::divide(&demands(3), None).unwrap();
        assert_eq!(memory.queues, 3 * 2 * 28 * MIB);
        assert_eq!(memory.unfinished, UNFINISHED_MAX);
        assert_eq!(memory.ceiling(), memory.fixed + memory.unfinished + memory.queues);
        assert_eq!(memory.shared_line_bytes(), None);
    }

    #[test]
    fn a_limit_is_never_exceeded_and_always_enough() {
        for destinations in [0, 1, 20, 1_000] {
            let mut demands = demands(destinations);
            for (frame_bytes, names) in [(0, 0), (MIB, 0), (0, 100 * MIB)] {
                (demands.frame_bytes, demands.names) = (frame_bytes, names);
                let needed = Memory::divide(&demands, Some(0)).unwrap_err().needed;
                assert!(Memory::divide(&demands, Some(needed - 1)).is_err());
                for limit in [needed, needed + 7 * MIB, 2 * needed, 100 * needed] {
                    let memory = Memory::divide(&demands, Some(limit)).unwrap();
                    assert!(memory.ceiling() <= limit, "{memory:?}");
                    let least = QUEUE_MIN * SLACK * destinations as u64;
                    assert!(memory.queues >= least, "{memory:?}");
                }
            }
        }
    }

    #[test]
    fn absurd_numbers_are_too_much_and_no_panic() {
        let all = u64::MAX;
        let demands = Demands {
            workers: all,
            rules: all,
            connections: all,
            unfinished_bytes: all,
            frame_bytes: all,
            has_order: true,
            buckets: all,
            series: all,
            values: all,
            names: all,
            queues: vec![all, all],
        };
        assert_eq!(Memory::divide(&demands, None).unwrap().ceiling(), all);
        assert!(Memory::divide(&demands, Some(1 << 40)).is_err());
    }

    #[test]
    fn the_largest_part_is_named_with_the_keys_that_bound_it() {
        let memory = Memory::divide(&demands(500), None).unwrap();
        assert_eq!(
            memory.largest_part().unwrap().to_string(),
            "most of it, 27.4 GiB, is for queues of 500 destinations, 56 MiB each when it is full; `connbuf`, and \
             `spoolbuf` with a spool, bound it, and `memory` in the configuration bounds the whole"
        );
        assert_eq!(Memory::divide(&demands(500), Some(2 << 30)).unwrap().largest_part(), None);
        assert_eq!(Memory::divide(&demands(0), None).unwrap().largest_part(), None);
        let aggregations = Demands { buckets: 1 << 30, ..demands(1) };
        let text = Memory::divide(&aggregations, None).unwrap().largest_part().unwrap().to_string();
        assert!(text.contains("open buckets; `max_buckets`"), "{text}");
    }

    #[test]
    fn sizes_are_readable() {
        let texts =
            [(0, "0 B"), (1023, "1023 B"), (1024, "1 KiB"), (1_500_000, "1.5 MiB"), (512 * MIB, "512 MiB")];
        for (bytes, want) in texts {
            assert_eq!(Readable(bytes).to_string(), want);
        }
    }
}
