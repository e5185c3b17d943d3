//! The memo of a pickle: values that it stores under a number to fetch them again.
//!
//! Picklers count upwards from 0 (Python 2's from 1), so entries are in a vector. An entry with a number out of
//! sequence is in a map, so it costs no more memory than any other.

use super::heap::Id;
use std::collections::HashMap;

/// The stored values by number.
#[derive(Debug, Default)]
pub(super) struct Memo {
    /// From number 0 on, with gaps of at most one entry.
    dense: Vec<Option<Id>>,
    sparse: HashMap<u64, Id>,
    len: u64,
}

impl Memo {
    pub(super) fn put(&mut self, number: u64, id: Id) {
        if self.get(number).is_none() {
            self.len += 1;
        }
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        if at > self.dense.len().saturating_add(1) {
            self.sparse.insert(number, id);
            return;
        }
        if at >= self.dense.len() {
            self.dense.resize(at + 1, None);
        }
        self.dense[at] = Some(id);
    }

    /// Stores under the next number, which is the count of stored values.
    pub(super) fn put_next(&mut self, id: Id) {
        self.put(self.len, id);
    }

    pub(super) fn get(&self, number: u64) -> Option<Id> {
        let dense = usize::try_from(number).ok().and_then(|at| self.dense.get(at).copied().flatten());
        dense.or_else(|| if self.sparse.is_empty() { None } else { self.sparse.get(&number).copied() })
    }

    #[cfg(test)]
    pub(super) fn memory_bytes(&self) -> usize {
        // An entry of the map has one control byte, and an eighth of the capacity stays free.
        self.dense.capacity() * size_of::<Option<Id>>() + self.sparse.capacity() * 20
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::pickle::heap::{Heap, Value};

    #[test]
    fn the_last_one_stored_under_a_number_counts() {
        let mut heap = Heap::new(b"");
        let ids: Vec<Id> = (0..10).map(|number| heap.add(Value::Int(number))).collect();
        let mut memo = Memo::default();
        memo.put(3, ids[0]);
        memo.put(u64::MAX, ids[1]);
        assert_eq!((memo.get(3), memo.get(2), memo.get(u64::MAX)), (Some(ids[0]), None, Some(ids[1])));
        for number in 0..6 {
            memo.put(number, ids[4]);
        }
        assert_eq!((memo.get(3), memo.get(5), memo.get(6)), (Some(ids[4]), Some(ids[4]), None));
        memo.put(1_000_000, ids[5]);
        assert_eq!(memo.dense.len(), 6);
        memo.put_next(ids[6]);
        assert_eq!(memo.get(8), Some(ids[6]));
    }
}
