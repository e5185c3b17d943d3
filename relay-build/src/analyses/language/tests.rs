//! Answers against brute force: every name up to a length over a small alphabet, asked of the runtime's own matchers.

use super::*;
use relay_runtime::{matcher, table::Condition};

const LETTERS: [&str; 4] = ["a", "b", ".", "é"];

const TEXTS: [&str; 5] = ["a", "ab", "b.", "é", "aba"];

const REGEXES: [&str; 20] = [
    "^a",
    "a$",
    "^a.b$",
    "b+",
    "(?i)A",
    r"\ba\b",
    r"\B",
    r"^\B",
    r"\Bé",
    r"é\B$",
    "[^a]",
    "a$b",
    ".*",
    "^$",
    "é|b$",
    "a{2}",
    "^(a|b)*$",
    r"[^\x00-\x{10FFFF}]",
    r"^[^.]*\.[^.]*$",
    "^[ab]{3}",
];

/// Every name of one to four letters.
fn names() -> Vec<String> {
    let mut names = vec![String::new()];
    let mut longest = names.clone();
    for _ in 0..4 {
        longest = longest.iter().flat_map(|name| LETTERS.map(|letter| format!("{name}{letter}"))).collect();
        names.extend(longest.iter().cloned());
    }
    names.remove(0);
    names
}

/// A matcher with its answers to all names.
struct Known {
    rule: Matcher,
    ready: matcher::Matcher,
    hits: Vec<bool>,
}

impl Known {
    fn new(rule: Matcher, names: &[String]) -> Self {
        let ready = matcher::Matcher::new(&rule).expect("a matcher");
        let hits = names.iter().map(|name| ready.matches(name.as_bytes())).collect();
        Self { rule, ready, hits }
    }
}

/// A matcher for each condition with each text, and some with two conditions.
fn matchers(names: &[String]) -> Vec<Known> {
    let mut found = vec![Matcher::default()];
    for condition in Condition::ALL {
        let texts: &[&str] = match condition {
            Condition::Regex | Condition::NotRegex => &REGEXES,
            _ => &TEXTS,
        };
        for text in texts {
            let mut one = Matcher::default();
            one.set(condition, *text);
            found.push(one);
        }
    }
    let both = |left: &Matcher, right: &Matcher| {
        let mut both = left.clone();
        right.conditions().for_each(|(condition, text)| both.set(condition, text));
        both
    };
    let pairs: Vec<_> = (0..30).map(|at| both(&found[at * 7 % 60], &found[at * 13 % 61])).collect();
    found.extend(pairs);
    found.into_iter().map(|one| Known::new(one, names)).collect()
}

#[track_caller]
fn check(names: &[String], languages: &mut Languages, all: &[&Known], none: &[&Known]) {
    let holds = |at: usize| all.iter().all(|one| one.hits[at]) && !none.iter().any(|one| one.hits[at]);
    let mut expected = names.iter().enumerate().filter(|(at, _)| holds(*at)).map(|(_, name)| name.as_str());
    let rules = |of: &[&Known]| of.iter().map(|one| one.rule.clone()).collect::<Vec<_>>();
    let (all_rules, no_rules) = (rules(all), rules(none));
    let (all_rules, no_rules): (Vec<_>, Vec<_>) = (all_rules.iter().collect(), no_rules.iter().collect());
    let answer = languages.find(Names::OfLines, &all_rules, &no_rules);
    let claim = format!("{all_rules:?} without {no_rules:?}: {answer:?}");
    match &answer {
        Answer::Unknown => panic!("{claim}"),
        Answer::Empty => assert_eq!(expected.next(), None, "{claim}"),
        Answer::Witness(name) => {
            let matches = |one: &&Known| one.ready.matches(name.as_bytes());
            assert!(all.iter().all(matches) && !none.iter().any(matches) && !name.is_empty(), "{claim}");
            let shortest = expected.filter(|name| name.is_ascii()).map(str::len).min();
            assert!(shortest.is_none_or(|length| name.len() <= length), "{claim}");
        }
    }
}

#[test]
fn every_pair_of_matchers_is_answered_as_by_brute_force() {
    let names = names();
    let matchers = matchers(&names);
    let mut languages = Languages::new(u64::MAX);
    for left in &matchers {
        check(&names, &mut languages, &[left], &[]);
        for right in &matchers {
            check(&names, &mut languages, &[left], &[right]);
        }
    }
}

#[test]
fn a_matcher_without_several_others_is_answered_as_by_brute_force() {
    let names = names();
    let matchers = matchers(&names);
    let mut languages = Languages::new(u64::MAX);
    let mut seed = 1_u64;
    let mut pick = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        &matchers[usize::try_from(seed >> 33).unwrap_or(0) % matchers.len()]
    };
    for _ in 0..500 {
        let (all, none) = ([pick(), pick()], [pick(), pick(), pick()]);
        check(&names, &mut languages, &all, &none);
    }
}

fn regex(pattern: &str) -> Matcher {
    Matcher { regex: Some(pattern.to_owned()), ..Matcher::default() }
}

#[track_caller]
fn check_witness(all: &[Matcher], none: &[Matcher], want: &str) {
    let answer = Languages::new(FUEL).find(
        Names::OfLines,
        &all.iter().collect::<Vec<_>>(),
        &none.iter().collect::<Vec<_>>(),
    );
    assert_eq!(answer, Answer::Witness(want.to_owned()));
}

#[test]
fn witnesses_are_short_and_read_well() {
    check_witness(&[], &[], "a");
    check_witness(&[regex(r"^servers\.(dc1|dc22)\.[a-z]+$")], &[], "servers.dc1.a");
    check_witness(&[regex(r"^[^.]+\.cpu$")], &[regex("^[a-y]")], "z.cpu");
    check_witness(&[regex(r"\s|abc")], &[], "abc");
    check_witness(&[regex(r"[^\x00-\x7f]")], &[], "é");
    let prefix = Matcher { prefix: Some("ab".to_owned()), ..Matcher::default() };
    let sub = Matcher { sub: Some("bc".to_owned()), ..Matcher::default() };
    check_witness(&[prefix, sub], &[], "abc");
}

#[test]
fn white_space_is_in_no_name_but_between_rewriters() {
    let mut languages = Languages::new(FUEL);
    let spaced = [regex(r"^a\x{3000}b$"), regex(" "), regex(r"\x{85}"), regex("^$")];
    for one in &spaced {
        assert_eq!(languages.find(Names::OfLines, &[one], &[]), Answer::Empty);
        assert!(matches!(languages.find(Names::BetweenRewriters, &[one], &[]), Answer::Witness(_)));
    }
}

#[test]
fn what_would_take_too_long_is_unknown() {
    let far = regex("a.{40}b$");
    assert_eq!(Languages::new(u64::MAX).find(Names::OfLines, &[&far], &[]), Answer::Unknown);
    assert_eq!(Languages::new(0).find(Names::OfLines, &[], &[]), Answer::Unknown);
    let strange = Matcher { sub: Some("\u{fffd}".to_owned()), ..Matcher::default() };
    assert_eq!(Languages::new(FUEL).find(Names::OfLines, &[&strange], &[]), Answer::Unknown);
}
