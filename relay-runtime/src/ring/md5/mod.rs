//! Positions by MD5, of one name or of many at a time.
//!
//! Rings need the first two bytes of a digest only. MD5 has no parallelism within a name, so names are hashed
//! side by side, one in each lane of a vector: `lanes` says how, for any width; `widths` picks the width.

mod lanes;
mod widths;

use md5::{Digest as _, Md5};

/// Names hashed at a time, at most.
pub const LANES_MAX: usize = 16;

/// The first two bytes of the MD5 of `name`, big-endian: its position on a ring of carbon's kind.
#[must_use]
pub fn position(name: &[u8]) -> u16 {
    let digest = Md5::digest(name);
    u16::from_be_bytes([digest[0], digest[1]])
}

/// The positions of `names`, written to the first of `positions`. Names beyond the last of those are left.
pub fn positions(names: &[&[u8]], positions: &mut [u16; LANES_MAX]) {
    let names = &names[..names.len().min(LANES_MAX)];
    if let [name] = names {
        // A vector of one name takes longer than the name alone.
        positions[0] = position(name);
        return;
    }
    widths::positions(names, positions);
    for (name, at) in names.iter().zip(positions) {
        if name.len() > lanes::NAME_BYTES_MAX {
            *at = position(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    #[test]
    fn positions_are_those_of_the_specification() {
        for (name, want) in
            [("a.b.c.d", 54_437), ("", 54_301), ("foo", 44_221), ("servers.web01.cpu.user", 28_773)]
        {
            assert_eq!(position(name.as_bytes()), want);
        }
    }

    #[test]
    fn every_length_is_hashed_as_by_the_plain_function() {
        let bytes: Vec<u8> = (0..300).map(|at: usize| u8::try_from(at * 7 % 251).unwrap()).collect();
        for length in 0..bytes.len() {
            // Side by side with names that need fewer and more blocks, and with as long ones only.
            check(&[&bytes[..length], b"", &bytes[..60], &bytes[3..203], b"a.b"]);
            check(&[&bytes[..length]; LANES_MAX]);
        }
    }

    proptest! {
        #[test]
        fn any_names_are_hashed_as_by_the_plain_function(names in vec(vec(any::<u8>(), 0..140), 0..20)) {
            check(&names.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
    }

    #[track_caller]
    fn check(names: &[&[u8]]) {
        let want: Vec<u16> = names.iter().take(LANES_MAX).map(|name| position(name)).collect();
        let mut out = [0; LANES_MAX];
        positions(names, &mut out);
        assert_eq!(out[..want.len()], want);
        // Whatever this machine picks, the width that every machine has must be right too.
        let mut narrow = [0; LANES_MAX];
        lanes::positions::<4>(&names[..want.len()], &mut narrow);
        for ((name, narrow), want) in names.iter().zip(narrow).zip(want) {
            assert!(narrow == want || name.len() > lanes::NAME_BYTES_MAX);
        }
    }
}
