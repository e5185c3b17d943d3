//! The books of all workers as of one moment, without anybody waiting for anybody.
//!
//! A worker notes its books when it is asked to, or when it hears that another worker has noted its own, whichever comes first, and
//! then tells all others with a *marker*. The way from one worker to another keeps order, so what arrives between a worker's own
//! note and another's marker was handed over before that one's note: it was on the way at the moment of the books. (This is
//! the snapshot of Chandy and Lamport.)
//!
//! Guarantees that what a worker counts as handed over is, in the same books, counted once by the owner of its destination: among
//! what it got or among what was on the way. No sockets, no clock: [`super::worker`] carries the markers.

use crate::{ledger::WorkerLedger, table::DestinationIndex};

/// One worker's part in the books at hand.
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
    /// Whether the books of this number are still to be noted.
    pub(super) const fn is_new(&self, number: u64) -> bool {
        number > self.number
    }

    /// These are the books of this worker, and these workers will send a marker. Books that were never completed are forgotten.
    pub(super) fn begin(&mut self, number: u64, ledger: WorkerLedger, is_awaited: Vec<bool>) {
        *self = Self { number, underway: Some(Underway { ledger, is_awaited }) };
    }

    /// Lines came from another worker.
    pub(super) fn note_lines(&mut self, from: usize, destination: DestinationIndex, lines: u32) {
        let Some(Underway { ledger, is_awaited }) = &mut self.underway else { return };
        if is_awaited[from]
            && let Some((_, counts)) = ledger.destinations.iter_mut().find(|(at, _)| *at == destination)
        {
            counts.on_the_way += u64::from(lines);
        }
    }

    /// A marker came from another worker.
    pub(super) fn note_marker(&mut self, from: usize, number: u64) {
        if let Some(underway) = &mut self.underway
            && number == self.number
        {
            underway.is_awaited[from] = false;
        }
    }

    /// The books, with their number, once they are complete.
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
        // Of books that were given up.
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
