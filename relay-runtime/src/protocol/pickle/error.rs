//! What ends a pickle connection.

use std::fmt;

/// Why a stream of pickles is of no more use. Whoever gets one closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPickle {
    /// A frame announces more bytes than the limit.
    FrameTooLong {
        /// So many.
        bytes: u32,
    },
    /// The pickle is over before it says so.
    EndsEarly,
    /// It is a pickle, but not of a list.
    NotAList,
    /// It is no pickle, or one that is not taken.
    Undecodable {
        /// Where in the frame.
        at: usize,
        /// What is wrong there.
        problem: Problem,
    },
}

/// What is wrong with an instruction of a pickle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No such instruction, or one that would construct an object.
    UnknownOpcode(u8),
    /// A protocol after 5.
    UnknownProtocol(u8),
    /// It wants more values than there are.
    StackUnderflow,
    /// It wants a mark, and none is left.
    NoMark,
    /// It wants a value of another kind.
    WrongKind,
    /// It fetches what was never stored.
    NotStored,
    /// A number that is none, or too large.
    BadNumber,
    /// A text without its quotes, or with an escape that means nothing.
    BadText,
}

/// Why an instruction fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    EndsEarly,
    Problem(Problem),
}

impl Fault {
    /// As seen from outside: `at` is where the instruction starts.
    pub(super) const fn at(self, at: usize) -> BadPickle {
        match self {
            Self::EndsEarly => BadPickle::EndsEarly,
            Self::Problem(problem) => BadPickle::Undecodable { at, problem },
        }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl fmt::Display for BadPickle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrameTooLong { bytes } => {
                write!(f, "a pickle of {bytes} bytes is longer than `pickle_frame_max`")
            }
            Self::EndsEarly => f.write_str("a pickle ends early"),
            Self::NotAList => f.write_str("a pickle is no list"),
            Self::Undecodable { at, problem } => {
                write!(f, "not a pickle of datapoints: {problem} at byte {at}")
            }
        }
    }
}

impl std::error::Error for BadPickle {}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOpcode(opcode) => write!(f, "opcode {opcode:#04x} is not taken"),
            Self::UnknownProtocol(version) => write!(f, "there is no protocol {version}"),
            Self::StackUnderflow => f.write_str("too few values"),
            Self::NoMark => f.write_str("no mark"),
            Self::WrongKind => f.write_str("a value of the wrong kind"),
            Self::NotStored => f.write_str("nothing was stored there"),
            Self::BadNumber => f.write_str("a bad number"),
            Self::BadText => f.write_str("a bad text"),
        }
    }
}
