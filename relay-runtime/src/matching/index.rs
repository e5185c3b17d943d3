//! The scan of a name: one pass that finds which literals of the table it contains, and so which rules it may match. Its result is a [`Look`].
//!
//! A rule whose matcher requires a literal is guarded by it: the index lists the rule under that literal. The
//! candidates of a name are the rules under the literals that it contains, in the order of the rules, each at
//! most once. The caller checks the other conditions of each candidate.
//!
//! Rules of all stages are numbered in one sequence: blocklist, aggregators, routes. So one scan serves the
//! whole table, unless a rewriter changes the name.

use super::{automaton::Automaton, hashed::HashedPrefixes, skips::Skips, trie::TriePrefixes, words::Words};
use std::mem;

/// Which rules are guarded by which literals.
#[derive(Clone, Copy, Debug)]
pub struct Index<'a> {
    /// The guards that a name may start with.
    pub prefixes: Prefixes<'a>,
    /// For each prefix, where its rules start in `rules`; the last entry is where those of the last prefix end.
    pub prefix_rules: Words<'a>,
    /// The guards that a name may contain.
    pub substrings: Substrings<'a>,
    /// Like `prefix_rules`, for substrings.
    pub substring_rules: Words<'a>,
    /// The numbers of guarded rules.
    pub rules: Words<'a>,
    /// The rules without a guard, ascending: candidates of every name.
    pub always: Words<'a>,
}

/// The data structure in which prefixes are found.
#[derive(Clone, Copy, Debug)]
pub enum Prefixes<'a> {
    /// There are no prefixes.
    None,
    /// A hash table.
    Hashed(HashedPrefixes<'a>),
    /// A trie.
    Trie(TriePrefixes<'a>),
}

/// The data structure in which substrings are found.
#[derive(Clone, Copy, Debug)]
pub enum Substrings<'a> {
    /// There are no substrings.
    None,
    /// An Aho-Corasick automaton.
    Automaton(Automaton<'a>),
    /// A search that skips.
    Skips(Skips<'a>),
}

/// The result of scanning a name. Reused for the next name, to keep its memory.
#[derive(Debug, Default)]
pub struct Look {
    rules: Vec<u32>,
    /// One bit per substring; as many words as the highest substring found so far needs.
    found: Vec<u64>,
    has_found: bool,
}

impl Index<'_> {
    /// Scans a name: writes its candidates and substrings to `look`.
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
        // There are rarely more than two candidates; one with several guards may have come several times.
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

    /// Adds the rules that are guarded by a literal.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as a call it costs 20 instructions more per literal")]
    fn call(&mut self, index: &Index<'_>, starts: Words<'_>, literal: u32) {
        let at = literal as usize;
        let (start, end) = (starts.get(at), starts.get(at + 1));
        // Usually it is one rule, for which a loop would cost more.
        if end - start == 1 {
            self.rules.push(index.rules.get(start as usize));
        } else {
            self.rules.extend(index.rules.range(start, end));
        }
    }

    /// The number of candidates.
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

    /// The candidates with numbers from `start` up to, but not including, `end`, in order.
    #[inline]
    #[must_use]
    pub fn rules(&self, start: u32, end: u32) -> &[u32] {
        let skipped = self.rules.iter().take_while(|&&rule| rule < start).count();
        let rules = &self.rules[skipped..];
        let taken = rules.iter().take_while(|&&rule| rule < end).count();
        &rules[..taken]
    }

    /// Whether the name contains substring number `substring` of the index.
    #[inline]
    #[must_use]
    pub fn contains(&self, substring: u32) -> bool {
        self.found.get(substring as usize / 64).is_some_and(|word| word >> (substring % 64) & 1 == 1)
    }
}
