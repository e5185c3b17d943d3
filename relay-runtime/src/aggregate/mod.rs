//! Aggregation rules at work (spec §9): many datapoints in, one per interval out.
//!
//! [`Rule`] is a rule made ready: the functions (`fold`, `percentile`, on exact sums: `exact`),
//! times and bounds. [`Aggregates`] holds the open buckets of all rules (`state`, in the memory of `cells` and
//! `series`), takes datapoints, and puts out what is due. [`AggregatorCounts`] says what became of every datapoint.
//!
//! In a relay, the [`Shared`] buckets are filled by each worker's `Intake`, which remembers `names`, and
//! outlive the process as a `snapshot`.
//!
//! Which metrics a rule takes and what it names its outputs is not decided here but by the table
//! ([`dispatch`](crate::dispatch), [`OutputName`]); where outputs go is up to the routes. No clock, no threads, no I/O: time is an argument, and the same datapoints at the same times give the
//! same outputs.

mod cells;
mod counts;
mod exact;
mod fold;
mod intake;
mod names;
mod number;
mod output;
mod percentile;
mod pieces;
mod quick;
mod rule;
mod series;
mod shared;
mod snapshot;
mod state;

use crate::table::{Aggregator, AggregatorIndex};
use series::Hint;
use state::{Clock, Named, RuleState, Sample};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, LazyLock},
};

pub use counts::AggregatorCounts;
pub use output::OutputName;
pub use rule::Rule;
pub use shared::{Cursor, Restored, Shared};
pub use snapshot::SnapshotError;
pub use state::{Emitted, Order};

pub(crate) use intake::{Intake, WriteOutput};
pub(crate) use names::{NAMES_BYTES_MAX, NameId};

/// Buckets, and series, that a rule may have memory for without having them: a piece in each part.
pub(crate) const SPARE: u64 = (shared::PARTS * pieces::ENTRIES) as u64;

/// The open buckets of all rules of a table.
#[derive(Debug)]
pub struct Aggregates {
    rules: Arc<[Rule]>,
    states: Vec<RuleState>,
    since_s: u64,
}

/// Makes rules ready.
#[must_use]
pub fn ready(rules: &[Aggregator]) -> Arc<[Rule]> {
    rules.iter().map(Rule::new).collect()
}

impl Aggregates {
    /// Nothing is open yet. `since_s` is when lines began to be taken.
    #[must_use]
    pub fn new(rules: Arc<[Rule]>, since_s: u64) -> Self {
        let states = rules.iter().map(RuleState::new).collect();
        Self { rules, states, since_s }
    }

    /// Lines are taken from now on.
    pub const fn begin(&mut self, since_s: u64) {
        self.since_s = since_s;
    }

    /// Takes a datapoint for the output series of that name.
    pub fn add(&mut self, rule: AggregatorIndex, output: &[u8], value: f64, seconds: u32, now_s: u64) {
        let series = Named { output, hash: hash_of(output) };
        self.add_named(rule, series, &mut Hint::default(), Sample { value, seconds }, now_s);
    }

    /// The same for a series that may have a known place, which is kept.
    fn add_named(
        &mut self,
        rule: AggregatorIndex,
        series: Named<'_>,
        hint: &mut Hint,
        sample: Sample,
        now_s: u64,
    ) {
        self.states[rule.get()].add(&self.rules[rule.get()], series, hint, sample, now_s);
    }

    /// The same for a series that is still where it was and has a bucket for the datapoint. Whether it is and has.
    #[inline]
    fn add_known(&mut self, rule: AggregatorIndex, hint: Hint, sample: Sample, now_s: u64) -> bool {
        self.states[rule.get()].add_known(&self.rules[rule.get()], hint, sample, now_s)
    }

    /// Counts a datapoint whose output cannot be sent.
    pub fn refuse_name(&mut self, rule: AggregatorIndex) {
        let counts = &mut self.states[rule.get()].counts;
        counts.taken += 1;
        counts.bad_name += 1;
    }

    /// When something is due next.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        let rules = self.states.iter().zip(&*self.rules);
        rules.filter_map(|(state, rule)| state.next_due(rule)).min()
    }

    /// A tick of all rules at `now_s`: puts out all that is due, rule by rule, each in order of time and within a moment
    /// in order of name.
    pub fn tick(&mut self, now_s: u64, mut each: impl FnMut(AggregatorIndex, Emitted<'_>)) {
        for at in 0..self.rules.len() {
            let rule = AggregatorIndex::new(at);
            while let Some(start) = self.first_due(rule, now_s) {
                let mut budget = usize::MAX;
                self.emit(rule, start, now_s, Order::ByName, &mut budget, &mut |line| each(rule, line));
            }
            self.conclude(rule, now_s);
        }
    }

    /// The earliest bucket of a rule that is to be emitted at `now_s`.
    #[must_use]
    pub fn first_due(&self, rule: AggregatorIndex, now_s: u64) -> Option<u32> {
        self.states[rule.get()].first_due(&self.rules[rule.get()], now_s)
    }

    /// Emits up to `budget` series of the bucket of a rule that starts at `start` and is due. Whether that was all of it.
    pub fn emit(
        &mut self,
        rule: AggregatorIndex,
        start: u32,
        now_s: u64,
        order: Order,
        budget: &mut usize,
        each: &mut dyn FnMut(Emitted<'_>),
    ) -> bool {
        let clock = Clock { since_s: self.since_s, now_s };
        self.states[rule.get()].emit(&self.rules[rule.get()], start, &clock, order, budget, each)
    }

    /// To be called when nothing of a rule is due any more: forgets what was kept for long enough.
    pub fn conclude(&mut self, rule: AggregatorIndex, now_s: u64) {
        self.states[rule.get()].conclude(&self.rules[rule.get()], now_s);
    }

    fn set_emitted_until(&mut self, rule: usize, until: u32) {
        self.states[rule].set_emitted_until(until);
    }

    /// The clock goes back. Gives by how much it was too far ahead.
    fn go_back(&mut self, now_s: u64) -> Option<u64> {
        let rules = self.states.iter_mut().zip(&*self.rules);
        rules.filter_map(|(state, rule)| state.go_back(rule, now_s)).max()
    }

    /// Whether a saved bucket is open again.
    fn restore(&mut self, rule: usize, saved: &snapshot::Saved<'_>, hash: u64) -> bool {
        snapshot::restore(&mut self.states[rule], &self.rules[rule], saved, hash)
    }

    /// What became of the datapoints, by rule.
    #[must_use]
    pub fn counts(&self) -> Vec<AggregatorCounts> {
        self.states.iter().map(RuleState::counts).collect()
    }
}

/// The hash by which series are found. Seeded at random, so that nobody can make names that collide; nothing that is put
/// out depends on it.
#[inline]
fn hash_of(name: &[u8]) -> u64 {
    // Both unknown: who knew a factor could make it zero.
    static SEEDS: LazyLock<[u64; 2]> = LazyLock::new(|| [0, 1].map(|one| RandomState::new().hash_one(one)));
    const FACTOR: u64 = 0xA076_1D64_78BD_642F;
    let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let [seed, secret] = *SEEDS;
    let mut state = seed ^ (name.len() as u64).wrapping_mul(FACTOR);
    // The last pair ends with the name, and may hold some of the pair before it once more.
    let (pairs, last) = name.as_chunks::<16>();
    for pair in pairs {
        let (words, _) = pair.as_chunks();
        state = fold(number(&words[0]) ^ state, number(&words[1]) ^ secret);
    }
    let (first, second) = match (name.last_chunk::<16>(), last.first_chunk(), last.last_chunk()) {
        (Some(pair), ..) => {
            let (words, _) = pair.as_chunks();
            (number(&words[0]), number(&words[1]))
        }
        (None, Some(first), Some(second)) => (number(first), number(second)),
        _ => {
            let mut word = [0; 8];
            word[..last.len()].copy_from_slice(last);
            (number(&word), 0)
        }
    };
    fold(fold(first ^ state, second ^ secret), FACTOR)
}

/// A multiplication to twice the width, folded: every bit depends on every bit.
#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    let folded = (product as u64) ^ ((product >> 64) as u64);
    folded
}
