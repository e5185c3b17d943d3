//! Describes which strategy was chosen for each matcher and why, for the command line and for comments in generated code.
//!
//! This module only describes a [`Strategy`]; `strategy` makes every choice.

use super::strategy::{
    Called, Guard, MatchStrategy, PrefixStrategy, RegexForm, Rule, RuleForm, Strategy, SubstringStrategy,
    TestKind,
};

/// The descriptions of the choices for one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explained {
    /// About the table as a whole, one sentence each.
    pub table: Vec<String>,
    /// About each blocklist entry, in the order of the table.
    pub blocklist: Vec<String>,
    /// About each aggregator, in the order of the table.
    pub aggregators: Vec<String>,
    /// About each route, in the order of the table.
    pub routes: Vec<String>,
    /// Each distinct regex: its pattern, and how it is run.
    pub regexes: Vec<(String, String)>,
}

/// Describes a strategy.
#[must_use]
pub fn explain(strategy: &Strategy) -> Explained {
    let called = strategy.called.iter().copied().map(Some).chain(std::iter::repeat(None));
    let mut sentences =
        strategy.rules.iter().zip(called).map(|(rule, called)| explain_rule(rule, called, strategy));
    let blocklist = sentences.by_ref().take(strategy.first_aggregator).collect();
    let aggregators = sentences.by_ref().take(strategy.first_route - strategy.first_aggregator).collect();
    let routes = sentences.zip(&strategy.stops).map(|(sentence, stops)| {
        if *stops { format!("{sentence}; later routes do not get what it matches") } else { sentence }
    });
    let routes = routes.collect();
    let regexes = strategy.regexes.iter().map(|regex| {
        let form = match &regex.form {
            RegexForm::Automaton(bytes) => {
                format!("an automaton of {} bytes, built into the relay", bytes.len())
            }
            RegexForm::AtStart => {
                "an engine that the relay makes at its start, because the automaton would be too large"
                    .to_owned()
            }
        };
        let first = match &regex.literal {
            Some(literal) => format!(", run only on names that contain `{literal}`"),
            None => String::new(),
        };
        (regex.pattern.clone(), form + &first)
    });
    Explained { table: explain_table(strategy), blocklist, aggregators, routes, regexes: regexes.collect() }
}

fn explain_table(strategy: &Strategy) -> Vec<String> {
    let count = |wanted: fn(&Guard) -> bool| strategy.rules.iter().filter(|rule| wanted(&rule.guard)).count();
    let prefixed = count(|guard| matches!(guard, Guard::Prefixes(_)));
    let holding = count(|guard| matches!(guard, Guard::Substrings(_)));
    let free = count(|guard| matches!(guard, Guard::None));
    let mut table = Vec::new();
    match strategy.prefixes {
        _ if prefixed == 0 => {}
        PrefixStrategy::Compare => {}
        PrefixStrategy::Hash => table.push(format!(
            "{prefixed} rules are guarded by prefixes, all found by one pass that hashes the name's beginnings"
        )),
        PrefixStrategy::Trie => table.push(format!(
            "{prefixed} rules are guarded by prefixes of many lengths, all found by one walk through a trie"
        )),
    }
    match strategy.substrings {
        _ if holding == 0 => {}
        SubstringStrategy::Search => {}
        SubstringStrategy::Skip => table.push(format!(
            "{holding} rules are guarded by substrings, all found by one search that skips bytes"
        )),
        SubstringStrategy::Automaton => {
            table.push(format!(
                "{holding} rules are guarded by substrings, all found by one Aho-Corasick automaton"
            ));
        }
    }
    if free > 0 {
        table.push(match free {
            1 => "1 rule is tested for every name".to_owned(),
            _ => format!("{free} rules are tested for every name"),
        });
    }
    if let Some(Called { of, .. }) = strategy.called.first() {
        table.push(format!(
            "guards and the order of conditions are chosen for a corpus, by {of} of its names"
        ));
    }
    if strategy.form == RuleForm::Rows {
        table.push(format!("{} rules are rows of data, not code", strategy.rules.len()));
    }
    table
}

fn explain_rule(rule: &Rule, called: Option<Called>, strategy: &Strategy) -> String {
    let name = match rule.matching {
        MatchStrategy::Always => "always: there is no condition",
        MatchStrategy::Exact => "exact: one comparison decides",
        MatchStrategy::Prefix => "prefix: a literal at the start decides",
        MatchStrategy::Suffix => "suffix: a literal at the end decides",
        MatchStrategy::Substring => "substring: a literal anywhere decides",
        MatchStrategy::Literals => "literals: no regex is needed",
        MatchStrategy::GuardedRegex => "guarded regex: most names lack a literal that it requires",
        MatchStrategy::Regex => "regex: it requires no literal",
    };
    let list = |texts: &[String]| match texts {
        [one] => format!("`{one}`"),
        [first, rest @ ..] => format!("`{first}` or {} others", rest.len()),
        [] => String::new(),
    };
    let guard = match &rule.guard {
        Guard::None => String::new(),
        Guard::Prefixes(texts) => format!("; guarded by the prefix {}", list(texts)),
        Guard::Substrings(texts) => format!("; guarded by the substring {}", list(texts)),
    };
    let mut late = rule.tests.iter().filter_map(|test| match test.kind {
        TestKind::Regex(at) | TestKind::Confirm(at) => Some(&strategy.regexes[at]),
        _ => None,
    });
    let engine = if late.any(|regex| matches!(regex.form, RegexForm::AtStart)) {
        "; one of its regexes is too large for an automaton"
    } else {
        ""
    };
    let share = match called {
        Some(Called { names, of }) if rule.guard != Guard::None => {
            format!(", which {names} of {of} names of the corpus contain")
        }
        _ => String::new(),
    };
    format!("{name}{guard}{share}{engine}")
}
