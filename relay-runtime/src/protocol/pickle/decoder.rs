//! Finds frames in a stream: 4 bytes with the length of a pickle, most significant first, then the pickle.
//!
//! A frame that lies in one read is decoded in place. Only of a frame that continues in the next read is the
//! start stored here, as many bytes as have come: an announced length reserves no memory. A length of 0 is an
//! empty frame and means nothing (BUG-24).
//!
//! An item that is not a datapoint is counted as invalid, and the rest of its list is used. A pickle that
//! cannot be decoded ends the stream, because the sender uses another protocol; lines of earlier frames count.

use super::{
    datapoint::{Room, push_line},
    error::BadPickle,
    machine,
};
use crate::{gather::Gathered, parts::Pickling, pipeline::LinePipeline, validate::Reason};

/// Larger than any configured limit on frames, and small enough that offsets in a frame fit 32 bits.
pub const FRAME_BYTES_MAX: usize = 524_288_000;

/// The size of a frame's length in bytes.
const LENGTH_BYTES: usize = 4;

/// How much memory for the start of a frame is reused for the next frame, in bytes.
const KEPT_BYTES: usize = 512;

/// The size of blocks in which lines go to the pipeline, in bytes.
const BLOCK_BYTES: usize = 64 * 1024;

/// How many bytes of lines a frame may expand to, per byte of the frame. A list with datapoints of one series
/// contains the metric once and at least 11 bytes per datapoint, so with names of up to 650 bytes everything
/// fits.
const LINE_BYTES_PER_FRAME_BYTE: usize = 64;

/// The unfinished frame of one connection.
///
/// Invariant: `held` is the start of one frame, and less than the whole frame.
#[derive(Debug)]
pub struct PickleDecoder {
    _part: Pickling,
    held: Vec<u8>,
    limits: Limits,
}

#[derive(Clone, Copy, Debug)]
struct Limits {
    frame_bytes: usize,
    line_bytes: usize,
}

impl PickleDecoder {
    /// A decoder at the start of a stream. `frame_bytes_max` limits a frame without its length,
    /// `line_bytes_max` a line without its LF. Returns `None` if this relay has no pickle support.
    #[must_use]
    pub fn new(frame_bytes_max: usize, line_bytes_max: usize) -> Option<Self> {
        let limits = Limits { frame_bytes: frame_bytes_max.min(FRAME_BYTES_MAX), line_bytes: line_bytes_max };
        Some(Self { _part: Pickling::get()?, held: Vec::new(), limits })
    }

    /// Decodes what was read. Returns how many bytes of lines it contained. After an error the rest of the
    /// stream cannot be decoded.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        now_s: u64,
        pipeline: &mut dyn LinePipeline,
        gathered: &mut Gathered,
    ) -> Result<usize, BadPickle> {
        let mut lines = Lines { block: Vec::new(), taken: 0, now_s, pipeline, gathered };
        if !self.held.is_empty() {
            if !self.complete(&mut bytes)? {
                return Ok(0);
            }
            lines.take_frame(&self.held[LENGTH_BYTES..], self.limits)?;
            self.held.clear();
            self.held.shrink_to(KEPT_BYTES);
        }
        let rest = lines.take_frames(bytes, self.limits)?;
        self.held.extend_from_slice(rest);
        if self.held.is_empty() {
            self.held = Vec::new();
        }
        Ok(lines.taken)
    }

    /// Ends the stream. The start of a frame counts as one invalid line, because the number of its datapoints
    /// is unknown.
    pub fn finish(self, gathered: &mut Gathered) {
        if !self.held.is_empty() {
            gathered.refuse(Reason::Unterminated, &self.held);
        }
    }

    /// How many bytes of an unfinished frame are stored.
    #[must_use]
    pub fn partial_bytes(&self) -> usize {
        self.held.len()
    }

    /// Bytes of memory that the decoder occupies.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held.capacity()
    }

    /// Completes the stored frame from `bytes`, as far as they go. Returns whether it is complete.
    fn complete(&mut self, bytes: &mut &[u8]) -> Result<bool, BadPickle> {
        self.hold_until(LENGTH_BYTES, bytes);
        let Some(length) = length_at_start(&self.held, self.limits.frame_bytes)? else { return Ok(false) };
        self.hold_until(LENGTH_BYTES + length, bytes);
        Ok(self.held.len() == LENGTH_BYTES + length)
    }

    fn hold_until(&mut self, len: usize, bytes: &mut &[u8]) {
        let (more, rest) = bytes.split_at(bytes.len().min(len.saturating_sub(self.held.len())));
        self.held.extend_from_slice(more);
        *bytes = rest;
    }
}

/// Decodes a datagram as a complete stream. One that cannot be decoded, or ends within a frame, counts as one
/// invalid line.
///
/// Returns how many bytes of lines it contained, at most.
pub fn take_datagram(
    bytes: &[u8],
    frame_bytes_max: usize,
    line_bytes_max: usize,
    now_s: u64,
    pipeline: &mut dyn LinePipeline,
    gathered: &mut Gathered,
) -> usize {
    let Some(mut decoder) = PickleDecoder::new(frame_bytes_max, line_bytes_max) else { return 0 };
    if let Ok(taken) = decoder.feed(bytes, now_s, pipeline, gathered) {
        decoder.finish(gathered);
        return taken;
    }
    gathered.refuse(Reason::BadPickle, bytes);
    bytes.len() * LINE_BYTES_PER_FRAME_BYTE
}

/// The length of the frame that starts here, if all of its bytes have come.
fn length_at_start(bytes: &[u8], frame_bytes_max: usize) -> Result<Option<usize>, BadPickle> {
    let Some(length) = bytes.first_chunk() else { return Ok(None) };
    let announced = u32::from_be_bytes(*length);
    match usize::try_from(announced) {
        Ok(length) if length <= frame_bytes_max => Ok(Some(length)),
        _ => Err(BadPickle::FrameTooLong { bytes: announced }),
    }
}

/// Lines on their way from frames to the pipeline. Dropping it passes on what is left.
struct Lines<'a> {
    block: Vec<u8>,
    taken: usize,
    now_s: u64,
    pipeline: &'a mut dyn LinePipeline,
    gathered: &'a mut Gathered,
}

impl Lines<'_> {
    /// Decodes all complete frames. Returns the rest, the start of the next frame.
    fn take_frames<'b>(&mut self, mut bytes: &'b [u8], limits: Limits) -> Result<&'b [u8], BadPickle> {
        while let Some(length) = length_at_start(bytes, limits.frame_bytes)? {
            let Some((frame, rest)) = bytes[LENGTH_BYTES..].split_at_checked(length) else { break };
            self.take_frame(frame, limits)?;
            bytes = rest;
        }
        Ok(bytes)
    }

    fn take_frame(&mut self, frame: &[u8], limits: Limits) -> Result<(), BadPickle> {
        if frame.is_empty() {
            return Ok(());
        }
        let loaded = machine::load(frame)?;
        let mut room = Room { line: limits.line_bytes, frame: frame.len() * LINE_BYTES_PER_FRAME_BYTE };
        for item in loaded.heap.list(loaded.list) {
            if let Err(reason) = push_line(&loaded.heap, item, &mut room, &mut self.block) {
                // What the item is has no text of its own.
                self.gathered.refuse(reason, b"");
            }
            if self.block.len() >= BLOCK_BYTES {
                self.hand_over();
            }
        }
        Ok(())
    }

    fn hand_over(&mut self) {
        let taken = self.pipeline.take_lines(&self.block, self.now_s, self.gathered);
        debug_assert_eq!(taken, self.block.len(), "whole lines within the limit");
        self.taken += self.block.len();
        self.block.clear();
    }
}

impl Drop for Lines<'_> {
    fn drop(&mut self) {
        if !self.block.is_empty() {
            self.hand_over();
        }
    }
}
