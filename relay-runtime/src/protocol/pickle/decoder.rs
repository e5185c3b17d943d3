//! Frames: 4 bytes with the length of a pickle, highest first, then the pickle.
//!
//! A frame that lies in one read is decoded where it lies. Only of one that lies across reads the start waits here,
//! as much of it as has come: an announced length reserves nothing. A length of 0 is an empty frame and means nothing
//! (BUG-24).
//!
//! An item that is no datapoint is counted and the rest of its list is taken. A pickle that cannot be decoded ends the
//! stream, for whoever sent it means something else; lines of frames before it count.

use super::{
    datapoint::{Room, push_line},
    error::BadPickle,
    machine,
};
use crate::{gather::Gathered, parts::Pickling, pipeline::LinePipeline, validate::Reason};

/// More than any limit on frames, and so little that places in one fit 32 bits.
pub const FRAME_BYTES_MAX: usize = 524_288_000;

/// Bytes of a frame's length.
const LENGTH_BYTES: usize = 4;

/// The memory for a frame's start that is kept for the next one.
const KEPT_BYTES: usize = 512;

/// Lines that go to the pipeline together.
const BLOCK_BYTES: usize = 64 * 1024;

/// How long the lines of a frame may be, per byte of the frame. A list of one series' datapoints holds the metric
/// once, and 11 bytes or more for each: with names of up to 650 bytes everything fits.
const LINE_BYTES_PER_FRAME_BYTE: usize = 64;

/// One connection's frame in the making.
///
/// Invariant: `held` is the start of one frame, and not the whole of it.
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
    /// `None` where pickles are left out. The start of a stream of frames of at most so many bytes, not counting the length, each with lines of at most so
    /// many bytes, not counting the LF.
    #[must_use]
    pub fn new(frame_bytes_max: usize, line_bytes_max: usize) -> Option<Self> {
        let limits = Limits { frame_bytes: frame_bytes_max.min(FRAME_BYTES_MAX), line_bytes: line_bytes_max };
        Some(Self { _part: Pickling::get()?, held: Vec::new(), limits })
    }

    /// Takes what was read, and says how many bytes of lines came of it. After an error the connection's data is of no
    /// more use.
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

    /// The stream is over. The start of a frame is counted once, however many datapoints it was to have: nobody knows.
    pub fn finish(self, gathered: &mut Gathered) {
        if !self.held.is_empty() {
            gathered.refuse(Reason::Unterminated);
        }
    }

    /// How many bytes of an unfinished frame are waiting.
    #[must_use]
    pub fn partial_bytes(&self) -> usize {
        self.held.len()
    }

    /// Bytes of memory that it takes.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held.capacity()
    }

    /// Adds what `held` lacks to be a whole frame. Says whether it is one.
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

/// Takes a datagram: a whole stream. One that is bad, or ends within a frame, is counted once.
///
/// Says how many bytes of lines came of it, at most.
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
    gathered.refuse(Reason::BadPickle);
    bytes.len() * LINE_BYTES_PER_FRAME_BYTE
}

/// The length of the frame that starts here, if that is known already.
fn length_at_start(bytes: &[u8], frame_bytes_max: usize) -> Result<Option<usize>, BadPickle> {
    let Some(length) = bytes.first_chunk() else { return Ok(None) };
    let announced = u32::from_be_bytes(*length);
    match usize::try_from(announced) {
        Ok(length) if length <= frame_bytes_max => Ok(Some(length)),
        _ => Err(BadPickle::FrameTooLong { bytes: announced }),
    }
}

/// Lines on their way from frames to the pipeline. What is left goes there when it is dropped.
struct Lines<'a> {
    block: Vec<u8>,
    taken: usize,
    now_s: u64,
    pipeline: &'a mut dyn LinePipeline,
    gathered: &'a mut Gathered,
}

impl Lines<'_> {
    /// Takes the whole frames; returns the start of one more.
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
                self.gathered.refuse(reason);
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
