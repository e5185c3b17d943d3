//! Computes the hash table over prefixes.
//!
//! How it is searched is in relay-runtime's `matching`.

use super::{ArenaList, WordList};
use relay_runtime::matching::hash;
use std::collections::BTreeSet;

/// The parts of a `matching::HashedPrefixes`.
#[derive(Clone, Debug)]
pub(in crate::codegen) struct HashedTable {
    pub lengths: u64,
    pub lengths_dotted: u64,
    pub slots: WordList,
    pub literals: ArenaList,
}

impl HashedTable {
    /// `literals` are distinct, of 1 to `matching::LENGTH_MAX` bytes each.
    pub(in crate::codegen) fn new(literals: &[&str]) -> Self {
        let bit = |literal: &&&str| 1_u64 << (literal.len() - 1);
        let undotted: BTreeSet<u64> =
            literals.iter().filter(|text| !text.ends_with('.')).map(|text| bit(&text)).collect();
        let all: BTreeSet<u64> = literals.iter().map(|text| bit(&text)).collect();
        let lengths = undotted.iter().sum::<u64>();
        let lengths_dotted = all.difference(&undotted).sum();
        Self { lengths, lengths_dotted, slots: slots(literals), literals: arena(literals) }
    }
}

fn arena(literals: &[&str]) -> ArenaList {
    literals.iter().map(|text| text.as_bytes()).collect()
}

fn slots(literals: &[&str]) -> WordList {
    let count = (literals.len() * 2).next_power_of_two();
    let mut slots = vec![(0, 0); count];
    for (number, literal) in literals.iter().enumerate() {
        let (mut at, fingerprint) = hash(literal.as_bytes());
        at &= count - 1;
        while slots[at].1 != 0 {
            at = (at + 1) & (count - 1);
        }
        slots[at] = (fingerprint as usize, number + 1);
    }
    slots.into_iter().flat_map(|(fingerprint, literal)| [fingerprint, literal]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_runtime::matching::{Arena, HashedPrefixes, Pairs, Words};

    #[track_caller]
    fn check(literals: &[&str], name: &str) {
        let table = HashedTable::new(literals);
        let engine = HashedPrefixes {
            lengths: table.lengths,
            lengths_dotted: table.lengths_dotted,
            slots: Pairs::new(&table.slots.0),
            literals: Arena::new(&table.literals.bytes, Words::new(&table.literals.starts.0)),
        };
        let mut found = Vec::new();
        engine.find(name.as_bytes(), |literal| found.push(literals[literal as usize]));
        let mut want: Vec<_> = literals.iter().copied().filter(|literal| name.starts_with(literal)).collect();
        want.sort_by_key(|literal| literal.len());
        assert_eq!(found, want, "{name}");
    }

    #[test]
    fn all_prefixes_are_found_and_no_others() {
        let long = "x".repeat(64);
        let literals = ["a.", "a.b.", "a.b.c", "servers.web01.", "servers.web02.", "ser", "é.", &long];
        for name in
            ["", "a", "a.", "a.b.c.d", "servers.web02.cpu", "servers.web03.", "é.x", "b", &long, "xxx"]
        {
            check(&literals, name);
        }
        check(&literals, &("x".repeat(63)));
        check(&literals, &("x".repeat(70)));
    }

    #[test]
    fn ten_thousand_literals_are_told_apart() {
        let literals: Vec<_> =
            (0..10_000).map(|number| format!("team{}.service{number}.", number % 97)).collect();
        let literals: Vec<_> = literals.iter().map(String::as_str).collect();
        let table = HashedTable::new(&literals);
        assert_eq!(table.lengths, 0, "all end in a dot");
        for number in (0..10_000).step_by(501) {
            check(&literals, &format!("team{}.service{number}.cpu", number % 97));
            check(&literals, &format!("team{}.service{number}", number % 97));
        }
    }
}
