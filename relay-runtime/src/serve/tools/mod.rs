//! The tools of a relay: trace, replay and record lines, and manage its spools.
//!
//! A relay for an appliance has none: see `no_tools.rs`.

mod spool;

use super::{
    arguments::UsageError,
    complete::{Incomplete, complete, from_environment},
};
use crate::{
    admission::Admission,
    dispatch::DynDispatch,
    engine::seconds_now,
    pipeline::LinePipeline,
    plan::Plan,
    record::{self, Limits, RecordError, Tap, Tapped},
    replay::{ReplayError, replay_lines},
    spool::SpoolName,
    table::Destination,
    trace::trace_lines,
};
use spool::SpoolCommand;
use std::{fmt, io, path::PathBuf, str::FromStr, sync::Arc, time::Duration};

pub use spool::SpoolError;

/// The commands in `--help`.
pub(super) const USAGE: &str = "\
Commands:
  trace         Read lines on stdin, print what becomes of each as JSON
  replay [UNTIL]
                Read `seconds TAB line`s on stdin, print what is sent when, in virtual time,
                up to second UNTIL, and the ledger on stderr
  record [--lines N] [--seconds S] [--pid PID] FILE
                Take the lines that a relay which runs here gets, a million or N of them, into FILE,
                compressed if its name ends in .zst, or to stdout for -
  spool list [--json]
                Show the spools in the spool directory, also of destinations that are gone
  spool drain DESTINATION [ADDRESS]
                Send a spool to its destination, or to another address, and remove it
  spool drop DESTINATION
                Remove a spool

";

/// The default number of lines of a recording.
const RECORDED_LINES: u64 = 1_000_000;

/// A tool with its arguments.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tool {
    Trace,
    Replay { until: Option<f64> },
    Record(Recording),
    Spool(SpoolCommand),
}

/// The arguments of a recording.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recording {
    pid: Option<u32>,
    limits: Limits,
    file: PathBuf,
}

/// Why a tool failed.
#[derive(Debug)]
pub enum ToolError {
    /// The built-in plan cannot be read.
    Plan(serde_json::Error),
    /// A value of the plan is open.
    Incomplete(Incomplete),
    /// The lines to trace could not be read, or the results not written.
    Trace(io::Error),
    /// The lines could not be replayed.
    Replay(ReplayError),
    /// The recording failed.
    Record(RecordError),
    /// A spool could not be listed, drained or dropped.
    Spool(SpoolError),
}

/// Parses the tool named `name`; `None` if there is no such tool.
pub(super) fn parse(
    name: &str,
    arguments: &mut impl Iterator<Item = String>,
) -> Result<Option<Tool>, UsageError> {
    Ok(Some(match name {
        "trace" => Tool::Trace,
        "replay" => Tool::Replay { until: parse_until(arguments)? },
        "record" => Tool::Record(parse_recording(arguments)?),
        "spool" => Tool::Spool(parse_spool(arguments)?),
        _ => return Ok(None),
    }))
}

fn parse_until(arguments: &mut impl Iterator<Item = String>) -> Result<Option<f64>, UsageError> {
    let Some(argument) = arguments.next() else { return Ok(None) };
    match argument.parse() {
        Ok(until) => Ok(Some(until)),
        Err(_) => Err(UsageError::Unknown { argument }),
    }
}

fn parse_recording(arguments: &mut impl Iterator<Item = String>) -> Result<Recording, UsageError> {
    fn number<T: FromStr>(text: Option<String>, after: &'static str) -> Result<T, UsageError> {
        let expected = "a number";
        text.and_then(|text| text.parse().ok()).ok_or(UsageError::Missing { after, expected })
    }
    let mut limits = Limits { lines: RECORDED_LINES, time: None };
    let mut pid = None;
    loop {
        let argument = arguments.next().ok_or(UsageError::Missing { after: "record", expected: "a file" })?;
        match argument.as_str() {
            "--lines" => limits.lines = number(arguments.next(), "--lines")?,
            "--seconds" => {
                let seconds = number(arguments.next(), "--seconds")?;
                let wrong = UsageError::Missing { after: "--seconds", expected: "a number of seconds" };
                limits.time = Some(Duration::try_from_secs_f64(seconds).map_err(|_| wrong)?);
            }
            "--pid" => pid = Some(number(arguments.next(), "--pid")?),
            option if option.starts_with("--") => return Err(UsageError::Unknown { argument }),
            file => return Ok(Recording { pid, limits, file: file.into() }),
        }
    }
}

fn parse_spool(arguments: &mut impl Iterator<Item = String>) -> Result<SpoolCommand, UsageError> {
    let missing = |after, expected| UsageError::Missing { after, expected };
    let verb = arguments.next().ok_or(missing("spool", "`list`, `drain` or `drop`"))?;
    match verb.as_str() {
        "list" => match arguments.next() {
            None => Ok(SpoolCommand::List { is_json: false }),
            Some(argument) if argument == "--json" => Ok(SpoolCommand::List { is_json: true }),
            Some(argument) => Err(UsageError::Unknown { argument }),
        },
        "drain" => {
            let destination = arguments.next().ok_or(missing("drain", "a destination"))?;
            Ok(SpoolCommand::Drain { of: spool_name(&destination), to: arguments.next() })
        }
        "drop" => {
            let destination = arguments.next().ok_or(missing("drop", "a destination"))?;
            Ok(SpoolCommand::Drop { of: spool_name(&destination) })
        }
        _ => Err(UsageError::Unknown { argument: verb }),
    }
}

/// Every text is a valid name.
fn spool_name(text: &str) -> SpoolName {
    let Ok(name) = text.parse();
    name
}

/// Runs the tool. `plan` is the built-in plan.
pub(super) fn run(tool: &Tool, plan: &str, dispatch: &dyn DynDispatch) -> Result<(), ToolError> {
    match tool {
        Tool::Trace => trace(plan, dispatch),
        Tool::Replay { until } => replay(plan, dispatch, *until),
        Tool::Record(recording) => record(plan, recording),
        Tool::Spool(command) => spool(plan, command),
    }
}

/// Prints what would happen to the lines on stdin. Nothing is sent, so variables in addresses may stay open.
fn trace(plan: &str, dispatch: &dyn DynDispatch) -> Result<(), ToolError> {
    let plan = Plan::from_json(plan).map_err(ToolError::Plan)?;
    let mut output = io::BufWriter::new(io::stdout().lock());
    let (admission, mut input) = (admission(&plan), io::stdin().lock());
    match trace_lines(&plan.table, dispatch, admission, &seconds_now, &mut input, &mut output) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(ToolError::Trace),
    }
}

/// What decides about lines in this relay.
fn admission(plan: &Plan) -> Admission {
    Admission::of(plan, |name| std::env::var(name).ok())
}

/// What would be sent when, had the lines on stdin come at the times before them.
fn replay(plan: &str, dispatch: &dyn DynDispatch, until: Option<f64>) -> Result<(), ToolError> {
    let plan = Plan::from_json(plan).map_err(ToolError::Plan)?;
    let mut output = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let (admission, mut input) = (admission(&plan), io::stdin().lock());
    match replay_lines(&plan.table, dispatch, admission, until, &mut input, &mut output) {
        // Whoever reads has seen enough.
        Err(ReplayError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(ToolError::Replay(error)),
        Ok(ledger) => {
            super::say(&ledger.to_json().to_string());
            Ok(())
        }
    }
}

/// Records the lines of a running relay.
fn record(plan: &str, recording: &Recording) -> Result<(), ToolError> {
    let Recording { pid, limits, file } = recording;
    let recorded = record::record(plan, *pid, *limits, file).map_err(ToolError::Record)?;
    super::say(&recorded.to_string());
    Ok(())
}

/// Manages the spools of this relay, which must not be running meanwhile.
fn spool(plan: &str, command: &SpoolCommand) -> Result<(), ToolError> {
    let plan = Plan::from_json(plan).map_err(ToolError::Plan)?;
    let plan = complete(&plan, from_environment).map_err(ToolError::Incomplete)?;
    let spooling = plan.table.destinations.iter().filter(|destination| destination.options.spool);
    let configured: Vec<_> = spooling.map(Destination::written).collect();
    spool::run(command, plan.settings.spool_path(), &configured, &mut io::stdout().lock())
        .map_err(ToolError::Spool)
}

/// A relay's pipeline that can be recorded. `plan` is the built-in plan.
pub(super) fn recordable(pipeline: Box<dyn LinePipeline>, plan: &str) -> Box<dyn LinePipeline> {
    let tap = Arc::new(Tap::default());
    match record::offer(Arc::clone(&tap), plan) {
        Ok(()) => Box::new(Tapped::new(pipeline, tap)),
        Err(error) => {
            tracing::warn!(%error, "the lines of this relay cannot be recorded");
            pipeline
        }
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(error) => write!(f, "the plan in this relay cannot be read: {error}"),
            Self::Incomplete(error) => error.fmt(f),
            Self::Trace(error) => write!(f, "cannot trace: {error}"),
            Self::Replay(error) => write!(f, "cannot replay: {error}"),
            Self::Record(error) => error.fmt(f),
            Self::Spool(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ToolError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], want: Result<Tool, &str>) {
        let mut rest = arguments.iter().skip(1).map(|&argument| argument.to_owned());
        let got = parse(arguments[0], &mut rest).map(|tool| tool.expect("a tool"));
        assert_eq!(got.map_err(|error| error.to_string()), want.map_err(str::to_owned));
    }

    #[test]
    fn every_argument_means_something() {
        check(&["trace"], Ok(Tool::Trace));
        check(&["spool", "list", "--json"], Ok(Tool::Spool(SpoolCommand::List { is_json: true })));
        let drain = SpoolCommand::Drain { of: spool_name("a:1"), to: Some("b:2".to_owned()) };
        check(&["spool", "drain", "a:1", "b:2"], Ok(Tool::Spool(drain)));
        check(&["spool", "drop"], Err("after `drop` expected a destination"));
        check(&["replay"], Ok(Tool::Replay { until: None }));
        check(&["replay", "1.5e9"], Ok(Tool::Replay { until: Some(1.5e9) }));
        check(&["replay", "soon"], Err("unknown argument `soon`"));
        let limits = Limits { lines: 5, time: Some(Duration::from_millis(1500)) };
        let recording = Recording { pid: Some(7), limits, file: "out.zst".into() };
        let arguments = ["record", "--lines", "5", "--seconds", "1.5", "--pid", "7", "out.zst"];
        check(&arguments, Ok(Tool::Record(recording)));
        check(&["record"], Err("after `record` expected a file"));
        check(&["record", "--lines", "many", "x"], Err("after `--lines` expected a number"));
        check(&["record", "--seconds", "-1", "x"], Err("after `--seconds` expected a number of seconds"));
        check(&["record", "--fast", "x"], Err("unknown argument `--fast`"));
    }
}
