//! Running a regex over a name.

use super::{
    error::{RegexError, RegexErrorKind},
    parser::{Parsed, parse_groups},
    readable::{original_position, readable, replacements},
};
use regex_automata::{Input, meta, util::primitives::NonMaxUsize};
use std::{borrow::Cow, ops::Range};

/// A pattern ready to run, with Go's answers.
#[derive(Clone, Debug)]
pub struct Regex {
    engine: meta::Regex,
    groups: Vec<Option<String>>,
    pattern: String,
}

/// A name made ready for more than one search.
#[derive(Debug)]
pub struct Haystack<'t> {
    original: &'t [u8],
    readable: Cow<'t, [u8]>,
    /// Where in `readable` replacements start; empty when it is the original.
    replaced: Vec<usize>,
}

/// Where a match and its groups lie.
#[derive(Debug)]
pub struct Captures {
    slots: Slots,
}

/// Memory that one regex may need at most. Go's limit is 128 MB of its own form; what lies between is long
/// repetitions of whole Unicode categories, which no metric's name calls for.
const NFA_BYTES_MAX: usize = 16 << 20;

/// Groups, with group 0, that a search needs no heap for.
const GROUPS_INLINE: usize = 16;

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "it lives on the stack, to save the heap")]
enum Slots {
    Inline([Option<NonMaxUsize>; 2 * GROUPS_INLINE]),
    Heap(Vec<Option<NonMaxUsize>>),
}

impl Regex {
    /// Reads and compiles a pattern.
    pub fn new(pattern: &str) -> Result<Self, RegexError> {
        let Parsed { hir, groups } = parse_groups(pattern)?;
        let config = meta::Regex::config().utf8_empty(true).nfa_size_limit(Some(NFA_BYTES_MAX));
        // Size is the only thing that can be wrong with what our parser made.
        let engine = meta::Regex::builder()
            .configure(config)
            .build_from_hir(&hir)
            .map_err(|_| RegexError { range: 0..pattern.len(), kind: RegexErrorKind::TooLarge })?;
        Ok(Self { engine, groups, pattern: pattern.to_owned() })
    }

    /// Whether it matches anywhere in the text.
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

    /// The first match at or after position `from` of the text [as made readable](Haystack), into memory
    /// that [`create_captures`](Self::create_captures) made. What is before `from` still counts for `^`
    /// and `\b`.
    #[must_use]
    pub fn captures_at(&self, text: &Haystack<'_>, from: usize, captures: &mut Captures) -> bool {
        let input = Input::new(&*text.readable).span(from..text.readable.len());
        self.engine.search_slots(&input, captures.slots.as_mut_slice()).is_some()
    }

    /// Room for the match and the groups of this regex.
    #[must_use]
    pub fn create_captures(&self) -> Captures {
        let slots = match self.groups.len() {
            0..=GROUPS_INLINE => Slots::Inline([None; 2 * GROUPS_INLINE]),
            more => Slots::Heap(vec![None; 2 * more]),
        };
        Captures { slots }
    }

    /// The name of each group by number; group 0 is the whole match.
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
    /// Makes a name ready.
    #[must_use]
    pub fn new(original: &'t [u8]) -> Self {
        if std::str::from_utf8(original).is_ok() {
            return Self { original, readable: Cow::Borrowed(original), replaced: Vec::new() };
        }
        let (copy, replaced) = replacements(original);
        Self { original, readable: Cow::Owned(copy), replaced }
    }

    /// The name as searched: valid UTF-8.
    #[must_use]
    pub fn readable(&self) -> &[u8] {
        &self.readable
    }

    /// What lies in the name at a range of the readable form.
    #[must_use]
    pub fn original(&self, range: Range<usize>) -> &'t [u8] {
        let position = |at| original_position(&self.replaced, at);
        &self.original[position(range.start)..position(range.end)]
    }
}

impl Captures {
    /// Where the group lies in the [readable form](Haystack::readable); `None` when it took no part in the
    /// match or does not exist.
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
