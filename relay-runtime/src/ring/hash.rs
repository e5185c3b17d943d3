//! The hash functions of peers, from the bytes of a name to a position.

use super::md5;
use crate::table::HashAlgorithm;

/// A function from names to positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameHash {
    /// First two bytes of MD5, big-endian.
    Md5,
    /// 32-bit FNV-1a, its halves XORed to 16 bits.
    Fnv1aFolded,
    /// The same as carbon-c-relay computes it, see [`fnv1a_32_signed`].
    Fnv1aFoldedSigned,
    /// 32-bit FNV-1a as carbon-c-relay computes it, all bits.
    Fnv1aSigned,
    /// `MurmurHash3_x86_32` with seed 0, as a signed number.
    Mmh3,
}

/// Which positions a function can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Space {
    /// 0 to 65,535.
    Bits16,
    /// −2³¹ to 2³¹ − 1.
    Signed32,
}

impl NameHash {
    /// The function that `algorithm` uses for names. Not asked with jump hash, which has 64 bits.
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

    /// Where `name` is.
    #[inline]
    pub(super) fn position(self, name: &[u8]) -> i64 {
        match self {
            Self::Md5 => i64::from(md5::position(name)),
            Self::Fnv1aFolded => i64::from(folded(fnv1a_32(name))),
            Self::Fnv1aFoldedSigned => i64::from(folded(fnv1a_32_signed(name))),
            Self::Fnv1aSigned => i64::from(fnv1a_32_signed(name)),
            Self::Mmh3 => i64::from(mmh3(name)),
        }
    }

    /// What [`position`](Self::position) can give, for the functions that rings use.
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
    bytes.iter().fold(FNV_32_OFFSET, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(FNV_32_PRIME))
}

/// carbon-c-relay reads names as `char`, which is signed where it usually runs: bytes from 128 on flip the
/// upper bits too. Equal to FNV-1a for ASCII.
fn fnv1a_32_signed(bytes: &[u8]) -> u32 {
    let widen = |byte: u8| i32::from(byte.cast_signed()).cast_unsigned();
    bytes.iter().fold(FNV_32_OFFSET, |hash, &byte| (hash ^ widen(byte)).wrapping_mul(FNV_32_PRIME))
}

/// The same with 64 bits, for jump hash.
pub(super) fn fnv1a_64_signed(bytes: &[u8]) -> u64 {
    let widen = |byte: u8| i64::from(byte.cast_signed()).cast_unsigned();
    bytes.iter().fold(FNV_64_OFFSET, |hash, &byte| (hash ^ widen(byte)).wrapping_mul(FNV_64_PRIME))
}

/// The jump consistent hash of Lamping and Veach: a bucket below `buckets`, or 0 when there are none.
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

/// What carbon-c-relay makes of the hash before it jumps for the next replica.
pub(super) const fn xorshift(mut hash: u64) -> u64 {
    hash ^= hash >> 12;
    hash ^= hash << 25;
    hash ^= hash >> 27;
    hash.wrapping_mul(2_685_821_657_736_338_717)
}

/// `MurmurHash3_x86_32`, seed 0.
fn mmh3(bytes: &[u8]) -> i32 {
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
    (hash ^ (hash >> 16)).cast_signed()
}

const fn scrambled(word: u32) -> u32 {
    word.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}
