//! The protocols of inputs without the sockets: bytes in, lines out.
//!
//! A decoder finds whole lines and passes them to the pipeline. Invalid lines are left to validation; only what
//! breaks the protocol itself ends a connection.

pub mod pickle;
pub mod plain;

use crate::{gather::Gathered, pipeline::LinePipeline};
use pickle::{BadPickle, PickleDecoder};
use plain::{PlainDecoder, TooLong};
use std::fmt;

/// The protocol that clients of an input use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Lines of text.
    Plain,
    /// Frames with pickled lists of datapoints.
    Pickle,
}

/// Limits of the memory that one client can occupy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputLimits {
    /// The longest line in bytes, without its LF.
    pub line_bytes: usize,
    /// The longest pickle in bytes, without its length.
    pub frame_bytes: usize,
}

/// The decoder of one connection.
#[derive(Debug)]
pub enum Decoder {
    /// Decodes lines.
    Plain(PlainDecoder),
    /// Decodes pickles.
    Pickle(PickleDecoder),
}

/// What a client did to have its connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A line is too long.
    LineTooLong(TooLong),
    /// A pickle is too long, or is not a list.
    BadPickle(BadPickle),
}

/// Whether the beginning of a line is that of a frame with a pickle: four bytes with a length below 16 MiB, then an
/// opcode with which pickles of lists begin.
pub(crate) fn looks_like_pickle(line: &[u8]) -> bool {
    matches!(line, [0, _, _, _, 0x80, 0..=5, ..] | [0, _, _, _, b'(' | b']', ..])
}

/// Whether a client sent plaintext where frames with pickles are expected: the first four bytes are then text, and as a
/// length they are beyond every limit.
pub(crate) fn looks_like_plain(violation: &Violation) -> bool {
    let Violation::BadPickle(BadPickle::FrameTooLong { bytes }) = violation else { return false };
    bytes.to_be_bytes().iter().all(|byte| byte.is_ascii_graphic() || b" \t".contains(byte))
}

impl Protocol {
    /// The name in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Pickle => "pickle",
        }
    }

    /// A decoder at the start of a stream.
    #[must_use]
    pub fn decoder(self, limits: InputLimits) -> Decoder {
        match self {
            Self::Plain => Decoder::Plain(PlainDecoder::new(limits.line_bytes)),
            Self::Pickle => match PickleDecoder::new(limits.frame_bytes, limits.line_bytes) {
                Some(decoder) => Decoder::Pickle(decoder),
                None => Self::Plain.decoder(limits),
            },
        }
    }

    /// Decodes a datagram as a complete stream. Returns how many bytes of work it was: those of the datagram
    /// or, if there are more, those of its lines.
    pub fn take_datagram(
        self,
        bytes: &[u8],
        limits: InputLimits,
        now_s: u64,
        pipeline: &mut dyn LinePipeline,
        gathered: &mut Gathered,
    ) -> usize {
        let InputLimits { line_bytes, frame_bytes } = limits;
        let lines = match self {
            Self::Plain => {
                plain::take_datagram(bytes, line_bytes, now_s, pipeline, gathered);
                0
            }
            Self::Pickle => pickle::take_datagram(bytes, frame_bytes, line_bytes, now_s, pipeline, gathered),
        };
        lines.max(bytes.len())
    }
}

impl Decoder {
    /// Decodes what was read from the connection. Returns how many bytes of work it was: those that were read
    /// or, if there are more, those of the lines in them. After an error the rest of the stream cannot be
    /// decoded.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        now_s: u64,
        pipeline: &mut dyn LinePipeline,
        gathered: &mut Gathered,
    ) -> Result<usize, Violation> {
        match self {
            Self::Plain(decoder) => match decoder.feed(bytes, now_s, pipeline, gathered) {
                Ok(()) => Ok(bytes.len()),
                Err(error) => Err(Violation::LineTooLong(error)),
            },
            Self::Pickle(decoder) => match decoder.feed(bytes, now_s, pipeline, gathered) {
                Ok(lines) => Ok(lines.max(bytes.len())),
                Err(error) => Err(Violation::BadPickle(error)),
            },
        }
    }

    /// Bytes of memory that an unfinished line or frame occupies.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        match self {
            Self::Plain(decoder) => decoder.held_bytes(),
            Self::Pickle(decoder) => decoder.held_bytes(),
        }
    }

    /// Ends the stream. `clean` is true if the peer closed it, and false after a reset or the idle timeout.
    pub fn finish(self, clean: bool, now_s: u64, pipeline: &mut dyn LinePipeline, gathered: &mut Gathered) {
        match self {
            Self::Plain(decoder) => decoder.finish(clean, now_s, pipeline, gathered),
            Self::Pickle(decoder) => decoder.finish(gathered),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineTooLong(error) => error.fmt(f),
            Self::BadPickle(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Violation {}
