//! What travels over the wires, without the wires: bytes in, lines out.

pub mod pickle;
pub mod plain;

use crate::{gather::Gathered, pipeline::LinePipeline};
use pickle::{BadPickle, PickleDecoder};
use plain::{PlainDecoder, TooLong};
use std::fmt;

/// What clients speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Lines.
    Plain,
    /// Frames of pickled lists.
    Pickle,
}

/// What bounds the memory that a client can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputLimits {
    /// Bytes of the longest line, without its LF.
    pub line_bytes: usize,
    /// Bytes of the longest pickle, without its length.
    pub frame_bytes: usize,
}

/// One connection's decoder.
#[derive(Debug)]
pub enum Decoder {
    /// For lines.
    Plain(PlainDecoder),
    /// For pickles.
    Pickle(PickleDecoder),
}

/// What a client did that ends its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// A line is too long.
    LineTooLong(TooLong),
    /// A pickle is too long, or none of a list.
    BadPickle(BadPickle),
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

    /// The start of a stream.
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

    /// Takes a datagram, which is a whole stream. Says how many bytes that was worth: those of the datagram or, if that
    /// is more, of its lines.
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
    /// Takes what was read. Says how many bytes that was worth: those that were read or, if that is more, of the lines
    /// in them. After an error the connection's data is of no more use.
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

    /// Bytes of memory that an unfinished line or frame takes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        match self {
            Self::Plain(decoder) => decoder.held_bytes(),
            Self::Pickle(decoder) => decoder.held_bytes(),
        }
    }

    /// The stream is over: `clean` if the peer closed it, as opposed to a reset or the idle timeout.
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
