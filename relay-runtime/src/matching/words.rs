//! Numbers and texts kept as bytes, so that a table of any size is one byte-string literal in the source:
//! one token to read for rustc, nothing to lay out, nothing to relocate. Little endian on every target.

/// A list of 32-bit numbers.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a>(&'a [[u8; 4]]);

/// A list of pairs of 32-bit numbers, next to each other in memory.
#[derive(Clone, Copy, Debug)]
pub struct Pairs<'a>(&'a [[u8; 8]]);

/// A list of byte strings.
#[derive(Clone, Copy, Debug)]
pub struct Arena<'a> {
    bytes: &'a [u8],
    starts: Words<'a>,
}

impl<'a> Words<'a> {
    /// Reads a list; bytes beyond the last whole number are ignored.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.as_chunks().0)
    }

    /// The number at `at`.
    #[inline]
    #[must_use]
    pub const fn get(self, at: usize) -> u32 {
        u32::from_le_bytes(self.0[at])
    }

    /// How many numbers there are.
    #[inline]
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The numbers from `start` to `end`.
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
    /// Reads a list; bytes beyond the last whole pair are ignored.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.as_chunks().0)
    }

    /// The pair at `at`.
    #[inline]
    #[must_use]
    pub const fn get(self, at: usize) -> (u32, u32) {
        let (words, _) = self.0[at].as_chunks();
        (u32::from_le_bytes(words[0]), u32::from_le_bytes(words[1]))
    }

    /// How many pairs there are.
    #[inline]
    #[must_use]
    pub const fn len(self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Arena<'a> {
    /// The strings between consecutive `starts`, of which there is one more than strings.
    #[must_use]
    pub const fn new(bytes: &'a [u8], starts: Words<'a>) -> Self {
        Self { bytes, starts }
    }

    /// The string at `at`.
    #[inline]
    #[must_use]
    pub fn get(self, at: u32) -> &'a [u8] {
        let at = at as usize;
        &self.bytes[self.starts.get(at) as usize..self.starts.get(at + 1) as usize]
    }
}
