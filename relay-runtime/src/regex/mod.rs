//! The regex dialect of configurations: Go's RE2 syntax, as carbon-relay-ng reads it (Go 1.19).
//!
//! [`parse`] turns a pattern into the [`Hir`] of `regex-syntax`, from which both the engine here and the
//! automata that are built at compile time are made, so that there is one reading of a pattern. What the
//! parser accepts is what Go accepts: no look-around, no back-references, no `(?x)`; ASCII-only `\d \w \s
//! \b`; a `{` that starts no repetition is itself; a class knows no set operations.
//!
//! Go reads each byte that is not part of valid UTF-8 as U+FFFD. All our automata work on valid text only,
//! and [`readable`] makes text valid: for valid text, which is nearly all, it is a check and no copy.
//! [`Regex`] does that by itself; whoever builds automata from [`parse`] must do it too.

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

/// Reads a pattern. Groups are numbered from 1 and have no names in the result: Go lets groups share a name,
/// which `Hir`'s users do not; see [`parse_groups`] for the names.
///
/// The result only matches whole characters. One thing to know when building an automaton from it: `\B` also
/// holds between the bytes of one character, so empty matches there must be skipped
/// (`utf8_empty`, or `thompson::Config::utf8`, does that).
pub fn parse(pattern: &str) -> Result<Hir, RegexError> {
    Ok(parse_groups(pattern)?.hir)
}

#[cfg(test)]
mod tests;
