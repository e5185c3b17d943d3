//! The memory that the queues of all destinations share.
//!
//! As long as all of them together hold less than there is, each may hold what its own limits allow. From then
//! on, the next one that holds more than an equal share gives up the excess, down to its equal share: to disk,
//! if it spools, otherwise by `when_full`. So a few dead destinations may use what healthy ones do not need,
//! and never more.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The memory that is shared.
#[derive(Debug)]
pub struct QueueMemory {
    bytes_max: usize,
    equal_bytes: usize,
    held: AtomicUsize,
}

/// What one destination holds of it.
#[derive(Debug)]
pub(super) struct Share {
    of: Arc<QueueMemory>,
    held: usize,
}

impl QueueMemory {
    /// `bytes_max` bytes for this number of destinations.
    #[must_use]
    pub fn new(bytes_max: usize, destinations: usize) -> Arc<Self> {
        let equal_bytes = bytes_max / destinations.max(1);
        Arc::new(Self { bytes_max, equal_bytes, held: AtomicUsize::new(0) })
    }

    /// As much as the limits of each destination allow.
    #[must_use]
    pub fn unlimited() -> Arc<Self> {
        Self::new(usize::MAX, 1)
    }
}

impl Share {
    pub(super) const fn of(memory: Arc<QueueMemory>) -> Self {
        Self { of: memory, held: 0 }
    }

    /// Records what the destination holds. Returns how much it may hold, in bytes.
    pub(super) fn allow(&mut self, bytes: usize) -> usize {
        if self.of.bytes_max == usize::MAX {
            return usize::MAX;
        }
        let total = self.note(bytes);
        match total.saturating_sub(self.of.bytes_max) {
            0 => usize::MAX,
            excess => bytes.saturating_sub(excess).max(self.of.equal_bytes),
        }
    }

    /// The equal share: what every destination may hold at any time, in bytes.
    pub(super) fn equal_bytes(&self) -> usize {
        self.of.equal_bytes
    }

    /// Records what the destination holds. Returns what all of them hold now, in bytes.
    fn note(&mut self, bytes: usize) -> usize {
        let before = std::mem::replace(&mut self.held, bytes);
        if bytes >= before {
            self.of.held.fetch_add(bytes - before, Ordering::Relaxed) + (bytes - before)
        } else {
            self.of.held.fetch_sub(before - bytes, Ordering::Relaxed) - (before - bytes)
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.note(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_that_holds_more_than_an_equal_part_gives_up_the_excess() {
        let memory = QueueMemory::new(1_000, 4);
        let mut shares: Vec<_> = (0..4).map(|_| Share::of(Arc::clone(&memory))).collect();
        assert_eq!(shares[0].allow(900), usize::MAX);
        assert_eq!(shares[1].allow(100), usize::MAX);
        // 100 bytes too much, and none of them with those who hold little.
        assert_eq!(shares[1].allow(200), 250);
        assert_eq!(shares[0].allow(900), 800);
        assert_eq!(shares[0].allow(800), usize::MAX);
        // However little is left, every destination keeps an equal share.
        assert_eq!(shares[2].allow(5_000), 250);
        assert_eq!(shares[0].allow(800), 250);
        drop(shares);
        assert_eq!(memory.held.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn without_a_limit_nothing_is_counted() {
        let memory = QueueMemory::unlimited();
        assert_eq!(Share::of(Arc::clone(&memory)).allow(usize::MAX), usize::MAX);
        assert_eq!(memory.held.load(Ordering::Relaxed), 0);
    }
}
