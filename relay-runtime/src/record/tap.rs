//! Receives copies of lines from workers while a recorder is connected.
//!
//! Copying never blocks: if the recorder is too slow, lines are dropped from the recording and counted.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, AtomicU64, Ordering},
    mpsc::{Receiver, SyncSender, sync_channel},
};

/// The most blocks that may be queued for a recorder, each of one read at most.
const WAITING_MAX: usize = 4;

/// Shared by all workers and the thread that serves recorders.
#[derive(Debug, Default)]
pub(crate) struct Tap {
    /// Tested once per read, so that a relay that is not recorded pays almost nothing.
    is_open: AtomicBool,
    blocks: Mutex<Option<SyncSender<Block>>>,
    /// Lines that were skipped since the last block.
    missed: AtomicU64,
}

/// The lines of one read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    /// The lines, each with its LF.
    pub(super) lines: Vec<u8>,
    /// Lines before these that were skipped because the recorder was too slow.
    pub(super) missed: u64,
}

impl Tap {
    /// Begins a recording and ends the one before, if any.
    pub(super) fn open(&self) -> Receiver<Block> {
        let (sender, receiver) = sync_channel(WAITING_MAX);
        *self.blocks.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        self.missed.store(0, Ordering::Relaxed);
        self.is_open.store(true, Ordering::Relaxed);
        receiver
    }

    /// Ends a recording.
    pub(super) fn close(&self) {
        self.is_open.store(false, Ordering::Relaxed);
        *self.blocks.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Offers whole lines to the recorder. Never blocks.
    pub(super) fn note(&self, lines: &[u8]) {
        if self.is_open.load(Ordering::Relaxed) && !lines.is_empty() {
            self.copy(lines);
        }
    }

    #[cold]
    fn copy(&self, lines: &[u8]) {
        let blocks = self.blocks.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = &*blocks else { return };
        let mut block = Block { lines: lines.to_vec(), missed: self.missed.swap(0, Ordering::Relaxed) };
        if lines.last() != Some(&b'\n') {
            block.lines.push(b'\n');
        }
        if let Err(error) = sender.try_send(block) {
            let (std::sync::mpsc::TrySendError::Full(block)
            | std::sync::mpsc::TrySendError::Disconnected(block)) = error;
            let lines = memchr::memchr_iter(b'\n', &block.lines).count() as u64;
            self.missed.fetch_add(block.missed + lines, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_recorder_is_too_slow_for_is_counted() {
        let tap = Tap::default();
        tap.note(b"nobody is there\n");
        let blocks = tap.open();
        for _ in 0..WAITING_MAX {
            tap.note(b"a 1 2\n");
        }
        tap.note(b"b 1 2\nc 1 2\n");
        tap.note(b"last without LF");
        for _ in 0..WAITING_MAX {
            assert_eq!(blocks.try_recv(), Ok(Block { lines: b"a 1 2\n".to_vec(), missed: 0 }));
        }
        tap.note(b"d 1 2");
        assert_eq!(blocks.try_recv(), Ok(Block { lines: b"d 1 2\n".to_vec(), missed: 3 }));
        tap.close();
        tap.note(b"e 1 2\n");
        assert!(blocks.recv().is_err());
    }
}
