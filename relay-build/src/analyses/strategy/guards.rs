//! Chooses the guard of each rule: literals of which a name must contain one before the rule is tested.
//!
//! Any set of literals can be a guard if every name that the rule matches contains one of them. A prefix is
//! best, because it is found soonest. But if many rules require the same prefix, each name with it would make
//! all of them candidates; then a literal that distinguishes them is better, wherever it is in the name.

use super::{Guard, StaticRegex, Test, TestKind};
use relay_runtime::matching::LENGTH_MAX;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// Up to this number of rules may share a literal before others are considered: testing one rule in vain
/// costs about as much as searching a dozen bytes for substrings.
const SHARED_MAX: usize = 4;

/// The best guard of each rule.
pub(super) fn choose(asked: &[Vec<Test>], regexes: &[StaticRegex]) -> Vec<Guard> {
    let options: Vec<_> = asked.iter().map(|tests| options(tests, regexes)).collect();
    let mut demanded = BTreeMap::<(bool, &str), usize>::new();
    for options in &options {
        let literals: BTreeSet<_> = options.iter().flat_map(Guard::literals).collect();
        for literal in literals {
            *demanded.entry(literal).or_default() += 1;
        }
    }
    let cost = |option: &&Guard| {
        let shared = option.literals().map(|literal| demanded[&literal]).max().unwrap_or_default();
        let shortest = option.literals().map(|(_, text)| text.len()).min().unwrap_or_default();
        let is_late = matches!(option, Guard::Substrings(_));
        (if shared > SHARED_MAX { shared } else { 0 }, is_late, Reverse(shortest))
    };
    options.iter().map(|options| options.iter().min_by_key(cost).cloned().unwrap_or(Guard::None)).collect()
}

/// Every guard that these tests allow.
pub(super) fn options(tests: &[Test], regexes: &[StaticRegex]) -> Vec<Guard> {
    let mut options = Vec::new();
    for test in tests.iter().filter(|test| !test.negated) {
        match &test.kind {
            TestKind::Exact(text) | TestKind::Prefix(text) => {
                options.push(Guard::Prefixes(vec![beginning(text)]));
            }
            TestKind::Suffix(text) | TestKind::Contains(text) => {
                options.push(Guard::Substrings(vec![text.clone()]));
            }
            TestKind::Regex(regex) => {
                let required = &regexes[*regex].required;
                let prefixes: BTreeSet<_> = required.prefixes.iter().map(|text| beginning(text)).collect();
                options.push(Guard::Prefixes(prefixes.into_iter().collect()));
                options.push(Guard::Substrings(required.any_substring.clone()));
                options.extend(required.substrings.iter().map(|text| Guard::Substrings(vec![text.clone()])));
            }
            _ => {}
        }
    }
    options.retain(|option| option.literals().next().is_some());
    options
}

/// The longest beginning of a literal that can be looked up, cut between characters.
fn beginning(text: &str) -> String {
    text[..text.floor_char_boundary(LENGTH_MAX)].to_owned()
}

impl Guard {
    /// Its literals, each with whether the name must start with it.
    pub(super) fn literals(&self) -> impl Iterator<Item = (bool, &str)> {
        let (at_start, texts) = match self {
            Self::None => (false, [].as_slice()),
            Self::Prefixes(texts) => (true, texts.as_slice()),
            Self::Substrings(texts) => (false, texts.as_slice()),
        };
        texts.iter().map(move |text| (at_start, text.as_str()))
    }

    /// Whether the result of a test follows from this guard.
    pub(super) fn answers(&self, test: &Test) -> bool {
        match (self, &test.kind) {
            _ if test.negated => false,
            (Self::Prefixes(texts), TestKind::Prefix(text))
            | (Self::Substrings(texts), TestKind::Contains(text)) => texts == std::slice::from_ref(text),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Force, Guard, PrefixStrategy, Strategy, SubstringStrategy};
    use relay_runtime::{
        plan::Plan,
        table::{Matcher, Route, RouteKind, Table},
    };

    #[track_caller]
    fn check(regexes: &[&str], want: &[Guard]) {
        let route = |regex: &&str| {
            let matcher = Matcher { regex: Some((*regex).to_owned()), ..Matcher::default() };
            Route::new(*regex, matcher, RouteKind::Blackhole)
        };
        let plan = Plan {
            table: Table { routes: regexes.iter().map(route).collect(), ..Table::default() },
            ..Plan::default()
        };
        let asked = Strategy::choose(
            &plan,
            Force {
                substrings: Some(SubstringStrategy::Automaton),
                prefixes: Some(PrefixStrategy::Hash),
                ..Force::default()
            },
            None,
        );
        let guards: Vec<_> = asked.expect("regexes").rules.into_iter().map(|rule| rule.guard).collect();
        assert_eq!(guards, want);
    }

    fn prefix(text: &str) -> Guard {
        Guard::Prefixes(vec![text.to_owned()])
    }

    fn substring(text: &str) -> Guard {
        Guard::Substrings(vec![text.to_owned()])
    }

    #[test]
    fn a_prefix_of_few_rules_is_best() {
        check(&[r"^a\.b[^.]*\.long_literal"], &[prefix("a.b")]);
        check(&[r"^a\.b[^.]*\.c$", r"^a\.b[^.]*\.d$"], &[prefix("a.b"), prefix("a.b")]);
    }

    #[test]
    fn where_many_rules_share_a_prefix_each_waits_for_what_tells_it_apart() {
        let regexes = [
            r"^servers\.[^.]+\.mysql\.[a-z]+\.count$",
            r"^servers\.[^.]+\.nginx\.[a-z]+\.count$",
            r"^servers\.[^.]+\.kafka\.[a-z]+\.count$",
            r"^servers\.[^.]+\.redis\.[a-z]+\.count$",
            r"^servers\.[^.]+\.varnish\.[a-z]+\.count$",
        ];
        let want = [".mysql.", ".nginx.", ".kafka.", ".redis.", ".varnish."].map(substring);
        check(&regexes, &want);
    }
}
