//! A worker's side of aggregation: from a line that rules took to datapoints in their buckets.
//!
//! Datapoints are deferred to the end of the block in which they came. Then they go to the [`Shared`] buckets,
//! shard by shard, in the order in which they came.

use super::{
    hash_of,
    names::{Answer, AnswerId, Link, NAMES_BYTES_MAX, NameId, Names},
    quick,
    series::Hint,
    shared::{SHARDS, Shared},
    state::{Named, Sample},
};
use crate::{parts::Aggregating, rewriter::is_usable, table::AggregatorIndex};
use std::sync::Arc;

/// One worker's names and deferred datapoints.
#[derive(Debug)]
pub(crate) struct Intake {
    part: Aggregating,
    shared: Arc<Shared>,
    names: Names,
    /// Where the next answer about the current name should be: rules ask in the same order each time.
    asked: u32,
    /// The deferred datapoints of each shard.
    waiting: Vec<Vec<Waiting>>,
    /// The time of the current block, in seconds since 1970.
    now_s: u64,
    /// The shard with which this worker starts, so that workers do not all come to one shard at the same time.
    first_shard: usize,
    /// Scratch space for the name of an output.
    output: Vec<u8>,
}

/// Appends the name of the output of a rule for a metric that the rule took. The table implements it.
pub(crate) type WriteOutput<'f> = dyn Fn(AggregatorIndex, &[u8], &mut Vec<u8>) + 'f;

/// A datapoint that is deferred to the end of its block.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    answer: AnswerId,
    /// A copy, so that the answer itself is rarely needed again.
    hint: Hint,
    rule: AggregatorIndex,
    sample: Sample,
}

impl Intake {
    pub(crate) fn new(part: Aggregating, shared: Arc<Shared>) -> Self {
        Self {
            part,
            shared,
            names: Names::new(NAMES_BYTES_MAX),
            asked: 0,
            waiting: vec![Vec::new(); SHARDS],
            now_s: 0,
            first_shard: 0,
            output: Vec::new(),
        }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// An intake for another worker, with the same shared buckets and limits and no names.
    pub(crate) fn for_another_worker(&self) -> Self {
        let first_shard = Arc::strong_count(&self.shared) % SHARDS;
        Self { first_shard, ..Self::new(self.part, Arc::clone(&self.shared)) }
    }

    /// Sets the limit of the memory for names, in bytes. Must be called before the first name comes.
    pub(crate) fn bound_names(&mut self, bytes_max: usize) {
        self.names = Names::new(bytes_max);
    }

    /// Begins a block at the time `now_s`.
    pub(crate) const fn begin(&mut self, now_s: u64) {
        self.now_s = now_s;
    }

    /// Returns what is remembered of `name`, after adding it if it is new. Not inlined, because generated code
    /// calls it at every rule.
    #[inline(never)]
    pub(crate) fn look_up(&mut self, name: &[u8]) -> NameId {
        self.asked = 0;
        let hash = hash_of(name);
        match self.names.find(hash, name) {
            Some(found) => found,
            None => self.remember(hash, name),
        }
    }

    #[inline(never)]
    fn remember(&mut self, hash: u64, name: &[u8]) -> NameId {
        if self.names.is_full() {
            // Deferred datapoints refer to names, which may now be forgotten.
            self.finish();
        }
        self.names.add(hash, name)
    }

    /// Whether the rule takes the name: as remembered, otherwise as `matches` returns.
    #[inline]
    pub(crate) fn takes(
        &mut self,
        name: NameId,
        rule: AggregatorIndex,
        matches: impl FnOnce() -> bool,
    ) -> bool {
        self.remembered(name, rule).unwrap_or_else(|| self.learn(name, rule, matches()))
    }

    #[inline(never)]
    fn remembered(&mut self, name: NameId, rule: AggregatorIndex) -> Option<bool> {
        let (at, found) = self.names.answer(name, rule.0, self.asked)?;
        let is_taken = found.is_taken;
        self.asked = at.answer + 1;
        Some(is_taken)
    }

    #[inline(never)]
    fn learn(&mut self, name: NameId, rule: AggregatorIndex, is_taken: bool) -> bool {
        self.asked = self.names.learn(name, rule.0, is_taken).answer + 1;
        is_taken
    }

    /// Defers a datapoint for each of `rules`, which took the name.
    #[inline]
    pub(crate) fn add(
        &mut self,
        rules: &[AggregatorIndex],
        looked_up: Option<NameId>,
        name: &[u8],
        [value, timestamp]: [&[u8]; 2],
        write_output: &WriteOutput<'_>,
    ) {
        let id = looked_up.unwrap_or_else(|| self.look_up(name));
        let (Some(value), Some(seconds)) = (quick::value(value), quick::seconds(timestamp)) else {
            // Cannot happen: the line was validated.
            return;
        };
        let sample = Sample { value, seconds };
        let mut next = 0;
        for &rule in rules {
            let (answer, known) = match self.names.answer(id, rule.0, next) {
                Some((at, answer)) => (at, answer.link.as_ref().map(|_| (answer.shard, answer.hint))),
                None => (self.names.learn(id, rule.0, true), None),
            };
            next = answer.answer + 1;
            let (shard, hint) = known.unwrap_or_else(|| self.link(answer, rule, name, write_output));
            self.waiting[usize::from(shard)].push(Waiting { answer, hint, rule, sample });
        }
    }

    /// Makes and remembers the output's name. Returns its shard and an empty hint.
    #[inline(never)]
    fn link(
        &mut self,
        answer: AnswerId,
        rule: AggregatorIndex,
        name: &[u8],
        write_output: &WriteOutput<'_>,
    ) -> (u8, Hint) {
        self.output.clear();
        write_output(rule, name, &mut self.output);
        let output = if is_usable(&self.output) { self.output.as_slice() } else { &[] };
        let hash = hash_of(output);
        let shard = shard_of(hash);
        self.names.link(answer, Link { output: output.into(), hash }, shard);
        (shard, Hint::default())
    }

    /// Ends a block: its datapoints go to their buckets.
    pub(crate) fn finish(&mut self) {
        for at in 0..SHARDS {
            let at = (self.first_shard + at) % SHARDS;
            if self.waiting[at].is_empty() {
                continue;
            }
            let mut shard = self.shared.shard(at);
            for &Waiting { answer, hint, rule, sample } in &self.waiting[at] {
                if shard.add_known(rule, hint, sample, self.now_s) {
                    continue;
                }
                let Answer { link: Some(link), hint, .. } = self.names.get_mut(answer) else { continue };
                if link.output.is_empty() {
                    shard.refuse_name(rule);
                } else {
                    let series = Named { output: &link.output, hash: link.hash };
                    shard.add_named(rule, series, hint, sample, self.now_s);
                }
            }
            self.waiting[at].clear();
        }
    }
}

/// The shard of a hash, by bits that tables within a shard do not use (they use the lowest ones and the highest
/// seven).
pub(super) fn shard_of(hash: u64) -> u8 {
    u8::try_from((hash >> 48) % SHARDS as u64).unwrap_or(0)
}
