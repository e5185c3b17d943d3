//! The conditions on a metric, as data (spec §7).
//!
//! They are run by [`matcher`](crate::matcher) in the interpreter, and by generated code.

use serde::{Deserialize, Serialize};

/// Up to six conditions, all of which must hold. The empty matcher matches every metric.
///
/// On every kind of rule, conditions see the metric only, never value or timestamp: that upstream matches whole
/// lines in places is BUG-35. No condition is an empty string; front ends leave those out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Matcher {
    /// The metric must start with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// The metric must not start with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_prefix: Option<String>,
    /// The metric must contain this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    /// The metric must not contain this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_sub: Option<String>,
    /// This regex (Go's RE2 dialect, unanchored) must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regex: Option<String>,
    /// This regex must not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_regex: Option<String>,
}

/// One of the six conditions; the names are carbon-relay-ng's option names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Condition {
    /// `prefix`
    Prefix,
    /// `notPrefix`
    NotPrefix,
    /// `sub`
    Sub,
    /// `notSub`
    NotSub,
    /// `regex`
    Regex,
    /// `notRegex`
    NotRegex,
}

impl Condition {
    /// All six, in the order in which they are checked.
    pub const ALL: [Self; 6] =
        [Self::Prefix, Self::NotPrefix, Self::Sub, Self::NotSub, Self::Regex, Self::NotRegex];

    /// The name as in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prefix => "prefix",
            Self::NotPrefix => "notPrefix",
            Self::Sub => "sub",
            Self::NotSub => "notSub",
            Self::Regex => "regex",
            Self::NotRegex => "notRegex",
        }
    }
}

impl Matcher {
    /// The conditions that are set, in the order in which they are checked.
    pub fn conditions(&self) -> impl Iterator<Item = (Condition, &str)> {
        Condition::ALL.into_iter().filter_map(|condition| Some((condition, self.get(condition)?)))
    }

    /// The text of a condition, if it is set.
    #[must_use]
    pub fn get(&self, condition: Condition) -> Option<&str> {
        match condition {
            Condition::Prefix => self.prefix.as_deref(),
            Condition::NotPrefix => self.not_prefix.as_deref(),
            Condition::Sub => self.sub.as_deref(),
            Condition::NotSub => self.not_sub.as_deref(),
            Condition::Regex => self.regex.as_deref(),
            Condition::NotRegex => self.not_regex.as_deref(),
        }
    }

    /// Sets a condition; an empty text clears it, as in carbon-relay-ng.
    pub fn set(&mut self, condition: Condition, text: impl Into<String>) {
        let text = Some(text.into()).filter(|text| !text.is_empty());
        match condition {
            Condition::Prefix => self.prefix = text,
            Condition::NotPrefix => self.not_prefix = text,
            Condition::Sub => self.sub = text,
            Condition::NotSub => self.not_sub = text,
            Condition::Regex => self.regex = text,
            Condition::NotRegex => self.not_regex = text,
        }
    }

    /// Whether every metric matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.conditions().next().is_none()
    }
}
