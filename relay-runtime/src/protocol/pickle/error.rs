//! Why a pickle connection is closed.
//!
//! Messages name the byte at which decoding failed, so that a sender can be debugged.

use std::fmt;

/// Why a stream of pickles cannot be decoded any further. The caller closes the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadPickle {
    /// A frame announces more bytes than the limit.
    FrameTooLong {
        /// The announced number of bytes.
        bytes: u32,
    },
    /// The frame ends before the pickle does.
    EndsEarly,
    /// It is a pickle, but not of a list.
    NotAList,
    /// It is not a pickle, or it uses an instruction that is not supported.
    Undecodable {
        /// The offset in the frame.
        at: usize,
        /// What is wrong there.
        problem: Problem,
    },
}

/// What is wrong with an instruction of a pickle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no such instruction, or it would construct an object.
    UnknownOpcode(u8),
    /// A protocol version above 5.
    UnknownProtocol(u8),
    /// The instruction needs more values than the stack has.
    StackUnderflow,
    /// The instruction needs a mark, and there is none.
    NoMark,
    /// The instruction needs a value of another kind.
    WrongKind,
    /// The instruction fetches a memo entry that was never stored.
    NotStored,
    /// A number that cannot be parsed, or is too large.
    BadNumber,
    /// A text without quotes, or with an invalid escape.
    BadText,
}

/// Why an instruction fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    EndsEarly,
    Problem(Problem),
}

impl Fault {
    /// The error for callers; `at` is the offset at which the instruction starts.
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
            Self::NotAList => f.write_str("a pickle is not a list"),
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
            Self::UnknownOpcode(opcode) => write!(f, "opcode {opcode:#04x} is not supported"),
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
