//! Aggregation (spec §9): folds many datapoints into one per interval.
//!
//! [`Rule`] is a rule ready to run: its functions (`fold`, `percentile`, on the exact sums of `exact`), times
//! and limits. [`Aggregates`] has the open buckets of all rules (`state`, in the memory of `cells` and
//! `series`): it adds datapoints and emits what is due. [`AggregatorCounts`] accounts for every datapoint.
//!
//! In a relay, each worker's `Intake` fills the [`Shared`] buckets and remembers `names`; a `snapshot` saves
//! the buckets across a restart.
//!
//! The table decides which metrics a rule takes and how its outputs are named ([`dispatch`](crate::dispatch),
//! [`OutputName`]), and the routes decide where outputs go. There is no clock, thread or I/O here: time is an
//! argument, and the same datapoints at the same times give the same outputs.

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

/// How many buckets, and series, of a rule may occupy memory without being in use: one piece in each shard.
pub(crate) const SPARE: u64 = (shared::SHARDS * pieces::ENTRIES) as u64;

/// The open buckets of all rules of a table.
#[derive(Debug)]
pub struct Aggregates {
    rules: Arc<[Rule]>,
    states: Vec<RuleState>,
    since_s: u64,
}

/// Makes rules ready to run.
#[must_use]
pub fn ready(rules: &[Aggregator]) -> Arc<[Rule]> {
    rules.iter().map(Rule::new).collect()
}

impl Aggregates {
    /// No open buckets. `since_s` is the time, in seconds since 1970, at which the relay began to accept lines.
    #[must_use]
    pub fn new(rules: Arc<[Rule]>, since_s: u64) -> Self {
        let states = rules.iter().map(RuleState::new).collect();
        Self { rules, states, since_s }
    }

    /// Sets the time at which the relay began to accept lines: buckets that began before it are incomplete.
    pub const fn begin(&mut self, since_s: u64) {
        self.since_s = since_s;
    }

    /// Adds a datapoint to the output series named `output`.
    pub fn add(&mut self, rule: AggregatorIndex, output: &[u8], value: f64, seconds: u32, now_s: u64) {
        let series = Named { output, hash: hash_of(output) };
        self.add_named(rule, series, &mut Hint::default(), Sample { value, seconds }, now_s);
    }

    /// Like [`Self::add`], with a hint where the series may be; updates the hint.
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

    /// Fast path: adds to an open bucket of the series that `hint` points at. Returns false, and adds nothing,
    /// if the hint is stale or no such bucket is open.
    #[inline]
    fn add_known(&mut self, rule: AggregatorIndex, hint: Hint, sample: Sample, now_s: u64) -> bool {
        self.states[rule.get()].add_known(&self.rules[rule.get()], hint, sample, now_s)
    }

    /// Counts a datapoint that is dropped because its output's name cannot be sent.
    pub fn refuse_name(&mut self, rule: AggregatorIndex) {
        let counts = &mut self.states[rule.get()].counts;
        counts.taken += 1;
        counts.bad_name += 1;
    }

    /// When the next bucket is due, in seconds since 1970; `None` if none is open.
    #[must_use]
    pub fn next_due(&self) -> Option<u64> {
        let rules = self.states.iter().zip(&*self.rules);
        rules.filter_map(|(state, rule)| state.next_due(rule)).min()
    }

    /// The tick of all rules at `now_s`: emits everything that is due, rule by rule, in the order of time and,
    /// for equal times, of names.
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

    /// The start of a rule's earliest bucket that is due at `now_s`.
    #[must_use]
    pub fn first_due(&self, rule: AggregatorIndex, now_s: u64) -> Option<u32> {
        self.states[rule.get()].first_due(&self.rules[rule.get()], now_s)
    }

    /// Emits up to `budget` series of the rule's bucket that starts at `start` and is due. Returns whether the
    /// whole bucket is emitted.
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

    /// Forgets buckets that were kept for corrections long enough. Must be called when nothing of the rule is
    /// due any more.
    pub fn conclude(&mut self, rule: AggregatorIndex, now_s: u64) {
        self.states[rule.get()].conclude(&self.rules[rule.get()], now_s);
    }

    fn set_emitted_until(&mut self, rule: usize, until: u32) {
        self.states[rule].set_emitted_until(until);
    }

    /// Called when the clock has gone back. Returns by how many seconds it was too far ahead, if it was.
    fn go_back(&mut self, now_s: u64) -> Option<u64> {
        let rules = self.states.iter_mut().zip(&*self.rules);
        rules.filter_map(|(state, rule)| state.go_back(rule, now_s)).max()
    }

    /// Opens a saved bucket again. Returns whether it is open now.
    fn restore(&mut self, rule: usize, saved: &snapshot::Saved<'_>, hash: u64) -> bool {
        snapshot::restore(&mut self.states[rule], &self.rules[rule], saved, hash)
    }

    /// The counts of each rule.
    #[must_use]
    pub fn counts(&self) -> Vec<AggregatorCounts> {
        self.states.iter().map(RuleState::counts).collect()
    }
}

/// The hash by which series are found. Its seeds are random, so that a sender cannot make names that collide.
/// No output depends on it.
#[inline]
fn hash_of(name: &[u8]) -> u64 {
    // Both seeds are secret: a sender who knew a factor could make it zero.
    static SEEDS: LazyLock<[u64; 2]> = LazyLock::new(|| [0, 1].map(|one| RandomState::new().hash_one(one)));
    const FACTOR: u64 = 0xA076_1D64_78BD_642F;
    let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let [seed, secret] = *SEEDS;
    let mut state = seed ^ (name.len() as u64).wrapping_mul(FACTOR);
    // The last pair ends at the end of the name and may overlap the pair before it.
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

/// Multiplies to twice the width and folds the halves, so that every bit of the result depends on every bit of
/// both factors.
#[inline]
fn fold(one: u64, other: u64) -> u64 {
    let product = u128::from(one) * u128::from(other);
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    let folded = (product as u64) ^ ((product >> 64) as u64);
    folded
}
