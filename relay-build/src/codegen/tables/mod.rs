//! Builders of the tables that `relay_runtime::matching` reads: one file per engine, each a function from
//! literals or rules to bytes. Tests check that builder and engine agree.

mod automaton;
mod hashed;
mod index;
mod rows;
mod skips;
mod trie;

pub(super) use automaton::AutomatonTable;
pub(super) use hashed::HashedTable;
pub(super) use index::{IndexTable, PrefixTable, SubstringTable};
pub(super) use rows::RowsTable;
pub(super) use skips::SkipTable;
pub(super) use trie::TrieTable;

/// Numbers to be stored as a byte string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WordList(pub Vec<u8>);

/// Byte strings, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ArenaList {
    pub bytes: Vec<u8>,
    pub starts: WordList,
}

impl WordList {
    /// # Panics
    /// When a number does not fit 32 bits: no table is that large.
    pub(super) fn push(&mut self, number: usize) {
        let number = u32::try_from(number).expect("a table has fewer than 2^32 entries");
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn len(&self) -> usize {
        self.0.len() / size_of::<u32>()
    }
}

impl FromIterator<usize> for WordList {
    fn from_iter<T: IntoIterator<Item = usize>>(numbers: T) -> Self {
        let mut list = Self::default();
        numbers.into_iter().for_each(|number| list.push(number));
        list
    }
}

impl<'a> FromIterator<&'a [u8]> for ArenaList {
    fn from_iter<T: IntoIterator<Item = &'a [u8]>>(strings: T) -> Self {
        let mut list = Self::default();
        list.starts.push(0);
        for string in strings {
            list.bytes.extend_from_slice(string);
            list.starts.push(list.bytes.len());
        }
        list
    }
}
