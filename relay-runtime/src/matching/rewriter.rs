//! A rewriter of a compiled table: the one that the interpreter runs, behind the literal without which it has
//! nothing to do.

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
    /// Missing only if the rule cannot be run, which `relay-build` has checked.
    rewriter: Option<Rewriter>,
}

/// A rewriter as generated code has it: the parts as written in a configuration.
#[derive(Clone, Copy, Debug)]
pub struct RewriterSource {
    /// Text, or regex between slashes.
    pub old: &'static str,
    /// Replacement.
    pub new: &'static str,
    /// Exempts a name.
    pub not: Option<&'static str>,
    /// At most so many replacements.
    pub max: Option<u32>,
    /// A literal of every name that may be changed.
    pub required: Option<&'static str>,
}

impl StaticRewriter {
    /// Makes it ready.
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

/// Takes a name through all rewriters, each working on the result of the one before it. Returns whether any
/// changed it; then the result is in `rewritten`.
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
