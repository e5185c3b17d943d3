//! The order check: whether a datapoint is newer than the one before it in its series
//! (`validate_order`).
//!
//! Unlike upstream's (BUG-33), its memory is limited: a table of fixed size that remembers the last timestamp
//! of about a million series in 16 MiB, of which only what is used becomes resident. A series that was idle for
//! a day is forgotten. If a group of eight entries is full, the series that was idle longest is forgotten. For
//! a series that was forgotten, any timestamp except 0 is new.
//!
//! A timestamp far in the future locks its series out for at most a day: what is remembered is at most
//! [`AHEAD_MAX_S`] after now.
//!
//! There is no clock here: time comes in as `now_s`. All workers of a relay share one check, because a series
//! may arrive over several connections.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

/// How far ahead of now a remembered timestamp may be, in seconds.
pub const AHEAD_MAX_S: u32 = 86_400;

/// A series is forgotten after this many seconds without a datapoint.
pub const IDLE_MAX_S: u32 = 86_400;

/// How many series are remembered.
pub const SERIES_MAX: usize = SHARDS * SHARD_GROUPS * GROUP;

/// The number of locks. Workers that check different series rarely need the same one.
const SHARDS: usize = 64;
const SHARD_GROUPS: usize = 2048;
const GROUP: usize = 8;

/// The last timestamp of each series.
#[derive(Debug)]
pub struct OrderCheck {
    /// Random, so that a sender cannot make names that collide.
    hasher: RandomState,
    shards: Vec<Mutex<Vec<[Entry; GROUP]>>>,
}

/// One series; the entry is free if `last` is 0, because no accepted timestamp is 0.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    name_hash: u64,
    last: u32,
    seen_s: u32,
}

impl Default for OrderCheck {
    fn default() -> Self {
        Self::new()
    }
}

impl OrderCheck {
    /// A check that remembers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let shard = || Mutex::new(vec![[Entry::default(); GROUP]; SHARD_GROUPS]);
        Self { hasher: RandomState::new(), shards: (0..SHARDS).map(|_| shard()).collect() }
    }

    /// Whether the datapoint is newer; if so, it is remembered as the last of its series. `name` must be
    /// without the leading dot.
    pub fn check(&self, name: &[u8], seconds: u32, now_s: u64) -> bool {
        if seconds == 0 {
            return false;
        }
        let now_s = u32::try_from(now_s).unwrap_or(u32::MAX);
        let name_hash = self.hasher.hash_one(name);
        let shard = &self.shards[below(name_hash, SHARDS)];
        let mut groups = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = find(&mut groups[below(name_hash >> 32, SHARD_GROUPS)], name_hash, now_s);
        entry.seen_s = now_s;
        let is_newer = seconds > entry.last;
        if is_newer {
            entry.last = seconds.min(now_s.saturating_add(AHEAD_MAX_S));
        }
        is_newer
    }
}

fn below(hash: u64, bound: usize) -> usize {
    usize::try_from(hash % bound as u64).unwrap_or(0)
}

/// The entry of the series, or the one that it replaces.
fn find(group: &mut [Entry; GROUP], name_hash: u64, now_s: u32) -> &mut Entry {
    let is_idle = |entry: &Entry| now_s.saturating_sub(entry.seen_s) > IDLE_MAX_S;
    let known = group.iter().position(|entry| entry.last != 0 && entry.name_hash == name_hash);
    let is_fresh = known.is_some_and(|at| !is_idle(&group[at]));
    let longest_idle = || (0..GROUP).min_by_key(|&at| (group[at].last != 0, group[at].seen_s)).unwrap_or(0);
    let at = known.unwrap_or_else(longest_idle);
    if !is_fresh {
        group[at] = Entry { name_hash, last: 0, seen_s: now_s };
    }
    &mut group[at]
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_700_000_000;

    #[track_caller]
    fn check_all(order: &OrderCheck, points: &[(&str, u32, u64, bool)]) {
        for (at, &(name, seconds, now_s, want)) in points.iter().enumerate() {
            assert_eq!(order.check(name.as_bytes(), seconds, now_s), want, "point {at}: {name} {seconds}");
        }
    }

    #[test]
    fn only_newer_points_pass() {
        check_all(
            &OrderCheck::new(),
            &[
                ("a", 0, NOW, false),
                ("a", 5, NOW, true),
                ("a", 5, NOW, false),
                ("a", 4, NOW, false),
                ("b", 4, NOW, true),
                ("a", 6, NOW, true),
            ],
        );
    }

    #[test]
    fn a_far_future_does_not_lock_a_series_out() {
        let now = u32::try_from(NOW).unwrap();
        let later = NOW + u64::from(AHEAD_MAX_S);
        check_all(
            &OrderCheck::new(),
            &[("a", u32::MAX, NOW, true), ("a", now, NOW, false), ("a", now + AHEAD_MAX_S + 1, later, true)],
        );
    }

    #[test]
    fn an_idle_series_is_forgotten() {
        let later = NOW + u64::from(IDLE_MAX_S);
        check_all(&OrderCheck::new(), &[("a", 9, NOW, true), ("a", 8, later, false)]);
        check_all(&OrderCheck::new(), &[("a", 9, NOW, true), ("a", 8, later + 1, true)]);
    }

    #[test]
    fn the_longest_idle_series_makes_room() {
        let order = OrderCheck::new();
        let count = 3 * SERIES_MAX / 2;
        for at in 0..count {
            order.check(at.to_string().as_bytes(), 10, NOW + at as u64 / 1000);
        }
        let now_s = NOW + count as u64 / 1000;
        let remembered =
            (count - 1000..count).filter(|at| !order.check(at.to_string().as_bytes(), 10, now_s));
        assert_eq!(remembered.count(), 1000);
    }

    #[test]
    fn threads_share_one_memory() {
        let order = OrderCheck::new();
        let passed: usize = std::thread::scope(|scope| {
            let count = || (1..1000).filter(|&seconds| order.check(b"a", seconds, NOW)).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(count)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert!((999 / 4..=999).contains(&passed), "{passed} points passed");
    }
}
