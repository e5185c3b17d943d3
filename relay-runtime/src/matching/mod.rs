//! The run-time engines of a compiled table.
//!
//! Generated code is thin: tables as bytes, `match`es and calls. Algorithms that deserve their own tests are
//! here: finding all prefixes and substrings of a table in one scan of a name ([`Index`], [`Look`]), running
//! a regex that was compiled to an automaton ([`StaticRegex`]), rewriting a name ([`StaticRewriter`]), naming
//! the outputs of aggregators ([`NameGroups`]), and running a table that is too long to be code ([`Rows`]).
//!
//! Nothing here reads a configuration or builds a table: relay-build does, and its tests check that its
//! builders and these engines agree. Nothing allocates in the steady state.

mod automaton;
mod engines;
mod groups;
mod hashed;
mod index;
mod regex;
mod rewriter;
mod rows;
mod skips;
mod trie;
mod words;

pub use automaton::Automaton;
pub use engines::Engines;
pub use groups::NameGroups;
pub use hashed::{HashedPrefixes, LENGTH_MAX, hash};
pub use index::{Index, Look, Prefixes, Substrings};
pub use regex::{Aligned, RegexSource, StaticRegex};
pub use rewriter::{RewriterSource, StaticRewriter, rewrite};
pub use rows::{Check, Kind, Rows, STOPS};
pub use skips::{BLOCK_BYTES, Skips, block};
pub use trie::TriePrefixes;
pub use words::{Arena, Pairs, Words};
