//! Runs the six conditions on a metric's name, one after the other (spec §7).
//!
//! This is the meaning of a matcher in its plainest form. On every kind of rule it sees the name and nothing
//! else (upstream's whole-line matching is BUG-35), and a regex means exactly what it says (BUG-37).

use crate::{
    regex::{Regex, RegexError},
    table::{self, Condition},
};
use memchr::memmem;
use std::fmt;

/// A matcher ready to run.
#[derive(Clone, Debug)]
pub struct Matcher {
    conditions: Vec<(Condition, Test)>,
}

/// A condition whose text is not a valid regex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatcherError {
    /// The condition.
    pub condition: Condition,
    /// What is wrong with it.
    pub error: RegexError,
}

#[derive(Clone, Debug)]
enum Test {
    Prefix(Vec<u8>),
    Sub(Box<memmem::Finder<'static>>),
    Regex(Regex),
}

impl Matcher {
    /// Makes the conditions ready to run.
    pub fn new(matcher: &table::Matcher) -> Result<Self, MatcherError> {
        let conditions = matcher.conditions().map(|(condition, text)| {
            let test = Test::new(condition, text).map_err(|error| MatcherError { condition, error })?;
            Ok((condition, test))
        });
        Ok(Self { conditions: conditions.collect::<Result<_, _>>()? })
    }

    /// Whether all conditions hold.
    #[must_use]
    pub fn matches(&self, name: &[u8]) -> bool {
        self.failed(name).is_none()
    }

    /// The first condition that does not hold, if there is one.
    #[must_use]
    pub fn failed(&self, name: &[u8]) -> Option<Condition> {
        let holds = |condition: Condition, test: &Test| test.finds(name) != is_negated(condition);
        let failed = self.conditions.iter().find(|(condition, test)| !holds(*condition, test))?;
        Some(failed.0)
    }
}

const fn is_negated(condition: Condition) -> bool {
    matches!(condition, Condition::NotPrefix | Condition::NotSub | Condition::NotRegex)
}

impl Test {
    fn new(condition: Condition, text: &str) -> Result<Self, RegexError> {
        Ok(match condition {
            Condition::Prefix | Condition::NotPrefix => Self::Prefix(text.as_bytes().to_vec()),
            Condition::Sub | Condition::NotSub => Self::Sub(Box::new(memmem::Finder::new(text).into_owned())),
            Condition::Regex | Condition::NotRegex => Self::Regex(Regex::new(text)?),
        })
    }

    fn finds(&self, name: &[u8]) -> bool {
        match self {
            Self::Prefix(prefix) => name.starts_with(prefix),
            Self::Sub(sub) => sub.find(name).is_some(),
            Self::Regex(regex) => regex.is_match(name),
        }
    }
}

impl fmt::Display for MatcherError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.condition.name(), self.error)
    }
}

impl std::error::Error for MatcherError {}
