//! Positions by MD5, of one name or of many at a time.

use md5::{Digest as _, Md5};

/// Names hashed at a time, at most.
pub const LANES_MAX: usize = 16;

/// The first two bytes of the MD5 of `name`, big-endian: its position on a ring of carbon's kind.
#[must_use]
pub fn position(name: &[u8]) -> u16 {
    let digest = Md5::digest(name);
    u16::from_be_bytes([digest[0], digest[1]])
}

/// The positions of `names`, written to the first of `positions`; names beyond the last of those are left.
pub fn positions(names: &[&[u8]], positions: &mut [u16; LANES_MAX]) {
    for (name, at) in names.iter().zip(positions) {
        *at = position(name);
    }
}
