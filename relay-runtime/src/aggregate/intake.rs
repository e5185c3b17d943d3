//! A worker's way into the aggregators: from a line that rules took to datapoints in their buckets.
//!
//! Datapoints wait until the end of the block that they came in, and then go to the [`Shared`] buckets, part by part, in
//! the order in which they came.

use super::{
    hash_of,
    names::{Answer, AnswerId, Link, NAMES_BYTES_MAX, NameId, Names},
    quick,
    series::Hint,
    shared::{PARTS, Shared},
    state::{Named, Sample},
};
use crate::{parts::Aggregating, rewriter::is_usable, table::AggregatorIndex};
use std::sync::Arc;

/// The worker's side.
#[derive(Debug)]
pub(crate) struct Intake {
    part: Aggregating,
    shared: Arc<Shared>,
    names: Names,
    /// Where the next answer about the name at hand should be: rules ask in the same order each time.
    asked: u32,
    /// By part.
    waiting: Vec<Vec<Waiting>>,
    /// The time of the block at work.
    now_s: u64,
    /// Where this worker starts, so that not all come to one part at once.
    first_part: usize,
    /// An output's name in the making.
    output: Vec<u8>,
}

/// Writes what a rule that took a name calls its output: what the table does.
pub(crate) type WriteOutput<'f> = dyn Fn(AggregatorIndex, &[u8], &mut Vec<u8>) + 'f;

/// A datapoint that waits for the end of its block.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    answer: AnswerId,
    /// Copied, so that mostly nobody has to look at the answer again.
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
            waiting: vec![Vec::new(); PARTS],
            now_s: 0,
            first_part: 0,
            output: Vec::new(),
        }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// The same for another worker.
    pub(crate) fn for_another_worker(&self) -> Self {
        let first_part = Arc::strong_count(&self.shared) % PARTS;
        Self { first_part, ..Self::new(self.part, Arc::clone(&self.shared)) }
    }

    /// Bounds the memory for names from now on. To be called before there are any.
    pub(crate) fn bound_names(&mut self, bytes_max: usize) {
        self.names = Names::new(bytes_max);
    }

    /// A block begins.
    pub(crate) const fn begin(&mut self, now_s: u64) {
        self.now_s = now_s;
    }

    /// What is remembered of a name; now it is, if it was not. A function of its own, for generated code asks at every rule.
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
            // What waits refers to names.
            self.finish();
        }
        self.names.add(hash, name)
    }

    /// Whether the rule takes the name, by what is remembered or else by what `matches` says.
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

    /// Takes a datapoint for each of `rules`, which took the name.
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
            // The line was validated.
            return;
        };
        let sample = Sample { value, seconds };
        let mut next = 0;
        for &rule in rules {
            let (answer, known) = match self.names.answer(id, rule.0, next) {
                Some((at, answer)) => (at, answer.link.as_ref().map(|_| (answer.part, answer.hint))),
                None => (self.names.learn(id, rule.0, true), None),
            };
            next = answer.answer + 1;
            let (part, hint) = known.unwrap_or_else(|| self.link(answer, rule, name, write_output));
            self.waiting[usize::from(part)].push(Waiting { answer, hint, rule, sample });
        }
    }

    /// Makes the output's name.
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
        let part = part_of(hash);
        self.names.link(answer, Link { output: output.into(), hash }, part);
        (part, Hint::default())
    }

    /// A block ends: its datapoints go to their buckets.
    pub(crate) fn finish(&mut self) {
        for at in 0..PARTS {
            let at = (self.first_part + at) % PARTS;
            if self.waiting[at].is_empty() {
                continue;
            }
            let mut part = self.shared.part(at);
            for &Waiting { answer, hint, rule, sample } in &self.waiting[at] {
                if part.add_known(rule, hint, sample, self.now_s) {
                    continue;
                }
                let Answer { link: Some(link), hint, .. } = self.names.get_mut(answer) else { continue };
                if link.output.is_empty() {
                    part.refuse_name(rule);
                } else {
                    let series = Named { output: &link.output, hash: link.hash };
                    part.add_named(rule, series, hint, sample, self.now_s);
                }
            }
            self.waiting[at].clear();
        }
    }
}

/// By bits of the hash that tables within a part do not use: the lowest ones and the highest seven.
pub(super) fn part_of(hash: u64) -> u8 {
    u8::try_from((hash >> 48) % PARTS as u64).unwrap_or(0)
}
