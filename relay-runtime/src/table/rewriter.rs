//! Rewriters as data: rules that change the metric (spec §8).
//!
//! They are run by [`rewriter`](crate::rewriter).

use serde::{Deserialize, Serialize};

/// Replaces `old` by `new`, unless `not` applies.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rewriter {
    /// What is replaced.
    pub old: Pattern,
    /// The replacement. With a regex, `$1`, `${1}`, `$name`, `${name}` and `$$` are expanded (spec §8).
    pub new: String,
    /// A metric in which this is found is left unchanged.
    pub not: Option<Pattern>,
    /// The most replacements, from left to right; `None` means all. Always `None` with a regex.
    pub max: Option<u32>,
}

/// A text or, when written as `/…/` with more than one character, a regex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// Searched for as it is written.
    Text(String),
    /// A regex in Go's RE2 dialect, unanchored; stored without the slashes.
    Regex(String),
}

impl Pattern {
    /// Distinguishes a regex from a text as carbon-relay-ng does: `/` alone is a text, `//` the empty regex.
    #[must_use]
    pub fn parse(written: &str) -> Self {
        match written.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some(regex) => Self::Regex(regex.to_owned()),
            None => Self::Text(written.to_owned()),
        }
    }

    /// The pattern as it is written in a configuration.
    #[must_use]
    pub fn written(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Regex(regex) => format!("/{regex}/"),
        }
    }
}
