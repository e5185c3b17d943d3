//! The plaintext protocol: lines that end with LF (spec §4.2).
//!
//! Whole lines go to the pipeline straight from the read buffer, many at a time. Only a line that continues in
//! the next read is copied: its start is stored here and joined with its end when that comes, so the read
//! buffer needs no room in front. An idle connection therefore costs the memory of its unfinished line, and
//! nothing if there is none.
//!
//! Bytes after the last LF are a line only if the stream ended cleanly. A reset or the idle timeout may have
//! cut it anywhere, even within a number (BUG-22).

use crate::{gather::Gathered, pipeline::LinePipeline, validate::Reason};
use std::fmt;

/// How much memory for the start of a line is reused for the next line, in bytes.
const KEPT_BYTES: usize = 512;

/// The unfinished line of one connection.
///
/// Invariant: `partial` contains no LF and at most `line_bytes_max` bytes.
#[derive(Debug)]
pub struct PlainDecoder {
    partial: Vec<u8>,
    line_bytes_max: usize,
}

/// A line is longer than the limit. It is counted as invalid. The connection must be closed, because the sender
/// may use another protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl PlainDecoder {
    /// A decoder at the start of a stream. `line_bytes_max` limits a line without its LF.
    #[must_use]
    pub fn new(line_bytes_max: usize) -> Self {
        Self { partial: Vec::new(), line_bytes_max }
    }

    /// Passes the lines of `bytes` to the pipeline. After an error the rest of the stream cannot be decoded.
    pub fn feed(
        &mut self,
        bytes: &[u8],
        now_s: u64,
        pipeline: &mut dyn LinePipeline,
        gathered: &mut Gathered,
    ) -> Result<(), TooLong> {
        let bytes = self.join(bytes, now_s, pipeline, gathered)?;
        let taken = pipeline.take_lines(bytes, now_s, gathered);
        self.keep(&bytes[taken..], gathered)
    }

    /// Ends the stream. `clean` is true if the peer closed it, and false after a reset or the idle timeout.
    pub fn finish(self, clean: bool, now_s: u64, pipeline: &mut dyn LinePipeline, gathered: &mut Gathered) {
        if self.partial.is_empty() {
            return;
        }
        if clean {
            pipeline.take_last_line(&self.partial, now_s, gathered);
        } else {
            gathered.refuse(Reason::Unterminated, &self.partial);
        }
    }

    /// How many bytes of an unfinished line are stored.
    #[must_use]
    pub fn partial_bytes(&self) -> usize {
        self.partial.len()
    }

    /// Bytes of memory that the decoder occupies.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.partial.capacity()
    }

    /// Completes the line that an earlier read began. Returns what comes after it.
    fn join<'a>(
        &mut self,
        bytes: &'a [u8],
        now_s: u64,
        pipeline: &mut dyn LinePipeline,
        gathered: &mut Gathered,
    ) -> Result<&'a [u8], TooLong> {
        if self.partial.is_empty() {
            return Ok(bytes);
        }
        let line_end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        if self.partial.len() + line_end > self.line_bytes_max {
            return Err(refuse(&self.partial, gathered));
        }
        let (end, rest) = bytes.split_at(bytes.len().min(line_end + 1));
        self.partial.extend_from_slice(end);
        if line_end < bytes.len() {
            pipeline.take_lines(&self.partial, now_s, gathered);
            self.partial.clear();
            self.partial.shrink_to(KEPT_BYTES);
        }
        Ok(rest)
    }

    /// Stores the start of a line. The pipeline also stops in front of a whole line that is too long.
    fn keep(&mut self, rest: &[u8], gathered: &mut Gathered) -> Result<(), TooLong> {
        if rest.len() > self.line_bytes_max {
            return Err(refuse(rest, gathered));
        }
        self.partial.extend_from_slice(rest);
        if self.partial.is_empty() {
            self.partial = Vec::new();
        }
        Ok(())
    }
}

/// Decodes a datagram as a complete stream that ends cleanly. A line that is too long ends it.
pub fn take_datagram(
    bytes: &[u8],
    line_bytes_max: usize,
    now_s: u64,
    pipeline: &mut dyn LinePipeline,
    gathered: &mut Gathered,
) {
    let last = &bytes[pipeline.take_lines(bytes, now_s, gathered)..];
    if last.len() > line_bytes_max {
        refuse(last, gathered);
    } else if !last.is_empty() {
        pipeline.take_last_line(last, now_s, gathered);
    }
}

fn refuse(line: &[u8], gathered: &mut Gathered) -> TooLong {
    gathered.refuse(Reason::LineTooLong, line);
    TooLong
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line is longer than the limit")
    }
}

impl std::error::Error for TooLong {}
