//! The engines of a compiled table: searchers and regexes that static data cannot express, made ready once at
//! start.
//!
//! Rules refer to them by number.

use super::{NameGroups, RegexSource, RewriterSource, StaticRegex, StaticRewriter, rewriter::rewrite};
use crate::regex::Regex;
use memchr::memmem::Finder;

/// The engines of one table.
#[derive(Debug)]
pub struct Engines {
    finders: Vec<Finder<'static>>,
    regexes: Vec<StaticRegex>,
    rewriters: Vec<StaticRewriter>,
    /// The regexes for the names of outputs. One is `None` only if it is not valid, which relay-build has
    /// excluded.
    groups: Vec<Option<Regex>>,
}

impl Engines {
    /// Makes all engines ready.
    #[must_use]
    pub fn new(
        substrings: &'static [&'static str],
        regexes: &[RegexSource],
        rewriters: &[RewriterSource],
        groups: &[&str],
    ) -> Self {
        Self {
            finders: substrings.iter().map(Finder::new).collect(),
            regexes: regexes.iter().map(StaticRegex::new).collect(),
            rewriters: rewriters.iter().map(StaticRewriter::new).collect(),
            groups: groups.iter().map(|pattern| Regex::new(pattern).ok()).collect(),
        }
    }

    /// Whether the name contains substring number `substring`.
    #[inline]
    #[must_use]
    pub fn contains(&self, substring: usize, name: &[u8]) -> bool {
        self.finders[substring].find(name).is_some()
    }

    /// Whether regex number `regex` matches the name.
    #[inline]
    #[must_use]
    pub fn matches(&self, regex: usize, name: &[u8]) -> bool {
        self.regexes[regex].is_match(name)
    }

    /// Whether regex number `regex` matches a name that contains the literal which the regex requires.
    #[inline]
    #[must_use]
    pub fn confirms(&self, regex: usize, name: &[u8]) -> bool {
        self.regexes[regex].confirms(name)
    }

    /// What the groups of regex number `regex` match in the name; `None` if it does not match.
    #[must_use]
    pub fn groups<'n>(&self, regex: usize, name: &'n [u8]) -> Option<NameGroups<'n>> {
        NameGroups::find(self.groups[regex].as_ref()?, name)
    }

    /// Passes a name through all rewriters. Returns whether any changed it; if so, the result is in
    /// `rewritten`.
    #[inline]
    pub fn rewrite(&self, name: &[u8], rewritten: &mut Vec<u8>, next: &mut Vec<u8>) -> bool {
        rewrite(&self.rewriters, name, rewritten, next)
    }
}
