//! The run-time engines behind a compiled table.
//!
//! Generated code is thin: tables as bytes, `match`es and calls. What deserves a test of its own lives here:
//! finding all prefixes and all substrings of a table in one look at a name ([`Index`], [`Look`]), asking a
//! regex that became an automaton at compile time ([`StaticRegex`]), changing a name ([`StaticRewriter`]), naming what
//! aggregators put out ([`NameGroups`]), and walking a table that is too long to be code ([`Rows`]).
//!
//! Nothing here knows a configuration and nothing builds a table: `relay-build` does, and tests there hold
//! its builders and these engines together. Nothing allocates in the steady state.

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
