//! A chunk: whole lines on their way to one or more destinations.
//!
//! Clones of a chunk share its memory; splitting one copies nothing.

use std::{ops::Range, sync::Arc};

/// Whole lines, each with its LF, in memory that clones share.
///
/// Invariant, kept by the code that makes a chunk: the bytes end with LF (or are empty) and contain exactly
/// `lines` LFs.
#[derive(Clone, Debug)]
pub struct Chunk {
    buffer: Arc<Vec<u8>>,
    range: Range<usize>,
    lines: u32,
}

impl Chunk {
    /// A chunk of all of `buffer`, which must contain `lines` whole lines.
    #[must_use]
    pub fn new(buffer: Arc<Vec<u8>>, lines: u32) -> Self {
        debug_assert_eq!(memchr::memchr_iter(b'\n', &buffer).count(), lines as usize);
        debug_assert!(buffer.last().is_none_or(|&last| last == b'\n'));
        let range = 0..buffer.len();
        Self { buffer, range, lines }
    }

    /// The bytes of the lines.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.range.clone()]
    }

    /// The number of lines.
    #[must_use]
    pub const fn lines(&self) -> u32 {
        self.lines
    }

    /// Splits the chunk after its first `lines` lines. Takes time linear in the bytes of the first part.
    #[must_use]
    pub fn split_at_line(&self, lines: u32) -> (Self, Self) {
        if lines >= self.lines {
            let end = self.range.end;
            return (self.clone(), Self { range: end..end, lines: 0, buffer: Arc::clone(&self.buffer) });
        }
        let cut = match lines.checked_sub(1) {
            None => self.range.start,
            Some(before) => {
                let ends = memchr::memchr_iter(b'\n', self.bytes());
                self.range.start + ends.skip(before as usize).map(|at| at + 1).next().unwrap_or(0)
            }
        };
        self.parted(cut, lines)
    }

    /// Splits the chunk after its first `bytes` bytes, which must end with a line. Takes time linear in the
    /// bytes of the first part.
    #[must_use]
    pub fn split_at_byte(&self, bytes: usize) -> (Self, Self) {
        let cut = self.range.start + bytes.min(self.range.len());
        let lines = memchr::memchr_iter(b'\n', &self.buffer[self.range.start..cut]).count();
        debug_assert!(bytes == 0 || self.buffer[cut - 1] == b'\n', "a chunk is parted between lines");
        self.parted(cut, u32::try_from(lines).unwrap_or(self.lines))
    }

    fn parted(&self, cut: usize, lines: u32) -> (Self, Self) {
        let part = |range, lines| Self { buffer: Arc::clone(&self.buffer), range, lines };
        (part(self.range.start..cut, lines), part(cut..self.range.end, self.lines - lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_whole_lines() {
        let chunk = Chunk::new(Arc::new(b"a\nbb\nccc\n".to_vec()), 3);
        for (at, first, second) in [(0, "", "a\nbb\nccc\n"), (2, "a\nbb\n", "ccc\n"), (3, "a\nbb\nccc\n", "")]
        {
            let (left, right) = chunk.split_at_line(at);
            assert_eq!((left.bytes(), right.bytes()), (first.as_bytes(), second.as_bytes()));
            assert_eq!((left.lines(), right.lines()), (at, 3 - at));
            let (left, right) = chunk.split_at_byte(first.len());
            assert_eq!((left.bytes(), right.bytes()), (first.as_bytes(), second.as_bytes()));
            assert_eq!((left.lines(), right.lines()), (at, 3 - at));
        }
    }
}
