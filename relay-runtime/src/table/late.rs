//! Values that may stay open until the relay starts.
//!
//! Everything that decides routing is fixed when the relay is built. Addresses, credentials, directories and
//! sizes may contain `${NAME}`; the relay completes them from its environment when it starts. So one artifact
//! can be promoted from environment to environment, and no secret is built in.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A text in which `${NAME}` stands for a variable.
///
/// `NAME` is an upper-case letter or underscore, followed by upper-case letters, digits and underscores. Any
/// other dollar sign means itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Template(pub String);

/// A number or another value, or the template that becomes one when the relay starts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Late<T> {
    /// Known when the relay is built.
    Known(T),
    /// Known when the relay starts.
    AtStart(Template),
}

/// A variable without a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingVariable {
    /// Its name, as in `${NAME}`.
    pub name: String,
}

/// Why a [`Late`] value could not be completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// A variable has no value.
    Missing(MissingVariable),
    /// The completed text is not of the required type.
    Malformed {
        /// The text after completion.
        text: String,
        /// The parser's error.
        why: String,
    },
}

impl Template {
    /// The names of the variables, in order of appearance, with repetitions.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        Pieces(&self.0).filter_map(|piece| match piece {
            Piece::Variable(name) => Some(name),
            Piece::Text(_) => None,
        })
    }

    /// Whether it contains no variable.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.variables().next().is_none()
    }

    /// The text with every variable replaced by what `lookup` returns for its name.
    pub fn resolve(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<String, MissingVariable> {
        let mut text = String::with_capacity(self.0.len());
        for piece in Pieces(&self.0) {
            match piece {
                Piece::Text(verbatim) => text.push_str(verbatim),
                Piece::Variable(name) => {
                    text.push_str(&lookup(name).ok_or_else(|| MissingVariable { name: name.to_owned() })?);
                }
            }
        }
        Ok(text)
    }
}

impl<T: FromStr + Clone> Late<T>
where
    T::Err: fmt::Display,
{
    /// The value, completed with what `lookup` returns for the names of variables.
    pub fn resolve(&self, lookup: impl Fn(&str) -> Option<String>) -> Result<T, Unresolved> {
        match self {
            Self::Known(value) => Ok(value.clone()),
            Self::AtStart(template) => {
                let text = template.resolve(lookup).map_err(Unresolved::Missing)?;
                text.parse().map_err(|why: T::Err| Unresolved::Malformed { text, why: why.to_string() })
            }
        }
    }
}

impl<T> From<T> for Late<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl From<&str> for Template {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Template {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for MissingVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the variable `{}` is not set", self.name)
    }
}

impl std::error::Error for MissingVariable {}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(missing) => missing.fmt(f),
            Self::Malformed { text, why } => write!(f, "`{text}`: {why}"),
        }
    }
}

impl std::error::Error for Unresolved {}

enum Piece<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// The part of a template that is not parsed yet.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.0.is_empty() {
            return None;
        }
        if let Some((name, rest)) = variable_at_start(self.0) {
            self.0 = rest;
            return Some(Piece::Variable(name));
        }
        // The first byte is text even if it is a `$`, because no variable starts here.
        let end = self
            .0
            .match_indices('$')
            .map(|(at, _)| at)
            .find(|&at| at > 0 && variable_at_start(&self.0[at..]).is_some())
            .unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(Piece::Text(text))
    }
}

fn variable_at_start(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix("${")?.split_once('}')?;
    let mut bytes = name.bytes();
    let first = bytes.next()?;
    let legal = (first.is_ascii_uppercase() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    legal.then_some((name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, want: &str) {
        let lookup = |name: &str| (name == "DC_1").then(|| "ams".to_owned());
        assert_eq!(Template::from(template).resolve(lookup).unwrap(), want);
    }

    #[test]
    fn only_upper_case_names_in_braces_are_variables() {
        check("graphite.${DC_1}:2003", "graphite.ams:2003");
        check("${DC_1}${DC_1}", "amsams");
        check("x.${1}.$1.${name}.$$.${}.${", "x.${1}.$1.${name}.$$.${}.${");
        check("$${DC_1}", "$ams");
    }

    #[test]
    fn a_missing_variable_is_named() {
        let missing = Template::from("a${DC_2}").resolve(|_| None).unwrap_err();
        assert_eq!(missing.name, "DC_2");
    }
}
