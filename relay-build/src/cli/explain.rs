//! `explain`: the plan in words, the strategies and why; or one metric's way through the table.

use super::{
    corpus::Steering,
    input::{Input, Purpose},
    style,
};
use anyhow::Context as _;
use clap::Args;
use relay_build::{
    analyses::{self, Explained, Force, Strategy},
    config::{self, Checked},
    diagnostics::Span,
};
use relay_runtime::{
    counted,
    explain::{Outcome, Rule, Step, explain_name},
    table::{Aggregator, Matcher, RouteKind},
};
use std::{
    fmt,
    io::{self, Write},
    process::ExitCode,
};

/// Show the plan with the strategy of each rule, or follow a metric through the table
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) input: Input,
    #[command(flatten)]
    steering: Steering,
    /// A metric to follow, rule by rule
    #[arg(value_name = "METRIC")]
    metric: Option<String>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let Some(mut checked) = arguments.input.load(Purpose::Ask)? else { return Ok(ExitCode::FAILURE) };
    arguments.steering.steer(&mut checked)?;
    let mut out = anstream::stdout().lock();
    let printed = if let Some(metric) = &arguments.metric {
        let steps = explain_name(&checked.plan.table, metric.as_bytes())?;
        steps.iter().try_for_each(|step| print_step(&mut out, &checked, step))
    } else {
        let strategy = Strategy::choose(&checked.plan, Force::default(), checked.traffic.as_ref())?;
        print_plan(&mut out, &checked, &analyses::explain(&strategy))
    };
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        done => done.map(|()| ExitCode::SUCCESS).context("cannot print"),
    }
}

fn print_plan(out: &mut impl Write, checked: &Checked, explained: &Explained) -> io::Result<()> {
    let table = &checked.plan.table;
    print_environment(out, checked)?;
    for sentence in &explained.table {
        writeln!(out, "{sentence}")?;
    }
    section(out, "blocklist")?;
    for (at, matcher) in table.blocklist.iter().enumerate() {
        let place = Place(checked, checked.origins.blocklist.get(at));
        rule(out, &place, &Conditions(matcher), explained.blocklist.get(at))?;
    }
    section(out, "rewriters")?;
    for (at, rewriter) in table.rewriters.iter().enumerate() {
        let place = Place(checked, checked.origins.rewriters.get(at));
        rule(out, &place, &format!("{} → {}", rewriter.old.written(), rewriter.new), None)?;
    }
    section(out, "aggregators")?;
    for (at, aggregator) in table.aggregators.iter().enumerate() {
        let place = Place(checked, checked.origins.aggregators.get(at));
        let what = format!(
            "{} {} {} → {} every {} s, {} s after its start{}",
            aggregator.key(),
            aggregator.function_names(),
            Conditions(&aggregator.matcher),
            outputs(aggregator, &aggregator.format),
            aggregator.interval,
            aggregator.wait,
            if aggregator.drop_raw { ", hides what it takes" } else { "" }
        );
        rule(out, &place, &what, explained.aggregators.get(at))?;
    }
    section(out, "routes")?;
    for (at, route) in table.routes.iter().enumerate() {
        let place = Place(checked, checked.origins.routes.get(at));
        let stops = if route.stop { ", stops" } else { "" };
        let what = format!("`{}` {} {}{stops}", route.key, kind(&route.kind), Conditions(&route.matcher));
        rule(out, &place, &what, explained.routes.get(at))?;
        for destination in route.destinations() {
            writeln!(out, "      → {}", table.destinations[destination.get()].written())?;
        }
    }
    section(out, "regexes")?;
    for (pattern, what) in &explained.regexes {
        writeln!(out, "  {pattern}\n      {what}")?;
    }
    Ok(())
}

/// What was fixed now and why, and what the named environment has otherwise.
fn print_environment(out: &mut impl Write, checked: &Checked) -> io::Result<()> {
    if let Some(name) = &checked.environment {
        section(out, &format!("environment {name}"))?;
        for (span, what) in &checked.overlay {
            writeln!(out, "  {}{}{} {what}", style::FAINT, Place(checked, Some(span)), style::RESET)?;
        }
    }
    if !checked.variables.is_empty() {
        section(out, "variables")?;
    }
    for (name, value) in &checked.variables {
        let origin = checked.variable_origins.get(name).copied().unwrap_or_default();
        let shown = if config::is_secret(name) { "(not shown)" } else { value.as_str() };
        writeln!(out, "  {name} = {shown}  {}from {origin}{}", style::FAINT, style::RESET)?;
    }
    Ok(())
}

fn section(out: &mut impl Write, name: &str) -> io::Result<()> {
    writeln!(out, "{}{name}{}", style::HEADING, style::RESET)
}

fn rule(
    out: &mut impl Write,
    place: &Place<'_>,
    what: &impl fmt::Display,
    strategy: Option<&String>,
) -> io::Result<()> {
    writeln!(out, "  {}{place}{} {what}", style::FAINT, style::RESET)?;
    strategy.map_or(Ok(()), |strategy| writeln!(out, "      {strategy}"))
}

fn print_step(out: &mut impl Write, checked: &Checked, step: &Step) -> io::Result<()> {
    let table = &checked.plan.table;
    let origins = &checked.origins;
    let (span, what) = match step.rule {
        Rule::Blocklist(at) => {
            let matcher = &table.blocklist[at.get()];
            (origins.blocklist.get(at.get()), format!("blocklist {}", Conditions(matcher)))
        }
        Rule::Rewriter(at) => {
            let rewriter = &table.rewriters[at.get()];
            let what = format!("rewriter {} → {}", rewriter.old.written(), rewriter.new);
            (origins.rewriters.get(at.get()), what)
        }
        Rule::Aggregator(at) => {
            let rule = &table.aggregators[at.get()];
            let hides = if rule.drop_raw { ", which hides what it takes" } else { "" };
            let what = format!("aggregator {} {}{hides}", rule.key(), rule.function_names());
            (origins.aggregators.get(at.get()), what)
        }
        Rule::Route(at) => {
            let route = &table.routes[at.get()];
            let what = format!("route `{}` {} {}", route.key, kind(&route.kind), Conditions(&route.matcher));
            (origins.routes.get(at.get()), what)
        }
        Rule::Destination(_, at) => {
            (origins.destinations.get(at.get()), format!("  → {}", table.destinations[at.get()].written()))
        }
    };
    let (style, said) = match &step.outcome {
        Outcome::Matched => match step.rule {
            Rule::Route(at) if table.routes[at.get()].stop => {
                (style::GOOD, "matches, and no later route is asked".to_owned())
            }
            _ => (style::GOOD, "matches".to_owned()),
        },
        Outcome::Aggregated(output) if output.is_empty() => {
            (style::ERROR, "takes it, but its output has no name that can be sent".to_owned())
        }
        Outcome::Aggregated(output) => {
            let outputs = match step.rule {
                Rule::Aggregator(at) => {
                    outputs(&table.aggregators[at.get()], &String::from_utf8_lossy(output))
                }
                Rule::Blocklist(_) | Rule::Rewriter(_) | Rule::Route(_) | Rule::Destination(..) => {
                    String::new()
                }
            };
            (style::GOOD, format!("takes it into {outputs}"))
        }
        Outcome::Failed(condition) => (style::FAINT, format!("no: `{}` does not hold", condition.name())),
        Outcome::NotChosen => (style::FAINT, "not chosen".to_owned()),
        Outcome::Rewritten(name) => (style::GOOD, format!("makes {}", String::from_utf8_lossy(name))),
        Outcome::Unchanged => (style::FAINT, "changes nothing".to_owned()),
        Outcome::Unusable(name) => {
            (style::ERROR, format!("makes `{}`, which cannot be sent", String::from_utf8_lossy(name)))
        }
    };
    writeln!(out, "{}: {what}: {style}{said}{}", Place(checked, span), style::RESET)
}

/// The whole names of an aggregator's outputs, where `name` is its format or what the format gave.
fn outputs(aggregator: &Aggregator, name: &str) -> String {
    let names: Vec<_> = aggregator.outputs().iter().map(|(suffix, _)| format!("{name}{suffix}")).collect();
    names.join(", ")
}

/// The type as a configuration writes it.
fn kind(kind: &RouteKind) -> String {
    match kind {
        RouteKind::ConsistentHash(ring) => {
            format!("{} of {}", ring.algorithm.name(), counted(ring.destinations.len(), "destination"))
        }
        RouteKind::SendAllMatch { .. } => "sendAllMatch".to_owned(),
        RouteKind::SendFirstMatch { .. } => "sendFirstMatch".to_owned(),
        RouteKind::RoundRobin { .. } => "roundRobin".to_owned(),
        RouteKind::Failover { .. } => "failover".to_owned(),
        RouteKind::Blackhole => "blackhole".to_owned(),
        RouteKind::GrafanaNet(_) => "grafanaNet".to_owned(),
        RouteKind::KafkaMdm(_) => "kafkaMdm".to_owned(),
        RouteKind::PubSub(_) => "pubsub".to_owned(),
        RouteKind::CloudWatch(_) => "cloudWatch".to_owned(),
    }
}

/// `file:line` of a rule.
struct Place<'a>(&'a Checked, Option<&'a Span>);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(checked, Some(span)) = self else { return Ok(()) };
        let (line, _) = checked.source.line_column(span.start);
        write!(f, "{}:{line}", checked.source.path.display())
    }
}

/// The conditions of a matcher as they are written.
struct Conditions<'a>(&'a Matcher);

impl fmt::Display for Conditions<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("everything");
        }
        for (at, (condition, text)) in self.0.conditions().enumerate() {
            let separator = if at == 0 { "" } else { " " };
            write!(f, "{separator}{}={text}", condition.name())?;
        }
        Ok(())
    }
}
