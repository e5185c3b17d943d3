//! All prefixes of a table, found by hashing a name's beginnings.
//!
//! A literal is looked up under the hash of its bytes, and a name is asked only at the lengths that literals
//! have. The hash goes on word by word, so all lengths together cost one pass over the name. Lengths whose
//! literals all end in a dot are asked only where the name has a dot, which in practice leaves one or two
//! probes however many literals there are: the cost does not grow with the table.
//!
//! A length has at most [`LENGTH_MAX`] bytes; of a longer literal its beginning is looked up here and the
//! whole is checked by the rule that wants it.

use super::words::{Arena, Pairs};

/// The longest literal that is looked up whole.
pub const LENGTH_MAX: usize = 64;

const WORD: usize = size_of::<u64>();
const DOTS: u64 = u64::from_ne_bytes([b'.'; WORD]);
const SEED: u64 = 0x243F_6A88_85A3_08D3;
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

/// A hash table over literals of 1 to [`LENGTH_MAX`] bytes.
#[derive(Clone, Copy, Debug)]
pub struct HashedPrefixes<'a> {
    /// Bit `n - 1`: some literal has `n` bytes and does not end in a dot.
    pub lengths: u64,
    /// Bit `n - 1`: some literal has `n` bytes, and all that do end in a dot.
    pub lengths_dotted: u64,
    /// Open addressing: the upper half of the hash, and one more than the literal; 0 is free. A power of two
    /// of them, at most half in use, so that every search ends.
    pub slots: Pairs<'a>,
    /// The literals.
    pub literals: Arena<'a>,
}

impl HashedPrefixes<'_> {
    /// Calls `found` with each literal that `name` starts with, shortest first.
    #[inline]
    pub fn find(&self, name: &[u8], mut found: impl FnMut(u32)) {
        let Some(probed) = Probed::new(name) else { return };
        let mut lengths = self.lengths;
        if self.lengths_dotted != 0 {
            lengths |= self.lengths_dotted & probed.dots();
        }
        lengths &= probed.lengths();
        let (mut state, mut at) = (SEED, 0);
        while lengths != 0 {
            let length = lengths.trailing_zeros() as usize + 1;
            lengths &= lengths - 1;
            while at + WORD <= length {
                state = fold(state, probed.word(at));
                at += WORD;
            }
            let rest = probed.word(at) & low_bytes(length - at);
            if let Some(literal) = self.probe(finish(state, rest, length), &name[..length]) {
                found(literal);
            }
        }
    }

    #[inline]
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

/// Where to start looking for a literal, and its fingerprint: what a builder of the table needs.
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

/// The beginning of a name, followed by zeros, so that words can be read without asking where it ends.
struct Probed {
    bytes: [u8; LENGTH_MAX + WORD],
    length: usize,
}

impl Probed {
    #[inline]
    fn new(name: &[u8]) -> Option<Self> {
        let mut bytes = [0; LENGTH_MAX + WORD];
        let length = name.len().min(LENGTH_MAX);
        if length == LENGTH_MAX {
            bytes[..LENGTH_MAX].copy_from_slice(&name[..LENGTH_MAX]);
        } else {
            bytes[..length].copy_from_slice(&name[..length]);
        }
        (length > 0).then_some(Self { bytes, length })
    }

    #[inline]
    fn word(&self, at: usize) -> u64 {
        let mut word = [0; WORD];
        word.copy_from_slice(&self.bytes[at..at + WORD]);
        u64::from_le_bytes(word)
    }

    /// The lengths that the name has, as in [`HashedPrefixes::lengths`].
    #[inline]
    const fn lengths(&self) -> u64 {
        u64::MAX >> (LENGTH_MAX - self.length)
    }

    /// Bit `n`: the byte at `n` is a dot.
    #[inline]
    fn dots(&self) -> u64 {
        const LOW: u64 = u64::from_ne_bytes([0x7F; WORD]);
        let mut dots = 0;
        let mut at = 0;
        while at < self.length {
            let other = self.word(at) ^ DOTS;
            // The top bit of each byte that is zero, exactly: no carry crosses a byte.
            let zero = !(((other & LOW) + LOW) | other | LOW);
            // Gathers the eight top bits in the top byte.
            dots |= ((zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56) << at;
            at += WORD;
        }
        dots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_seen_at_every_place() {
        for place in 0..LENGTH_MAX {
            for other in [b'/', b'-', 0xAE, 0x2F, 0] {
                let mut name = [other; LENGTH_MAX];
                name[place] = b'.';
                assert_eq!(
                    Probed::new(&name).map(|probed| probed.dots()),
                    Some(1 << place),
                    "{place} {other}"
                );
            }
        }
    }

    #[test]
    fn every_length_hashes_as_its_literal_does() {
        let name: Vec<u8> = (0..LENGTH_MAX as u8).map(|byte| byte.wrapping_mul(37)).collect();
        let probed = Probed::new(&name).expect("it is not empty");
        for length in 1..=LENGTH_MAX {
            let whole = length / WORD * WORD;
            let state = (0..whole).step_by(WORD).fold(SEED, |state, at| fold(state, probed.word(at)));
            let rest = probed.word(whole) & low_bytes(length - whole);
            assert_eq!(split(finish(state, rest, length)), hash(&name[..length]));
        }
    }
}
