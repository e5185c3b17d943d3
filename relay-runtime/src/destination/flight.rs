//! What the kernel took and the peer may not have: lines that were written and not acknowledged, and for a while those
//! that were.
//!
//! A connection that dies takes with it whatever the peer's kernel had not acknowledged, and a peer that is killed what its
//! kernel had and the program had not read. The first is sent again always, the second as far as the redo window reaches.
//! Only whole lines are here; of a line that is written in part the queue keeps all.

use super::item::Item;
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How long and how much of what was acknowledged goes again when a connection dies.
///
/// A line goes again once: what was acknowledged as a repeat is not kept. So a peer whose connections live short gets each
/// line twice at most, and every acknowledgement is progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redo {
    /// From the acknowledgement to the last sign of life of the connection. Zero keeps nothing.
    pub time: Duration,
    /// Bytes of lines.
    pub bytes_max: usize,
}

/// Lines in the order in which they were written; acknowledged ones first.
#[derive(Debug, Default)]
pub(super) struct Flight {
    kept: VecDeque<(Instant, Item)>,
    kept_bytes: usize,
    unacknowledged: VecDeque<Item>,
    unacknowledged_bytes: usize,
    /// Of those, the lines that are nowhere else.
    owed_lines: u64,
    /// When the peer last acknowledged something.
    last_acknowledged: Option<Instant>,
}

impl Flight {
    /// Lines were written to their end.
    pub(super) fn push(&mut self, item: Item) {
        self.unacknowledged_bytes += item.wire().len();
        self.owed_lines += owed(&item);
        self.unacknowledged.push_back(item);
    }

    /// The peer's kernel still has to acknowledge `outstanding` bytes, of which `partial` belong to a line that is not
    /// here. Hands out what is acknowledged now.
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

    /// Parts the first item where its acknowledged lines end, so that they can be acknowledged for themselves and do not
    /// go again without need. A frame is not parted.
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

    /// Forgets what was acknowledged long enough before the last sign of life. While something is not acknowledged, that is
    /// the last acknowledgement: the peer may be dead since then.
    pub(super) fn forget(&mut self, now: Instant, redo: Redo) {
        let now = self.last_acknowledged.filter(|_| self.is_waiting()).unwrap_or(now);
        while let Some((since, item)) = self.kept.front()
            && (self.kept_bytes > redo.bytes_max || now.saturating_duration_since(*since) >= redo.time)
        {
            self.kept_bytes -= item.bytes();
            self.kept.pop_front();
        }
    }

    /// When there is something to forget although nothing happens.
    pub(super) fn next_forget(&self, redo: Redo) -> Option<Instant> {
        self.kept.front().filter(|_| !self.is_waiting()).map(|(since, _)| *since + redo.time)
    }

    /// Everything that must go again, in order.
    pub(super) fn take(&mut self) -> impl DoubleEndedIterator<Item = Item> + use<> {
        let flight = std::mem::take(self);
        let repeated = flight.kept.into_iter().map(|(_, item)| Item { is_repeat: true, ..item });
        repeated.chain(flight.unacknowledged)
    }

    /// What is only in memory, with whether it was acknowledged, in order, for it to be put into the spool as well.
    pub(super) fn unspooled(&mut self) -> impl Iterator<Item = (&mut Item, bool)> {
        let kept = self.kept.iter_mut().map(|(_, item)| (item, true));
        let rest = self.unacknowledged.iter_mut().map(|item| (item, false));
        kept.chain(rest).filter(|(item, _)| item.spooled.is_none())
    }

    /// Some of what was only in memory is in the spool too.
    pub(super) fn recount(&mut self) {
        self.owed_lines = self.unacknowledged.iter().map(owed).sum();
    }

    /// The number of the first line here that is in the spool.
    pub(super) fn first_spooled(&self) -> Option<u64> {
        let kept = self.kept.iter().map(|(_, item)| item);
        kept.chain(&self.unacknowledged).find_map(|item| item.spooled)
    }

    /// Lines not acknowledged, and nowhere else.
    pub(super) const fn owed_lines(&self) -> u64 {
        self.owed_lines
    }

    /// Whether something is not acknowledged.
    pub(super) fn is_waiting(&self) -> bool {
        !self.unacknowledged.is_empty()
    }

    /// Bytes that are not acknowledged.
    pub(super) const fn unacknowledged_bytes(&self) -> usize {
        self.unacknowledged_bytes
    }

    /// Bytes held.
    pub(super) const fn bytes(&self) -> usize {
        self.kept_bytes + self.unacknowledged_bytes
    }
}

fn owed(item: &Item) -> u64 {
    if item.is_owed() { item.lines() } else { 0 }
}
