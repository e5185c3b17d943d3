//! Which destinations wait for a disk that does not answer.
//!
//! All workers see it: whoever reads lines for such a destination holds their input. While no disk hangs, a look costs one load.

use crate::table::DestinationIndex;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// The destinations, by index. All clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Stuck(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    is_stuck: Vec<AtomicBool>,
    count: AtomicUsize,
    /// How often one got free.
    freed: AtomicUsize,
}

impl Stuck {
    /// None of this number of destinations.
    pub(super) fn none(destinations: usize) -> Self {
        let is_stuck = (0..destinations).map(|_| AtomicBool::new(false)).collect();
        Self(Arc::new(Shared { is_stuck, count: AtomicUsize::new(0), freed: AtomicUsize::new(0) }))
    }

    /// Whether there is any.
    pub(super) fn is_any(&self) -> bool {
        self.0.count.load(Ordering::Relaxed) > 0
    }

    /// How often a destination got free. Inputs that are held are read again when this changes.
    pub(super) fn freed(&self) -> usize {
        self.0.freed.load(Ordering::Relaxed)
    }

    pub(super) fn has(&self, destination: DestinationIndex) -> bool {
        self.0.is_stuck[destination.get()].load(Ordering::Relaxed)
    }

    /// Notes whether a destination is stuck. Returns whether that is new. Called by its owner only.
    pub(super) fn set(&self, destination: DestinationIndex, is_stuck: bool) -> bool {
        let was_stuck = self.0.is_stuck[destination.get()].swap(is_stuck, Ordering::Relaxed);
        match (was_stuck, is_stuck) {
            (false, true) => {
                self.0.count.fetch_add(1, Ordering::Relaxed);
            }
            (true, false) => {
                self.0.count.fetch_sub(1, Ordering::Relaxed);
                self.0.freed.fetch_add(1, Ordering::Relaxed);
            }
            (false, false) | (true, true) => {}
        }
        was_stuck != is_stuck
    }
}
