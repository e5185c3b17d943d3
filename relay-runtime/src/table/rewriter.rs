//! Rules that change the metric (spec §8).

use serde::{Deserialize, Serialize};

/// Replaces `old` by `new`, unless `not` applies.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rewriter {
    /// What is replaced.
    pub old: Pattern,
    /// The replacement. With a regex, `$1`, `${1}`, `$name`, `${name}` and `$$` are expanded (spec §8).
    pub new: String,
    /// A metric that this finds is left alone.
    pub not: Option<Pattern>,
    /// At most so many replacements, left to right; `None` means all. Always `None` with a regex.
    pub max: Option<u32>,
}

/// A text or, when written as `/…/` with more than one character, a regex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pattern {
    /// Found as it stands.
    Text(String),
    /// Go RE2 dialect, unanchored; without the slashes.
    Regex(String),
}

impl Pattern {
    /// Tells a regex from a text the way carbon-relay-ng does: `/` alone is a text, `//` the empty regex.
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
