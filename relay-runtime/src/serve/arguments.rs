//! The arguments of an artifact.
//!
//! They are so few that a library for them would only make the binary larger.

use super::tools::{self, Tool};
use std::{ffi::OsString, fmt};

const BEFORE: &str = "\
A Graphite relay, compiled from its configuration.

Usage: relay [COMMAND | OPTION]

Without arguments it serves until SIGTERM or SIGINT. SIGUSR1 prints the ledger, SIGHUP
reopens the log.
Sockets that a service manager passes (LISTEN_FDS) are used where their addresses are
configured, and it is told when the relay serves (NOTIFY_SOCKET).

";

const AFTER: &str = "\
Options:
  --config      Print the plan that was built in, as JSON
  --manifest    Print what the relay was built from, as JSON
  --version     Print the version
  --help        Print this
";

/// What `relay --help` prints. Commands that the features leave out are missing.
#[must_use]
pub fn usage() -> String {
    [BEFORE, tools::USAGE, AFTER].concat()
}

/// A command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    Serve,
    Tool(Tool),
    Config,
    Manifest,
    Version,
    Help,
}

/// Invalid arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UsageError {
    Unknown {
        argument: String,
    },
    /// A command that this relay was built without.
    #[cfg_attr(feature = "tools", expect(dead_code, reason = "all are there"))]
    LeftOut {
        command: String,
    },
    TooMany {
        argument: String,
    },
    #[cfg_attr(not(feature = "tools"), expect(dead_code, reason = "only tools take arguments"))]
    Missing {
        after: &'static str,
        expected: &'static str,
    },
}

/// Parses the arguments. Surplus arguments are an error, not ignored (BUG-01).
pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, UsageError> {
    let mut arguments = arguments.into_iter().map(|argument| argument.to_string_lossy().into_owned());
    let command = match arguments.next() {
        None => Command::Serve,
        Some(argument) => match argument.as_str() {
            "--config" => Command::Config,
            "--manifest" => Command::Manifest,
            "version" | "--version" | "-V" => Command::Version,
            "help" | "--help" | "-h" => Command::Help,
            name => match tools::parse(name, &mut arguments)? {
                Some(tool) => Command::Tool(tool),
                None => return Err(UsageError::Unknown { argument }),
            },
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
            Self::LeftOut { command } => {
                write!(f, "`{command}` is not in this relay; one of `--profile server` has it")
            }
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
        check(&["--help"], Ok(Command::Help));
        check(&["relay.toml"], Err("unknown argument `relay.toml`"));
        check(&["--version", "x"], Err("one argument too many: `x`"));
    }

    #[test]
    #[cfg(feature = "tools")]
    fn tools_are_commands() {
        check(&["trace"], Ok(Command::Tool(Tool::Trace)));
        check(&["spool", "drop", "a:1", "b:2"], Err("one argument too many: `b:2`"));
        check(&["record", "x", "y"], Err("one argument too many: `y`"));
        check(&["trace", "x"], Err("one argument too many: `x`"));
    }
}
