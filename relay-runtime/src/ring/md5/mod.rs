//! Positions by MD5, of one name or of many at a time.
//!
//! Rings need only the first two bytes of a digest. MD5 has no parallelism within one name, so several names
//! are hashed side by side, one in each lane of a vector: `lanes` does this for any width; `widths` chooses the
//! width.

mod lanes;
mod widths;

/// The most names that are hashed at a time.
pub const LANES_MAX: usize = 16;

/// The first two bytes of the MD5 of `name`, big-endian: its position on carbon's ring.
#[must_use]
pub fn position(name: &[u8]) -> u16 {
    let digest = ::md5::compute(name);
    u16::from_be_bytes([digest[0], digest[1]])
}

/// Writes the positions of `names` to the first elements of `positions`. Ignores names beyond the length of
/// `positions`.
pub fn positions(names: &[&[u8]], positions: &mut [u16; LANES_MAX]) {
    let names = &names[..names.len().min(LANES_MAX)];
    if let [name] = names {
        // A vector with one name takes longer than the name alone.
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
            // Beside names that need fewer and more blocks, and beside names of the same length only.
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
        // Whatever width this machine has, the width that every machine has must be right too.
        let mut narrow = [0; LANES_MAX];
        lanes::positions::<4>(&names[..want.len()], &mut narrow);
        for ((name, narrow), want) in names.iter().zip(narrow).zip(want) {
            assert!(narrow == want || name.len() > lanes::NAME_BYTES_MAX);
        }
    }
}
