//! Finds all substrings of a table by skipping, after Wu and Manber ("A Fast Algorithm for Multi-Pattern
//! Searching", 1994).
//!
//! A window as long as the shortest substring moves over the name. The three bytes at its end determine how far
//! it can move without missing a substring; usually that is the whole window, so most bytes of a name are never
//! read. If a substring may begin at the window's start, the bytes from there are looked up as a prefix.

use super::hashed::HashedPrefixes;

/// How many bytes at the window's end are read.
pub const BLOCK_BYTES: usize = 3;

const FACTOR: u32 = 0x9E37_79B1;

/// A search for a set of texts, each of at least [`BLOCK_BYTES`] bytes.
#[derive(Clone, Copy, Debug)]
pub struct Skips<'a> {
    /// How far the window may move, indexed by [`block`]; there are `2^place_bits` entries.
    pub shifts: &'a [u8],
    /// See `shifts`.
    pub place_bits: u32,
    /// The length of the shortest text.
    pub window: u32,
    /// The texts, to be looked up as prefixes.
    pub texts: HashedPrefixes<'a>,
}

impl Skips<'_> {
    /// Calls `found` with the number of each text, at each place where it starts.
    #[inline]
    pub fn find(&self, name: &[u8], mut found: impl FnMut(u32)) {
        let window = self.window as usize;
        let mut end = window;
        while end <= name.len() {
            let Some(&[first, second, third]) = name[..end].last_chunk() else { return };
            let shift = self.shifts[block([first, second, third], self.place_bits)];
            if shift > 0 {
                end += usize::from(shift);
            } else {
                self.texts.find(&name[end - window..], &mut found);
                end += 1;
            }
        }
    }
}

/// The index in `shifts` for the last bytes of a window; `place_bits` must be at least 1.
#[inline]
#[must_use]
pub const fn block([first, second, third]: [u8; BLOCK_BYTES], place_bits: u32) -> usize {
    let bytes = u32::from_le_bytes([first, second, third, 0]);
    (bytes.wrapping_mul(FACTOR) >> (32 - place_bits)) as usize
}
