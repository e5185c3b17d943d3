//! Why a command cannot be read or carried out.
//!
//! Each kind carries the data of its message; `report` adds the place in the file and what to write instead.

use crate::config::{MalformedRegex, destinations::DestinationErrorKind};
use std::{fmt, ops::Range};

/// An error in a command, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandError {
    /// The kind of the error.
    pub kind: CommandErrorKind,
    /// The range of bytes in the command.
    pub range: Range<usize>,
}

/// The kinds of errors in a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandErrorKind {
    /// The first word, or the route type, does not exist.
    UnknownCommand {
        /// As written.
        word: String,
    },
    /// A word is missing or of the wrong form.
    Usage {
        /// The command's syntax, for messages.
        usage: &'static str,
        /// The word that is expected here.
        expected: &'static str,
    },
    /// A word that does not belong to the command.
    UnexpectedWord {
        /// As written.
        word: String,
    },
    /// An option that the command does not have.
    UnknownOption {
        /// As written.
        word: String,
    },
    /// A number out of range.
    OutOfRange {
        /// The allowed range.
        expected: &'static str,
    },
    /// A regex that does not parse.
    Regex {
        /// The parser's message.
        error: MalformedRegex,
    },
    /// A destination that cannot be read.
    Destination(DestinationErrorKind),
    /// Fewer destinations than the route type needs.
    TooFewDestinations {
        /// The number of destinations that it needs.
        needed: usize,
    },
    /// A matcher on a destination of a route type that allows none there.
    MatcherNotAllowed,
    /// No route has this key.
    NoSuchRoute {
        /// The route's key.
        key: String,
    },
    /// The route has no such destination.
    NoSuchDestination {
        /// The position.
        index: usize,
    },
    /// `addDest`, which carbon-relay-ng never implemented.
    NotImplemented,
}

impl CommandErrorKind {
    pub(super) fn at(self, range: Range<usize>) -> CommandError {
        CommandError { kind: self, range }
    }
}

impl fmt::Display for CommandErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownCommand { word } => write!(f, "unknown command `{word}`"),
            Self::Usage { usage, expected } => write!(f, "expected {expected}: `{usage}`"),
            Self::UnexpectedWord { word } => write!(f, "unexpected word `{word}`"),
            Self::UnknownOption { word } => write!(f, "unknown option `{word}`"),
            Self::OutOfRange { expected } => write!(f, "number out of range, expected {expected}"),
            Self::Regex { error } => write!(f, "the regex does not parse: {}", error.why),
            Self::Destination(kind) => kind.fmt(f),
            Self::TooFewDestinations { needed } => {
                write!(f, "the route needs at least {needed} destination(s)")
            }
            Self::MatcherNotAllowed => f.write_str("a destination of this route type cannot have a matcher"),
            Self::NoSuchRoute { key } => write!(f, "no route is called `{key}`"),
            Self::NoSuchDestination { index } => write!(f, "the route has no destination {index}"),
            Self::NotImplemented => f.write_str("addDest is not implemented"),
        }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl std::error::Error for CommandError {}
