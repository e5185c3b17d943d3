//! The memory of one rule's buckets: one cell for each open bucket of each series, all cells of the same size.
//!
//! A cell costs 12 bytes, its numbers, and four bytes in the list of buckets that start at the same time. The
//! cells of one series form a linked list, newest first; free cells form another.

use super::pieces::Pieces;

/// "No cell" or "no series".
pub(super) const NONE: u32 = u32::MAX;

/// The cells of a rule.
#[derive(Debug)]
pub(super) struct Cells {
    heads: Pieces<Head>,
    /// The numbers of all cells.
    words: Pieces<f64>,
    /// The values of all cells, if the rule keeps values.
    values: Vec<Vec<f64>>,
    keeps_values: bool,
    free: u32,
    used: usize,
}

/// What a cell belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// When the bucket starts, in seconds.
    pub(super) start: u32,
    /// The next older cell of the series or, for a free cell, the next free one.
    pub(super) next: u32,
    pub(super) series: u32,
}

impl Cells {
    pub(super) const fn new(words_each: usize, keeps_values: bool) -> Self {
        Self {
            heads: Pieces::new(1),
            words: Pieces::new(words_each),
            values: Vec::new(),
            keeps_values,
            free: NONE,
            used: 0,
        }
    }

    /// Returns a cell whose numbers are zero.
    pub(super) fn take(&mut self, head: Head) -> u32 {
        self.used += 1;
        if self.free != NONE {
            let cell = self.free;
            self.free = self.head(cell).next;
            *self.head_mut(cell) = head;
            self.words_mut(cell).fill(0.0);
            return cell;
        }
        // The limit on buckets is reached before the numbers of cells run out.
        let cell = self.heads.push(head);
        self.words.push(0.0);
        if self.keeps_values {
            self.values.push(Vec::new());
        }
        cell
    }

    /// Makes the cell free. Returns how many values it had.
    pub(super) fn release(&mut self, cell: u32) -> usize {
        self.used -= 1;
        self.head_mut(cell).next = self.free;
        self.free = cell;
        self.values.get_mut(cell as usize).map_or(0, |values| std::mem::take(values).len())
    }

    #[inline]
    pub(super) fn head(&self, cell: u32) -> Head {
        self.heads.get(cell)[0]
    }

    fn head_mut(&mut self, cell: u32) -> &mut Head {
        &mut self.heads.get_mut(cell)[0]
    }

    pub(super) fn set_next(&mut self, cell: u32, next: u32) {
        self.head_mut(cell).next = next;
    }

    #[inline]
    pub(super) fn words(&self, cell: u32) -> &[f64] {
        self.words.get(cell)
    }

    #[inline]
    pub(super) fn words_mut(&mut self, cell: u32) -> &mut [f64] {
        self.words.get_mut(cell)
    }

    /// The values of the cell; empty if the rule keeps none.
    pub(super) fn values(&self, cell: u32) -> &[f64] {
        self.values.get(cell as usize).map_or(&[], Vec::as_slice)
    }

    /// The values of the cell; `None` if the rule keeps none.
    pub(super) fn values_mut(&mut self, cell: u32) -> Option<&mut Vec<f64>> {
        self.values.get_mut(cell as usize)
    }

    /// The numbers and the values of the cell; the latter are empty if the rule keeps none.
    pub(super) fn contents(&mut self, cell: u32) -> (&[f64], &mut [f64]) {
        let values = self.values.get_mut(cell as usize).map_or(&mut [][..], Vec::as_mut_slice);
        (self.words.get(cell), values)
    }

    pub(super) const fn used(&self) -> usize {
        self.used
    }
}
