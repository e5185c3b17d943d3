//! One look at a name: which of the table's literals it holds, and so which rules it may match.
//!
//! Every rule whose matcher demands a literal waits under it; a name calls up only the rules that wait under
//! the literals it has. What comes out are candidates in the order of the rules, each at most once. Whether a
//! candidate's other conditions hold is for the caller to check.
//!
//! Rules of all stages are numbered through, blocklist first, then aggregators, then routes, so that one
//! look serves the whole table unless a rewriter changes the name.

use super::{automaton::Automaton, hashed::HashedPrefixes, skips::Skips, trie::TriePrefixes, words::Words};

/// Which rules wait under which literals.
#[derive(Clone, Copy, Debug)]
pub struct Index<'a> {
    /// The literals that a name may start with.
    pub prefixes: Prefixes<'a>,
    /// Where the rules under each prefix start in `rules`, and where the last one's stop.
    pub prefix_rules: Words<'a>,
    /// The literals that a name may contain.
    pub substrings: Substrings<'a>,
    /// As `prefix_rules`, for substrings.
    pub substring_rules: Words<'a>,
    /// Rules.
    pub rules: Words<'a>,
    /// The rules that wait under no literal, ascending: every name may match them.
    pub always: Words<'a>,
}

/// How prefixes are found.
#[derive(Clone, Copy, Debug)]
pub enum Prefixes<'a> {
    /// There are none.
    None,
    /// By hashing.
    Hashed(HashedPrefixes<'a>),
    /// By walking.
    Trie(TriePrefixes<'a>),
}

/// How substrings are found.
#[derive(Clone, Copy, Debug)]
pub enum Substrings<'a> {
    /// There are none.
    None,
    /// By one automaton.
    Automaton(Automaton<'a>),
    /// By skipping.
    Skips(Skips<'a>),
}

/// What one look found. Kept between names for its memory.
#[derive(Debug, Default)]
pub struct Look {
    rules: Vec<u32>,
    /// The substrings, a bit each; as long as the last one that was ever found needs.
    found: Vec<u64>,
    has_found: bool,
}

impl Index<'_> {
    /// Looks at a name.
    #[inline]
    pub fn look(&self, name: &[u8], look: &mut Look) {
        let Look { rules, found, has_found } = look;
        rules.clear();
        if std::mem::take(has_found) {
            found.fill(0);
        }
        let mut wait = |starts: Words<'_>, literal: u32| {
            let at = literal as usize;
            rules.extend(self.rules.range(starts.get(at), starts.get(at + 1)));
        };
        match &self.prefixes {
            Prefixes::None => {}
            Prefixes::Hashed(prefixes) => prefixes.find(name, |literal| wait(self.prefix_rules, literal)),
            Prefixes::Trie(prefixes) => prefixes.find(name, |literal| wait(self.prefix_rules, literal)),
        }
        let mut contains = |text: u32| {
            let (word, bit) = (text as usize / 64, 1 << (text % 64));
            if found.len() <= word {
                found.resize(word + 1, 0);
            }
            if found[word] & bit == 0 {
                (found[word], *has_found) = (found[word] | bit, true);
                wait(self.substring_rules, text);
            }
        };
        match &self.substrings {
            Substrings::None => {}
            Substrings::Automaton(automaton) => automaton.find(name, &mut contains),
            Substrings::Skips(skips) => skips.find(name, &mut contains),
        }
        if !self.always.is_empty() {
            rules.extend(self.always.iter());
        }
        // Rarely more than two; a rule that waits under several literals may have come several times.
        if !rules.is_sorted_by(|one, next| one < next) {
            rules.sort_unstable();
            rules.dedup();
        }
    }
}

impl Look {
    /// How many candidates there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are no candidates.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The candidates from `start` up to but without `end`, in order.
    #[inline]
    #[must_use]
    pub fn rules(&self, start: u32, end: u32) -> &[u32] {
        let skipped = self.rules.iter().take_while(|&&rule| rule < start).count();
        let rules = &self.rules[skipped..];
        let taken = rules.iter().take_while(|&&rule| rule < end).count();
        &rules[..taken]
    }

    /// Whether the name contains this substring of the index.
    #[inline]
    #[must_use]
    pub fn contains(&self, substring: u32) -> bool {
        self.found.get(substring as usize / 64).is_some_and(|word| word >> (substring % 64) & 1 == 1)
    }
}
