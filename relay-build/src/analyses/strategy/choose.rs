//! Chooses one strategy for a table from the conditions of its rules. The result never changes what a rule
//! matches.

use super::{
    Asked, Guard, MatchStrategy, PrefixStrategy, Reader, Required, Rule, RuleForm, Strategy,
    SubstringStrategy, Test, TestKind, stops,
};
use relay_runtime::{
    matching::{BLOCK_BYTES, LENGTH_MAX},
    table::Table,
};
use std::collections::BTreeSet;

/// Up to this number of rules, comparing prefixes one by one is faster than an index: a comparison that fails
/// costs about a nanosecond.
pub(super) const COMPARED_MAX: usize = 6;

/// Up to this number of rules, searching substrings one by one is faster than the automaton, which loads once
/// per byte.
pub(super) const SEARCHED_MAX: usize = 3;

/// If all substrings have at least this number of bytes, the search that skips bytes is faster than the
/// automaton.
pub(super) const WINDOW_MIN: usize = 5;

/// Up to this number of substrings, few parts of a name can end the beginning of one, so the search skips
/// often.
const SKIPPED_MAX: usize = 2_000;

/// Up to this number of rules, code is worth its compile time.
const CODE_RULES_MAX: usize = 200;

/// From this number of lengths on, hashing each of them costs more than walking a trie, unless dots exclude
/// most of them.
const HASHED_LENGTHS_MAX: usize = 24;

pub(super) fn choose(reader: Reader, asked: Asked, mut guards: Vec<Guard>, table: &Table) -> Strategy {
    let Asked { rules: asked, mut targets, rewriters } = asked;
    let first_aggregator = table.blocklist.len();
    let first_route = first_aggregator + table.aggregators.len();
    let stops = stops::matter(&table.routes, &asked[first_route..]);
    let force = reader.force;
    let prefixes = force.prefixes.unwrap_or_else(|| choose_prefixes(&guards));
    let guarded = guards.iter().filter(|guard| matches!(guard, Guard::Substrings(_))).count();
    let substrings = match force.substrings {
        Some(SubstringStrategy::Skip) if !can_skip(&guards, BLOCK_BYTES) => SubstringStrategy::Automaton,
        Some(forced) => forced,
        None if guarded <= SEARCHED_MAX => SubstringStrategy::Search,
        None if can_skip(&guards, WINDOW_MIN) => SubstringStrategy::Skip,
        None => SubstringStrategy::Automaton,
    };
    let is_guarded: Vec<_> = guards.iter().map(|guard| *guard != Guard::None).collect();
    for guard in &mut guards {
        let asked_in_turn = match guard {
            Guard::None => true,
            Guard::Prefixes(_) => prefixes == PrefixStrategy::Compare,
            Guard::Substrings(_) => substrings == SubstringStrategy::Search,
        };
        if asked_in_turn {
            *guard = Guard::None;
        }
    }
    let mut found = BTreeSet::new();
    for guard in &guards {
        if let Guard::Substrings(texts) = guard {
            found.extend(texts.iter().cloned());
        }
    }
    let form =
        force.form.unwrap_or(if asked.len() <= CODE_RULES_MAX { RuleForm::Code } else { RuleForm::Rows });
    let mut rules = Vec::new();
    for ((mut tests, guard), is_guarded) in asked.into_iter().zip(guards).zip(is_guarded) {
        let matching = matching(&tests, is_guarded);
        relieve(&mut tests, &guard, &reader);
        for test in &mut tests {
            test.use_look(&found);
        }
        rules.push(Rule { guard, tests, matching });
    }
    targets.iter_mut().flatten().flatten().for_each(|test| test.use_look(&found));
    Strategy {
        prefixes,
        substrings,
        form,
        rules,
        first_aggregator,
        first_route,
        targets,
        stops,
        regexes: reader.regexes,
        rewriters,
        called: Vec::new(),
    }
}

fn choose_prefixes(guards: &[Guard]) -> PrefixStrategy {
    let mut literals = Vec::new();
    let mut guarded = 0;
    for guard in guards {
        if let Guard::Prefixes(texts) = guard {
            guarded += 1;
            literals.extend(texts);
        }
    }
    let lengths: BTreeSet<_> =
        literals.iter().filter(|text| !text.ends_with('.')).map(|text| text.len()).collect();
    if guarded <= COMPARED_MAX {
        PrefixStrategy::Compare
    } else if lengths.len() <= HASHED_LENGTHS_MAX {
        PrefixStrategy::Hash
    } else {
        PrefixStrategy::Trie
    }
}

/// Whether all substrings that guard rules have from `window` to `LENGTH_MAX` bytes, and are not too many.
pub(super) fn can_skip(guards: &[Guard], window: usize) -> bool {
    let mut texts = BTreeSet::new();
    for guard in guards {
        if let Guard::Substrings(literals) = guard {
            texts.extend(literals);
        }
    }
    let lengths = window..=LENGTH_MAX;
    texts.len() <= SKIPPED_MAX && texts.iter().all(|text| lengths.contains(&text.len()))
}

fn matching(tests: &[Test], is_guarded: bool) -> MatchStrategy {
    let regexes = tests.iter().filter(|test| matches!(test.kind, TestKind::Regex(_))).count();
    match tests {
        [] => MatchStrategy::Always,
        [Test { kind: TestKind::Exact(_), negated: false }] => MatchStrategy::Exact,
        [Test { kind: TestKind::Prefix(_), negated: false }] => MatchStrategy::Prefix,
        [Test { kind: TestKind::Suffix(_), negated: false }] => MatchStrategy::Suffix,
        [Test { kind: TestKind::Contains(_), negated: false }] => MatchStrategy::Substring,
        _ if regexes == 0 => MatchStrategy::Literals,
        _ if is_guarded => MatchStrategy::GuardedRegex,
        _ => MatchStrategy::Regex,
    }
}

/// Removes the tests whose result follows from the guard.
fn relieve(tests: &mut Vec<Test>, guard: &Guard, reader: &Reader) {
    tests.retain(|test| !guard.answers(test));
    let Guard::Substrings(texts) = guard else { return };
    for test in tests {
        if let TestKind::Regex(regex) = test.kind
            && !test.negated
            && reader.regexes[regex].required.is_met_by(texts)
        {
            test.kind = TestKind::Confirm(regex);
        }
    }
}

impl Required {
    /// Whether finding one of these implies that the name contains the regex's required literal.
    fn is_met_by(&self, texts: &[String]) -> bool {
        self.any_substring == texts || matches!(texts, [text] if self.substrings.contains(text))
    }
}

impl Test {
    /// Uses the result of the scan for substrings that the scan finds anyway.
    fn use_look(&mut self, found: &BTreeSet<String>) {
        if let TestKind::Contains(text) = &self.kind
            && found.contains(text)
        {
            self.kind = TestKind::Found(text.clone());
        }
    }
}
