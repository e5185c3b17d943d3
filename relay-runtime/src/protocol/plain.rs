//! The plaintext protocol: lines that end in LF (spec §4.2).
//!
//! Whole lines go to the pipeline from the read buffer in which they lie, many at a time. Only a line that
//! lies across two reads is copied: its start waits here, and when its end comes the two are joined here, so
//! the reader's buffer needs no room in front. An idle connection therefore costs the memory of the line it
//! has begun, and none in between lines.
//!
//! What a stream leaves behind when it ends is a line only if it ended cleanly. A reset or the idle timeout
//! may have cut it anywhere, also within a number (BUG-22).

use crate::{gather::Gathered, pipeline::LinePipeline, validate::Reason};
use std::fmt;

/// The memory for a line's start that is kept for the next one.
const KEPT_BYTES: usize = 512;

/// One connection's line in the making.
///
/// Invariant: `partial` holds no LF and at most `line_bytes_max` bytes.
#[derive(Debug)]
pub struct PlainDecoder {
    partial: Vec<u8>,
    line_bytes_max: usize,
}

/// A line is longer than the limit. It is counted; the connection must be closed, since nobody knows what
/// the sender means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl PlainDecoder {
    /// The start of a stream whose lines have at most so many bytes, not counting the LF.
    #[must_use]
    pub fn new(line_bytes_max: usize) -> Self {
        Self { partial: Vec::new(), line_bytes_max }
    }

    /// Takes what was read. After an error the connection's data is of no more use.
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

    /// The stream is over: `clean` if the peer closed it, as opposed to a reset or the idle timeout.
    pub fn finish(self, clean: bool, now_s: u64, pipeline: &mut dyn LinePipeline, gathered: &mut Gathered) {
        if self.partial.is_empty() {
            return;
        }
        if clean {
            pipeline.take_last_line(&self.partial, now_s, gathered);
        } else {
            gathered.refuse(Reason::Unterminated);
        }
    }

    /// How many bytes of an unfinished line are waiting.
    #[must_use]
    pub fn partial_bytes(&self) -> usize {
        self.partial.len()
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.partial.capacity()
    }

    /// Finishes the line that was begun in an earlier read. Returns what comes after it.
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
            return Err(refuse(gathered));
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

    /// Keeps the start of a line. The pipeline also stops in front of a whole line that is too long.
    fn keep(&mut self, rest: &[u8], gathered: &mut Gathered) -> Result<(), TooLong> {
        if rest.len() > self.line_bytes_max {
            return Err(refuse(gathered));
        }
        self.partial.extend_from_slice(rest);
        if self.partial.is_empty() {
            self.partial = Vec::new();
        }
        Ok(())
    }
}

/// Takes a datagram: a whole stream that ends cleanly. A line that is too long ends it.
pub fn take_datagram(
    bytes: &[u8],
    line_bytes_max: usize,
    now_s: u64,
    pipeline: &mut dyn LinePipeline,
    gathered: &mut Gathered,
) {
    let last = &bytes[pipeline.take_lines(bytes, now_s, gathered)..];
    if last.len() > line_bytes_max {
        refuse(gathered);
    } else if !last.is_empty() {
        pipeline.take_last_line(last, now_s, gathered);
    }
}

fn refuse(gathered: &mut Gathered) -> TooLong {
    gathered.refuse(Reason::LineTooLong);
    TooLong
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a line is longer than the limit")
    }
}

impl std::error::Error for TooLong {}
