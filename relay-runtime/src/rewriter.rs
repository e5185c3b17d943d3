//! Runs the rules that change a metric's name (spec §8).
//!
//! A rewriter reads a name and writes another. Callers check once, after the last rewriter, with [`is_usable`],
//! whether the resulting name can be sent.

use crate::{
    regex::{Haystack, Regex, RegexError},
    table::{self, Pattern},
    template::Template,
};
use memchr::memmem;
use std::fmt;

/// A rewriter ready to run.
#[derive(Clone, Debug)]
pub struct Rewriter {
    rule: Rule,
    not: Option<Finder>,
}

/// Why a rewriter cannot be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RewriterError {
    /// `old` is empty.
    EmptyOld,
    /// `max` with a regex, which always replaces all matches.
    MaxWithRegex,
    /// `old` is not a valid regex.
    Old(RegexError),
    /// `not` is not a valid regex.
    Not(RegexError),
}

#[derive(Clone, Debug)]
enum Rule {
    Text { old: Box<memmem::Finder<'static>>, new: Vec<u8>, max: usize },
    Regex { old: Regex, new: Template },
}

/// Finds a text or a regex in a metric.
#[derive(Clone, Debug)]
enum Finder {
    Text(Box<memmem::Finder<'static>>),
    Regex(Regex),
}

impl Rewriter {
    /// Makes the rule ready to run.
    pub fn new(rule: &table::Rewriter) -> Result<Self, RewriterError> {
        let not = rule.not.as_ref().map(Finder::new).transpose().map_err(RewriterError::Not)?;
        let rule = match &rule.old {
            Pattern::Text(old) if old.is_empty() => return Err(RewriterError::EmptyOld),
            Pattern::Text(old) => Rule::Text {
                old: Box::new(memmem::Finder::new(old).into_owned()),
                new: rule.new.clone().into_bytes(),
                max: rule.max.map_or(usize::MAX, |max| max as usize),
            },
            Pattern::Regex(_) if rule.max.is_some() => return Err(RewriterError::MaxWithRegex),
            Pattern::Regex(old) => {
                let old = Regex::new(old).map_err(RewriterError::Old)?;
                let new = Template::parse(&rule.new, old.groups());
                Rule::Regex { old, new }
            }
        };
        Ok(Self { rule, not })
    }

    /// Writes the rewritten `name` to `out`, replacing what was there. Returns whether the result differs from
    /// `name`; if not, the contents of `out` have no meaning.
    pub fn apply(&self, name: &[u8], out: &mut Vec<u8>) -> bool {
        out.clear();
        if self.not.as_ref().is_some_and(|not| not.finds(name)) {
            return false;
        }
        let replaced = match &self.rule {
            Rule::Text { old, new, max } => replace_text(name, old, new, *max, out),
            Rule::Regex { old, new } => replace_matches(name, old, new, out),
        };
        replaced && out != name
    }
}

/// Whether a rewritten name can be sent: it is not empty and has no white space, which would give the line more
/// than three fields.
#[must_use]
pub fn is_usable(name: &[u8]) -> bool {
    !name.is_empty() && !name.utf8_chunks().any(|chunk| chunk.valid().contains(char::is_whitespace))
}

fn replace_text(name: &[u8], old: &memmem::Finder<'_>, new: &[u8], max: usize, out: &mut Vec<u8>) -> bool {
    let mut copied = 0;
    for at in old.find_iter(name).take(max) {
        out.extend_from_slice(&name[copied..at]);
        out.extend_from_slice(new);
        copied = at + old.needle().len();
    }
    out.extend_from_slice(&name[copied..]);
    copied > 0
}

/// Does what Go's `ReplaceAll` does. An empty match directly after another match is not replaced.
fn replace_matches(name: &[u8], old: &Regex, new: &Template, out: &mut Vec<u8>) -> bool {
    let text = Haystack::new(name);
    let readable = text.readable();
    let mut captures = old.create_captures();
    let (mut copied, mut from, mut replaced) = (0, 0, false);
    while from <= readable.len() && old.captures_at(&text, from, &mut captures) {
        let Some(found) = captures.get(0) else { break };
        out.extend_from_slice(text.original(copied..found.start));
        if found.end > copied || found.start == 0 {
            new.expand_match(out, &text, &captures);
            replaced = true;
        }
        copied = found.end;
        from = found.end.max(from + character_length(&readable[from..]));
    }
    out.extend_from_slice(text.original(copied..readable.len()));
    replaced
}

/// The length of the first character of valid UTF-8; 1 for an empty text, so that the loop ends.
fn character_length(text: &[u8]) -> usize {
    match text.first() {
        None | Some(0..0xc0) => 1,
        Some(0xc0..0xe0) => 2,
        Some(0xe0..0xf0) => 3,
        Some(0xf0..) => 4,
    }
}

impl Finder {
    fn new(pattern: &Pattern) -> Result<Self, RegexError> {
        Ok(match pattern {
            Pattern::Text(text) => Self::Text(Box::new(memmem::Finder::new(text).into_owned())),
            Pattern::Regex(regex) => Self::Regex(Regex::new(regex)?),
        })
    }

    fn finds(&self, name: &[u8]) -> bool {
        match self {
            Self::Text(text) => text.find(name).is_some(),
            Self::Regex(regex) => regex.is_match(name),
        }
    }
}

impl fmt::Display for RewriterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EmptyOld => f.write_str("`old` is empty"),
            Self::MaxWithRegex => f.write_str("a regex replaces all matches, so `max` must be -1"),
            Self::Old(error) => write!(f, "`old`: {error}"),
            Self::Not(error) => write!(f, "`not`: {error}"),
        }
    }
}

impl std::error::Error for RewriterError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &str, new: &str, max: Option<u32>, name: &str, want: &str) {
        let rule = table::Rewriter { old: Pattern::parse(old), new: new.to_owned(), not: None, max };
        let mut out = b"left over".to_vec();
        let changed = Rewriter::new(&rule).unwrap().apply(name.as_bytes(), &mut out);
        assert_eq!(changed, name != want, "{old} on {name}");
        if changed {
            assert_eq!(String::from_utf8(out).unwrap(), want, "{old} on {name}");
        }
    }

    #[test]
    fn a_text_is_replaced_from_the_left_up_to_the_maximum() {
        check("aa", "b", None, "aaaaa", "bba");
        check("aa", "b", Some(1), "aaaaa", "baaa");
        check("aa", "b", Some(0), "aaaaa", "aaaaa");
    }

    #[test]
    fn an_empty_match_right_behind_a_match_is_not_replaced() {
        check("/a*/", "x", None, "baac", "xbxcx");
        check("//", "-", None, "aé", "-a-é-");
        check("/$/", ".end", None, "a.b", "a.b.end");
        check("/^/", "p.", None, "a.b", "p.a.b");
    }

    #[test]
    fn a_name_with_white_space_or_nothing_in_it_is_not_usable() {
        assert!(is_usable(b"a.b") && is_usable(b"\x85\xa0"));
        for name in ["", "a b", "a\u{a0}b", "a\n", "\u{3000}"] {
            assert!(!is_usable(name.as_bytes()), "{name:?}");
        }
    }
}
