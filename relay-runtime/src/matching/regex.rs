//! A regex that was compiled together with the table.
//!
//! Most regexes are a complete automaton in the binary: one table lookup per byte, no memory, no warm-up. A
//! regex whose automaton would be too large is stored as its pattern, and its engine is made at start. In both
//! cases a literal that every match contains, if there is one, is searched for first, because most names lack
//! it.

use crate::regex::{Regex, readable};
use memchr::memmem::Finder;
use regex_automata::{Anchored, Input, dfa::Automaton, dfa::dense::DFA};

/// A regex ready to run.
#[derive(Debug)]
pub struct StaticRegex {
    required: Option<Finder<'static>>,
    form: Form,
}

/// A regex as generated code contains it.
#[derive(Clone, Copy, Debug)]
pub enum RegexSource {
    /// A serialised automaton.
    Automaton {
        /// The bytes of an [`Aligned`].
        bytes: &'static [u8],
        /// A literal that every match contains.
        required: Option<&'static str>,
    },
    /// A pattern; its engine is made at start.
    Pattern {
        /// The pattern as configured.
        pattern: &'static str,
        /// A literal that every match contains.
        required: Option<&'static str>,
    },
}

/// Bytes at an address that is aligned for 32-bit numbers.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct Aligned<const N: usize>(pub [u8; N]);

#[derive(Debug)]
enum Form {
    Automaton(Box<DFA<&'static [u32]>>),
    Engine(Box<Regex>),
    /// Neither automaton nor pattern could be read. relay-build has checked both, so this cannot happen; such a
    /// regex matches nothing, instead of ending the process.
    Unusable,
}

impl StaticRegex {
    /// Makes the regex ready.
    #[must_use]
    pub fn new(source: &RegexSource) -> Self {
        let (form, required) = match *source {
            RegexSource::Automaton { bytes, required } => {
                let read = DFA::from_bytes(bytes).map(|(automaton, _)| Form::Automaton(Box::new(automaton)));
                (read.unwrap_or(Form::Unusable), required)
            }
            RegexSource::Pattern { pattern, required } => {
                let read = Regex::new(pattern).map(|regex| Form::Engine(Box::new(regex)));
                (read.unwrap_or(Form::Unusable), required)
            }
        };
        debug_assert!(!matches!(form, Form::Unusable), "a regex that relay-build checked");
        Self { required: required.map(Finder::new), form }
    }

    /// Whether the regex matches anywhere in the name.
    #[inline]
    #[must_use]
    pub fn is_match(&self, name: &[u8]) -> bool {
        self.required.as_ref().is_none_or(|required| required.find(name).is_some()) && self.confirms(name)
    }

    /// Like [`Self::is_match`], for a name that is known to contain the required literal.
    #[inline]
    #[must_use]
    pub fn confirms(&self, name: &[u8]) -> bool {
        match &self.form {
            Form::Automaton(automaton) if name.is_ascii() => accepts(automaton, name),
            Form::Automaton(automaton) => accepts(automaton, &readable(name)),
            Form::Engine(regex) => regex.is_match(name),
            Form::Unusable => false,
        }
    }
}

#[inline]
fn accepts(automaton: &DFA<&'static [u32]>, name: &[u8]) -> bool {
    let input = Input::new(name).anchored(Anchored::No).earliest(true);
    matches!(automaton.try_search_fwd(&input), Ok(Some(_)))
}
