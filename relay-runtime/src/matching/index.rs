//! One look at a name: which of the table's literals it holds, and so which rules it may match.
//!
//! Every rule whose matcher demands a literal waits under it; a name calls up only the rules that wait under
//! the literals it has. What comes out are candidates in the order of the rules, each at most once. Whether a
//! candidate's other conditions hold is for the caller to check.
//!
//! Rules of all stages are numbered through, blocklist first, then aggregators, then routes, so that one
//! look serves the whole table unless a rewriter changes the name.

use super::{automaton::Automaton, hashed::HashedPrefixes, skips::Skips, trie::TriePrefixes, words::Words};
use std::mem;

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
        look.rules.clear();
        if mem::take(&mut look.has_found) {
            look.found.fill(0);
        }
        match &self.prefixes {
            Prefixes::None => {}
            Prefixes::Hashed(prefixes) => prefixes.find(name, |literal| look.begins(self, literal)),
            Prefixes::Trie(prefixes) => prefixes.find(name, |literal| look.begins(self, literal)),
        }
        match &self.substrings {
            Substrings::None => {}
            Substrings::Automaton(automaton) => automaton.find(name, |text| look.holds(self, text)),
            Substrings::Skips(skips) => skips.find(name, |text| look.holds(self, text)),
        }
        for rule in self.always.iter() {
            look.rules.push(rule);
        }
        // Rarely more than two; a rule that waits under several literals may have come several times.
        if !look.rules.is_sorted_by(|one, next| one < next) {
            look.rules.sort_unstable();
            look.rules.dedup();
        }
    }
}

impl Look {
    #[inline]
    fn begins(&mut self, index: &Index<'_>, prefix: u32) {
        self.call(index, index.prefix_rules, prefix);
    }

    #[inline]
    fn holds(&mut self, index: &Index<'_>, text: u32) {
        let (word, bit) = (text as usize / 64, 1 << (text % 64));
        if self.found.len() <= word {
            self.found.resize(word + 1, 0);
        }
        if self.found[word] & bit == 0 {
            self.found[word] |= bit;
            self.has_found = true;
            self.call(index, index.substring_rules, text);
        }
    }

    /// The rules that wait under a literal.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as a call it costs 20 instructions more per literal")]
    fn call(&mut self, index: &Index<'_>, starts: Words<'_>, literal: u32) {
        let at = literal as usize;
        let (start, end) = (starts.get(at), starts.get(at + 1));
        // Mostly one: that is no case for a loop.
        if end - start == 1 {
            self.rules.push(index.rules.get(start as usize));
        } else {
            self.rules.extend(index.rules.range(start, end));
        }
    }

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
