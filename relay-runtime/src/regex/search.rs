//! Runs a regex over a name.
//!
//! The answers are those of Go's regexp, also for names that are not UTF-8.

use super::{
    error::{RegexError, RegexErrorKind},
    parser::{Parsed, parse_groups},
    readable::{original_position, readable, replacements},
};
use regex_automata::{Input, meta, util::primitives::NonMaxUsize};
use std::{borrow::Cow, ops::Range};

/// A compiled pattern that gives the same answers as in Go.
#[derive(Clone, Debug)]
pub struct Regex {
    engine: meta::Regex,
    groups: Vec<Option<String>>,
    pattern: String,
}

/// A name prepared for several searches.
#[derive(Debug)]
pub struct Haystack<'t> {
    original: &'t [u8],
    readable: Cow<'t, [u8]>,
    /// Where replacements start in `readable`; empty if it is the original.
    replaced: Vec<usize>,
}

/// Where a match and its groups are.
#[derive(Debug)]
pub struct Captures {
    slots: Slots,
}

/// The most memory that one regex may need. Go's limit is 128 MB of its own representation; between the two are
/// only long repetitions of whole Unicode categories, which no metric needs.
const NFA_BYTES_MAX: usize = 16 << 20;

/// Up to this number of groups, group 0 included, a search needs no heap.
const GROUPS_INLINE: usize = 16;

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it lives on the stack, to save the heap")]
enum Slots {
    Inline([Option<NonMaxUsize>; 2 * GROUPS_INLINE]),
    Heap(Vec<Option<NonMaxUsize>>),
}

impl Regex {
    /// Parses and compiles a pattern.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let Parsed { hir, groups } = parse_groups(pattern)?;
        let config = meta::Regex::config().utf8_empty(true).nfa_size_limit(Some(NFA_BYTES_MAX));
        // Our parser has accepted the pattern, so only its size can be wrong.
        let engine = meta::Regex::builder()
            .configure(config)
            .build_from_hir(&hir)
            .map_err(|_| RegexError { range: 0..pattern.len(), kind: RegexErrorKind::TooLarge })?;
        Ok(Self { engine, groups, pattern: pattern.to_owned() })
    }

    /// Whether the regex matches anywhere in the text.
    #[must_use]
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.engine.is_match(&*readable(text))
    }

    /// The first match in the text, with its groups.
    #[must_use]
    pub fn captures(&self, text: &Haystack<'_>) -> Option<Captures> {
        let mut captures = self.create_captures();
        self.captures_at(text, 0, &mut captures).then_some(captures)
    }

    /// The first match at or after position `from` of the [readable](Haystack) text, into memory that
    /// [`create_captures`](Self::create_captures) made. Returns whether there is a match. What is before `from`
    /// still counts for `^` and `\b`.
    #[must_use]
    pub fn captures_at(&self, text: &Haystack<'_>, from: usize, captures: &mut Captures) -> bool {
        let input = Input::new(&*text.readable).span(from..text.readable.len());
        self.engine.search_slots(&input, captures.slots.as_mut_slice()).is_some()
    }

    /// Memory for the match and the groups of this regex.
    #[must_use]
    pub fn create_captures(&self) -> Captures {
        let slots = match self.groups.len() {
            0..=GROUPS_INLINE => Slots::Inline([None; 2 * GROUPS_INLINE]),
            more => Slots::Heap(vec![None; 2 * more]),
        };
        Captures { slots }
    }

    /// The name of each group by number, if it has one; group 0 is the whole match.
    #[must_use]
    pub fn groups(&self) -> &[Option<String>] {
        &self.groups
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.pattern
    }
}

impl<'t> Haystack<'t> {
    /// Prepares a name.
    #[must_use]
    pub fn new(original: &'t [u8]) -> Self {
        if std::str::from_utf8(original).is_ok() {
            return Self { original, readable: Cow::Borrowed(original), replaced: Vec::new() };
        }
        let (copy, replaced) = replacements(original);
        Self { original, readable: Cow::Owned(copy), replaced }
    }

    /// The name in the form that is searched: valid UTF-8.
    #[must_use]
    pub fn readable(&self) -> &[u8] {
        &self.readable
    }

    /// The part of the name at a range of the readable form.
    #[must_use]
    pub fn original(&self, range: Range<usize>) -> &'t [u8] {
        let position = |at| original_position(&self.replaced, at);
        &self.original[position(range.start)..position(range.end)]
    }
}

impl Captures {
    /// Where the group is in the [readable form](Haystack::readable); `None` if it took no part in the match or
    /// does not exist.
    #[must_use]
    pub fn get(&self, group: usize) -> Option<Range<usize>> {
        let slots = self.slots.as_slice();
        let start = slots.get(group.checked_mul(2)?).copied()??;
        let end = slots.get(group * 2 + 1).copied()??;
        Some(start.get()..end.get())
    }
}

impl Slots {
    const fn as_slice(&self) -> &[Option<NonMaxUsize>] {
        match self {
            Self::Inline(slots) => slots,
            Self::Heap(slots) => slots.as_slice(),
        }
    }

    const fn as_mut_slice(&mut self) -> &mut [Option<NonMaxUsize>] {
        match self {
            Self::Inline(slots) => slots,
            Self::Heap(slots) => slots.as_mut_slice(),
        }
    }
}
