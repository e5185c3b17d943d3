//! The hash functions of peers, from the bytes of a name to a position.
//!
//! A [`HashFunction`] is the expensive part: it reads every byte of a name. Several kinds of rings derive their
//! positions from the same function, so no function hashes a name twice.

use super::{NAMES_AT_A_TIME, md5};
use crate::table::HashAlgorithm;

/// A function from names to numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashFunction {
    /// The first two bytes of MD5, big-endian.
    Md5,
    /// 32-bit FNV-1a.
    Fnv1a,
    /// 32-bit FNV-1a as carbon-c-relay computes it, see [`fnv1a_32_signed`].
    Fnv1aSigned,
    /// 64-bit FNV-1a as carbon-c-relay computes it.
    Fnv1a64Signed,
    /// `MurmurHash3_x86_32` with seed 0.
    Mmh3,
}

impl HashFunction {
    /// The number of functions.
    pub(crate) const COUNT: usize = 5;

    /// The hash of a name.
    #[inline]
    pub(crate) fn of(self, name: &[u8]) -> u64 {
        match self {
            Self::Md5 => u64::from(md5::position(name)),
            Self::Fnv1a => u64::from(fnv1a_32(name)),
            Self::Fnv1aSigned => u64::from(fnv1a_32_signed(name)),
            Self::Fnv1a64Signed => fnv1a_64_signed(name),
            Self::Mmh3 => u64::from(mmh3(name)),
        }
    }

    /// Writes the hashes of at most [`NAMES_AT_A_TIME`] names to the first elements of `hashes`.
    pub(super) fn of_each(self, names: &[&[u8]], hashes: &mut [u64; NAMES_AT_A_TIME]) {
        match self {
            Self::Md5 => {
                let mut positions = [0; NAMES_AT_A_TIME];
                md5::positions(names, &mut positions);
                // All of them, which needs no loop.
                *hashes = positions.map(u64::from);
            }
            Self::Fnv1a => by_four(names, hashes, FNV_32_OFFSET, fnv1a_32_step),
            Self::Fnv1aSigned => by_four(names, hashes, FNV_32_OFFSET, fnv1a_32_signed_step),
            Self::Fnv1a64Signed => by_four(names, hashes, FNV_64_OFFSET, fnv1a_64_signed_step),
            Self::Mmh3 => {
                for (hash, name) in hashes.iter_mut().zip(names) {
                    *hash = self.of(name);
                }
            }
        }
    }
}

/// Hashes four names at a time, byte by byte. Each step depends on the one before it, so a processor needs as
/// long for one name as for four.
#[inline]
fn by_four<H: Copy + Into<u64>>(
    names: &[&[u8]],
    hashes: &mut [u64; NAMES_AT_A_TIME],
    start: H,
    step: impl Fn(H, u8) -> H + Copy,
) {
    let finish = |hash: H, rest: &[u8]| rest.iter().fold(hash, |hash, &byte| step(hash, byte)).into();
    let (fours, others) = names.as_chunks::<4>();
    let (hashes_of_fours, hashes_of_others) = hashes.split_at_mut(4 * fours.len());
    for (names, hashes) in fours.iter().zip(hashes_of_fours.as_chunks_mut::<4>().0) {
        let length = names.iter().map(|name| name.len()).min().unwrap_or(0);
        let [a, b, c, d] = names.map(|name| &name[..length]);
        let mut four = [start; 4];
        for at in 0..length {
            four = [step(four[0], a[at]), step(four[1], b[at]), step(four[2], c[at]), step(four[3], d[at])];
        }
        for ((hash, four), name) in hashes.iter_mut().zip(four).zip(names) {
            *hash = finish(four, &name[length..]);
        }
    }
    for (hash, name) in hashes_of_others.iter_mut().zip(others) {
        *hash = finish(start, name);
    }
}

/// How a ring derives a position from a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameHash {
    /// The first two bytes of MD5.
    Md5,
    /// 32-bit FNV-1a, its halves folded to 16 bits by exclusive or.
    Fnv1aFolded,
    /// 32-bit FNV-1a as carbon-c-relay computes it, its halves folded to 16 bits by exclusive or.
    Fnv1aFoldedSigned,
    /// 32-bit FNV-1a as carbon-c-relay computes it, all bits.
    Fnv1aSigned,
    /// `MurmurHash3`, as a signed number.
    Mmh3,
}

/// The range of positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// 0 to 65,535.
    Bits16,
    /// −2³¹ to 2³¹ − 1.
    Signed32,
}

impl NameHash {
    /// What `algorithm` uses for names. Must not be called for jump hash, which has 64 bits.
    pub(super) const fn of(algorithm: HashAlgorithm) -> Self {
        match algorithm {
            HashAlgorithm::ConsistentHashingV1
            | HashAlgorithm::CarbonCh
            | HashAlgorithm::CcrCarbonCh
            | HashAlgorithm::FastCarbonCh => Self::Md5,
            HashAlgorithm::Fnv1aCh | HashAlgorithm::FastFnv1aCh => Self::Fnv1aFolded,
            HashAlgorithm::CcrFnv1aCh => Self::Fnv1aFoldedSigned,
            HashAlgorithm::CcrAnyOf | HashAlgorithm::JumpFnv1aCh => Self::Fnv1aSigned,
            HashAlgorithm::Mmh3Ch | HashAlgorithm::FastMmh3Ch => Self::Mmh3,
        }
    }

    /// The hash function that it uses.
    pub(super) const fn function(self) -> HashFunction {
        match self {
            Self::Md5 => HashFunction::Md5,
            Self::Fnv1aFolded => HashFunction::Fnv1a,
            Self::Fnv1aFoldedSigned | Self::Fnv1aSigned => HashFunction::Fnv1aSigned,
            Self::Mmh3 => HashFunction::Mmh3,
        }
    }

    /// The position of a name with this hash.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "what the functions give fits")]
    pub(super) const fn position_of(self, hash: u64) -> i64 {
        match self {
            Self::Md5 | Self::Fnv1aSigned => hash.cast_signed(),
            Self::Fnv1aFolded | Self::Fnv1aFoldedSigned => folded(hash as u32) as i64,
            Self::Mmh3 => (hash as u32).cast_signed() as i64,
        }
    }

    /// The position of `name`.
    pub(super) fn position(self, name: &[u8]) -> i64 {
        self.position_of(self.function().of(name))
    }

    /// The range of [`position`](Self::position), for those that rings use.
    pub(super) const fn space(self) -> Space {
        match self {
            Self::Mmh3 => Space::Signed32,
            _ => Space::Bits16,
        }
    }
}

const fn folded(hash: u32) -> u32 {
    (hash >> 16) ^ (hash & 0xffff)
}

const FNV_32_OFFSET: u32 = 0x811c_9dc5;
const FNV_32_PRIME: u32 = 0x0100_0193;
const FNV_64_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_64_PRIME: u64 = 0x0000_0100_0000_01b3;

fn fnv1a_32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(FNV_32_OFFSET, |hash, &byte| fnv1a_32_step(hash, byte))
}

#[inline]
fn fnv1a_32_step(hash: u32, byte: u8) -> u32 {
    (hash ^ u32::from(byte)).wrapping_mul(FNV_32_PRIME)
}

/// carbon-c-relay reads names as `char`, which is signed on the machines where it usually runs: bytes from 128
/// on also flip the upper bits. Equal to FNV-1a for ASCII.
fn fnv1a_32_signed(bytes: &[u8]) -> u32 {
    bytes.iter().fold(FNV_32_OFFSET, |hash, &byte| fnv1a_32_signed_step(hash, byte))
}

#[inline]
fn fnv1a_32_signed_step(hash: u32, byte: u8) -> u32 {
    (hash ^ i32::from(byte.cast_signed()).cast_unsigned()).wrapping_mul(FNV_32_PRIME)
}

/// 64-bit FNV-1a with the same deviation, for jump hash.
pub(super) fn fnv1a_64_signed(bytes: &[u8]) -> u64 {
    bytes.iter().fold(FNV_64_OFFSET, |hash, &byte| fnv1a_64_signed_step(hash, byte))
}

#[inline]
fn fnv1a_64_signed_step(hash: u64, byte: u8) -> u64 {
    (hash ^ i64::from(byte.cast_signed()).cast_unsigned()).wrapping_mul(FNV_64_PRIME)
}

/// The jump consistent hash of Lamping and Veach: a bucket below `buckets`, or 0 if there are none.
pub(super) fn jump(mut key: u64, buckets: usize) -> usize {
    let (mut bucket, mut next) = (0, 0);
    while next < buckets {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = jump_from(bucket, key);
    }
    bucket
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the rounding is the algorithm's; values stay positive, and the cast saturates"
)]
fn jump_from(bucket: usize, key: u64) -> usize {
    ((bucket + 1) as f64 * ((1_u64 << 31) as f64 / ((key >> 33) + 1) as f64)) as usize
}

/// How carbon-c-relay changes the hash before it jumps for the next replica.
pub(super) const fn xorshift(mut hash: u64) -> u64 {
    hash ^= hash >> 12;
    hash ^= hash << 25;
    hash ^= hash >> 27;
    hash.wrapping_mul(2_685_821_657_736_338_717)
}

/// `MurmurHash3_x86_32`, seed 0.
fn mmh3(bytes: &[u8]) -> u32 {
    let (words, tail) = bytes.as_chunks::<4>();
    let mut hash = 0_u32;
    for word in words {
        hash ^= scrambled(u32::from_le_bytes(*word));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let rest = tail.iter().rev().fold(0, |rest, &byte| (rest << 8) | u32::from(byte));
    hash ^= scrambled(rest);
    #[expect(clippy::cast_possible_truncation, reason = "the algorithm's length is 32 bits")]
    let length = bytes.len() as u32;
    hash ^= length;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

const fn scrambled(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}
