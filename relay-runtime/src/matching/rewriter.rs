//! A rewriter of a compiled table: the interpreter's rewriter, which runs only if the name contains a required
//! literal.
//!
//! A name without that literal cannot be changed, so most names cost one search.

use crate::{
    rewriter::Rewriter,
    table::{self, Pattern},
};
use memchr::memmem::Finder;
use std::mem;

/// A rewriter ready to run.
#[derive(Debug)]
pub struct StaticRewriter {
    required: Option<Finder<'static>>,
    /// `None` only if the rule cannot be run, which relay-build has excluded.
    rewriter: Option<Rewriter>,
}

/// A rewriter as generated code contains it: its parts as in a configuration.
#[derive(Clone, Copy, Debug)]
pub struct RewriterSource {
    /// A text, or a regex between slashes.
    pub old: &'static str,
    /// The replacement.
    pub new: &'static str,
    /// Exempts names that contain this text or match this regex.
    pub not: Option<&'static str>,
    /// The most replacements per name.
    pub max: Option<u32>,
    /// A literal that every name contains which may be changed.
    pub required: Option<&'static str>,
}

impl StaticRewriter {
    /// Makes the rewriter ready.
    #[must_use]
    pub fn new(source: &RewriterSource) -> Self {
        let RewriterSource { old, new, not, max, required } = *source;
        let not = not.map(Pattern::parse);
        let rule = table::Rewriter { old: Pattern::parse(old), new: new.to_owned(), not, max };
        let rewriter = Rewriter::new(&rule).ok();
        debug_assert!(rewriter.is_some(), "a rewriter that relay-build checked");
        Self { required: required.map(Finder::new), rewriter }
    }

    #[inline]
    fn apply(&self, name: &[u8], out: &mut Vec<u8>) -> bool {
        self.required.as_ref().is_none_or(|required| required.find(name).is_some())
            && self.rewriter.as_ref().is_some_and(|rewriter| rewriter.apply(name, out))
    }
}

/// Passes a name through all rewriters, each working on the result of the one before. Returns whether any
/// changed it; if so, the result is in `rewritten`.
#[inline]
pub fn rewrite(
    rewriters: &[StaticRewriter],
    name: &[u8],
    rewritten: &mut Vec<u8>,
    next: &mut Vec<u8>,
) -> bool {
    let mut changed = false;
    for rewriter in rewriters {
        let current = if changed { &rewritten[..] } else { name };
        if rewriter.apply(current, next) {
            mem::swap(rewritten, next);
            changed = true;
        }
    }
    changed
}
