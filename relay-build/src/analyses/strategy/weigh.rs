//! Choices that depend on a corpus: the order of a rule's tests, and its guard.
//!
//! Costs are instructions, roughly as callgrind counts them for names of fifty bytes. Only their order
//! matters: the cheapest choice by these costs wins, and the choice without a corpus is always one of the
//! candidates.

use super::{
    Guard, Reader, Test, TestKind,
    choose::{COMPARED_MAX, SEARCHED_MAX, WINDOW_MIN, can_skip},
    guards,
    traffic::{Question, Traffic},
};

/// Testing a candidate rule.
const CALL: f64 = 40.0;
/// Looking up the prefixes of a name.
const PREFIX_LOOK: f64 = 120.0;
/// Searching the name for substrings, by skipping or with an automaton.
const SKIP_LOOK: f64 = 250.0;
const AUTOMATON_LOOK: f64 = 500.0;

const COMPARE: f64 = 6.0;
const SEARCH: f64 = 90.0;
const AUTOMATON: f64 = 500.0;

/// A table's regexes and the counts of its names.
pub(super) struct Weigher<'a> {
    pub(super) traffic: &'a Traffic,
    pub(super) reader: &'a Reader,
}

impl Weigher<'_> {
    /// Sorts tests of which all must hold, so that cheap tests that few names pass come first.
    pub(super) fn order(&self, tests: &mut [Test]) {
        tests.sort_by(|one, other| self.rank(one).total_cmp(&self.rank(other)));
    }

    /// The cost of a rule that runs these tests in this order on every name.
    fn asked(&self, tests: &[Test]) -> f64 {
        let mut reached = 1.0;
        let mut cost = 0.0;
        for test in tests {
            cost += reached * self.cost(&test.kind);
            reached *= self.pass(test);
        }
        cost
    }

    fn rank(&self, test: &Test) -> f64 {
        self.cost(&test.kind) / (1.0 - self.pass(test)).max(1e-6)
    }

    /// The share of names that pass.
    fn pass(&self, test: &Test) -> f64 {
        let yes = Question::of(&test.kind, self.reader).map_or(1.0, |question| self.traffic.share(&question));
        if test.negated { 1.0 - yes } else { yes }
    }

    fn cost(&self, kind: &TestKind) -> f64 {
        match kind {
            TestKind::Always => 0.0,
            TestKind::Exact(_) | TestKind::Prefix(_) | TestKind::Suffix(_) | TestKind::Found(_) => COMPARE,
            TestKind::Contains(_) => SEARCH,
            TestKind::Confirm(_) => AUTOMATON,
            TestKind::Regex(at) => match &self.reader.regexes[*at].literal {
                Some(text) => SEARCH + AUTOMATON * self.traffic.share(&Question::Contains(text.clone())),
                None => AUTOMATON,
            },
        }
    }

    /// The share of names that contain this guard.
    pub(super) fn called(&self, guard: &Guard) -> f64 {
        let shares = guard.literals().map(|literal| self.traffic.share(&Question::of_literal(literal)));
        if *guard == Guard::None { 1.0 } else { shares.sum::<f64>().min(1.0) }
    }

    /// Chooses the guard of each rule. The candidates are the guards chosen without a corpus, the best guard
    /// of each rule, the best ones whose substrings allow skipping, and the best ones without substrings; the
    /// cheapest set wins. Sets are compared as a whole, because the first rule that needs the search for
    /// substrings pays for all.
    pub(super) fn guards(&self, asked: &[Vec<Test>], plain: Vec<Guard>) -> Vec<Guard> {
        let best = |allowed: fn(&Guard) -> bool| -> Vec<Guard> {
            let best = |tests: &Vec<Test>| {
                let mut options = guards::options(tests, &self.reader.regexes);
                options.retain(allowed);
                options.push(Guard::None);
                let cost = |one: &Guard| self.rule(one, tests);
                options.into_iter().min_by(|one, other| cost(one).total_cmp(&cost(other)))
            };
            asked.iter().map(|tests| best(tests).unwrap_or(Guard::None)).collect()
        };
        let is_early = |guard: &Guard| matches!(guard, Guard::Prefixes(_));
        let is_long =
            |guard: &Guard| guard.literals().all(|(at_start, text)| at_start || text.len() >= WINDOW_MIN);
        let choices = [plain, best(|_| true), best(is_long), best(is_early)];
        let cost = |guards: &Vec<Guard>| self.table(guards, asked);
        choices.into_iter().min_by(|one, other| cost(one).total_cmp(&cost(other))).unwrap_or_default()
    }

    fn rule(&self, guard: &Guard, tests: &[Test]) -> f64 {
        let left: Vec<_> = tests.iter().filter(|test| !guard.answers(test)).cloned().collect();
        match guard {
            Guard::None => self.asked(tests),
            _ => self.called(guard) * (CALL + self.asked(&left)),
        }
    }

    fn table(&self, guards: &[Guard], asked: &[Vec<Test>]) -> f64 {
        let count = |wanted: fn(&Guard) -> bool| guards.iter().filter(|guard| wanted(guard)).count();
        let compared = count(|guard| matches!(guard, Guard::Prefixes(_))) <= COMPARED_MAX;
        let searched = count(|guard| matches!(guard, Guard::Substrings(_))) <= SEARCHED_MAX;
        let mut cost = if compared { 0.0 } else { PREFIX_LOOK };
        if !searched {
            cost += if can_skip(guards, WINDOW_MIN) { SKIP_LOOK } else { AUTOMATON_LOOK };
        }
        for (guard, tests) in guards.iter().zip(asked) {
            let in_turn = match guard {
                Guard::None => true,
                Guard::Prefixes(_) => compared,
                Guard::Substrings(_) => searched,
            };
            cost += if in_turn { self.asked(tests) } else { self.rule(guard, tests) };
        }
        cost
    }

    /// The literal that the fewest names contain.
    pub(super) fn rarest(&self, candidates: &[String]) -> Option<String> {
        let share = |text: &String| self.traffic.share(&Question::Contains(text.clone()));
        let rarest = candidates.iter().min_by(|one, other| {
            share(one).total_cmp(&share(other)).then_with(|| other.len().cmp(&one.len()))
        });
        rarest.cloned()
    }
}
