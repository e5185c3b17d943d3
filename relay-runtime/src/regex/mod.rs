//! The regex dialect of configurations: Go's RE2 syntax, as carbon-relay-ng reads it (Go 1.19).
//!
//! [`parse`] turns a pattern into the [`Hir`] of `regex-syntax`. The engine here and the automata that are
//! built at compile time are both made from it, so a pattern has one meaning. The parser accepts what Go
//! accepts: no look-around, no back-references, no `(?x)`; `\d \w \s \b` are ASCII-only; a `{` that starts no
//! repetition means itself; classes have no set operations.
//!
//! Go reads each byte that is not part of valid UTF-8 as U+FFFD. Our automata work on valid text only, and
//! [`readable`] makes text valid: for valid text, which is nearly all of it, that is a check without a copy.
//! [`Regex`] does this by itself; code that builds automata from [`parse`] must do it too.

mod class;
mod error;
mod escape;
mod parser;
mod readable;
mod search;
mod unicode;

pub use error::{RegexError, RegexErrorKind};
pub use parser::{Parsed, parse_groups};
pub use readable::readable;
pub use regex_syntax::hir::Hir;
pub use search::{Captures, Haystack, Regex};

pub(crate) use unicode::is_letter_or_digit;

/// Parses a pattern. In the result, groups are numbered from 1 and have no names: in Go several groups may
/// share a name, which the users of `Hir` do not allow. [`parse_groups`] returns the names.
///
/// The result only matches whole characters. When building an automaton from it, note that `\B` also holds
/// between the bytes of one character, so empty matches there must be skipped (`utf8_empty`, or
/// `thompson::Config::utf8`, does that).
pub fn parse(pattern: &str) -> Result<Hir, RegexError> {
    Ok(parse_groups(pattern)?.hir)
}

#[cfg(test)]
mod tests;
