//! One condition as an automaton over bytes, with states numbered in the order in which they are met.
//!
//! Literals are automata by construction. A regex is determinised lazily, state by state, so states that a walk
//! never visits cost nothing. The cache of a lazy automaton must not be cleared, because that would change what
//! the numbers mean.

use regex_automata::{
    Anchored, MatchKind,
    hybrid::{
        LazyStateID,
        dfa::{Cache, DFA},
    },
    nfa::thompson::{self, WhichCaptures},
    util::start,
};
use relay_runtime::{regex::parse, table::Condition};
use std::collections::HashMap;

/// A state from which every name is accepted.
pub(super) const ACCEPTED: u32 = u32::MAX;

/// A state from which no name is accepted.
pub(super) const REJECTED: u32 = u32::MAX - 1;

/// Bytes that the states of one regex may occupy.
const REGEX_BYTES_MAX: usize = 4 << 20;

/// All automata made so far.
#[derive(Default)]
pub(super) struct Arena {
    automata: Vec<Automaton>,
    /// By kind and text; `None` for an automaton that is too large.
    known: HashMap<(Kind, String), Option<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Prefix,
    Substring,
    Regex,
}

/// Searches a name for one text or pattern.
pub(super) enum Automaton {
    Prefix(Vec<u8>),
    Substring(Substring),
    Regex(Box<Regex>),
}

/// The automaton of Knuth, Morris and Pratt: a state is how many bytes of the text the name ends with.
pub(crate) struct Substring {
    text: Vec<u8>,
    /// For each length of a beginning of the text: the longest shorter beginning that it also ends with.
    borders: Vec<usize>,
}

/// A regex, determinised as far as walks have come.
pub(super) struct Regex {
    dfa: DFA,
    cache: Cache,
    states: Vec<LazyStateID>,
    numbers: HashMap<LazyStateID, u32>,
    /// What a new state costs, in fuel.
    price: u64,
}

impl Arena {
    /// The index of a condition's automaton, its negation ignored. `None` if it is too large.
    pub(super) fn condition(&mut self, condition: Condition, text: &str, fuel: &mut u64) -> Option<usize> {
        let kind = match condition {
            Condition::Prefix | Condition::NotPrefix => Kind::Prefix,
            Condition::Sub | Condition::NotSub => Kind::Substring,
            Condition::Regex | Condition::NotRegex => Kind::Regex,
        };
        let key = (kind, text.to_owned());
        if let Some(known) = self.known.get(&key) {
            return *known;
        }
        let automaton = match kind {
            // Only here could a name that is not UTF-8 give another answer than its readable form.
            Kind::Prefix | Kind::Substring if text.contains(char::REPLACEMENT_CHARACTER) => None,
            Kind::Prefix => Some(Automaton::Prefix(text.as_bytes().to_vec())),
            Kind::Substring => Some(Automaton::Substring(Substring::new(text.as_bytes()))),
            Kind::Regex => Regex::new(text, fuel).map(|regex| Automaton::Regex(Box::new(regex))),
        };
        let index = automaton.map(|automaton| {
            self.automata.push(automaton);
            self.automata.len() - 1
        });
        self.known.insert(key, index);
        index
    }

    pub(super) fn get(&mut self, index: usize) -> &mut Automaton {
        &mut self.automata[index]
    }
}

impl Automaton {
    /// The state before the first byte of a name.
    pub(super) fn start(&mut self) -> Option<u32> {
        match self {
            Self::Prefix(text) => Some(if text.is_empty() { ACCEPTED } else { 0 }),
            Self::Substring(substring) => Some(if substring.text.is_empty() { ACCEPTED } else { 0 }),
            Self::Regex(regex) => regex.start(),
        }
    }

    /// The state after one more byte of a UTF-8 name; `None` if there are too many states.
    pub(super) fn next(&mut self, state: u32, byte: u8, fuel: &mut u64) -> Option<u32> {
        if state == ACCEPTED || state == REJECTED {
            return Some(state);
        }
        match self {
            Self::Prefix(text) => Some(match text.get(state as usize) {
                Some(&wanted) if wanted == byte && state as usize + 1 == text.len() => ACCEPTED,
                Some(&wanted) if wanted == byte => state + 1,
                _ => REJECTED,
            }),
            Self::Substring(substring) => {
                let found = substring.next(state as usize, byte);
                if found == substring.text.len() { Some(ACCEPTED) } else { u32::try_from(found).ok() }
            }
            Self::Regex(regex) => regex.next(state, byte, fuel),
        }
    }

    /// Whether a name that ends here is accepted.
    pub(super) fn accepts(&mut self, state: u32) -> Option<bool> {
        match self {
            _ if state == ACCEPTED => Some(true),
            _ if state == REJECTED => Some(false),
            Self::Prefix(_) | Self::Substring(_) => Some(false),
            Self::Regex(regex) => regex.accepts(state),
        }
    }

    /// The equivalence class of `byte`: bytes of one class lead from each state to the same state.
    pub(super) fn class(&self, byte: u8) -> u16 {
        match self {
            Self::Prefix(text) | Self::Substring(Substring { text, .. }) => {
                if text.contains(&byte) {
                    u16::from(byte) + 1
                } else {
                    0
                }
            }
            Self::Regex(regex) => {
                let class = u16::from(regex.dfa.byte_classes().get(byte));
                class * 2 + u16::from(is_continuation(byte))
            }
        }
    }
}

impl Substring {
    /// An automaton that finds `text`.
    pub(crate) fn new(text: &[u8]) -> Self {
        let mut substring = Self { text: text.to_vec(), borders: vec![0; text.len() + 1] };
        let mut border = 0;
        for length in 2..=text.len() {
            border = substring.next(border, text[length - 1]);
            substring.borders[length] = border;
        }
        substring
    }

    /// How many bytes of the text the name ends with after `byte`, given that it ended with `found` of them
    /// before.
    pub(crate) fn next(&self, mut found: usize, byte: u8) -> usize {
        loop {
            if self.text.get(found) == Some(&byte) {
                return found + 1;
            }
            if found == 0 {
                return 0;
            }
            found = self.borders[found];
        }
    }

    /// The longest shorter beginning of the text that its first `length` bytes end with.
    pub(crate) fn border(&self, length: usize) -> usize {
        self.borders.get(length).copied().unwrap_or(0)
    }

    /// The text that is searched for.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }
}

impl Regex {
    fn new(pattern: &str, fuel: &mut u64) -> Option<Self> {
        if *fuel == 0 {
            return None;
        }
        let hir = parse(pattern).ok()?;
        let config =
            thompson::Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(REGEX_BYTES_MAX));
        let nfa = thompson::Compiler::new().configure(config).build_from_hir(&hir).ok()?;
        let price = 20 + nfa.states().len() as u64 / 4;
        *fuel = fuel.saturating_sub(500 + nfa.states().len() as u64);
        // `MatchKind::All`, so that what follows an empty match within a character is not lost.
        let config = DFA::config()
            .match_kind(MatchKind::All)
            .cache_capacity(REGEX_BYTES_MAX)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(0));
        let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
        let cache = dfa.create_cache();
        Some(Self { dfa, cache, states: Vec::new(), numbers: HashMap::new(), price })
    }

    fn start(&mut self) -> Option<u32> {
        let config = start::Config::new().anchored(Anchored::No);
        let state = self.dfa.start_state(&mut self.cache, &config).ok()?;
        self.number(state, &mut 0)
    }

    fn next(&mut self, state: u32, byte: u8, fuel: &mut u64) -> Option<u32> {
        let state = *self.states.get(state as usize)?;
        let next = self.dfa.next_state(&mut self.cache, state, byte).ok()?;
        // The automaton reports a match one byte late. A match that ended within a character was empty and does
        // not count.
        if next.is_match() && !is_continuation(byte) {
            return Some(ACCEPTED);
        }
        self.number(next, fuel)
    }

    fn accepts(&mut self, state: u32) -> Option<bool> {
        let state = *self.states.get(state as usize)?;
        Some(self.dfa.next_eoi_state(&mut self.cache, state).ok()?.is_match())
    }

    fn number(&mut self, state: LazyStateID, fuel: &mut u64) -> Option<u32> {
        if state.is_dead() {
            return Some(REJECTED);
        }
        if state.is_quit() || state.is_unknown() {
            return None;
        }
        if let Some(&number) = self.numbers.get(&state) {
            return Some(number);
        }
        *fuel = fuel.saturating_sub(self.price);
        let number = u32::try_from(self.states.len()).ok()?;
        self.states.push(state);
        self.numbers.insert(state, number);
        Some(number)
    }
}

fn is_continuation(byte: u8) -> bool {
    (0x80..0xc0).contains(&byte)
}
