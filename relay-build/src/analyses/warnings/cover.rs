//! Whether earlier rules take every name that later ones could.
//!
//! A question to [`Languages`] about ten thousand rules would be hopeless, and nearly all of them have no part in the
//! answer. So a name is found first that the later rule takes; the first earlier rule that takes this name as well
//! joins the few that matter, and the next name is one that all of these leave. It ends with a name that nobody takes or
//! with few rules that leave none. For most rules the first name does, and that is written in the rule.

use super::rule_set::{RuleSet, only};
use crate::analyses::language::{Answer, Languages, Names};
use relay_runtime::table::{Condition, Matcher};

/// What earlier rules leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    /// At least this name.
    Leaves(String),
    /// Nothing: these, by number and none of them in vain, take all.
    TakenBy(Vec<usize>),
    /// There was nothing to take.
    Nothing,
    /// Finding out would take too long.
    Unknown,
}

/// How many rules together may take everything; with more, nothing is said.
const RULES_MAX: usize = 8;

/// What the rules before number `limit` leave of the names that all of `all` match.
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

/// A name that all of these match, where their literals give one without a search.
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

/// Whether a matcher is known to match without a look at a regex.
fn literals_match(matcher: &Matcher, name: &str) -> bool {
    matcher.conditions().all(|(condition, text)| match condition {
        Condition::Prefix => name.starts_with(text),
        Condition::NotPrefix => !name.starts_with(text),
        Condition::Sub => name.contains(text),
        Condition::NotSub => !name.contains(text),
        Condition::Regex | Condition::NotRegex => false,
    })
}

/// Whether it is plain from literals that what matches all of `all` matches this rule.
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
