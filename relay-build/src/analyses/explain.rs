//! What was chosen for each matcher and why, as plain data for the command line and for comments in generated
//! code.
//!
//! Only puts a [`Strategy`] into words; every choice is made in `strategy`.

use super::strategy::{
    Called, Guard, MatchStrategy, PrefixStrategy, RegexForm, Rule, RuleForm, Strategy, SubstringStrategy,
    TestKind,
};

/// The choices for one table, in words.
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
    /// Each distinct regex: its pattern, and what it became.
    pub regexes: Vec<(String, String)>,
}

/// Puts a strategy into words.
#[must_use]
pub fn explain(strategy: &Strategy) -> Explained {
    let called = strategy.called.iter().copied().map(Some).chain(std::iter::repeat(None));
    let mut sentences =
        strategy.rules.iter().zip(called).map(|(rule, called)| explain_rule(rule, called, strategy));
    let blocklist = sentences.by_ref().take(strategy.first_aggregator).collect();
    let aggregators = sentences.by_ref().take(strategy.first_route - strategy.first_aggregator).collect();
    let routes = sentences.zip(&strategy.stops).map(|(sentence, stops)| {
        if *stops { format!("{sentence}; ends the way of what it takes") } else { sentence }
    });
    let routes = routes.collect();
    let regexes = strategy.regexes.iter().map(|regex| {
        let form = match &regex.form {
            RegexForm::Automaton(bytes) => format!("an automaton of {} bytes, built now", bytes.len()),
            RegexForm::AtStart => "an engine at start: its automaton would be too large".to_owned(),
        };
        let first = match &regex.literal {
            Some(literal) => format!(", asked only after a search for `{literal}`"),
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
            "{prefixed} rules wait under prefixes, all found by one pass that hashes the name's beginnings"
        )),
        PrefixStrategy::Trie => table.push(format!(
            "{prefixed} rules wait under prefixes of many lengths, all found by one walk through a trie"
        )),
    }
    match strategy.substrings {
        _ if holding == 0 => {}
        SubstringStrategy::Search => {}
        SubstringStrategy::Skip => table.push(format!(
            "{holding} rules wait under substrings, all found by one window that skips what can begin none"
        )),
        SubstringStrategy::Automaton => {
            table.push(format!(
                "{holding} rules wait under substrings, all found by one Aho-Corasick automaton"
            ));
        }
    }
    if free > 0 {
        table.push(match free {
            1 => "1 rule is asked for every name".to_owned(),
            _ => format!("{free} rules are asked for every name"),
        });
    }
    if let Some(Called { of, .. }) = strategy.called.first() {
        table.push(format!("what rules wait for and ask first is chosen for a corpus, by {of} names of it"));
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
        MatchStrategy::Regex => "regex: no literal is required by it",
    };
    let list = |texts: &[String]| match texts {
        [one] => format!("`{one}`"),
        [first, rest @ ..] => format!("`{first}` or {} others", rest.len()),
        [] => String::new(),
    };
    let guard = match &rule.guard {
        Guard::None => String::new(),
        Guard::Prefixes(texts) => format!("; waits under the prefix {}", list(texts)),
        Guard::Substrings(texts) => format!("; waits under the substring {}", list(texts)),
    };
    let mut late = rule.tests.iter().filter_map(|test| match test.kind {
        TestKind::Regex(at) | TestKind::Confirm(at) => Some(&strategy.regexes[at]),
        _ => None,
    });
    let engine = if late.any(|regex| matches!(regex.form, RegexForm::AtStart)) {
        "; a regex of it is too large to become an automaton now"
    } else {
        ""
    };
    let share = match called {
        Some(Called { names, of }) if rule.guard != Guard::None => {
            format!(", which {names} of {of} names of the corpus have")
        }
        _ => String::new(),
    };
    format!("{name}{guard}{share}{engine}")
}
