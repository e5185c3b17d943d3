//! Buffers for chunks. A buffer is reused once no other reference to it exists.
//!
//! A worker keeps at most [`KEPT_MAX`] full-size buffers, 4 MiB; further ones come from the allocator. A chunk
//! that is mostly empty is handed over as a copy of the right size: if a destination is down, its queue may
//! contain one chunk per line, and each would occupy a whole buffer.

use super::CHUNK_BYTES;
use std::{collections::VecDeque, sync::Arc};

/// How many buffers a worker keeps, lent ones and free ones together.
const KEPT_MAX: usize = 32;

/// The buffers of one worker.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Vec<Vec<u8>>,
    /// Buffers that were handed out, oldest first. A buffer can be reused when this is its last reference.
    lent: VecDeque<Arc<Vec<u8>>>,
    /// References without a buffer, so that sharing the next buffer needs no allocation.
    hollow: Vec<Arc<Vec<u8>>>,
}

impl Pool {
    /// An empty buffer with room for a chunk, or for `bytes` if that is more.
    pub(super) fn take(&mut self, bytes: usize) -> Vec<u8> {
        if bytes > CHUNK_BYTES {
            return Vec::with_capacity(bytes);
        }
        self.free.pop().or_else(|| self.reclaim()).unwrap_or_else(|| Vec::with_capacity(CHUNK_BYTES))
    }

    /// Makes the bytes of a chunk sharable, in memory of at most twice their size.
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

    /// Destinations return chunks in any order, so each lent buffer is checked once.
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
        let other = pool.take(1);
        assert_ne!(other.as_ptr(), place, "still in use");
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
        let again = pool.take(1);
        assert_eq!(again.as_ptr(), place);
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
