//! The thread that writes the state of aggregations, so that no other thread waits for the disk of `state_dir`.
//!
//! It saves open buckets periodically, and marks of ticks when it is told to.

use super::state::StateFiles;
use crate::aggregate::Shared;
use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// A tick whose mark is not written within this time is sent all the same: a disk that hangs counts as failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// The thread.
#[derive(Debug)]
pub(super) struct Keeper {
    notes: Notes,
    /// Receives nothing; it is closed when the thread ends.
    end: Receiver<()>,
}

/// The ticking worker's side of it.
#[derive(Clone, Debug)]
pub(super) struct Notes {
    orders: Sender<Order>,
    noted: Arc<Noted>,
}

#[derive(Clone, Copy, Debug)]
enum Order {
    /// Write the mark of this tick, which begins.
    Tick(u64),
    /// Save the open buckets.
    Save,
}

/// The latest tick whose mark is written.
#[derive(Debug, Default)]
struct Noted {
    tick_s: Mutex<Option<u64>>,
    has_come: Condvar,
}

impl Keeper {
    /// Starts the thread, which saves every `checkpoint`; with zero, only when it is told to.
    pub(super) fn start(files: StateFiles, shared: Arc<Shared>, checkpoint: Duration) -> io::Result<Self> {
        let (orders, received) = channel();
        let (running, end) = channel();
        let noted = Arc::default();
        let run = {
            let noted = Arc::clone(&noted);
            move || {
                run(files, &shared, checkpoint, &received, &noted);
                drop::<Sender<()>>(running);
            }
        };
        thread::Builder::new().name("state".to_owned()).spawn(run)?;
        Ok(Self { notes: Notes { orders, noted }, end })
    }

    pub(super) fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// Saves for the last time. The thread ends when no [`Notes`] exist any more.
    pub(super) fn finish(self) -> Finishing {
        self.notes.order(Order::Save);
        Finishing { end: self.end }
    }
}

/// The thread after it was told to finish.
#[derive(Debug)]
pub(super) struct Finishing {
    end: Receiver<()>,
}

impl Finishing {
    /// Whether everything is on disk, as far as the disk accepts it.
    pub(super) fn is_over(&self) -> bool {
        self.end.try_recv() == Err(TryRecvError::Disconnected)
    }
}

impl Notes {
    /// Requests that the mark of a tick is written.
    pub(super) fn begin(&self, tick_s: u64) {
        self.order(Order::Tick(tick_s));
    }

    /// Whether the mark of that tick is written.
    pub(super) fn has(&self, tick_s: u64) -> bool {
        *self.noted.tick_s.lock().unwrap_or_else(PoisonError::into_inner) == Some(tick_s)
    }

    /// Waits for that, for a limited time.
    pub(super) fn wait_for(&self, tick_s: u64) {
        let noted = self.noted.tick_s.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.noted.has_come.wait_timeout_while(noted, PATIENCE, |noted| *noted != Some(tick_s)));
    }

    fn order(&self, order: Order) {
        // The thread ends after everything that can send orders.
        let _ = self.orders.send(order);
    }
}

fn run(
    mut files: StateFiles,
    shared: &Shared,
    checkpoint: Duration,
    orders: &Receiver<Order>,
    noted: &Noted,
) {
    let mut next_save = (!checkpoint.is_zero()).then(|| Instant::now() + checkpoint);
    loop {
        let order = match next_save {
            Some(at) => orders.recv_timeout(at.saturating_duration_since(Instant::now())),
            None => orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match order {
            Ok(Order::Tick(tick_s)) => {
                files.note_tick(tick_s);
                *noted.tick_s.lock().unwrap_or_else(PoisonError::into_inner) = Some(tick_s);
                noted.has_come.notify_all();
            }
            Ok(Order::Save) => files.save(shared),
            Err(RecvTimeoutError::Timeout) => {
                files.save(shared);
                next_save = next_save.map(|_| Instant::now() + checkpoint);
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}
