//! The open buckets of a relay, shared by its workers: shards with a lock each, by series.
//!
//! A series is in one shard, whichever worker its datapoints come from. So what is late, what is merged and
//! what is emitted does not depend on the number of workers. A worker brings the datapoints of one block at a
//! time ([`Intake`](super::Intake)), and the worker that emits takes a limited number of series at a time
//! ([`Cursor`]), so no lock is held for long.

use super::{
    Aggregates, AggregatorCounts, Emitted, Order, Rule, SnapshotError, hash_of,
    intake::shard_of,
    ready,
    snapshot::{self, Fingerprint},
};
use crate::{
    parts::Aggregating,
    table::{Aggregator, AggregatorIndex},
};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The number of shards. It is fixed, so that nothing depends on the machine.
pub(super) const SHARDS: usize = 16;

/// How many series are emitted under one lock.
const EMIT_AT_ONCE: usize = 256;

/// The open buckets of all rules, in shards.
#[derive(Debug)]
pub struct Shared {
    _part: Aggregating,
    rules: Arc<[Rule]>,
    shards: Vec<Mutex<Aggregates>>,
    keys: Vec<String>,
    fingerprints: Vec<Fingerprint>,
}

/// How far a tick has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    rule: usize,
    /// The start of the bucket that is being emitted.
    start: Option<u32>,
    shard: usize,
}

/// The result of restoring saved buckets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// The number of buckets that were opened again.
    pub buckets: u64,
    /// By how many seconds the buckets that were left out are ahead of the clock, if any are.
    pub ahead_s: Option<u64>,
}

impl Shared {
    /// Shared buckets for these rules; `None` if there are no rules.
    #[must_use]
    pub fn new(rules_as_written: &[Aggregator]) -> Option<Self> {
        if rules_as_written.is_empty() {
            return None;
        }
        let aggregating = Aggregating::get()?;
        let rules = ready(rules_as_written);
        let keys = rules_as_written.iter().map(Aggregator::key).collect();
        let fingerprints = rules_as_written.iter().map(snapshot::fingerprint).collect();
        let shard = || Mutex::new(Aggregates::new(Arc::clone(&rules), 0));
        Some(Self {
            _part: aggregating,
            shards: (0..SHARDS).map(|_| shard()).collect(),
            keys,
            fingerprints,
            rules,
        })
    }

    /// Sets the time at which the relay began to accept lines: buckets that began before it are incomplete.
    pub fn begin(&self, since_s: u64) {
        (0..SHARDS).for_each(|shard| self.shard(shard).begin(since_s));
    }

    /// Locks a shard for as long as the guard lives.
    pub(super) fn shard(&self, shard: usize) -> MutexGuard<'_, Aggregates> {
        self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the next bucket is due, in seconds since 1970; `None` if none is open.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        (0..SHARDS).filter_map(|shard| self.shard(shard).next_due()).min()
    }

    /// Continues the tick of `now_s`: emits up to `budget` series, rule by rule, each in the order of time.
    /// Returns whether the tick is complete.
    pub fn flush(
        &self,
        cursor: &mut Cursor,
        now_s: u64,
        budget: &mut usize,
        each: &mut dyn FnMut(Emitted<'_>),
    ) -> bool {
        while cursor.rule < self.rules.len() {
            let rule = AggregatorIndex::new(cursor.rule);
            let start = cursor
                .start
                .or_else(|| (0..SHARDS).filter_map(|shard| self.shard(shard).first_due(rule, now_s)).min());
            let Some(start) = start else {
                (0..SHARDS).for_each(|shard| self.shard(shard).conclude(rule, now_s));
                *cursor = Cursor { rule: cursor.rule + 1, ..Cursor::default() };
                continue;
            };
            cursor.start = Some(start);
            if !self.flush_bucket(rule, start, cursor, now_s, budget, each) {
                return false;
            }
            (cursor.start, cursor.shard) = (None, 0);
        }
        *cursor = Cursor::default();
        true
    }

    fn flush_bucket(
        &self,
        rule: AggregatorIndex,
        start: u32,
        cursor: &mut Cursor,
        now_s: u64,
        budget: &mut usize,
        each: &mut dyn FnMut(Emitted<'_>),
    ) -> bool {
        while cursor.shard < SHARDS {
            if *budget == 0 {
                return false;
            }
            let given = EMIT_AT_ONCE.min(*budget);
            let mut left = given;
            let is_done =
                self.shard(cursor.shard).emit(rule, start, now_s, Order::ByArrival, &mut left, each);
            *budget -= given - left;
            cursor.shard += usize::from(is_done);
        }
        true
    }

    /// The keys of the rules.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// Writes all open buckets, one shard at a time.
    pub fn save(&self, out: &mut dyn Write) -> io::Result<()> {
        let (mut buffer, mut sum) = (Vec::new(), crc32fast::Hasher::new());
        snapshot::begin(&mut buffer);
        for shard in 0..SHARDS {
            snapshot::save(&self.shard(shard), &self.fingerprints, &mut buffer);
            sum.update(&buffer);
            out.write_all(&buffer)?;
            buffer.clear();
        }
        snapshot::end(&mut buffer);
        sum.update(&buffer);
        out.write_all(&buffer)?;
        out.write_all(&sum.finalize().to_le_bytes())
    }

    /// Opens the saved buckets of rules that have not changed, except those that the tick of `ticked_s` has emitted,
    /// and those that are ahead of the clock.
    pub fn restore(
        &self,
        bytes: &[u8],
        ticked_s: Option<u64>,
        now_s: u64,
    ) -> Result<Restored, SnapshotError> {
        let (mut buckets, mut ahead_s) = (0, None);
        let mut mark = |at: usize, until: u32| match self.rules[at].ahead_s(until, now_s) {
            None => (0..SHARDS).for_each(|shard| self.shard(shard).set_emitted_until(at, until)),
            ahead => ahead_s = ahead_s.max(ahead),
        };
        if let Some(ticked_s) = ticked_s {
            for (at, rule) in self.rules.iter().enumerate() {
                if let Some(cutoff) = rule.cutoff(ticked_s) {
                    // Rounded to a bucket, because only such a time can have been emitted.
                    mark(at, rule.bucket(cutoff));
                }
            }
        }
        let mut opened_ahead_s = None;
        snapshot::load(bytes, &self.fingerprints, &mut mark, &mut |at, saved| {
            // A datapoint of this bucket would be dropped as `future` now.
            let future_s = u64::from(saved.start).saturating_sub(now_s);
            if future_s > u64::from(self.rules[at].future_max_s) {
                opened_ahead_s = opened_ahead_s.max(Some(future_s));
                return;
            }
            let hash = hash_of(saved.name);
            buckets += u64::from(self.shard(shard_of(hash).into()).restore(at, saved, hash));
        })?;
        Ok(Restored { buckets, ahead_s: ahead_s.max(opened_ahead_s) })
    }

    /// Must be called when the clock has gone back. For a rule for which it was ahead by more than an interval, forgets
    /// which buckets were emitted: otherwise every datapoint would be late until the clock is there again. Returns by how
    /// many seconds it was ahead, if it was.
    #[must_use]
    pub fn go_back(&self, now_s: u64) -> Option<u64> {
        (0..SHARDS).filter_map(|shard| self.shard(shard).go_back(now_s)).max()
    }

    /// The counts of each rule.
    #[must_use]
    pub fn counts(&self) -> Vec<AggregatorCounts> {
        let mut counts = vec![AggregatorCounts::default(); self.rules.len()];
        for shard in 0..SHARDS {
            for (sum, more) in counts.iter_mut().zip(self.shard(shard).counts()) {
                *sum += more;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Function, Matcher};

    const NOW_S: u64 = 1_700_000_000;
    const TEN_YEARS_S: u64 = 10 * 365 * 86_400;

    fn shared() -> Shared {
        let rule = Aggregator {
            interval: 10,
            wait: 20,
            ..Aggregator::new(Function::Sum, Matcher::default(), "sum")
        };
        Shared::new(&[rule]).unwrap()
    }

    fn add(shared: &Shared, seconds: u64, now_s: u64) {
        let seconds = u32::try_from(seconds).unwrap();
        let shard = shard_of(hash_of(b"sum")).into();
        shared.shard(shard).add(AggregatorIndex::new(0), b"sum", 1.0, seconds, now_s);
    }

    fn flush(shared: &Shared, now_s: u64) -> u64 {
        let mut lines = 0;
        assert!(shared.flush(&mut Cursor::default(), now_s, &mut usize::MAX.clone(), &mut |_| lines += 1));
        lines
    }

    fn saved(shared: &Shared) -> Vec<u8> {
        let mut bytes = Vec::new();
        shared.save(&mut bytes).unwrap();
        bytes
    }

    /// Whether a datapoint of now is taken.
    fn takes(shared: &Shared, now_s: u64) -> bool {
        add(shared, now_s, now_s);
        shared.counts()[0].late == 0
    }

    #[test]
    fn a_run_with_the_clock_ahead_makes_nothing_late_afterwards() {
        for ahead_s in [60, 3_600, TEN_YEARS_S] {
            let wrong = shared();
            add(&wrong, NOW_S + ahead_s, NOW_S + ahead_s);
            assert_eq!(flush(&wrong, NOW_S + ahead_s + 30), 1);
            add(&wrong, NOW_S + ahead_s + 30, NOW_S + ahead_s + 30);
            for ticked_s in [None, Some(NOW_S + ahead_s + 30), Some(u64::MAX)] {
                let right = shared();
                let restored = right.restore(&saved(&wrong), ticked_s, NOW_S).unwrap();
                assert!(restored.ahead_s.is_some(), "{ahead_s} {ticked_s:?}");
                assert!(takes(&right, NOW_S), "{ahead_s} {ticked_s:?}");
            }
            // The same without a restart.
            assert!(wrong.go_back(NOW_S).is_some() && takes(&wrong, NOW_S));
        }
    }

    #[test]
    fn within_a_bucket_the_clock_may_go_back_and_nothing_is_put_out_twice() {
        let before = shared();
        add(&before, NOW_S, NOW_S);
        assert_eq!(flush(&before, NOW_S + 20), 1);
        let after = shared();
        let restored = after.restore(&saved(&before), Some(NOW_S + 20), NOW_S + 12).unwrap();
        assert_eq!(restored, Restored::default());
        assert_eq!((before.go_back(NOW_S + 12), after.go_back(NOW_S + 12)), (None, None));
        assert!(!takes(&after, NOW_S), "it was put out");
    }
}
