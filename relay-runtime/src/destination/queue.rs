//! The lines that wait for one destination, in order.
//!
//! Guarantees: lines leave in the order they came; a line is counted as gone only when its last byte was
//! taken; a line that was taken in part when a connection broke starts again whole (`rewind`); what does not
//! fit is refused in whole lines, newest first, and counted exactly.
//! Left to others: when to write, and what a full queue means ([`super::Destination`]). A spool will sit
//! between `push` and the chunks: the ends stay in memory, the middle goes to disk.

use crate::gather::Chunk;
use std::{collections::VecDeque, io::IoSlice, sync::Arc};

/// Chunks below this size are copied together while they wait. Otherwise thirty thousand one-line chunks
/// would hold thirty thousand buffers, each with room for much more than one line.
const SMALL_BYTES: usize = 16 * 1024;

/// Where copying together ends and a new buffer begins.
const TAIL_BYTES: usize = 64 * 1024;

/// How much may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Lines.
    pub lines: u64,
    /// Bytes, with LFs.
    pub bytes: usize,
}

/// Whole lines in order, of which the first may be written in part.
#[derive(Debug, Default)]
pub(super) struct Queue {
    chunks: VecDeque<Chunk>,
    /// Newer than all chunks; small chunks copied together.
    tail: Vec<u8>,
    tail_lines: u32,
    /// Bytes of the first chunk that are written, and the whole lines among them.
    written: usize,
    written_lines: u32,
    /// Lines not written to their end.
    lines: u64,
    /// Bytes of all chunks and the tail, written or not: what the memory is used for.
    bytes: usize,
}

impl Queue {
    /// Adds lines at the end, however many wait already.
    pub(super) fn push(&mut self, chunk: Chunk) {
        if chunk.lines() == 0 {
            return;
        }
        self.lines += u64::from(chunk.lines());
        self.bytes += chunk.bytes().len();
        let behind = !self.chunks.is_empty() || !self.tail.is_empty();
        if behind && chunk.bytes().len() < SMALL_BYTES {
            if self.tail.len() + chunk.bytes().len() > TAIL_BYTES {
                self.seal();
            }
            self.tail.extend_from_slice(chunk.bytes());
            self.tail_lines += chunk.lines();
        } else {
            self.seal();
            self.chunks.push_back(chunk);
        }
    }

    /// Adds what fits in `room` and gives the number of lines that do not.
    pub(super) fn push_within(&mut self, chunk: Chunk, room: Room) -> u64 {
        let free = Room {
            lines: room.lines.saturating_sub(self.lines),
            bytes: room.bytes.saturating_sub(self.bytes),
        };
        let (fitting, _) = fit(chunk.bytes(), chunk.lines(), free);
        let refused = chunk.lines() - fitting;
        if refused == 0 {
            self.push(chunk);
        } else if fitting > 0 {
            self.push(chunk.split_at_line(fitting).0);
        }
        u64::from(refused)
    }

    /// Drops the newest lines until the rest fits in `room`, and gives their number. The oldest line always
    /// stays, for a part of it may be on the wire.
    pub(super) fn trim(&mut self, room: Room) -> u64 {
        let mut dropped = 0;
        while self.lines > 1 && (self.lines > room.lines || self.bytes > room.bytes) {
            let before = self.lines;
            if self.tail.is_empty() {
                self.trim_last_chunk(room);
            } else {
                self.trim_tail(room);
            }
            if self.lines == before {
                break;
            }
            dropped += before - self.lines;
        }
        dropped
    }

    /// Points `slices` at what is to be written next, at most `bytes_max` bytes unless the first chunk alone
    /// is longer, and gives the number of slices.
    pub(super) fn slices<'a>(&'a mut self, slices: &mut [IoSlice<'a>], bytes_max: usize) -> usize {
        if self.chunks.len() < slices.len() {
            self.seal();
        }
        let (mut used, mut bytes) = (0, 0);
        for (slice, chunk) in slices.iter_mut().zip(&self.chunks) {
            let rest = &chunk.bytes()[if used == 0 { self.written } else { 0 }..];
            if used > 0 && bytes + rest.len() > bytes_max {
                break;
            }
            *slice = IoSlice::new(rest);
            bytes += rest.len();
            used += 1;
        }
        used
    }

    /// The next whole lines that fit in `bytes_max`, or one line if that is longer; `None` when empty.
    pub(super) fn datagram(&mut self, bytes_max: usize) -> Option<&[u8]> {
        if self.chunks.is_empty() {
            self.seal();
        }
        let rest = &self.chunks.front()?.bytes()[self.written..];
        let end = match rest.get(..bytes_max) {
            None => rest.len(),
            Some(fitting) => match memchr::memrchr(b'\n', fitting) {
                Some(at) => at + 1,
                None => memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1),
            },
        };
        Some(&rest[..end])
    }

    /// The first `bytes` of what waited are written: gives the number of lines that ended within them.
    pub(super) fn wrote(&mut self, mut bytes: usize) -> u64 {
        let before = self.lines;
        while let Some(first) = self.chunks.front() {
            let rest = &first.bytes()[self.written..];
            if bytes < rest.len() {
                let ended = memchr::memchr_iter(b'\n', &rest[..bytes]).count();
                self.written += bytes;
                self.written_lines += u32::try_from(ended).unwrap_or(u32::MAX);
                self.lines -= ended as u64;
                break;
            }
            bytes -= rest.len();
            self.lines -= u64::from(first.lines() - self.written_lines);
            self.bytes -= first.bytes().len();
            self.chunks.pop_front();
            (self.written, self.written_lines) = (0, 0);
        }
        before - self.lines
    }

    /// The connection is gone: the line that was written in part, if any, starts again. Says whether there
    /// was one.
    pub(super) fn rewind(&mut self) -> bool {
        let Some(first) = self.chunks.front() else { return false };
        let start = memchr::memrchr(b'\n', &first.bytes()[..self.written]).map_or(0, |at| at + 1);
        let torn = start < self.written;
        self.written = start;
        torn
    }

    /// Forgets everything that waits and gives the number of lines.
    pub(super) fn clear(&mut self) -> u64 {
        std::mem::take(self).lines
    }

    /// Lines not written to their end.
    #[must_use]
    pub(super) const fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes held.
    #[must_use]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether nothing waits.
    #[must_use]
    pub(super) const fn is_empty(&self) -> bool {
        self.lines == 0
    }

    /// Makes a chunk of the tail.
    fn seal(&mut self) {
        if !self.tail.is_empty() {
            let bytes = std::mem::take(&mut self.tail);
            let lines = std::mem::take(&mut self.tail_lines);
            self.chunks.push_back(Chunk::new(Arc::new(bytes), lines));
        }
    }

    fn trim_tail(&mut self, room: Room) {
        let before = (self.lines - u64::from(self.tail_lines), self.bytes - self.tail.len());
        let free =
            Room { lines: room.lines.saturating_sub(before.0), bytes: room.bytes.saturating_sub(before.1) };
        let (lines, bytes) = fit(&self.tail, self.tail_lines, free);
        self.tail.truncate(bytes);
        self.tail_lines = lines;
        self.lines = before.0 + u64::from(lines);
        self.bytes = before.1 + bytes;
    }

    fn trim_last_chunk(&mut self, room: Room) {
        let Some(last) = self.chunks.pop_back() else { return };
        let first = self.chunks.is_empty();
        let (written, written_lines) = if first { (self.written, self.written_lines) } else { (0, 0) };
        let waiting = last.lines() - written_lines;
        let before = (self.lines - u64::from(waiting), self.bytes - last.bytes().len());
        let free = Room {
            lines: room.lines.saturating_sub(before.0),
            bytes: room.bytes.saturating_sub(before.1 + written),
        };
        let line_start = memchr::memrchr(b'\n', &last.bytes()[..written]).map_or(0, |at| at + 1);
        let (fitting, _) = fit(&last.bytes()[line_start..], waiting, free);
        let keep = written_lines + if first { fitting.max(1) } else { fitting };
        let kept = last.split_at_line(keep).0;
        self.lines = before.0 + u64::from(keep - written_lines);
        self.bytes = before.1 + kept.bytes().len();
        if keep > 0 {
            self.chunks.push_back(kept);
        }
    }
}

/// The longest run of whole lines at the start of `bytes`, which holds `lines` of them, that fits in `room`:
/// its lines and its bytes.
fn fit(bytes: &[u8], lines: u32, room: Room) -> (u32, usize) {
    if u64::from(lines) <= room.lines && bytes.len() <= room.bytes {
        return (lines, bytes.len());
    }
    let (mut fitting, mut end) = (0, 0);
    for at in memchr::memchr_iter(b'\n', bytes) {
        if u64::from(fitting) == room.lines || at + 1 > room.bytes {
            break;
        }
        (fitting, end) = (fitting + 1, at + 1);
    }
    (fitting, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Room = Room { lines: u64::MAX, bytes: usize::MAX };

    fn chunk(text: &str) -> Chunk {
        let lines = u32::try_from(text.matches('\n').count()).unwrap();
        Chunk::new(Arc::new(text.as_bytes().to_vec()), lines)
    }

    fn queue(texts: &[&str]) -> Queue {
        let mut queue = Queue::default();
        for text in texts {
            queue.push(chunk(text));
        }
        queue
    }

    fn rest(queue: &mut Queue) -> String {
        let mut slices = [IoSlice::new(&[]); 8];
        let used = queue.slices(&mut slices, usize::MAX);
        slices[..used].iter().map(|slice| String::from_utf8_lossy(slice).into_owned()).collect()
    }

    #[test]
    fn lines_leave_in_order_whatever_the_size_of_the_writes() {
        for step in 1..12 {
            let mut queue = queue(&["a\n", "bb\nccc\n", "d\n"]);
            let (mut seen, mut lines) = (String::new(), 0);
            while !queue.is_empty() {
                let text = rest(&mut queue);
                let taken = &text[..step.min(text.len())];
                seen.push_str(taken);
                lines += queue.wrote(taken.len());
            }
            assert_eq!((seen.as_str(), lines, queue.bytes()), ("a\nbb\nccc\nd\n", 4, 0));
        }
    }

    #[test]
    fn a_line_written_in_part_starts_again_whole() {
        let mut queue = queue(&["aa\nbbb\ncc\n"]);
        assert_eq!(queue.wrote(5), 1);
        assert!(queue.rewind());
        assert_eq!((rest(&mut queue).as_str(), queue.lines()), ("bbb\ncc\n", 2));
        assert!(!queue.rewind());
    }

    #[test]
    fn what_does_not_fit_is_refused_newest_first() {
        for (room, want) in [
            (WIDE, "a\nbb\nccc\ndddd\n"),
            (Room { lines: 3, ..WIDE }, "a\nbb\nccc\n"),
            (Room { lines: 1, ..WIDE }, "a\n"),
            (Room { bytes: 8, ..WIDE }, "a\nbb\n"),
            (Room { bytes: 9, ..WIDE }, "a\nbb\nccc\n"),
        ] {
            let lost = 4 - want.matches('\n').count() as u64;
            let mut pushed = Queue::default();
            let refused =
                pushed.push_within(chunk("a\nbb\n"), room) + pushed.push_within(chunk("ccc\ndddd\n"), room);
            assert_eq!((rest(&mut pushed).as_str(), refused), (want, lost));
            for texts in [&["a\nbb\nccc\ndddd\n"][..], &["a\n", "bb\n", "ccc\n", "dddd\n"]] {
                let mut trimmed = queue(texts);
                assert_eq!(trimmed.trim(room), lost, "{room:?}");
                assert_eq!(rest(&mut trimmed), want);
                assert_eq!((trimmed.lines(), trimmed.bytes()), (4 - lost, want.len()));
            }
        }
    }

    #[test]
    fn trimming_never_takes_the_line_that_is_on_the_wire() {
        let mut queue = queue(&["aa\nbbb\ncc\n"]);
        queue.wrote(4);
        assert_eq!(queue.trim(Room { lines: 0, bytes: 0 }), 1);
        assert_eq!(rest(&mut queue), "bb\n");
        assert_eq!((queue.wrote(3), queue.bytes()), (1, 0));
    }

    #[test]
    fn datagrams_hold_whole_lines() {
        let mut queue = queue(&["aa\nbbb\ncccccccccc\nd\n"]);
        let mut seen = Vec::new();
        while let Some(datagram) = queue.datagram(8) {
            seen.push(String::from_utf8_lossy(datagram).into_owned());
            let bytes = datagram.len();
            queue.wrote(bytes);
        }
        assert_eq!(seen, ["aa\nbbb\n", "cccccccccc\n", "d\n"]);
    }
}
