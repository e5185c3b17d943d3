//! The open buckets of a relay with several workers: parts with a lock each, by series.
//!
//! A series lives in one part, whichever workers its datapoints come from, so that what is late, what is merged and what is
//! put out does not depend on how many workers there are. Workers come with a block's datapoints at a time
//! ([`Intake`](super::Intake)), and the one that emits takes a bounded number of series at a time ([`Cursor`]), so nobody
//! holds a lock for long.

use super::{
    Aggregates, AggregatorCounts, Emitted, Order, Rule, SnapshotError, hash_of,
    intake::part_of,
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

/// Parts. A fixed number, so that nothing depends on the machine.
pub(super) const PARTS: usize = 16;

/// Series that are emitted under one lock.
const EMIT_AT_ONCE: usize = 256;

/// The open buckets of all rules.
#[derive(Debug)]
pub struct Shared {
    _part: Aggregating,
    rules: Arc<[Rule]>,
    parts: Vec<Mutex<Aggregates>>,
    keys: Vec<String>,
    fingerprints: Vec<Fingerprint>,
}

/// How far a tick has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cursor {
    rule: usize,
    /// The bucket at work.
    start: Option<u32>,
    part: usize,
}

impl Shared {
    /// `None` when there is no rule.
    #[must_use]
    pub fn new(rules_as_written: &[Aggregator]) -> Option<Self> {
        if rules_as_written.is_empty() {
            return None;
        }
        let aggregating = Aggregating::get()?;
        let rules = ready(rules_as_written);
        let keys = rules_as_written.iter().map(Aggregator::key).collect();
        let fingerprints = rules_as_written.iter().map(snapshot::fingerprint).collect();
        let part = || Mutex::new(Aggregates::new(Arc::clone(&rules), 0));
        Some(Self {
            _part: aggregating,
            parts: (0..PARTS).map(|_| part()).collect(),
            keys,
            fingerprints,
            rules,
        })
    }

    /// Lines are taken from now on: buckets that began before are incomplete.
    pub fn begin(&self, since_s: u64) {
        (0..PARTS).for_each(|part| self.part(part).begin(since_s));
    }

    /// A part, for as long as the guard lives.
    pub(super) fn part(&self, part: usize) -> MutexGuard<'_, Aggregates> {
        self.parts[part].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When something is due next.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        (0..PARTS).filter_map(|part| self.part(part).next_due()).min()
    }

    /// Goes on with the tick of `now_s`: emits up to `budget` series, rule by rule, each in order of time. Whether the tick
    /// is over.
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
                .or_else(|| (0..PARTS).filter_map(|part| self.part(part).first_due(rule, now_s)).min());
            let Some(start) = start else {
                (0..PARTS).for_each(|part| self.part(part).conclude(rule, now_s));
                *cursor = Cursor { rule: cursor.rule + 1, ..Cursor::default() };
                continue;
            };
            cursor.start = Some(start);
            if !self.flush_bucket(rule, start, cursor, now_s, budget, each) {
                return false;
            }
            (cursor.start, cursor.part) = (None, 0);
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
        while cursor.part < PARTS {
            if *budget == 0 {
                return false;
            }
            let given = EMIT_AT_ONCE.min(*budget);
            let mut left = given;
            let is_done = self.part(cursor.part).emit(rule, start, now_s, Order::ByArrival, &mut left, each);
            *budget -= given - left;
            cursor.part += usize::from(is_done);
        }
        true
    }

    /// The keys of the rules.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// Writes all open buckets, one part at a time.
    pub fn save(&self, out: &mut dyn Write) -> io::Result<()> {
        let (mut buffer, mut sum) = (Vec::new(), crc32fast::Hasher::new());
        snapshot::begin(&mut buffer);
        for part in 0..PARTS {
            snapshot::save(&self.part(part), &self.fingerprints, &mut buffer);
            sum.update(&buffer);
            out.write_all(&buffer)?;
            buffer.clear();
        }
        snapshot::end(&mut buffer);
        sum.update(&buffer);
        out.write_all(&buffer)?;
        out.write_all(&sum.finalize().to_le_bytes())
    }

    /// Opens the saved buckets of rules that have not changed, but not those that the tick of `ticked_s` has emitted. Says
    /// how many.
    pub fn restore(&self, bytes: &[u8], ticked_s: Option<u64>) -> Result<u64, SnapshotError> {
        let mut opened = 0;
        if let Some(ticked_s) = ticked_s {
            for (at, rule) in self.rules.iter().enumerate() {
                if let Some(cutoff) = rule.cutoff(ticked_s) {
                    // In buckets, so that it is one that can have been emitted.
                    (0..PARTS).for_each(|part| self.part(part).set_emitted_until(at, rule.bucket(cutoff)));
                }
            }
        }
        let mut emitted =
            |rule, until| (0..PARTS).for_each(|part| self.part(part).set_emitted_until(rule, until));
        snapshot::load(bytes, &self.fingerprints, &mut emitted, &mut |rule, saved| {
            let hash = hash_of(saved.name);
            opened += u64::from(self.part(part_of(hash).into()).restore(rule, saved, hash));
        })?;
        Ok(opened)
    }

    /// What became of the datapoints, by rule.
    #[must_use]
    pub fn counts(&self) -> Vec<AggregatorCounts> {
        let mut counts = vec![AggregatorCounts::default(); self.rules.len()];
        for part in 0..PARTS {
            for (sum, more) in counts.iter_mut().zip(self.part(part).counts()) {
                *sum += more;
            }
        }
        counts
    }
}
