//! Computes the lists of rules that each literal guards.
//!
//! Each list is in the order of the rules.

use super::{AutomatonTable, HashedTable, SkipTable, TrieTable, WordList};
use crate::analyses::strategy::{Guard, PrefixStrategy, Strategy, SubstringStrategy};
use std::collections::BTreeMap;

/// The parts of a `matching::Index`.
#[derive(Clone, Debug)]
pub(in crate::codegen) struct IndexTable {
    pub prefixes: Option<PrefixTable>,
    pub prefix_rules: WordList,
    pub substrings: Option<SubstringTable>,
    pub substring_rules: WordList,
    pub rules: WordList,
    pub always: WordList,
    /// The number of each substring.
    pub numbers: BTreeMap<String, usize>,
}

/// The parts of a `matching::Prefixes`.
#[derive(Clone, Debug)]
pub(in crate::codegen) enum PrefixTable {
    Hashed(HashedTable),
    Trie(TrieTable),
}

/// The parts of a `matching::Substrings`.
#[derive(Clone, Debug)]
pub(in crate::codegen) enum SubstringTable {
    Automaton(AutomatonTable),
    Skips(SkipTable),
}

type Waiting<'a> = BTreeMap<&'a str, Vec<usize>>;

impl IndexTable {
    /// `None` if no rule is guarded by a literal.
    pub(in crate::codegen) fn new(strategy: &Strategy) -> Option<Self> {
        let (mut prefixes, mut substrings, mut always) =
            (Waiting::new(), Waiting::new(), WordList::default());
        for number in strategy.stages().into_iter().filter(|stage| strategy.waits(stage.clone())).flatten() {
            match &strategy.rules[number].guard {
                Guard::None => always.push(number),
                Guard::Prefixes(texts) => wait(&mut prefixes, texts, number),
                Guard::Substrings(texts) => wait(&mut substrings, texts, number),
            }
        }
        if prefixes.is_empty() && substrings.is_empty() {
            return None;
        }
        let mut rules = WordList::default();
        let prefix_rules = starts(&prefixes, &mut rules);
        let substring_rules = starts(&substrings, &mut rules);
        let literals: Vec<&str> = prefixes.keys().copied().collect();
        let texts: Vec<&str> = substrings.keys().copied().collect();
        let prefixes = (!literals.is_empty()).then(|| match strategy.prefixes {
            PrefixStrategy::Trie => PrefixTable::Trie(TrieTable::new(&literals)),
            PrefixStrategy::Compare | PrefixStrategy::Hash => {
                PrefixTable::Hashed(HashedTable::new(&literals))
            }
        });
        let numbers = texts.iter().enumerate().map(|(number, text)| ((*text).to_owned(), number)).collect();
        let substrings = (!texts.is_empty()).then(|| match strategy.substrings {
            SubstringStrategy::Skip => SubstringTable::Skips(SkipTable::new(&texts)),
            SubstringStrategy::Search | SubstringStrategy::Automaton => {
                SubstringTable::Automaton(AutomatonTable::new(&texts))
            }
        });
        Some(Self { prefixes, prefix_rules, substrings, substring_rules, rules, always, numbers })
    }
}

fn wait<'a>(waiting: &mut Waiting<'a>, texts: &'a [String], rule: usize) {
    for text in texts {
        waiting.entry(text).or_default().push(rule);
    }
}

fn starts(waiting: &Waiting<'_>, rules: &mut WordList) -> WordList {
    let mut starts = WordList::default();
    starts.push(rules.len());
    for numbers in waiting.values() {
        for &number in numbers {
            rules.push(number);
        }
        starts.push(rules.len());
    }
    starts
}
