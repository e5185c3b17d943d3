//! carbon-c-relay's `aggregate` in our form: each recorded rule is written as `[[aggregation]]`s with several functions, and
//! takes the names that it took, with the outputs that it had.
//!
//! There an output replaces what the pattern matched; what stands behind it is kept. Here an output is the whole name, so
//! the rest is a group of its own.

use relay_runtime::{
    aggregate::OutputName,
    matcher::Matcher,
    table::{self, Aggregator, Function},
};
use std::collections::BTreeSet;

mod vectors;
use vectors::cases;

const CASES: &str = include_str!("vectors/ccr_rules.jsonl");

/// Rules of one `aggregate`: one for each of its patterns and functions.
struct Aggregate {
    rules: Vec<(Matcher, OutputName)>,
    drops_raw: bool,
}

/// What a run printed of one `aggregate`.
#[derive(Default)]
struct Block<'a> {
    name: &'a str,
    outputs: BTreeSet<String>,
    stops: bool,
}

#[test]
fn rules_take_and_name_as_in_carbon_c_relay() {
    let (mut taken, mut not_taken) = (0, 0);
    for case in cases(CASES).filter(|case| case["kind"] == "ccr_rules") {
        let written: Vec<_> =
            statements(case["config"].as_str().unwrap()).map(|words| aggregate(&words)).collect();
        let Some(first) = written.first() else { continue };
        assert_eq!(written.len(), 1, "{}", case["id"]);
        for expect in case["expect"].as_array().unwrap() {
            let printed = expect[1].as_str().unwrap();
            if let Some(name) = printed.strip_prefix("nothing matched ") {
                assert_eq!(outputs(first, name.trim_end()), BTreeSet::new(), "{name} of {}", case["id"]);
                not_taken += 1;
            }
            for block in blocks(printed) {
                assert_eq!(outputs(first, block.name), block.outputs, "{} of {}", block.name, case["id"]);
                assert_eq!(first.drops_raw, block.stops, "{}", case["id"]);
                taken += 1;
            }
        }
    }
    assert!(taken >= 8 && not_taken > 30, "{taken} and {not_taken}");
}

fn outputs(aggregate: &Aggregate, name: &str) -> BTreeSet<String> {
    let taking = aggregate.rules.iter().filter(|(matcher, _)| matcher.matches(name.as_bytes()));
    taking.map(|(_, output)| String::from_utf8(output.of(name.as_bytes()).unwrap()).unwrap()).collect()
}

/// The words of each `aggregate … ;`.
fn statements(config: &str) -> impl Iterator<Item = Vec<&str>> {
    let statements = config.split(';').map(|statement| statement.split_whitespace().collect::<Vec<_>>());
    statements.filter(|words| words.first() == Some(&"aggregate"))
}

fn aggregate(words: &[&str]) -> Aggregate {
    let every = words.iter().position(|word| *word == "every").unwrap();
    let computes: Vec<_> = words.windows(5).filter(|words| words[0] == "compute").collect();
    let rule = |pattern: &str, compute: &[&str]| {
        let rest = if pattern.ends_with('$') { "" } else { "(?P<rest>.*)$" };
        assert!(pattern.starts_with('^'), "{pattern}");
        let matcher = table::Matcher { regex: Some(format!("{pattern}{rest}")), ..table::Matcher::default() };
        let mut format = groups(compute[4]);
        if !rest.is_empty() {
            format.push_str("${rest}");
        }
        let written = Aggregator {
            interval: words[every + 1].parse().unwrap(),
            ..Aggregator::new(function(compute[1]), matcher, format)
        };
        (Matcher::new(&written.matcher).unwrap(), OutputName::new(&written).unwrap())
    };
    let patterns = &words[1..every];
    let rules =
        patterns.iter().flat_map(|pattern| computes.iter().map(move |compute| rule(pattern, compute)));
    Aggregate { rules: rules.collect(), drops_raw: words.last() == Some(&"stop") }
}

fn function(name: &str) -> Function {
    let name = match name {
        "average" => "avg".to_owned(),
        "stddev" => "stdev".to_owned(),
        name => name.replace("percentile", "p"),
    };
    Function::named(&name).unwrap()
}

/// `\1` as `${1}`.
fn groups(output: &str) -> String {
    let mut parts = output.split('\\');
    let mut format = parts.next().unwrap().to_owned();
    for part in parts {
        let (group, rest) = part.split_at(1);
        format.extend(["${", group, "}", rest]);
    }
    format
}

/// The parts of what was printed that are of an aggregation.
fn blocks(printed: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::<Block<'_>>::new();
    let mut is_open = false;
    for line in printed.lines() {
        if !line.starts_with(' ') {
            is_open = line == "aggregation";
            if is_open {
                blocks.push(Block::default());
            }
            continue;
        }
        let Some(block) = blocks.last_mut().filter(|_| is_open) else { continue };
        if let Some((_, to)) = line.split_once("-> ") {
            let to = to.split(' ').next().unwrap();
            // The first one is the name that was taken.
            if block.name.is_empty() {
                block.name = to;
            } else {
                block.outputs.insert(to.to_owned());
            }
        }
        block.stops |= line.trim() == "stop";
    }
    blocks
}
