//! Lists that grow without moving: millions of cells in hundreds of lists, where doubling would waste a third and what is
//! left behind could not be used again.

/// Entries of a piece.
pub(super) const ENTRIES: usize = 16;

/// A list of entries, each of so many items.
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

    /// Adds an entry, all of whose items are `item`, and says where.
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
