//! Aggregators against what carbon-relay-ng's own code put out.
//!
//! Differences by name: `notRegex` is honoured (BUG-19), and a rule without a regex takes everything (BUG-20). Values
//! are compared as text, in upstream's six decimals (BUG-39 is about our default, the shortest form).

use relay_runtime::{
    aggregate::{self, Aggregates, OutputName},
    matcher::Matcher,
    regex::Regex,
    table::{self, Aggregator, AggregatorIndex, AggregatorOptions, Function, NumberFormat},
};
use serde_json::Value;
use std::collections::BTreeMap;

mod vectors;
use vectors::cases;

const RULE: AggregatorIndex = AggregatorIndex(0);

#[test]
fn outputs_are_those_of_upstream() {
    let (mut points, mut lines) = (0, 0);
    for case in cases(include_str!("vectors/aggregator.jsonl")) {
        let Some(rule) = rule(&case) else {
            assert_eq!(case["ok"], false, "{case}");
            continue;
        };
        let is_good = Matcher::new(&rule.matcher).is_ok();
        assert_eq!(is_good, case["ok"] == true, "{case}");
        if !is_good {
            continue;
        }
        assert_eq!(rule.key(), case["key"], "{case}");
        // BUG-19: upstream answers as if there were no `notRegex`.
        let upstream = Aggregator {
            matcher: table::Matcher { not_regex: None, ..rule.matcher.clone() },
            ..rule.clone()
        };
        let mut run = Run::new(&upstream, |_| true);
        for event in case["events"].as_array().into_iter().flatten() {
            match run.take(event) {
                Did::Took(dropped) => {
                    points += 1;
                    assert_eq!(dropped, event["dropped"] == true, "{event} of {case}");
                }
                Did::Put(out) => {
                    lines += out.len();
                    assert_eq!(by_time(&out), by_time(&texts(&event["out"])), "{event} of {case}");
                }
            }
        }
    }
    assert!(points > 4_600 && lines > 1_600, "{points} {lines}");
}

/// The wanted answer where upstream has BUG-19: as if what `notRegex` matches had not been sent.
#[test]
fn bug_19_not_regex_is_honoured() {
    let mut cases_with_difference = 0;
    for case in cases(include_str!("vectors/aggregator.jsonl")) {
        let (Some(rule), Some(not)) = (rule(&case), case["notRegex"].as_str()) else { continue };
        let (Ok(not), Ok(_)) = (Regex::new(not), Matcher::new(&rule.matcher)) else { continue };
        let without = Aggregator {
            matcher: table::Matcher { not_regex: None, ..rule.matcher.clone() },
            ..rule.clone()
        };
        let mut with = Run::new(&rule, |_| true);
        let mut want = Run::new(&without, |name| !not.is_match(name.as_bytes()));
        let mut is_different = false;
        for event in case["events"].as_array().into_iter().flatten() {
            let (got, want) = (with.take(event), want.take(event));
            assert_eq!(got, want, "{event} of {case}");
            is_different |= matches!(&got, Did::Put(out) if by_time(out) != by_time(&texts(&event["out"])));
        }
        cases_with_difference += usize::from(is_different);
    }
    assert!(cases_with_difference > 5, "{cases_with_difference}");
}

struct Run<F> {
    matcher: Matcher,
    rule: Aggregator,
    output: OutputName,
    aggregates: Aggregates,
    is_sent: F,
}

#[derive(Debug, PartialEq, Eq)]
enum Did {
    Took(bool),
    Put(Vec<String>),
}

impl<F: Fn(&str) -> bool> Run<F> {
    fn new(rule: &Aggregator, is_sent: F) -> Self {
        let rules = aggregate::ready(std::slice::from_ref(rule));
        Self {
            matcher: Matcher::new(&rule.matcher).unwrap(),
            rule: rule.clone(),
            output: OutputName::new(rule).unwrap(),
            aggregates: Aggregates::new(rules, 0),
            is_sent,
        }
    }

    fn take(&mut self, event: &Value) -> Did {
        let now = event["now"].as_u64().unwrap();
        if event["type"] != "point" {
            let mut out = Vec::new();
            self.aggregates.tick(now, |_, line| {
                let fields = line.fields.map(|field| String::from_utf8(field.to_vec()).unwrap());
                out.push(fields.join(" "));
            });
            let times: Vec<u64> = out.iter().map(|line| time(line)).collect();
            assert!(times.is_sorted(), "{out:?}");
            assert!(self.aggregates.counts()[0].is_balanced());
            return Did::Put(out);
        }
        let name = event["name"].as_str().unwrap();
        if !(self.is_sent)(name) || !self.matcher.matches(name.as_bytes()) {
            return Did::Took(false);
        }
        let value = number(event["val"].as_str().unwrap());
        let seconds = u32::try_from(event["ts"].as_u64().unwrap()).unwrap();
        match self.output.of(name.as_bytes()) {
            Some(output) => self.aggregates.add(RULE, &output, value, seconds, now),
            None => self.aggregates.refuse_name(RULE),
        }
        Did::Took(self.rule.drop_raw)
    }
}

fn rule(case: &Value) -> Option<Aggregator> {
    let number = |key: &str| u32::try_from(case[key].as_u64().unwrap()).unwrap();
    let function = case["fun"].as_str().unwrap();
    // Functions of ours that upstream does not know.
    let function = Function::named(function).filter(|_| !["rate", "p50", "median"].contains(&function))?;
    let options = AggregatorOptions { number_format: NumberFormat::Fixed6, ..AggregatorOptions::default() };
    Some(Aggregator {
        interval: number("interval"),
        wait: number("wait"),
        cache: case["cache"] == true,
        drop_raw: case["dropRaw"] == true,
        options,
        ..Aggregator::new(function, vectors::routing::matcher(case), case["format"].as_str().unwrap())
    })
}

/// As the relay reads a value.
fn number(text: &str) -> f64 {
    relay_runtime::validate::value(text.as_bytes()).unwrap_or_else(|| panic!("{text}"))
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
}

fn time(line: &str) -> u64 {
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Within one timestamp, upstream's order is that of its hash map.
fn by_time(lines: &[String]) -> BTreeMap<u64, Vec<String>> {
    let mut sorted: BTreeMap<u64, Vec<String>> = BTreeMap::new();
    for line in lines {
        sorted.entry(time(line)).or_default().push(line.clone());
    }
    for lines in sorted.values_mut() {
        lines.sort();
    }
    sorted
}

/// A source of numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// The clock stands, runs, leaps and goes back; datapoints are old, new and ahead.
#[test]
fn no_bucket_is_emitted_twice_and_all_is_accounted_for_whatever_the_clock_does() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let interval = [1, 5, 10][usize::try_from(random.below(3)).unwrap()];
        let wait = u32::try_from(random.below(30)).unwrap();
        let keep_s = u32::try_from(random.below(60)).unwrap();
        let lateness =
            if random.below(2) == 0 { table::Lateness::Drop } else { table::Lateness::Reemit { keep_s } };
        let options = AggregatorOptions {
            lateness,
            future_max_s: 100,
            buckets_max: 40,
            series_max: 8,
            values_max: 100,
            ..AggregatorOptions::default()
        };
        let function = if random.below(2) == 0 { Function::Count } else { Function::Median };
        let rule = Aggregator {
            interval,
            wait,
            options,
            ..Aggregator::new(function, table::Matcher::default(), "a")
        };
        let rules = aggregate::ready(std::slice::from_ref(&rule));
        let mut aggregates = Aggregates::new(rules, 0);
        let mut now = 100_000;
        let (mut seen, mut taken, mut emitted) = (BTreeMap::new(), 0, 0);
        for step in 0..2_000 {
            match random.below(100) {
                0 => now -= random.below(300).min(now),
                1 => now += random.below(1_000),
                2..40 => now += random.below(3),
                _ => {}
            }
            let seconds = u32::try_from((now + random.below(150)).saturating_sub(75)).unwrap();
            let name = format!("s{}", random.below(10));
            aggregates.add(RULE, name.as_bytes(), 1.0, seconds, now);
            taken += 1;
            if random.below(5) == 0 {
                let mut last = 0;
                aggregates.tick(now, |_, line| {
                    let [name, value, time] =
                        line.fields.map(|field| String::from_utf8(field.to_vec()).unwrap());
                    let time: u64 = time.parse().unwrap();
                    assert!(time >= last, "seed {seed} step {step}");
                    // A correction is of something emitted before, whatever the clock says now.
                    let is_due = time + u64::from(wait) <= now;
                    assert!(is_due || lateness != table::Lateness::Drop, "seed {seed} step {step}");
                    assert_eq!(time % u64::from(interval), 0);
                    last = time;
                    emitted += 1;
                    let before = seen.insert((name, time), value);
                    assert!(before.is_none() || lateness != table::Lateness::Drop, "seed {seed} step {step}");
                });
            }
        }
        let counts = aggregates.counts()[0];
        assert!(counts.is_balanced(), "{counts:?}");
        assert_eq!((counts.taken, counts.emitted), (taken, emitted), "seed {seed}");
        assert!(counts.open <= 40, "{counts:?}");
    }
}

/// Sums, means and deviations are those of the datapoints, not of the order in which they came.
#[test]
fn arrival_order_makes_no_difference() {
    let functions = [
        Function::Sum,
        Function::Avg,
        Function::Stdev,
        Function::Variance,
        Function::Derive,
        Function::Median,
    ];
    for (seed, function) in (0..60).flat_map(|seed| functions.map(|function| (seed, function))) {
        let mut random = Random(seed);
        let mut points: Vec<(f64, u32)> = (0..200)
            .map(|at| {
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let number = random.below(2_000_000) as f64 - 1e6;
                (number * 10_f64.powi(i32::try_from(random.below(20)).unwrap() - 10), 1_000 + at)
            })
            .collect();
        let rule =
            Aggregator { interval: 1_000, ..Aggregator::new(function, table::Matcher::default(), "a") };
        let mut first = None;
        for _ in 0..5 {
            let rules = aggregate::ready(std::slice::from_ref(&rule));
            let mut aggregates = Aggregates::new(rules, 0);
            for &(value, seconds) in &points {
                aggregates.add(RULE, b"a", value, seconds, 1_000);
            }
            let mut out = Vec::new();
            aggregates.tick(5_000, |_, line| out.push(line.fields.map(<[u8]>::to_vec)));
            assert_eq!(out.len(), 1);
            assert_eq!(*first.get_or_insert_with(|| out.clone()), out, "{function:?} of seed {seed}");
            for at in (1..points.len()).rev() {
                points.swap(at, usize::try_from(random.below(at as u64 + 1)).unwrap());
            }
        }
    }
}
