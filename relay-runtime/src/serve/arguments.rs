//! The arguments of an artifact. Few enough that a library for them would only make the binary larger.

use std::{ffi::OsString, fmt};

/// What `--help` prints.
pub(super) const USAGE: &str = "\
A Graphite relay, compiled from its configuration.

Usage: relay [COMMAND | OPTION]

Without arguments it serves until SIGTERM or SIGINT. SIGUSR1 prints the ledger.

Commands:
  trace         Read lines on stdin, print what becomes of each as JSON

Options:
  --config      Print the plan that was built in, as JSON
  --manifest    Print what the relay was built from, as JSON
  --version     Print the version
  --help        Print this
";

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Serve,
    Trace,
    Config,
    Manifest,
    Version,
    Help,
}

/// Arguments that mean nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UsageError {
    Unknown { argument: String },
    TooMany { argument: String },
}

/// One argument at most. More are an error, not ignored (BUG-01).
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut arguments = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
    let command = match arguments.next() {
        None => Command::Serve,
        Some(argument) => match argument.as_str() {
            "trace" => Command::Trace,
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

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { argument } => write!(f, "unknown argument `{argument}`"),
            Self::TooMany { argument } => write!(f, "one argument too many: `{argument}`"),
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
        check(&["trace", "x"], Err("one argument too many: `x`"));
    }
}
