//! Buffers for chunks, used again once nobody else holds them.
//!
//! A worker keeps at most [`KEPT_MAX`] full-size buffers, 4 MiB; whatever is needed beyond comes from the
//! allocator. A chunk that is mostly empty is handed over as a copy that fits: when a destination is down,
//! its queue may hold one chunk per line, and each would pin a whole buffer.

use super::CHUNK_BYTES;
use std::{collections::VecDeque, sync::Arc};

/// How many buffers are kept, lent or free.
const KEPT_MAX: usize = 32;

/// The buffers of one worker.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Vec<Vec<u8>>,
    /// What was handed out, oldest first; ours again when ours is the last reference.
    lent: VecDeque<Arc<Vec<u8>>>,
    /// References whose buffer was taken out, so that sharing the next one needs no allocation.
    hollow: Vec<Arc<Vec<u8>>>,
}

impl Pool {
    /// An empty buffer with room for a chunk, and for `bytes` if that is more.
    pub(super) fn take(&mut self, bytes: usize) -> Vec<u8> {
        if bytes > CHUNK_BYTES {
            return Vec::with_capacity(bytes);
        }
        self.free.pop().or_else(|| self.reclaim()).unwrap_or_else(|| Vec::with_capacity(CHUNK_BYTES))
    }

    /// Makes a chunk's bytes sharable, in memory not more than twice as large.
    pub(super) fn share(&mut self, mut bytes: Vec<u8>) -> Arc<Vec<u8>> {
        let is_full_size = bytes.capacity() == CHUNK_BYTES;
        let has_place = self.free.len() + self.lent.len() < KEPT_MAX;
        if bytes.len() < bytes.capacity() / 2 {
            let fitting = Arc::new(bytes.as_slice().to_vec());
            if is_full_size && has_place {
                bytes.clear();
                self.free.push(bytes);
            }
            return fitting;
        }
        let shared = self.wrap(bytes);
        if is_full_size && has_place {
            self.lent.push_back(Arc::clone(&shared));
        }
        shared
    }

    fn wrap(&mut self, bytes: Vec<u8>) -> Arc<Vec<u8>> {
        let Some(mut shared) = self.hollow.pop() else { return Arc::new(bytes) };
        match Arc::get_mut(&mut shared) {
            Some(place) => {
                *place = bytes;
                shared
            }
            None => Arc::new(bytes),
        }
    }

    /// Destinations give chunks back in no particular order; each of the few is asked once.
    fn reclaim(&mut self) -> Option<Vec<u8>> {
        let at = self.lent.iter().position(|lent| Arc::strong_count(lent) == 1)?;
        let mut shared = self.lent.remove(at)?;
        let mut bytes = std::mem::take(Arc::get_mut(&mut shared)?);
        self.hollow.push(shared);
        bytes.clear();
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_returns_when_nobody_holds_it() {
        let mut pool = Pool::default();
        let mut bytes = pool.take(1);
        bytes.resize(CHUNK_BYTES, b'\n');
        let place = bytes.as_ptr();
        let shared = pool.share(bytes);
        assert_ne!(pool.take(1).as_ptr(), place, "still in use");
        drop(shared);
        let again = pool.take(1);
        assert_eq!((again.as_ptr(), again.len(), again.capacity()), (place, 0, CHUNK_BYTES));
    }

    #[test]
    fn a_mostly_empty_buffer_is_not_pinned() {
        let mut pool = Pool::default();
        let mut bytes = pool.take(1);
        let place = bytes.as_ptr();
        bytes.extend_from_slice(b"a\n");
        assert!(pool.share(bytes).capacity() <= 4);
        assert_eq!(pool.take(1).as_ptr(), place);
    }

    #[test]
    fn only_so_many_buffers_are_kept() {
        let mut pool = Pool::default();
        let full = || [b'\n'].repeat(CHUNK_BYTES);
        let shared: Vec<_> = (0..100).map(|_| pool.share(full())).collect();
        drop(shared);
        assert_eq!(pool.lent.len(), KEPT_MAX);
    }
}
