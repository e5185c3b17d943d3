//! The lines for one destination that are queued in memory, in order.
//!
//! Guarantees: lines leave in the order in which they came. A line is reported as written only when its last
//! byte was accepted. A line that was written in part when a connection broke starts again from its beginning
//! (`rewind`). Lines that do not fit are refused whole, newest or oldest first, and counted exactly. Limits
//! apply to lines that are only here; a line that is in the spool too is a copy. When to write, and what a full
//! queue means, is left to [`super::Destination`].

use super::item::Item;
use crate::{gather::Chunk, protocol::pickle::encode};
use std::{collections::VecDeque, io::IoSlice, sync::Arc};

/// Smaller chunks are copied together in the queue. Otherwise thirty thousand chunks of one line would occupy
/// thirty thousand buffers, each much larger than one line.
const SMALL_BYTES: usize = 16 * 1024;

/// The size at which a buffer of copied chunks is full.
const TAIL_BYTES: usize = 64 * 1024;

/// How much may be queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The number of lines.
    pub lines: u64,
    /// Their bytes, LFs included.
    pub bytes: usize,
}

/// Whole lines in order, of which the first may be written in part.
#[derive(Debug, Default)]
pub(super) struct Queue {
    items: VecDeque<Item>,
    /// Lines newer than all items, from small chunks that were copied together.
    tail: Vec<u8>,
    tail_lines: u32,
    /// How many bytes of the first line are written.
    written: usize,
    /// The number of owed lines: those that are only here and were never counted as sent.
    lines: u64,
    /// The bytes of owed lines.
    bytes: usize,
    /// The bytes of all other items.
    copied_bytes: usize,
}

impl Queue {
    /// Appends lines, however many are queued already.
    pub(super) fn push(&mut self, chunk: Chunk) {
        if chunk.lines() == 0 {
            return;
        }
        let is_behind = !self.items.is_empty() || !self.tail.is_empty();
        if is_behind && chunk.bytes().len() < SMALL_BYTES {
            self.lines += u64::from(chunk.lines());
            self.bytes += chunk.bytes().len();
            if self.tail.len() + chunk.bytes().len() > TAIL_BYTES {
                self.seal();
            }
            self.tail.extend_from_slice(chunk.bytes());
            self.tail_lines += chunk.lines();
        } else {
            self.push_item(Item::new(chunk));
        }
    }

    /// Appends an item.
    pub(super) fn push_item(&mut self, item: Item) {
        self.seal();
        self.add(&item);
        self.items.push_back(item);
    }

    /// Inserts an item before all others. No line may be written in part.
    pub(super) fn push_front(&mut self, item: Item) {
        debug_assert_eq!(self.written, 0, "the connection of a line that is written in part is gone");
        self.add(&item);
        self.items.push_front(item);
    }

    /// Appends what fits in `room`. Returns the number of lines that do not fit.
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

    /// Drops the newest lines until the rest fits in `room`, and returns their number. A line that is written
    /// in part always stays.
    pub(super) fn trim_newest(&mut self, room: Room) -> u64 {
        let before = self.lines;
        while self.is_over(room) && (!self.tail.is_empty() || self.items.back().is_some_and(Item::is_owed)) {
            self.seal();
            let Some(last) = self.items.pop_back() else { break };
            self.remove(&last);
            let free = Room {
                lines: room.lines.saturating_sub(self.lines),
                bytes: room.bytes.saturating_sub(self.bytes),
            };
            let (mut fitting, _) = fit(last.chunk.bytes(), last.chunk.lines(), free);
            let is_on_the_wire = self.items.is_empty() && self.written > 0;
            if is_on_the_wire {
                // Once a frame has begun, all of it must follow.
                fitting = if last.frame.is_some() { last.chunk.lines() } else { fitting.max(1) };
            }
            if fitting > 0 {
                let is_whole = fitting == last.chunk.lines();
                let kept = if is_whole { last } else { last.split_at_line(fitting).0 };
                self.add(&kept);
                self.items.push_back(kept);
                break;
            }
        }
        before - self.lines
    }

    /// Drops the oldest lines until the rest fits in `room`, and returns their number. A line that is written
    /// in part always stays.
    pub(super) fn trim_oldest(&mut self, room: Room) -> u64 {
        let before = self.lines;
        if self.is_over(room) {
            self.seal();
        }
        while self.is_over(room) {
            let Some(mut at) = self.items.iter().position(Item::is_owed) else { break };
            if at == 0 && self.written > 0 {
                let (first, rest) = self.items[0].split_at_line(1);
                if rest.chunk.lines() == 0 || self.items[0].frame.is_some() {
                    let Some(next) = self.items.iter().skip(1).position(Item::is_owed) else { break };
                    at = next + 1;
                } else {
                    self.items[0] = rest;
                    self.items.push_front(first);
                    at = 1;
                }
            }
            let Some(oldest) = self.items.remove(at) else { break };
            self.remove(&oldest);
            let surplus =
                excess(oldest.chunk.bytes(), self.lines + oldest.lines(), self.bytes + oldest.bytes(), room);
            let rest = oldest.split_at_line(surplus).1;
            if rest.chunk.lines() > 0 {
                self.add(&rest);
                self.items.insert(at, rest);
            }
        }
        before - self.lines
    }

    /// Points `slices` at what is to be written next, at most `bytes_max` bytes unless the first item alone is
    /// longer. Returns the number of slices.
    pub(super) fn slices<'a>(&'a mut self, slices: &mut [IoSlice<'a>], bytes_max: usize) -> usize {
        if self.items.len() < slices.len() {
            self.seal();
        }
        let (mut used, mut bytes) = (0, 0);
        for (slice, item) in slices.iter_mut().zip(&self.items) {
            let rest = &item.wire()[if used == 0 { self.written } else { 0 }..];
            if used > 0 && bytes + rest.len() > bytes_max {
                break;
            }
            *slice = IoSlice::new(rest);
            bytes += rest.len();
            used += 1;
        }
        used
    }

    /// The next whole lines that fit in `bytes_max`, or one line if that is longer; `None` if the queue is
    /// empty.
    pub(super) fn datagram(&mut self, bytes_max: usize) -> Option<&[u8]> {
        if self.items.is_empty() {
            self.seal();
        }
        let rest = &self.items.front()?.chunk.bytes()[self.written..];
        let end = match rest.get(..bytes_max) {
            None => rest.len(),
            Some(fitting) => match memchr::memrchr(b'\n', fitting) {
                Some(at) => at + 1,
                None => memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1),
            },
        };
        Some(&rest[..end])
    }

    /// Converts about `bytes_max` bytes of the next lines to frames of at most `lines_max` lines each. Calls
    /// back with items of which no line fits into a frame.
    pub(super) fn frame(&mut self, lines_max: u32, bytes_max: usize, mut empty: impl FnMut(Item)) {
        self.seal();
        let (mut at, mut framed) = (0, 0);
        while framed < bytes_max
            && let Some(item) = self.items.get_mut(at)
        {
            if item.frame.is_none() {
                if item.chunk.lines() > lines_max {
                    let (first, rest) = item.split_at_line(lines_max);
                    *item = first;
                    self.items.insert(at + 1, rest);
                    continue;
                }
                let mut frame = Vec::new();
                let encoded = encode(item.chunk.bytes(), &mut frame);
                item.frame = Some((Arc::new(frame), encoded.bad));
            }
            let wire_bytes = item.wire().len();
            if wire_bytes == 0 {
                // Nothing of it is written, so it counts as arrived when everything before it has arrived.
                if at > 0 {
                    break;
                }
                let Some(item) = self.items.pop_front() else { break };
                self.remove(&item);
                empty(item);
                continue;
            }
            framed += wire_bytes;
            at += 1;
        }
    }

    /// Records that the first `bytes` bytes are written. Calls back with the lines that ended within them.
    pub(super) fn wrote(&mut self, mut bytes: usize, mut done: impl FnMut(Item)) {
        while bytes > 0 {
            let Some(first) = self.items.pop_front() else { return };
            let rest = first.wire().len() - self.written;
            if bytes >= rest {
                bytes -= rest;
                self.written = 0;
                self.remove(&first);
                done(first);
                continue;
            }
            let end = self.written + bytes;
            bytes = 0;
            let line_end =
                if first.frame.is_some() { None } else { memchr::memrchr(b'\n', &first.wire()[..end]) };
            match line_end {
                None => {
                    self.written = end;
                    self.items.push_front(first);
                }
                Some(at) => {
                    let (whole, rest) = first.split_at_byte(at + 1);
                    self.written = end - (at + 1);
                    self.remove(&whole);
                    self.items.push_front(rest);
                    done(whole);
                }
            }
        }
    }

    /// Called when the connection is gone: a line that was written in part starts again. Returns whether there
    /// was one.
    pub(super) const fn rewind(&mut self) -> bool {
        let is_torn = self.written > 0;
        self.written = 0;
        is_torn
    }

    /// Removes everything, owed or not. Returns the number of owed lines.
    pub(super) fn clear(&mut self) -> u64 {
        std::mem::take(self).lines
    }

    /// Removes the newest items of which there is a copy in the spool, while they have more than `bytes` bytes.
    /// Returns the number of the first line that is not here any more.
    pub(super) fn forget_copies(&mut self, bytes: usize) -> Option<u64> {
        let mut first = None;
        while self.copied_bytes > bytes && (self.items.len() > 1 || self.written == 0) {
            let Some(spooled) = self.items.back().and_then(|item| item.spooled) else { break };
            let Some(item) = self.items.pop_back() else { break };
            self.remove(&item);
            first = Some(spooled);
        }
        first
    }

    /// The items that are only here, in order, so that they can be put into the spool too; repeats included.
    pub(super) fn unspooled(&mut self) -> impl Iterator<Item = &mut Item> {
        self.seal();
        self.items.iter_mut().filter(|item| item.spooled.is_none())
    }

    /// Updates the counts after items that were only here were put into the spool.
    pub(super) fn recount(&mut self) {
        let owed = || self.items.iter().filter(|item| item.is_owed());
        let (lines, bytes) = (owed().map(Item::lines).sum(), owed().map(Item::bytes).sum::<usize>());
        self.copied_bytes = self.items.iter().map(Item::bytes).sum::<usize>() - bytes;
        (self.lines, self.bytes) = (lines, bytes);
    }

    /// The number of the first line here that is in the spool.
    pub(super) fn first_spooled(&self) -> Option<u64> {
        self.items.iter().find_map(|item| item.spooled)
    }

    /// Takes out the first item. No line may be written in part.
    pub(super) fn pop(&mut self) -> Option<Item> {
        self.seal();
        let item = self.items.pop_front()?;
        self.remove(&item);
        Some(item)
    }

    /// Takes out the items that are only here, in order. A line that is written in part stays.
    pub(super) fn take_owed(&mut self) -> Vec<Item> {
        self.seal();
        let (mut taken, mut kept) = (Vec::new(), VecDeque::new());
        let is_torn = self.written > 0;
        for (at, item) in std::mem::take(&mut self.items).into_iter().enumerate() {
            let stays = at == 0 && is_torn;
            if !item.is_owed() || (stays && item.frame.is_some()) {
                kept.push_back(item);
                continue;
            }
            let (first, rest) = item.split_at_line(u32::from(stays));
            if stays {
                kept.push_back(first);
            }
            if rest.chunk.lines() > 0 {
                self.remove(&rest);
                taken.push(rest);
            }
        }
        self.items = kept;
        taken
    }

    /// The number of owed lines.
    #[must_use]
    pub(super) const fn lines(&self) -> u64 {
        self.lines
    }

    /// The number of bytes held, copies included.
    #[must_use]
    pub(super) const fn bytes(&self) -> usize {
        self.bytes + self.copied_bytes
    }

    /// How many bytes are written of a line whose end is not.
    #[must_use]
    pub(super) const fn partial(&self) -> usize {
        self.written
    }

    /// Whether the queue is empty.
    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty() && self.tail.is_empty()
    }

    /// Converts the tail to an item.
    fn seal(&mut self) {
        if !self.tail.is_empty() {
            let bytes = std::mem::take(&mut self.tail);
            let lines = std::mem::take(&mut self.tail_lines);
            self.items.push_back(Item::new(Chunk::new(Arc::new(bytes), lines)));
        }
    }

    const fn is_over(&self, room: Room) -> bool {
        self.lines > room.lines || self.bytes > room.bytes
    }

    fn add(&mut self, item: &Item) {
        if item.is_owed() {
            self.lines += item.lines();
            self.bytes += item.bytes();
        } else {
            self.copied_bytes += item.bytes();
        }
    }

    fn remove(&mut self, item: &Item) {
        if item.is_owed() {
            self.lines -= item.lines();
            self.bytes -= item.bytes();
        } else {
            self.copied_bytes -= item.bytes();
        }
    }
}

/// The longest run of whole lines at the start of `bytes` that fits in `room`, as lines and bytes; `bytes`
/// contains `lines` lines.
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

/// How many lines at the start of `oldest` must be dropped so that `lines` and `bytes`, which include them, fit
/// in `room`.
fn excess(oldest: &[u8], lines: u64, bytes: usize, room: Room) -> u32 {
    let mut gone = 0;
    for at in memchr::memchr_iter(b'\n', oldest) {
        gone += 1;
        if lines - u64::from(gone) <= room.lines && bytes - (at + 1) <= room.bytes {
            break;
        }
    }
    gone
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

    fn wrote(queue: &mut Queue, bytes: usize) -> u64 {
        let mut lines = 0;
        queue.wrote(bytes, |item| lines += item.lines());
        lines
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
                queue.wrote(taken.len(), |item| lines += item.lines());
            }
            assert_eq!((seen.as_str(), lines, queue.bytes()), ("a\nbb\nccc\nd\n", 4, 0));
        }
    }

    #[test]
    fn a_line_written_in_part_starts_again_whole() {
        let mut queue = queue(&["aa\nbbb\ncc\n"]);
        assert_eq!(wrote(&mut queue, 5), 1);
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
                assert_eq!(trimmed.trim_newest(room), lost, "{room:?}");
                assert_eq!(rest(&mut trimmed), want);
                assert_eq!((trimmed.lines(), trimmed.bytes()), (4 - lost, want.len()));
            }
        }
    }

    #[test]
    fn the_oldest_can_make_room() {
        for (room, want) in [
            (WIDE, "a\nbb\nccc\ndddd\n"),
            (Room { lines: 3, ..WIDE }, "bb\nccc\ndddd\n"),
            (Room { lines: 1, ..WIDE }, "dddd\n"),
            (Room { bytes: 9, ..WIDE }, "ccc\ndddd\n"),
            (Room { bytes: 8, ..WIDE }, "dddd\n"),
        ] {
            let lost = 4 - want.matches('\n').count() as u64;
            for texts in [&["a\nbb\nccc\ndddd\n"][..], &["a\n", "bb\n", "ccc\n", "dddd\n"]] {
                let mut trimmed = queue(texts);
                assert_eq!(trimmed.trim_oldest(room), lost, "{room:?}");
                assert_eq!(rest(&mut trimmed), want);
                assert_eq!((trimmed.lines(), trimmed.bytes()), (4 - lost, want.len()));
            }
        }
    }

    #[test]
    fn trimming_never_takes_the_line_that_is_on_the_wire() {
        let mut queue = queue(&["aa\nbbb\ncc\n"]);
        assert_eq!(wrote(&mut queue, 4), 1);
        assert_eq!(queue.trim_newest(Room { lines: 0, bytes: 0 }), 1);
        assert_eq!(rest(&mut queue), "bb\n");
        assert_eq!((wrote(&mut queue, 3), queue.bytes()), (1, 0));
        let mut queue = self::queue(&["aa\nbbb\ncc\n"]);
        assert_eq!(wrote(&mut queue, 4), 1);
        assert_eq!(queue.trim_oldest(Room { lines: 0, bytes: 0 }), 1);
        assert_eq!(rest(&mut queue), "bb\n");
    }

    #[test]
    fn frames_go_as_a_whole_and_bad_lines_are_known() {
        let mut queue = queue(&["a.b 1 2\nc.d x 3\ne.f 4 5\n", "no datapoint\n"]);
        queue.frame(2, usize::MAX, |_| panic!("nothing is empty at the front"));
        let wire = queue.items[0].wire().to_vec();
        assert_eq!(wire[..4], u32::try_from(wire.len() - 4).unwrap().to_be_bytes());
        assert_eq!(wire[4..7], [0x80, 2, b']']);
        let mut done = Vec::new();
        queue.wrote(3, |item| done.push(item));
        assert!(done.is_empty() && queue.partial() == 3);
        assert!(queue.rewind());
        queue.wrote(wire.len(), |item| done.push(item));
        assert_eq!((done[0].lines(), done[0].bad_lines()), (2, 1));
        let rest = queue.items[0].wire().len();
        queue.wrote(rest, |item| done.push(item));
        queue.frame(2, usize::MAX, |item| done.push(item));
        assert_eq!((done[2].lines(), done[2].bad_lines(), queue.is_empty()), (1, 1, true));
    }

    #[test]
    fn datagrams_hold_whole_lines() {
        let mut queue = queue(&["aa\nbbb\ncccccccccc\nd\n"]);
        let mut seen = Vec::new();
        while let Some(datagram) = queue.datagram(8) {
            seen.push(String::from_utf8_lossy(datagram).into_owned());
            let bytes = datagram.len();
            wrote(&mut queue, bytes);
        }
        assert_eq!(seen, ["aa\nbbb\n", "cccccccccc\n", "d\n"]);
    }
}
