//! Copies the counters of all workers as of one moment, without any worker waiting for another.
//!
//! A worker copies its counters when it is asked to, or when the first *marker* of another worker arrives,
//! and then sends a marker to all others. Messages from one worker to another stay in order. So lines that
//! arrive between a worker's own copy and another worker's marker were handed over before that worker's copy:
//! they were on the way at that moment. (This is the snapshot of Chandy and Lamport.)
//!
//! Guarantees that each line that a worker counts as handed over is counted once by the destination's owner
//! in the same ledger: as received or as on the way. There are no sockets and no clock here;
//! [`super::worker`] sends the markers.

use crate::{ledger::WorkerLedger, table::DestinationIndex};

/// One worker's part of the current ledger.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// The number of the latest one; the first is 1.
    number: u64,
    underway: Option<Underway>,
}

#[derive(Debug)]
struct Underway {
    ledger: WorkerLedger,
    /// By worker, whether its marker is still to come.
    is_awaited: Vec<bool>,
}

impl Cut {
    /// Whether the counters for the ledger with this number are not copied yet.
    pub(super) const fn is_new(&self, number: u64) -> bool {
        number > self.number
    }

    /// Begins a ledger with this worker's counters; `is_awaited` tells which workers will send a marker. An
    /// incomplete earlier ledger is forgotten.
    pub(super) fn begin(&mut self, number: u64, ledger: WorkerLedger, is_awaited: Vec<bool>) {
        *self = Self { number, underway: Some(Underway { ledger, is_awaited }) };
    }

    /// Records that lines came from another worker.
    pub(super) fn note_lines(&mut self, from: usize, destination: DestinationIndex, lines: u32) {
        let Some(Underway { ledger, is_awaited }) = &mut self.underway else { return };
        if is_awaited[from]
            && let Some((_, counts)) = ledger.destinations.iter_mut().find(|(at, _)| *at == destination)
        {
            counts.on_the_way += u64::from(lines);
        }
    }

    /// Records that a marker came from another worker.
    pub(super) fn note_marker(&mut self, from: usize, number: u64) {
        if let Some(underway) = &mut self.underway
            && number == self.number
        {
            underway.is_awaited[from] = false;
        }
    }

    /// Returns the worker's part with the ledger's number, if it is complete.
    pub(super) fn take_complete(&mut self) -> Option<(u64, WorkerLedger)> {
        let is_complete = self.underway.as_ref()?.is_awaited.iter().all(|is_awaited| !is_awaited);
        let number = self.number;
        self.underway.take_if(|_| is_complete).map(|underway| (number, underway.ledger))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::DestinationCounts;

    const ONLY: DestinationIndex = DestinationIndex(1);

    fn ledger() -> WorkerLedger {
        WorkerLedger { destinations: vec![(ONLY, DestinationCounts::default())], ..WorkerLedger::default() }
    }

    #[test]
    fn what_comes_between_the_note_and_the_marker_was_on_the_way() {
        let mut cut = Cut::default();
        cut.note_lines(0, ONLY, 1);
        assert!(cut.is_new(1));
        cut.begin(1, ledger(), vec![true, false, true]);
        assert!(!cut.is_new(1));
        cut.note_lines(0, ONLY, 10);
        cut.note_marker(0, 1);
        cut.note_lines(0, ONLY, 100);
        cut.note_lines(2, ONLY, 1_000);
        assert!(cut.take_complete().is_none());
        // A marker of a ledger that was abandoned.
        cut.note_marker(2, 0);
        assert!(cut.take_complete().is_none());
        cut.note_marker(2, 1);
        let (number, ledger) = cut.take_complete().unwrap();
        assert_eq!((number, ledger.destinations[0].1.on_the_way), (1, 1_010));
        assert!(cut.take_complete().is_none());
    }

    #[test]
    fn books_that_were_never_completed_do_not_mix_with_the_next() {
        let mut cut = Cut::default();
        cut.begin(1, ledger(), vec![true, false]);
        cut.note_lines(0, ONLY, 10);
        cut.begin(2, ledger(), vec![true, false]);
        cut.note_marker(0, 2);
        let (number, ledger) = cut.take_complete().unwrap();
        assert_eq!((number, ledger.destinations[0].1.on_the_way), (2, 0));
    }
}
