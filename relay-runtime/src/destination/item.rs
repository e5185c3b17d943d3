//! An item: whole lines on their way through a destination, with the facts that its counters need.
//!
//! All lines of an item are treated alike; if they cannot be, the item is split.

use crate::gather::Chunk;
use std::sync::Arc;

/// Whole lines that are treated alike.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) chunk: Chunk,
    /// The number of the first line in the spool, if the lines are there too.
    pub(super) spooled: Option<u64>,
    /// Whether the lines were counted as sent before and are sent again because the peer may have lost them.
    pub(super) is_repeat: bool,
    /// The frame that is sent instead of the lines, and the number of lines that are not in it. A frame is sent
    /// whole or again.
    pub(super) frame: Option<(Arc<Vec<u8>>, u32)>,
}

impl Item {
    /// Lines that are only in memory.
    pub(super) const fn new(chunk: Chunk) -> Self {
        Self { chunk, spooled: None, is_repeat: false, frame: None }
    }

    /// Whether the lines are counted by this copy in memory, because they are nowhere else and were not sent.
    pub(super) const fn is_owed(&self) -> bool {
        self.spooled.is_none() && !self.is_repeat
    }

    pub(super) fn bytes(&self) -> usize {
        self.chunk.bytes().len()
    }

    pub(super) fn lines(&self) -> u64 {
        u64::from(self.chunk.lines())
    }

    /// The bytes that are sent.
    pub(super) fn wire(&self) -> &[u8] {
        match &self.frame {
            Some((frame, _)) => frame,
            None => self.chunk.bytes(),
        }
    }

    /// The number of lines that are not sent because they cannot be put into a frame.
    pub(super) fn bad_lines(&self) -> u64 {
        self.frame.as_ref().map_or(0, |(_, bad)| u64::from(*bad))
    }

    /// The number in the spool after that of the last line.
    pub(super) fn spooled_end(&self) -> Option<u64> {
        self.spooled.map(|first| first + self.lines())
    }

    /// Splits the item after its first `lines` lines.
    pub(super) fn split_at_line(&self, lines: u32) -> (Self, Self) {
        self.with(self.chunk.split_at_line(lines))
    }

    /// Splits the item after its first `bytes` bytes, which must end with a line.
    pub(super) fn split_at_byte(&self, bytes: usize) -> (Self, Self) {
        self.with(self.chunk.split_at_byte(bytes))
    }

    fn with(&self, (first, second): (Chunk, Chunk)) -> (Self, Self) {
        let spooled = self.spooled.map(|number| number + u64::from(first.lines()));
        let part = |chunk, spooled| Self { chunk, spooled, is_repeat: self.is_repeat, frame: None };
        (part(first, self.spooled), part(second, spooled))
    }
}
