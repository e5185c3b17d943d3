//! An aggregation rule ready to run: its functions, times and limits.
//!
//! All shards share one `Rule`, so its limits apply to the whole relay.

use super::fold::Fold;
use crate::table::{Aggregator, BucketTime, Function, Lateness, NumberFormat};
use std::sync::atomic::{AtomicU64, Ordering};

/// A rule ready to run.
#[derive(Debug)]
pub struct Rule {
    pub(super) fold: Fold,
    /// The suffix of each output's name, and its function.
    pub(super) outputs: Vec<(String, Function)>,
    pub(super) number_format: NumberFormat,
    pub(super) interval: u32,
    pub(super) wait: u32,
    /// For how many seconds a bucket accepts corrections after it was emitted, if it does at all.
    pub(super) keep: Option<u32>,
    /// From a bucket's start to the timestamp of its output, in seconds.
    pub(super) stamp_after: u32,
    pub(super) future_max_s: u32,
    pub(super) buckets: Room,
    pub(super) series: Room,
    pub(super) values: Room,
}

/// A limit on the number of buckets, series or values that all users of the rule have together.
#[derive(Debug)]
pub(super) struct Room {
    used: AtomicU64,
    max: u64,
}

impl Rule {
    /// Makes a rule ready to run.
    #[must_use]
    pub fn new(rule: &Aggregator) -> Self {
        let options = &rule.options;
        let interval = rule.interval.max(1);
        Self {
            fold: Fold::new(rule),
            outputs: rule.outputs(),
            number_format: options.number_format,
            interval,
            wait: rule.wait,
            keep: match options.lateness {
                Lateness::Drop => None,
                Lateness::Reemit { keep_s } => Some(keep_s),
            },
            stamp_after: match options.bucket_time {
                BucketTime::Start => 0,
                BucketTime::Middle => interval / 2,
                BucketTime::End => interval,
            },
            future_max_s: options.future_max_s,
            buckets: Room::new(options.buckets_max),
            series: Room::new(options.series_max),
            values: Room::new(options.values_max),
        }
    }

    /// The start of the bucket that a timestamp belongs to.
    pub(super) const fn bucket(&self, seconds: u32) -> u32 {
        seconds - seconds % self.interval
    }

    /// The latest start of a bucket that is due at `now_s`; `None` if no bucket can be.
    pub(super) fn cutoff(&self, now_s: u64) -> Option<u32> {
        let cutoff = now_s.checked_sub(self.wait.into())?;
        Some(u32::try_from(cutoff).unwrap_or(u32::MAX))
    }

    /// By how many seconds the bucket that starts at `emitted` is ahead of the latest that is due at `now_s`, if that is more
    /// than one interval. Then the clock was wrong when it was emitted, or is wrong now.
    pub(super) fn ahead_s(&self, emitted: u32, now_s: u64) -> Option<u64> {
        let due_s = u64::from(emitted) + u64::from(self.wait);
        due_s.checked_sub(now_s).filter(|ahead_s| *ahead_s > u64::from(self.interval))
    }

    /// The first tick after `now_s`: ticks are at `wait` plus a multiple of `interval`.
    pub(super) fn next_tick(&self, now_s: u64) -> u64 {
        let (interval, wait) = (u64::from(self.interval), u64::from(self.wait));
        let since = (now_s + interval - wait % interval) % interval;
        now_s + interval - since
    }
}

impl Room {
    fn new(max: u32) -> Self {
        Self { used: AtomicU64::new(0), max: max.into() }
    }

    /// Takes one place; returns whether one was left. Threads that do so at the same moment may take a few more
    /// than allowed.
    pub(super) fn take(&self) -> bool {
        let has_room = self.used.load(Ordering::Relaxed) < self.max;
        if has_room {
            self.used.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }

    pub(super) fn give_back(&self, places: usize) {
        self.used.fetch_sub(places as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Matcher;

    #[test]
    fn ticks_are_aligned_to_the_clock() {
        for (interval, wait) in [(1, 0), (10, 20), (60, 65), (7, 3), (300, 299)] {
            let rule =
                Aggregator { interval, wait, ..Aggregator::new(Function::Sum, Matcher::default(), "a") };
            let rule = Rule::new(&rule);
            for now in 1_700_000_000..1_700_000_900_u64 {
                let tick = rule.next_tick(now);
                assert!(tick > now && tick <= now + u64::from(interval));
                assert_eq!((tick - u64::from(wait)) % u64::from(interval), 0);
            }
        }
    }
}
