//! Why a pattern is not a regex, in words for its author.
//!
//! Each error has a position in the pattern, so a diagnostic can point at it.

use std::{fmt, ops::Range};

/// A pattern that Go's regexp would refuse, or that is too large to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexError {
    /// The byte range in the pattern.
    pub range: Range<usize>,
    /// What is wrong there.
    pub kind: RegexErrorKind,
}

/// What can be wrong with a pattern. The strings are the offending parts of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegexErrorKind {
    /// `(` without `)`.
    MissingParenthesis,
    /// `)` without `(`.
    UnexpectedParenthesis,
    /// `[` without `]`.
    MissingBracket,
    /// `*`, `+`, `?` or `{n}` after nothing.
    NothingToRepeat(String),
    /// A repetition of a repetition: `a**`.
    NestedRepetition(String),
    /// `{n,m}` above 1000, alone or multiplied with enclosing ones, or with n above m.
    RepetitionCount(String),
    /// `(?` followed by something that Go does not support, such as look-around.
    UnsupportedGroup(String),
    /// `(?P<…>` or `(?<…>` with a name that is empty, not closed, or contains other characters than letters, digits and
    /// `_`.
    GroupName(String),
    /// A backslash before a character with which it has no meaning.
    UnknownEscape(String),
    /// A backslash at the end.
    TrailingBackslash,
    /// `[b-a]`.
    ReversedRange(String),
    /// `[:name:]` with an unknown name.
    UnknownClass(String),
    /// `\p{Name}` with an unknown name.
    UnknownUnicodeClass(String),
    /// More than 1000 levels of groups and repetitions.
    TooDeep,
    /// The automaton would need too much memory.
    TooLarge,
}

impl RegexError {
    /// Where the offending part starts, in bytes.
    #[must_use]
    pub const fn position(&self) -> usize {
        self.range.start
    }
}

impl RegexErrorKind {
    /// Returns the whole pattern with the offending part, at `range` of `pattern`, corrected, if a correction
    /// is known.
    #[must_use]
    pub fn mended(&self, pattern: &str, range: Range<usize>) -> Option<String> {
        let (before, what) = (pattern.get(..range.start)?, pattern.get(range.clone())?);
        let after = pattern.get(range.end..)?;
        let with = |part: &str| format!("{before}{part}{after}");
        Some(match self {
            Self::MissingParenthesis => format!("{pattern})"),
            Self::MissingBracket => format!("{pattern}]"),
            Self::UnexpectedParenthesis | Self::NothingToRepeat(_) | Self::UnknownEscape(_) => {
                with(&format!("\\{what}"))
            }
            Self::NestedRepetition(_) => {
                let mut chars = what.chars();
                with(&chars.next()?.to_string())
            }
            Self::TrailingBackslash => format!("{pattern}\\"),
            Self::ReversedRange(_) => {
                let (low, high) = what.split_once('-')?;
                with(&format!("{high}-{low}"))
            }
            Self::RepetitionCount(_)
            | Self::UnsupportedGroup(_)
            | Self::GroupName(_)
            | Self::UnknownClass(_)
            | Self::UnknownUnicodeClass(_)
            | Self::TooDeep
            | Self::TooLarge => return None,
        })
    }
}

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl fmt::Display for RegexErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingParenthesis => f.write_str("this `(` is never closed"),
            Self::UnexpectedParenthesis => {
                f.write_str("this `)` closes nothing; a literal one is written `\\)`")
            }
            Self::MissingBracket => f.write_str("this `[` is never closed; a literal one is written `\\[`"),
            Self::NothingToRepeat(what) => write!(f, "there is nothing before `{what}` that it could repeat"),
            Self::NestedRepetition(what) => {
                write!(f, "`{what}` repeats a repetition; put the inner one in a group")
            }
            Self::RepetitionCount(what) => {
                write!(
                    f,
                    "`{what}`: the second count must not be below the first, and at most 1000 repetitions are possible"
                )
            }
            Self::UnsupportedGroup(what) => {
                write!(
                    f,
                    "`{what}` is not supported: groups are `(…)`, `(?:…)`, `(?P<name>…)`, `(?<name>…)`, `(?imsU-imsU:…)`"
                )
            }
            Self::GroupName(what) => {
                write!(f, "`{what}`: a group's name consists of letters, digits and `_`, between `<` and `>`")
            }
            Self::UnknownEscape(what) => write!(f, "`{what}` is not an escape sequence"),
            Self::TrailingBackslash => {
                f.write_str("a backslash at the end escapes nothing; a literal one is written `\\\\`")
            }
            Self::ReversedRange(what) => write!(f, "the range `{what}` ends before it begins"),
            Self::UnknownClass(what) => write!(f, "there is no class `{what}`"),
            Self::UnknownUnicodeClass(what) => {
                write!(f, "`{what}`: there is no Unicode category or script of this name")
            }
            Self::TooDeep => f.write_str("the groups are nested too deeply"),
            Self::TooLarge => f.write_str("the regex needs too much memory; lower its repetition counts"),
        }
    }
}

impl std::error::Error for RegexError {}
