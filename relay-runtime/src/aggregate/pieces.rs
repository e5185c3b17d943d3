//! Lists that grow in pieces, without moving what they contain. There are hundreds of lists with millions of
//! cells in all: doubling them would waste a third of the memory, and what a moved list leaves behind could not
//! be used again.
//!
//! Entries are never removed; `cells` and `series` keep lists of free ones.

/// The number of entries in a piece.
pub(super) const ENTRIES: usize = 16;

/// A list of entries that have the same number of items each.
#[derive(Debug)]
pub(super) struct Pieces<T> {
    list: Vec<Box<[T]>>,
    items_each: usize,
    len: u32,
}

impl<T: Clone> Pieces<T> {
    pub(super) const fn new(items_each: usize) -> Self {
        Self { list: Vec::new(), items_each, len: 0 }
    }

    /// Adds an entry whose items are all `item`. Returns its number.
    pub(super) fn push(&mut self, item: T) -> u32 {
        let at = self.len;
        if at as usize == self.list.len() * ENTRIES {
            self.list.push(vec![item; ENTRIES * self.items_each].into());
        } else {
            self.get_mut(at).fill(item);
        }
        self.len += 1;
        at
    }

    pub(super) const fn len(&self) -> u32 {
        self.len
    }

    #[inline]
    pub(super) fn get(&self, at: u32) -> &[T] {
        let (piece, start) = self.place(at);
        &self.list[piece][start..start + self.items_each]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, at: u32) -> &mut [T] {
        let (piece, start) = self.place(at);
        &mut self.list[piece][start..start + self.items_each]
    }

    #[inline]
    const fn place(&self, at: u32) -> (usize, usize) {
        let at = at as usize;
        (at / ENTRIES, at % ENTRIES * self.items_each)
    }
}
