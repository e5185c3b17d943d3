//! Computes the table with which the search for substrings skips bytes.
//!
//! How it is searched is in relay-runtime's `matching`.

use super::HashedTable;
use relay_runtime::matching::{BLOCK_BYTES, block};

/// The parts of a `matching::Skips`.
#[derive(Clone, Debug)]
pub(in crate::codegen) struct SkipTable {
    pub shifts: Vec<u8>,
    pub place_bits: u32,
    pub window: usize,
    pub texts: HashedTable,
}

/// Entries per block that occurs, so that other blocks rarely share its entry.
const PLACES_PER_BLOCK: usize = 8;

impl SkipTable {
    /// `texts` are distinct, of `BLOCK_BYTES` to `matching::LENGTH_MAX` bytes each.
    pub(in crate::codegen) fn new(texts: &[&str]) -> Self {
        let window = texts.iter().map(|text| text.len()).min().unwrap_or(BLOCK_BYTES);
        let furthest = window - BLOCK_BYTES;
        let places = (texts.len() * (furthest + 1) * PLACES_PER_BLOCK).next_power_of_two();
        let place_bits = places.clamp(1 << 8, 1 << 16).ilog2();
        // The window moves past every position where a text could begin.
        let unseen = u8::try_from(furthest + 1).unwrap_or(u8::MAX);
        let mut shifts = vec![unseen; 1 << place_bits];
        for text in texts {
            let starts = text.as_bytes()[..window].array_windows::<BLOCK_BYTES>();
            for (at, bytes) in starts.enumerate() {
                let shift = &mut shifts[block(*bytes, place_bits)];
                *shift = (*shift).min(u8::try_from(furthest - at).unwrap_or(u8::MAX));
            }
        }
        Self { shifts, place_bits, window, texts: HashedTable::new(texts) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use relay_runtime::matching::{Arena, HashedPrefixes, Pairs, Skips, Words};
    use std::collections::BTreeSet;

    #[track_caller]
    fn check(texts: &[&str], name: &str) {
        let table = SkipTable::new(texts);
        let engine = Skips {
            shifts: &table.shifts,
            place_bits: table.place_bits,
            window: u32::try_from(table.window).expect("short"),
            texts: HashedPrefixes {
                lengths: table.texts.lengths,
                lengths_dotted: table.texts.lengths_dotted,
                slots: Pairs::new(&table.texts.slots.0),
                literals: Arena::new(&table.texts.literals.bytes, Words::new(&table.texts.literals.starts.0)),
            },
        };
        let mut found = BTreeSet::new();
        engine.find(name.as_bytes(), |text| _ = found.insert(texts[text as usize]));
        let want: BTreeSet<_> = texts.iter().copied().filter(|text| name.contains(text)).collect();
        assert_eq!(found, want, "{name}");
    }

    #[test]
    fn all_substrings_are_found_and_no_others() {
        let texts = [".cpu.", "cpu.user", "aaaaa", "aaaaab", "é.é", ".service01", "service012"];
        for name in
            ["", "a", ".cpu", ".cpu.", "x.cpu.user", "aaaaaab", "ééé.é", "servers.service012.cpu.user"]
        {
            check(&texts, name);
        }
        let long = "x".repeat(64);
        check(&[&long], &long);
        check(&[&long], &"x".repeat(63));
        check(&[&long, "xyz"], &"x".repeat(130));
    }

    proptest! {
        #[test]
        fn it_finds_what_is_there(texts in prop::collection::btree_set("[ab.]{3,9}", 1..12), name in "[abc.]{0,60}") {
            check(&texts.iter().map(String::as_str).collect::<Vec<_>>(), &name);
        }
    }
}
