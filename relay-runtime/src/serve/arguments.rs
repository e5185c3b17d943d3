//! The arguments of an artifact. Few enough that a library for them would only make the binary larger.

use super::spool_command::SpoolCommand;
use crate::{record::Limits, spool::SpoolName};
use std::{ffi::OsString, fmt, path::PathBuf, str::FromStr, time::Duration};

/// What `--help` prints.
pub(super) const USAGE: &str = "\
A Graphite relay, compiled from its configuration.

Usage: relay [COMMAND | OPTION]

Without arguments it serves until SIGTERM or SIGINT. SIGUSR1 prints the ledger.
Sockets that a service manager passes (LISTEN_FDS) are used where their addresses are
configured, and it is told when the relay serves (NOTIFY_SOCKET).

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

Options:
  --config      Print the plan that was built in, as JSON
  --manifest    Print what the relay was built from, as JSON
  --version     Print the version
  --help        Print this
";

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    Serve,
    Trace,
    Replay { until: Option<f64> },
    Spool(SpoolCommand),
    Record(RecordCommand),
    Config,
    Manifest,
    Version,
    Help,
}

/// What to record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RecordCommand {
    pub(super) pid: Option<u32>,
    pub(super) limits: Limits,
    pub(super) file: PathBuf,
}

/// Lines of a recording when nobody says how many.
const RECORDED_LINES: u64 = 1_000_000;

/// Arguments that mean nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UsageError {
    Unknown { argument: String },
    TooMany { argument: String },
    Missing { after: &'static str, expected: &'static str },
}

/// More arguments than mean something are an error, not ignored (BUG-01).
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut arguments = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
    let command = match arguments.next() {
        None => Command::Serve,
        Some(argument) => match argument.as_str() {
            "trace" => Command::Trace,
            "replay" => Command::Replay { until: parse_until(&mut arguments)? },
            "spool" => Command::Spool(parse_spool(&mut arguments)?),
            "record" => Command::Record(parse_record(&mut arguments)?),
            "--config" => Command::Config,
            "--manifest" => Command::Manifest,
            "version" | "--version" | "-V" => Command::Version,
            "help" | "--help" | "-h" => Command::Help,
            _ => return Err(UsageError::Unknown { argument }),
        },
    };
    match arguments.next() {
        None => Ok(command),
        Some(argument) => Err(UsageError::TooMany { argument }),
    }
}

fn parse_until(arguments: &mut impl Iterator<Item = String>) -> Result<Option<f64>, UsageError> {
    let Some(argument) = arguments.next() else { return Ok(None) };
    match argument.parse() {
        Ok(until) => Ok(Some(until)),
        Err(_) => Err(UsageError::Unknown { argument }),
    }
}

fn parse_record(arguments: &mut impl Iterator<Item = String>) -> Result<RecordCommand, UsageError> {
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
            file => return Ok(RecordCommand { pid, limits, file: file.into() }),
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

/// Every text is one.
fn spool_name(text: &str) -> SpoolName {
    let Ok(name) = text.parse();
    name
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { argument } => write!(f, "unknown argument `{argument}`"),
            Self::TooMany { argument } => write!(f, "one argument too many: `{argument}`"),
            Self::Missing { after, expected } => write!(f, "after `{after}` expected {expected}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], want: Result<Command, &str>) {
        let got = parse(arguments.iter().map(OsString::from));
        assert_eq!(got.map_err(|error| error.to_string()), want.map_err(str::to_owned));
    }

    #[test]
    fn every_argument_means_something() {
        check(&[], Ok(Command::Serve));
        check(&["trace"], Ok(Command::Trace));
        check(&["--help"], Ok(Command::Help));
        check(&["relay.toml"], Err("unknown argument `relay.toml`"));
        check(&["spool", "list", "--json"], Ok(Command::Spool(SpoolCommand::List { is_json: true })));
        let drain = SpoolCommand::Drain { of: spool_name("a:1"), to: Some("b:2".to_owned()) };
        check(&["spool", "drain", "a:1", "b:2"], Ok(Command::Spool(drain)));
        check(&["spool", "drop"], Err("after `drop` expected a destination"));
        check(&["spool", "drop", "a:1", "b:2"], Err("one argument too many: `b:2`"));
        let file = "out.zst".into();
        let limits = Limits { lines: 5, time: Some(Duration::from_millis(1500)) };
        let record = Command::Record(RecordCommand { pid: Some(7), limits, file });
        check(&["record", "--lines", "5", "--seconds", "1.5", "--pid", "7", "out.zst"], Ok(record));
        check(&["record"], Err("after `record` expected a file"));
        check(&["record", "--lines", "many", "x"], Err("after `--lines` expected a number"));
        check(&["record", "--seconds", "-1", "x"], Err("after `--seconds` expected a number of seconds"));
        check(&["record", "--fast", "x"], Err("unknown argument `--fast`"));
        check(&["record", "x", "y"], Err("one argument too many: `y`"));
        check(&["replay"], Ok(Command::Replay { until: None }));
        check(&["replay", "1.5e9"], Ok(Command::Replay { until: Some(1.5e9) }));
        check(&["replay", "soon"], Err("unknown argument `soon`"));
        check(&["trace", "x"], Err("one argument too many: `x`"));
    }
}
