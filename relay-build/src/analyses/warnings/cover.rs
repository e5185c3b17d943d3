//! Decides whether earlier rules match every name that a later one matches.
//!
//! One question to [`Languages`] about ten thousand rules would take too long, and nearly all of them do not
//! matter to the answer. So the search goes step by step: find a name that the later rule matches; the first
//! earlier rule that also matches it joins the set of rules that matter; find a name that none of this set
//! matches; and so on. It ends with a name that no earlier rule matches, or with a small set of rules that
//! together match all names of the later rule. For most rules the search ends with the first name, which
//! follows directly from the rule.

use super::rule_set::{RuleSet, only};
use crate::analyses::language::{Answer, Languages, Names};
use relay_runtime::table::{Condition, Matcher};

/// Whether earlier rules leave any of the names that a rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// At least this name is left.
    Leaves(String),
    /// No name is left: these rules, by number, take all of them, and each is needed.
    TakenBy(Vec<usize>),
    /// The rule matches no name in the first place.
    Nothing,
    /// Deciding would take too long.
    Unknown,
}

/// If more earlier rules than this are needed to cover a rule, there is no warning.
const RULES_MAX: usize = 8;

/// Decides whether the rules numbered below `limit` leave any of the names that every matcher of `all`
/// matches.
pub(super) fn cover(languages: &mut Languages, all: &[&Matcher], rules: &RuleSet<'_>, limit: usize) -> Cover {
    let mut name =
        match obvious(all).map_or_else(|| languages.find(Names::OfLines, all, &[]), Answer::Witness) {
            Answer::Witness(name) => name,
            Answer::Empty => return Cover::Nothing,
            Answer::Unknown => return Cover::Unknown,
        };
    let mut by: Vec<usize> = Vec::new();
    loop {
        let rule = match rules.first(&name, limit, &mut languages.fuel) {
            Some(Some(rule)) => rule,
            Some(None) => return Cover::Leaves(name),
            None => return Cover::Unknown,
        };
        if implies(all, rules.get(rule)) {
            return Cover::TakenBy(vec![rule]);
        }
        by.push(rule);
        if by.len() > RULES_MAX {
            return Cover::Unknown;
        }
        match find_left(languages, all, rules, &by) {
            Answer::Witness(next) => name = next,
            Answer::Empty => break,
            Answer::Unknown => return Cover::Unknown,
        }
    }
    for at in (0..by.len()).rev() {
        let rule = by.remove(at);
        if by.is_empty() || find_left(languages, all, rules, &by) != Answer::Empty {
            by.insert(at, rule);
        }
    }
    by.sort_unstable();
    Cover::TakenBy(by)
}

fn find_left(languages: &mut Languages, all: &[&Matcher], rules: &RuleSet<'_>, by: &[usize]) -> Answer {
    let none: Vec<_> = by.iter().map(|&rule| rules.get(rule)).collect();
    languages.find(Names::OfLines, all, &none)
}

/// Returns a name that every matcher of `all` matches, if one follows from their literals without a search.
pub(super) fn obvious(all: &[&Matcher]) -> Option<String> {
    let mut name = all
        .iter()
        .filter_map(|one| one.prefix.as_deref())
        .max_by_key(|text| text.len())
        .unwrap_or("")
        .to_owned();
    for sub in all.iter().filter_map(|one| one.sub.as_deref()) {
        if !name.contains(sub) {
            name.push_str(sub);
        }
    }
    if name.is_empty() {
        name.push('a');
    }
    let is_name = !name.contains(|c: char| c.is_whitespace() || c == char::REPLACEMENT_CHARACTER);
    (is_name && all.iter().all(|one| literals_match(one, &name))).then_some(name)
}

/// Whether the matcher matches, as far as its literals alone decide it.
fn literals_match(matcher: &Matcher, name: &str) -> bool {
    matcher.conditions().all(|(condition, text)| match condition {
        Condition::Prefix => name.starts_with(text),
        Condition::NotPrefix => !name.starts_with(text),
        Condition::Sub => name.contains(text),
        Condition::NotSub => !name.contains(text),
        Condition::Regex | Condition::NotRegex => false,
    })
}

/// Whether literals alone show that every name that all of `all` match is matched by this rule.
fn implies(all: &[&Matcher], rule: &Matcher) -> bool {
    if rule.is_empty() {
        return true;
    }
    let has = |holds: &dyn Fn(&str) -> bool, get: fn(&Matcher) -> Option<&String>| {
        all.iter().filter_map(|one| get(one)).any(|text| holds(text))
    };
    match only(rule) {
        Some((Condition::Prefix, text)) => has(&|prefix| prefix.starts_with(text), |one| one.prefix.as_ref()),
        Some((Condition::Sub, text)) => {
            has(&|prefix| prefix.contains(text), |one| one.prefix.as_ref())
                || has(&|sub| sub.contains(text), |one| one.sub.as_ref())
        }
        _ => false,
    }
}
