//! All prefixes of a table in one hash table, found by hashing the beginnings of a name.
//!
//! A literal is stored under the hash of its bytes, and a name is only hashed at the lengths that literals
//! have. The hash continues from word to word, so all lengths together cost one pass over the name. A length
//! whose literals all end with a dot is only tried if the name has a dot there. In practice this leaves one or
//! two probes, however many literals there are: the cost does not grow with the table.
//!
//! Only the first [`LENGTH_MAX`] bytes of a longer literal are stored; the rule itself compares the whole
//! literal.

use super::words::{Arena, Pairs};

/// The longest literal that is stored whole, in bytes.
pub const LENGTH_MAX: usize = 64;

const WORD: usize = size_of::<u64>();
const SEED: u64 = 0x243F_6A88_85A3_08D3;
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// A hash table over literals of 1 to [`LENGTH_MAX`] bytes.
#[derive(Clone, Copy, Debug)]
pub struct HashedPrefixes<'a> {
    /// Bit `n - 1`: some literal has `n` bytes and does not end with a dot.
    pub lengths: u64,
    /// Bit `n - 1`: some literal has `n` bytes, and all literals of this length end with a dot.
    pub lengths_dotted: u64,
    /// Open addressing: the upper half of the hash, and the number of the literal plus one; 0 is free. The
    /// number of slots is a power of two, and at most half are in use, so every search ends.
    pub slots: Pairs<'a>,
    /// The literals.
    pub literals: Arena<'a>,
}

impl HashedPrefixes<'_> {
    /// Calls `found` with the number of each literal that `name` starts with, shortest first.
    #[inline]
    pub fn find(&self, name: &[u8], mut found: impl FnMut(u32)) {
        let mut lengths = (self.lengths | self.lengths_dotted) & lengths_of(name);
        let (mut state, mut at) = (SEED, 0);
        while lengths != 0 {
            let last = lengths.trailing_zeros() as usize;
            lengths &= lengths - 1;
            if name[last] != b'.' && self.lengths >> last & 1 == 0 {
                continue;
            }
            let length = last + 1;
            while at + WORD <= length {
                state = fold(state, word(name, at));
                at += WORD;
            }
            let rest = word(name, at) & low_bytes(length - at);
            if let Some(literal) = self.probe(finish(state, rest, length), &name[..length]) {
                found(literal);
            }
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as a call it costs 60 instructions more per name")]
    fn probe(&self, hash: u64, text: &[u8]) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let (mut at, fingerprint) = split(hash);
        loop {
            at &= mask;
            let (seen, literal) = self.slots.get(at);
            if literal == 0 {
                return None;
            }
            if seen == fingerprint && self.literals.get(literal - 1) == text {
                return Some(literal - 1);
            }
            at += 1;
        }
    }
}

/// The slot at which the search for a literal starts, and the literal's fingerprint. Builders of the table use
/// it.
#[must_use]
pub fn hash(literal: &[u8]) -> (usize, u32) {
    let (words, rest) = literal.as_chunks::<WORD>();
    let state = words.iter().fold(SEED, |state, word| fold(state, u64::from_le_bytes(*word)));
    let mut last = [0; WORD];
    last[..rest.len()].copy_from_slice(rest);
    split(finish(state, u64::from_le_bytes(last), literal.len()))
}

#[inline]
const fn fold(state: u64, word: u64) -> u64 {
    (state ^ word).wrapping_mul(FACTOR).rotate_left(29)
}

#[inline]
const fn finish(state: u64, rest: u64, length: usize) -> u64 {
    let mixed = (state ^ rest).wrapping_mul(FACTOR) ^ (length as u64).wrapping_mul(SEED);
    (mixed ^ (mixed >> 32)).wrapping_mul(FACTOR)
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "the halves of a hash")]
const fn split(hash: u64) -> (usize, u32) {
    ((hash >> 20) as usize & 0xFFF_FFFF, (hash >> 32) as u32 ^ hash as u32)
}

#[inline]
const fn low_bytes(count: usize) -> u64 {
    (1 << (8 * count)) - 1
}

/// The lengths to try for a name, as bits as in [`HashedPrefixes::lengths`].
#[inline]
fn lengths_of(name: &[u8]) -> u64 {
    let length = name.len().min(LENGTH_MAX);
    if length == 0 { 0 } else { u64::MAX >> (LENGTH_MAX - length) }
}

/// Eight bytes from `at`, which must not be beyond the end; zeros follow the last byte.
#[inline]
fn word(name: &[u8], at: usize) -> u64 {
    let rest = &name[at..];
    rest.first_chunk().map_or_else(|| last_word(rest), |word| u64::from_le_bytes(*word))
}

#[inline(never)]
fn last_word(rest: &[u8]) -> u64 {
    let mut word = [0; WORD];
    word[..rest.len()].copy_from_slice(rest);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_hashes_as_its_literal_does() {
        let name: Vec<u8> = (0..=u8::MAX).map(|byte| byte.wrapping_mul(37)).take(LENGTH_MAX).collect();
        for length in 1..=LENGTH_MAX {
            let whole = length / WORD * WORD;
            let state = (0..whole).step_by(WORD).fold(SEED, |state, at| fold(state, word(&name, at)));
            let rest = word(&name, whole) & low_bytes(length - whole);
            assert_eq!(split(finish(state, rest, length)), hash(&name[..length]));
        }
    }
}
