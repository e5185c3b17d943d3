//! Some whole lines on their way through a destination, and where they stand in its books.

use crate::gather::Chunk;
use std::sync::Arc;

/// Lines that share a fate.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) chunk: Chunk,
    /// The number of the first line in the spool, if they are there too.
    pub(super) spooled: Option<u64>,
    /// They were counted as sent before, and go out again for the case that the peer lost them.
    pub(super) is_repeat: bool,
    /// What goes over the wire instead of the lines, and how many of them are not in it. It goes as a whole or again.
    pub(super) frame: Option<(Arc<Vec<u8>>, u32)>,
}

impl Item {
    /// Lines that are only in memory.
    pub(super) const fn new(chunk: Chunk) -> Self {
        Self { chunk, spooled: None, is_repeat: false, frame: None }
    }

    /// Whether it is this item's copy in memory that the books rest on.
    pub(super) const fn is_owed(&self) -> bool {
        self.spooled.is_none() && !self.is_repeat
    }

    pub(super) fn bytes(&self) -> usize {
        self.chunk.bytes().len()
    }

    pub(super) fn lines(&self) -> u64 {
        u64::from(self.chunk.lines())
    }

    /// What goes over the wire.
    pub(super) fn wire(&self) -> &[u8] {
        match &self.frame {
            Some((frame, _)) => frame,
            None => self.chunk.bytes(),
        }
    }

    /// Lines that are not on the wire, for they cannot be put into a frame.
    pub(super) fn bad_lines(&self) -> u64 {
        self.frame.as_ref().map_or(0, |(_, bad)| u64::from(*bad))
    }

    /// The number in the spool of the line after the last.
    pub(super) fn spooled_end(&self) -> Option<u64> {
        self.spooled.map(|first| first + self.lines())
    }

    /// Parts it after so many lines.
    pub(super) fn split_at_line(&self, lines: u32) -> (Self, Self) {
        self.with(self.chunk.split_at_line(lines))
    }

    /// Parts it after so many bytes, which end with a line.
    pub(super) fn split_at_byte(&self, bytes: usize) -> (Self, Self) {
        self.with(self.chunk.split_at_byte(bytes))
    }

    fn with(&self, (first, second): (Chunk, Chunk)) -> (Self, Self) {
        let spooled = self.spooled.map(|number| number + u64::from(first.lines()));
        let part = |chunk, spooled| Self { chunk, spooled, is_repeat: self.is_repeat, frame: None };
        (part(first, self.spooled), part(second, spooled))
    }
}
