//! One regex of a table: the literals that it requires, and whether it becomes an automaton at build time.
//! The form never changes what it matches.

use super::{Required, required_literal};
use regex_automata::{
    dfa::{StartKind, dense},
    nfa::thompson::{self, WhichCaptures},
};
use regex_syntax::hir::Hir;

/// A regex of some matchers.
#[derive(Clone, Debug)]
pub struct StaticRegex {
    /// As written.
    pub pattern: String,
    /// Facts about every name that it matches.
    pub required: Required,
    /// The literal that is searched for first.
    pub literal: Option<String>,
    /// How it is run.
    pub form: RegexForm,
}

/// How a regex is run, cheapest first.
#[derive(Clone, Debug)]
pub enum RegexForm {
    /// A complete automaton in the binary, as serialised by `regex-automata`.
    Automaton(Vec<u8>),
    /// Its automaton would be too large, so an engine builds the states that it needs while it runs.
    AtStart,
}

/// The largest automaton, in bytes.
const AUTOMATON_BYTES_MAX: usize = 256 << 10;

/// The most bytes for determinising one regex.
const WORK_BYTES_MAX: usize = 8 << 20;

/// Up to this size an automaton is also made minimal, which takes longer than making it.
const MINIMISED_BYTES_MAX: usize = 32 << 10;

impl StaticRegex {
    pub(super) fn new(pattern: &str, hir: &Hir, required: Required, at_start: bool) -> Self {
        let form = match (at_start, automaton(hir)) {
            (false, Some(bytes)) => RegexForm::Automaton(bytes),
            _ => RegexForm::AtStart,
        };
        // An anchored automaton stops at the first wrong byte, which is cheaper than any search.
        let literal = if required.prefixes.is_empty() { required_literal(&required) } else { None };
        Self { pattern: pattern.to_owned(), literal, required, form }
    }
}

fn automaton(hir: &Hir) -> Option<Vec<u8>> {
    let config =
        thompson::Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(WORK_BYTES_MAX));
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(hir).ok()?;
    let build = |minimise| {
        let config = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .dfa_size_limit(Some(AUTOMATON_BYTES_MAX))
            .determinize_size_limit(Some(WORK_BYTES_MAX))
            .minimize(minimise);
        dense::Builder::new().configure(config).build_from_nfa(&nfa).ok()
    };
    let automaton = build(false)?;
    let automaton = if automaton.memory_usage() <= MINIMISED_BYTES_MAX { build(true)? } else { automaton };
    let (bytes, padding) = automaton.to_bytes_little_endian();
    Some(bytes[padding..].to_vec())
}
