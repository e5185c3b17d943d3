//! Numbers and texts stored as bytes, so that a table of any size is one byte-string literal in the source.
//!
//! Such a literal is one token for rustc, and needs no layout and no relocation. Numbers are little-endian on
//! every target.

/// A list of 32-bit numbers.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a>(&'a [[u8; 4]]);

/// A list of pairs of 32-bit numbers, adjacent in memory.
#[derive(Clone, Copy, Debug)]
pub struct Pairs<'a>(&'a [[u8; 8]]);

/// A list of byte strings.
#[derive(Clone, Copy, Debug)]
pub struct Arena<'a> {
    bytes: &'a [u8],
    starts: Words<'a>,
}

impl<'a> Words<'a> {
    /// Reads a list; bytes after the last whole number are ignored.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.as_chunks().0)
    }

    /// Number `at` of the list.
    #[inline]
    #[must_use]
    pub const fn get(self, at: usize) -> u32 {
        u32::from_le_bytes(self.0[at])
    }

    /// The length of the list.
    #[inline]
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether the list is empty.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The numbers with indices from `start` up to, but not including, `end`.
    #[inline]
    pub fn range(self, start: u32, end: u32) -> impl Iterator<Item = u32> + use<'a> {
        self.0[start as usize..end as usize].iter().map(|word| u32::from_le_bytes(*word))
    }

    /// All numbers.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = u32> + use<'a> {
        self.0.iter().map(|word| u32::from_le_bytes(*word))
    }
}

impl<'a> Pairs<'a> {
    /// Reads a list; bytes after the last whole pair are ignored.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.as_chunks().0)
    }

    /// Pair `at` of the list.
    #[inline]
    #[must_use]
    pub const fn get(self, at: usize) -> (u32, u32) {
        let (words, _) = self.0[at].as_chunks();
        (u32::from_le_bytes(words[0]), u32::from_le_bytes(words[1]))
    }

    /// The length of the list.
    #[inline]
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether the list is empty.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Arena<'a> {
    /// The strings between consecutive `starts`; there is one more start than strings.
    #[must_use]
    pub const fn new(bytes: &'a [u8], starts: Words<'a>) -> Self {
        Self { bytes, starts }
    }

    /// String `at` of the list.
    #[inline]
    #[must_use]
    pub fn get(self, at: u32) -> &'a [u8] {
        let at = at as usize;
        &self.bytes[self.starts.get(at) as usize..self.starts.get(at + 1) as usize]
    }
}
