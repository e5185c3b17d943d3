//! All substrings of a table as one Aho-Corasick automaton, complete and dense: one load per byte of a name,
//! whatever the number of substrings.
//!
//! Bytes that no substring distinguishes share a class, so a row has one entry per class. States in which a
//! substring ends are numbered last. The number of a state is the index of its row's first entry.

use super::words::Words;

/// An automaton that reports which texts of a set occur in a name.
#[derive(Clone, Copy, Debug)]
pub struct Automaton<'a> {
    /// The class of each byte.
    pub classes: &'a [u8; 256],
    /// The next state, indexed by state plus class. State 0 is the start.
    pub rows: Words<'a>,
    /// The number of classes.
    pub stride: u32,
    /// The first state in which a text ends.
    pub first_end: u32,
    /// For each such state, where its texts start in `ended`; the last entry is where those of the last state
    /// end.
    pub ends: Words<'a>,
    /// The numbers of texts.
    pub ended: Words<'a>,
}

impl<'a> Automaton<'a> {
    /// Converts 256 bytes to the class of each byte.
    ///
    /// # Panics
    /// At compile time, if there are not 256 bytes.
    #[must_use]
    pub const fn classes(bytes: &'a [u8]) -> &'a [u8; 256] {
        bytes.as_array().expect("a class for each byte")
    }

    /// Calls `found` with the number of each text, at each place where it ends.
    #[inline]
    pub fn find(&self, name: &[u8], mut found: impl FnMut(u32)) {
        let mut rest = name.iter();
        let mut state = 0;
        while let Some(ended) = self.next_end(&mut rest, state) {
            state = ended;
            let at = ((state - self.first_end) / self.stride) as usize;
            for text in self.ended.range(self.ends.get(at), self.ends.get(at + 1)) {
                found(text);
            }
        }
    }

    /// The next state where some text ends. Apart from what is done there, so that it is a loop of few instructions.
    #[inline(never)]
    fn next_end(&self, rest: &mut std::slice::Iter<'_, u8>, mut state: u32) -> Option<u32> {
        let Self { classes, rows, first_end, .. } = *self;
        for &byte in rest {
            state = rows.get(state as usize + usize::from(classes[usize::from(byte)]));
            if state >= first_end {
                return Some(state);
            }
        }
        None
    }
}
