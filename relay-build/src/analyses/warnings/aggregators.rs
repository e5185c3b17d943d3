//! Aggregations that cannot do their work: buckets that close before their interval ends, outputs that no route
//! takes, outputs that two rules write, and outputs that come back as inputs.
//!
//! Two rules that write the same series, and outputs that come back, are shown with a metric for which it
//! happens. If none is found, there is no warning.

use super::{
    Facts,
    own_input::{destinations, is_own},
    place, produced,
};
use crate::{
    analyses::language::{Answer, FUEL, Languages, Names},
    diagnostics::{Diagnostic, codes},
};
use relay_runtime::{
    aggregate::OutputName,
    matcher,
    table::{Aggregator, Matcher, Route},
};

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut languages = Languages::new(FUEL);
    for (at, aggregator) in facts.table.aggregators.iter().enumerate() {
        short_wait(facts, at, aggregator, found);
        untaken_output(facts, at, aggregator, &mut languages, found);
        same_output(facts, at, aggregator, &mut languages, found);
        comes_back(facts, at, aggregator, &mut languages, found);
    }
}

fn short_wait(facts: &Facts<'_>, at: usize, aggregator: &Aggregator, found: &mut Vec<Diagnostic>) {
    let Aggregator { interval, wait, .. } = *aggregator;
    if wait < interval {
        let message = format!("a wait of {wait} s is less than the interval of {interval} s");
        found.push(
            Diagnostic::warning(codes::SHORT_WAIT, place(&facts.origins.aggregators, at), message)
                .label("each bucket is emitted before its interval ends, and later datapoints are dropped")
                .help(format!(
                    "write `wait = {}`, or more if datapoints come late",
                    interval.saturating_add(interval / 2)
                )),
        );
    }
}

/// Outputs go to the routes only: not to the blocklist, rewriters or aggregators.
fn untaken_output(
    facts: &Facts<'_>,
    at: usize,
    aggregator: &Aggregator,
    languages: &mut Languages,
    found: &mut Vec<Diagnostic>,
) {
    let outputs = produced::by_aggregator(aggregator);
    let routes = &facts.table.routes;
    let none_takes = |route: &Route| languages.intersect(&[&outputs, &route.matcher]) == Some(false);
    if !routes.is_empty() && routes.iter().all(none_takes) {
        let message = format!("no route matches the output of this aggregation: `{}`", aggregator.format);
        found.push(
            Diagnostic::warning(codes::UNTAKEN_OUTPUT, place(&facts.origins.aggregators, at), message)
                .label("its outputs go nowhere")
                .help("change `format`, or add a route for its outputs"),
        );
    }
}

fn same_output(
    facts: &Facts<'_>,
    at: usize,
    aggregator: &Aggregator,
    languages: &mut Languages,
    found: &mut Vec<Diagnostic>,
) {
    for (earlier_at, earlier) in facts.table.aggregators.iter().enumerate().take(at) {
        if !share_a_suffix(earlier, aggregator) {
            continue;
        }
        let Some(series) = shared_series(earlier, aggregator, languages) else { continue };
        found.push(
            Diagnostic::warning(
                codes::SHARED_OUTPUT,
                place(&facts.origins.aggregators, at),
                format!("two aggregations write the series `{series}`"),
            )
            .label("the second of them")
            .related(place(&facts.origins.aggregators, earlier_at), "the first of them")
            .help("give one of them another `format`, or remove it"),
        );
        return;
    }
}

fn share_a_suffix(a: &Aggregator, b: &Aggregator) -> bool {
    a.outputs().iter().any(|(suffix, _)| b.outputs().iter().any(|(other, _)| suffix == other))
}

/// A series that both aggregators write, if one is found.
fn shared_series(a: &Aggregator, b: &Aggregator, languages: &mut Languages) -> Option<String> {
    let (first, second) = (OutputName::new(a).ok()?, OutputName::new(b).ok()?);
    let is_fixed = |rule: &Aggregator| !rule.format.contains('$');
    if is_fixed(a) && is_fixed(b) {
        // One example each: the outputs may be the same although the inputs differ.
        let met = first.of(example(&a.matcher, languages)?.as_bytes())?;
        let other = second.of(example(&b.matcher, languages)?.as_bytes())?;
        return (met == other && !hides_all(a, b)).then(|| String::from_utf8_lossy(&met).into_owned());
    }
    if a.drop_raw {
        return None;
    }
    let Answer::Witness(name) = languages.find(Names::OfLines, &[&a.matcher, &b.matcher], &[]) else {
        return None;
    };
    let (one, other) = (first.of(name.as_bytes())?, second.of(name.as_bytes())?);
    (one == other).then(|| String::from_utf8_lossy(&one).into_owned())
}

/// A name that the matcher matches, if one is found.
fn example(matcher: &Matcher, languages: &mut Languages) -> Option<String> {
    match languages.find(Names::OfLines, &[matcher], &[]) {
        Answer::Witness(name) => Some(name),
        Answer::Empty | Answer::Unknown => None,
    }
}

/// Whether the first rule drops what it takes (`drop_raw`) and the second one matches the same names only.
fn hides_all(first: &Aggregator, second: &Aggregator) -> bool {
    first.drop_raw && first.matcher == second.matcher
}

fn comes_back(
    facts: &Facts<'_>,
    at: usize,
    aggregator: &Aggregator,
    languages: &mut Languages,
    found: &mut Vec<Diagnostic>,
) {
    let (Ok(named), Ok(matcher)) = (OutputName::new(aggregator), matcher::Matcher::new(&aggregator.matcher))
    else {
        return;
    };
    let outputs = produced::by_aggregator(aggregator);
    for (route_at, route) in facts.table.routes.iter().enumerate() {
        let stops: Vec<_> = facts.table.routes[..route_at]
            .iter()
            .filter(|route| route.stop)
            .map(|route| &route.matcher)
            .collect();
        for (own, destination) in destinations(facts, route).filter(|(_, to)| is_own(facts, to)) {
            let all = [&aggregator.matcher, &outputs, &route.matcher, &own];
            let Answer::Witness(name) = languages.find(Names::OfLines, &all, &stops) else { continue };
            let Some(output) = named.of(name.as_bytes()) else { continue };
            let takes =
                |matcher: &Matcher| matcher::Matcher::new(matcher).is_ok_and(|one| one.matches(&output));
            if !matcher.matches(&output) || !takes(&route.matcher) || !takes(&own) {
                continue;
            }
            if stops.iter().any(|stop| takes(stop)) {
                continue;
            }
            let output = String::from_utf8_lossy(&output);
            let message = format!("this aggregation matches its own output `{output}`");
            let help = "change the regex so that it does not match the output, or do not send the output to this relay";
            found.push(
                Diagnostic::error(codes::AGGREGATION_LOOP, place(&facts.origins.aggregators, at), message)
                    .label("each value comes back as an input of the next bucket, without end")
                    .related(
                        place(&facts.origins.routes, route_at),
                        format!("sent back to this relay's own input `{}`", destination.written()),
                    )
                    .help(help),
            );
            return;
        }
    }
}
