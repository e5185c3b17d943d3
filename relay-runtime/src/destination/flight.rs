//! Lines in flight: written and not acknowledged by the peer's kernel, and for a while those that were
//! acknowledged (redo).
//!
//! When a connection dies, all that the peer's kernel had not acknowledged is lost. When a peer is killed, it
//! also loses what its kernel had acknowledged and the program had not read. The first is always sent again;
//! the second as far as the redo window reaches. Only whole lines are here; a line that is written in part is
//! still in the queue.

use super::item::Item;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How long, and up to how many bytes, acknowledged lines are kept to be sent again when a connection dies.
///
/// A line is sent again once: what is acknowledged as a repeat is not kept. So a peer with short connections
/// gets each line at most twice, and every acknowledgement is progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redo {
    /// From the acknowledgement of a line to the last sign of life of the connection. Zero keeps nothing.
    pub time: Duration,
    /// The most bytes of lines.
    pub bytes_max: usize,
}

/// Lines in the order in which they were written, acknowledged ones first.
#[derive(Debug, Default)]
pub(super) struct Flight {
    kept: VecDeque<(Instant, Item)>,
    kept_bytes: usize,
    unacknowledged: VecDeque<Item>,
    unacknowledged_bytes: usize,
    /// The number of unacknowledged lines that are nowhere else.
    owed_lines: u64,
    /// When the peer last acknowledged something.
    last_acknowledged: Option<Instant>,
}

impl Flight {
    /// Adds lines that are written completely.
    pub(super) fn push(&mut self, item: Item) {
        self.unacknowledged_bytes += item.wire().len();
        self.owed_lines += owed(&item);
        self.unacknowledged.push_back(item);
    }

    /// Records that the peer's kernel has not acknowledged `outstanding` bytes, of which `partial` belong to a
    /// line that is not here. Calls back with what is newly acknowledged.
    pub(super) fn acknowledge(
        &mut self,
        outstanding: usize,
        partial: usize,
        now: Instant,
        redo: Redo,
        mut arrived: impl FnMut(&Item),
    ) {
        let mut acknowledged = (self.unacknowledged_bytes + partial).saturating_sub(outstanding);
        while let Some(first) = self.unacknowledged.front()
            && first.wire().len() <= acknowledged
        {
            let Some(item) = self.unacknowledged.pop_front() else { break };
            acknowledged -= item.wire().len();
            self.unacknowledged_bytes -= item.wire().len();
            self.owed_lines -= owed(&item);
            arrived(&item);
            self.last_acknowledged = Some(now);
            if !redo.time.is_zero() && !item.is_repeat {
                self.kept_bytes += item.bytes();
                self.kept.push_back((now, item));
            }
        }
        self.forget(now, redo);
    }

    /// Splits the first item after its acknowledged lines, so that they can be acknowledged separately and are
    /// not sent again without need. A frame is not split.
    pub(super) fn part_acknowledged(&mut self, outstanding: usize, partial: usize) {
        let acknowledged = (self.unacknowledged_bytes + partial).saturating_sub(outstanding);
        if let Some(first) = self.unacknowledged.front()
            && first.frame.is_none()
            && acknowledged < first.bytes()
            && let Some(at) = memchr::memrchr(b'\n', &first.chunk.bytes()[..acknowledged])
        {
            let (whole, rest) = first.split_at_byte(at + 1);
            self.unacknowledged[0] = rest;
            self.unacknowledged.push_front(whole);
        }
    }

    /// Forgets lines that were acknowledged long enough before the last sign of life. While something is not
    /// acknowledged, the last sign of life is the last acknowledgement, because the peer may have been dead
    /// since then.
    pub(super) fn forget(&mut self, now: Instant, redo: Redo) {
        let now = self.last_acknowledged.filter(|_| self.is_waiting()).unwrap_or(now);
        while let Some((since, item)) = self.kept.front()
            && (self.kept_bytes > redo.bytes_max || now.saturating_duration_since(*since) >= redo.time)
        {
            self.kept_bytes -= item.bytes();
            self.kept.pop_front();
        }
    }

    /// When there is something to forget, if nothing happens before.
    pub(super) fn next_forget(&self, redo: Redo) -> Option<Instant> {
        self.kept.front().filter(|_| !self.is_waiting()).map(|(since, _)| *since + redo.time)
    }

    /// Takes out everything that must be sent again, in order.
    pub(super) fn take(&mut self) -> impl DoubleEndedIterator<Item = Item> + use<> {
        let flight = std::mem::take(self);
        let repeated = flight.kept.into_iter().map(|(_, item)| Item { is_repeat: true, ..item });
        repeated.chain(flight.unacknowledged)
    }

    /// The items that are only in memory, in order, each with whether it was acknowledged, so that they can be
    /// put into the spool too.
    pub(super) fn unspooled(&mut self) -> impl Iterator<Item = (&mut Item, bool)> {
        let kept = self.kept.iter_mut().map(|(_, item)| (item, true));
        let rest = self.unacknowledged.iter_mut().map(|item| (item, false));
        kept.chain(rest).filter(|(item, _)| item.spooled.is_none())
    }

    /// Updates the counts after items that were only in memory were put into the spool.
    pub(super) fn recount(&mut self) {
        self.owed_lines = self.unacknowledged.iter().map(owed).sum();
    }

    /// The number of the first line here that is in the spool.
    pub(super) fn first_spooled(&self) -> Option<u64> {
        let kept = self.kept.iter().map(|(_, item)| item);
        kept.chain(&self.unacknowledged).find_map(|item| item.spooled)
    }

    /// The number of lines that are not acknowledged and nowhere else.
    pub(super) const fn owed_lines(&self) -> u64 {
        self.owed_lines
    }

    /// Whether something is not acknowledged.
    pub(super) fn is_waiting(&self) -> bool {
        !self.unacknowledged.is_empty()
    }

    /// The number of bytes that are not acknowledged.
    pub(super) const fn unacknowledged_bytes(&self) -> usize {
        self.unacknowledged_bytes
    }

    /// The number of bytes held.
    pub(super) const fn bytes(&self) -> usize {
        self.kept_bytes + self.unacknowledged_bytes
    }
}

fn owed(item: &Item) -> u64 {
    if item.is_owed() { item.lines() } else { 0 }
}
