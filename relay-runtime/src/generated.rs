//! Everything that generated code uses, and nothing else: it imports this whole module.
//!
//! Generated code is compiled against the runtime of the same version, so these names may change with the code
//! generator. A program that embeds a table should use the modules from which these names come.

pub use crate::{
    dispatch::{Dispatch, Scratch, Sink},
    matching::{
        Aligned, Arena, Automaton, Engines, HashedPrefixes, Index, Look, Pairs, Prefixes, RegexSource,
        RewriterSource, Rows, Skips, Substrings, TriePrefixes, Words,
    },
    rewriter::is_usable,
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RouteIndex},
};
