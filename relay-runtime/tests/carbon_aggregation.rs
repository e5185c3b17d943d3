//! Python carbon's aggregation rules in our form: each recorded rule is written as an `[[aggregation]]`, and matches what it
//! matched, with the output that it had; each recorded run ends with the values that carbon ended with.
//!
//! Carbon puts out a bucket at every tick after something was added: `lateness = "reemit"`, so the last value of a bucket is
//! compared. Its ticks start with the first datapoint, ours are aligned to the clock, and it forgets a bucket after
//! `MAX_AGGREGATION_INTERVALS`: buckets that got a datapoint later than that start anew there, and are left out here. Two of
//! its rules that write one series share a buffer, in which a datapoint that both take counts twice, with the function of
//! whichever came first; here each rule has buckets of its own and `check` warns of the pair (R0507), so they are left out too.

use relay_runtime::{
    aggregate::{self, Aggregates, OutputName},
    matcher::Matcher,
    table::{self, Aggregator, AggregatorIndex, AggregatorOptions, Function, Lateness, PercentileMethod},
};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};

mod vectors;
use vectors::cases;

const CASES: &str = include_str!("vectors/carbon_rules.jsonl");

#[test]
fn rules_match_and_name_as_in_carbon() {
    let mut checked = 0;
    for case in cases(CASES).filter(|case| case["kind"] == "aggregation_match") {
        if !case["error"].is_null() || case["python_regex_only"] == true {
            continue;
        }
        // Python's `%`, `<<name>>` in an output and groups that do not exist end in an error there, for each metric.
        let is_sound = |expect: &Value| {
            expect[1].as_array().is_some_and(|taken| taken.iter().all(|one| one[1].is_string()))
        };
        let written: Vec<_> = case["rules"].as_array().unwrap().iter().map(recorded).collect();
        let ready: Vec<_> = written
            .iter()
            .map(|rule| (Matcher::new(&rule.matcher).unwrap(), OutputName::new(rule).unwrap()))
            .collect();
        if case["config"].as_str().unwrap().contains(['%']) || has_unknown_group(&case["rules"]) {
            continue;
        }
        for expect in case["expect"].as_array().unwrap().iter().filter(|expect| is_sound(expect)) {
            let name = expect[0].as_str().unwrap();
            let got: Vec<Value> = ready
                .iter()
                .enumerate()
                .filter(|(_, (matcher, _))| matcher.matches(name.as_bytes()))
                .filter_map(|(at, (_, named))| {
                    let output = String::from_utf8(named.of(name.as_bytes())?).unwrap();
                    Some(serde_json::json!([at, output]))
                })
                .collect();
            assert_eq!(Value::from(got), expect[1], "{name} of {}", case["config"]);
            checked += 1;
        }
    }
    assert!(checked > 300, "{checked}");
}

#[test]
fn buckets_end_with_the_values_of_carbon() {
    let (mut checked, mut left_out) = (0, 0);
    for case in cases(CASES).filter(|case| case["kind"] == "aggregation_run") {
        let Some(written) = rules(case["config"].as_str().unwrap()) else { continue };
        let kept = case["settings"]["MAX_AGGREGATION_INTERVALS"].as_u64().unwrap();
        let ready = aggregate::ready(&written);
        let named: Vec<_> = written.iter().map(|rule| OutputName::new(rule).unwrap()).collect();
        let matchers: Vec<_> = written.iter().map(|rule| Matcher::new(&rule.matcher).unwrap()).collect();
        let mut aggregates = Aggregates::new(std::sync::Arc::clone(&ready), 0);
        let mut last: BTreeMap<(String, u64), f64> = BTreeMap::new();
        let mut anew: HashMap<(String, u64), bool> = HashMap::new();
        let mut writers: HashMap<String, HashSet<usize>> = HashMap::new();
        let mut tick = |aggregates: &mut Aggregates, now| {
            aggregates.tick(now, |_, line| {
                let [name, value, time] = line.fields.map(|field| String::from_utf8(field.to_vec()).unwrap());
                last.insert((name, time.parse().unwrap()), value.parse().unwrap());
            });
        };
        for point in case["input"].as_array().unwrap() {
            let (now, name) = (seconds(&point[0]), point[1].as_str().unwrap());
            tick(&mut aggregates, now);
            for (at, matcher) in matchers.iter().enumerate() {
                if !matcher.matches(name.as_bytes()) {
                    continue;
                }
                let output = named[at].of(name.as_bytes()).unwrap();
                let time = u32::try_from(seconds(&point[3])).unwrap();
                aggregates.add(AggregatorIndex::new(at), &output, point[2].as_f64().unwrap(), time, now);
                let interval = u64::from(written[at].interval);
                let bucket = u64::from(time) / interval * interval;
                let key = (String::from_utf8(output).unwrap(), bucket);
                writers.entry(key.0.clone()).or_default().insert(at);
                *anew.entry(key).or_default() |= now + 2 * interval > bucket + interval * kept;
            }
        }
        for now in seconds(&case["end"])..seconds(&case["end"]) + 200 {
            tick(&mut aggregates, now);
        }
        let mut want: BTreeMap<(String, u64), f64> = BTreeMap::new();
        for one in case["aggregated"].as_array().unwrap() {
            want.insert((one[1].as_str().unwrap().to_owned(), seconds(&one[2])), one[3].as_f64().unwrap());
        }
        for (key, want) in want {
            if anew.get(&key).is_none_or(|is_anew| *is_anew) || writers[&key.0].len() > 1 {
                left_out += 1;
                continue;
            }
            let got = last.get(&key).unwrap_or_else(|| panic!("{key:?} of {}", case["id"]));
            assert!((got - want).abs() <= want.abs() * 1e-12, "{key:?}: {got} {want} of {}", case["id"]);
            checked += 1;
        }
    }
    assert!(checked > 150, "{checked}, and {left_out} left out");
}

fn seconds(value: &Value) -> u64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time of our days")]
    let seconds = value.as_f64().unwrap() as u64;
    seconds
}

/// `output (frequency) = method input` lines as our rules.
fn rules(config: &str) -> Option<Vec<Aggregator>> {
    let lines = config.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(rule).collect()
}

fn recorded(rule: &Value) -> Aggregator {
    let regex = format!("^{}", rule["regex"].as_str().unwrap());
    let matcher = table::Matcher { regex: Some(regex), ..table::Matcher::default() };
    Aggregator::new(Function::Sum, matcher, format(rule["output"].as_str().unwrap()))
}

fn has_unknown_group(rules: &Value) -> bool {
    rules.as_array().unwrap().iter().any(|rule| {
        let regex = rule["regex"].as_str().unwrap();
        let output = rule["output"].as_str().unwrap().replace("<<", "<");
        output.split('<').skip(1).any(|part| {
            let name = part.split('>').next().unwrap();
            !regex.contains(&format!("(?P<{name}>"))
        })
    })
}

fn rule(line: &str) -> Option<Aggregator> {
    let (output, rest) = line.split_once('=')?;
    let (output, frequency) = output.trim().split_once(' ')?;
    let frequency: u32 = frequency.trim().trim_matches(['(', ')']).parse().ok()?;
    let (method, input) = rest.trim().split_once(' ')?;
    let function = if method == "p999" { Some(Function::named("p99.9")?) } else { Function::named(method) }?;
    let matcher = table::Matcher { regex: Some(regex(input.trim())), ..table::Matcher::default() };
    let options = AggregatorOptions {
        lateness: Lateness::Reemit { keep_s: 3_600 },
        percentile_method: PercentileMethod::Linear,
        ..AggregatorOptions::default()
    };
    Some(Aggregator {
        interval: frequency,
        wait: 1,
        options,
        ..Aggregator::new(function, matcher, format(output.trim()))
    })
}

/// Carbon's pattern: `*` is within a node, `<name>` too, `<<name>>` goes across nodes.
fn regex(input: &str) -> String {
    let mut regex = String::from("^");
    let mut rest = input;
    while let Some(char) = rest.chars().next() {
        if let Some((name, after)) = rest.strip_prefix("<<").and_then(|rest| rest.split_once(">>")) {
            regex.extend(["(?P<", name, ">.+?)"]);
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
            regex.extend(["(?P<", name, ">[^.]+?)"]);
            rest = after;
        } else {
            match char {
                // A whole node has something in it.
                '*' if regex.ends_with(['^', '.'])
                    && rest[1..].chars().next().is_none_or(|next| next == '.') =>
                {
                    regex += "[^.]+";
                }
                '*' => regex += "[^.]*",
                '.' => regex += "\\.",
                char => regex.push(char),
            }
            rest = &rest[char.len_utf8()..];
        }
    }
    regex + "$"
}

fn format(output: &str) -> String {
    output.replace("<<", "<").replace(">>", ">").replace('<', "${").replace('>', "}")
}
