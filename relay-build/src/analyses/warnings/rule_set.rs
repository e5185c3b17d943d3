//! Rules in order, arranged so that the first one that matches a name is found without testing all of them.
//!
//! Rules that consist of one literal are looked up in tables; only the others are tested one by one. Every
//! answer costs fuel.

use relay_runtime::{
    matcher,
    table::{Condition, Matcher},
};
use std::{
    cell::OnceCell,
    collections::{BTreeSet, HashMap},
};

/// Matchers in order; the first one that matches counts.
pub(super) struct RuleSet<'t> {
    matchers: Vec<&'t Matcher>,
    /// Rules that consist of one prefix or one substring: each text with the first rule that has it.
    prefixes: Texts<'t>,
    substrings: Texts<'t>,
    others: Vec<Other<'t>>,
}

#[derive(Default)]
struct Texts<'t> {
    first: HashMap<&'t [u8], usize>,
    lengths: BTreeSet<usize>,
}

/// A rule that must be tested; its regex is compiled when it is first needed.
struct Other<'t> {
    rule: usize,
    matcher: &'t Matcher,
    ready: OnceCell<Option<matcher::Matcher>>,
}

/// The fuel that testing one rule costs, and that compiling its regex costs.
const ASK_PRICE: u64 = 5;
const REGEX_PRICE: u64 = 500;

impl<'t> RuleSet<'t> {
    pub(super) fn new(matchers: impl IntoIterator<Item = &'t Matcher>) -> Self {
        let mut set = Self {
            matchers: matchers.into_iter().collect(),
            prefixes: Texts::default(),
            substrings: Texts::default(),
            others: Vec::new(),
        };
        for (rule, &matcher) in set.matchers.iter().enumerate() {
            match only(matcher) {
                Some((Condition::Prefix, text)) => set.prefixes.add(text, rule),
                Some((Condition::Sub, text)) => set.substrings.add(text, rule),
                _ => set.others.push(Other { rule, matcher, ready: OnceCell::new() }),
            }
        }
        set
    }

    pub(super) fn len(&self) -> usize {
        self.matchers.len()
    }

    pub(super) fn get(&self, rule: usize) -> &'t Matcher {
        self.matchers[rule]
    }

    /// Returns the first rule numbered below `limit` that matches; the outer `None` if testing would take too
    /// long.
    #[expect(clippy::option_option, reason = "the outer one is for `?`")]
    pub(super) fn first(&self, name: &str, limit: usize, fuel: &mut u64) -> Option<Option<usize>> {
        let name = name.as_bytes();
        let mut first = limit;
        for &length in self.prefixes.lengths.range(..=name.len()) {
            *fuel = fuel.checked_sub(1)?;
            first = first.min(self.prefixes.get(&name[..length]));
        }
        for &length in self.substrings.lengths.range(..=name.len()) {
            for window in name.windows(length) {
                *fuel = fuel.checked_sub(1)?;
                first = first.min(self.substrings.get(window));
            }
        }
        for other in &self.others {
            if other.rule >= first {
                break;
            }
            *fuel = fuel.checked_sub(ASK_PRICE)?;
            if other.matches(name, fuel)? {
                first = other.rule;
            }
        }
        Some((first < limit).then_some(first))
    }
}

impl<'t> Texts<'t> {
    fn add(&mut self, text: &'t str, rule: usize) {
        self.first.entry(text.as_bytes()).or_insert(rule);
        self.lengths.insert(text.len());
    }

    fn get(&self, text: &[u8]) -> usize {
        self.first.get(text).copied().unwrap_or(usize::MAX)
    }
}

impl Other<'_> {
    fn matches(&self, name: &[u8], fuel: &mut u64) -> Option<bool> {
        if self.ready.get().is_none() && (self.matcher.regex.is_some() || self.matcher.not_regex.is_some()) {
            *fuel = fuel.checked_sub(REGEX_PRICE)?;
        }
        let ready = self.ready.get_or_init(|| matcher::Matcher::new(self.matcher).ok());
        ready.as_ref().map(|matcher| matcher.matches(name))
    }
}

/// The condition of a matcher that has exactly one.
pub(super) fn only(matcher: &Matcher) -> Option<(Condition, &str)> {
    let mut conditions = matcher.conditions();
    conditions.next().filter(|_| conditions.next().is_none())
}
