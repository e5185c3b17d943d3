//! What a table needs beside its static data: searchers and regexes, made ready once at start. Rules refer to
//! them by number.

use super::{NameGroups, RegexSource, RewriterSource, StaticRegex, StaticRewriter, rewriter::rewrite};
use crate::regex::Regex;
use memchr::memmem::Finder;

/// The engines of one table.
#[derive(Debug)]
pub struct Engines {
    finders: Vec<Finder<'static>>,
    regexes: Vec<StaticRegex>,
    rewriters: Vec<StaticRewriter>,
    /// Of outputs' names. One is missing only if it is no regex, which `relay-build` has checked.
    groups: Vec<Option<Regex>>,
}

impl Engines {
    /// Makes them ready.
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

    /// Whether the name contains this substring.
    #[inline]
    #[must_use]
    pub fn contains(&self, substring: usize, name: &[u8]) -> bool {
        self.finders[substring].find(name).is_some()
    }

    /// Whether this regex matches.
    #[inline]
    #[must_use]
    pub fn matches(&self, regex: usize, name: &[u8]) -> bool {
        self.regexes[regex].is_match(name)
    }

    /// Whether this regex matches a name that has the literal it requires.
    #[inline]
    #[must_use]
    pub fn confirms(&self, regex: usize, name: &[u8]) -> bool {
        self.regexes[regex].confirms(name)
    }

    /// What the groups of this regex match in a name that it matches.
    #[must_use]
    pub fn groups<'n>(&self, regex: usize, name: &'n [u8]) -> Option<NameGroups<'n>> {
        NameGroups::find(self.groups[regex].as_ref()?, name)
    }

    /// Takes a name through all rewriters. Returns whether any changed it; then the result is in `rewritten`.
    #[inline]
    pub fn rewrite(&self, name: &[u8], rewritten: &mut Vec<u8>, next: &mut Vec<u8>) -> bool {
        rewrite(&self.rewriters, name, rewritten, next)
    }
}
