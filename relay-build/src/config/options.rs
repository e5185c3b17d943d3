//! What the person at the command line adds to a configuration: values for its variables.

use super::Source;
use std::collections::BTreeMap;

/// Where variables get their values. What stands first here wins.
///
/// Everything is passed in, so checking reads no environment of its own and the same input gives the same plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `--var NAME=value`. One that no place uses is reported.
    pub variables: BTreeMap<String, String>,
    /// The contents of `--vars-file`; see [`parse_variables_file`].
    pub file: BTreeMap<String, String>,
    /// The environment; asked only for what must be fixed now, and never for `HOST`.
    pub environment: BTreeMap<String, String>,
    /// `--env NAME`: which overlay of the configuration is laid over the rest.
    pub environment_name: Option<String>,
    /// `vars.NAME.toml` beside the configuration, as read; `None` when there is none.
    pub environment_file: Option<Source>,
    /// `--allow unknown-keys`: a key that a rule does not have is a warning, as carbon-relay-ng ignores it.
    pub allow_unknown_keys: bool,
    /// What that file, and below it `[env.NAME.vars]`, give; filled in by the check.
    pub environment_values: BTreeMap<String, String>,
}

/// Why a variables file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariablesFileError {
    /// The line, from 1, that is not `NAME=value`.
    pub line: usize,
}

impl Options {
    /// The value that was given for this build: `--var`, then the variables file, then what belongs to the environment
    /// that was named.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        let sources = [&self.variables, &self.file, &self.environment_values];
        sources.into_iter().find_map(|values| values.get(name)).map(String::as_str)
    }

    /// Where the value for a name comes from, for people.
    #[must_use]
    pub fn origin(&self, name: &str) -> Option<&'static str> {
        let sources = [
            (&self.variables, "--var"),
            (&self.file, "the variables file"),
            (&self.environment_values, "the named environment"),
            (&self.environment, "the building process' environment"),
        ];
        sources.into_iter().find(|(values, _)| values.contains_key(name)).map(|(_, origin)| origin)
    }

    /// The value for something that must be fixed now: what was given, then the environment.
    ///
    /// `HOST` is the name of the machine that relays, not of the one that builds, and not the environment
    /// variable of that name: it must be given.
    #[must_use]
    pub fn fixed(&self, name: &str) -> Option<&str> {
        let environment = || self.environment.get(name).filter(|_| name != "HOST").map(String::as_str);
        self.given(name).or_else(environment)
    }
}

/// Reads a file of variables: TOML with a string for each name, or else `NAME=value` lines. Of the latter, empty lines and lines that start with `#` are skipped; white space around the
/// name and around the value is not part of them.
pub fn parse_variables_file(text: &str) -> Result<BTreeMap<String, String>, VariablesFileError> {
    if let Some(variables) = as_toml(text) {
        return Ok(variables);
    }
    let mut variables = BTreeMap::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(VariablesFileError { line: at + 1 })?;
        if !is_variable_name(name.trim()) {
            return Err(VariablesFileError { line: at + 1 });
        }
        variables.insert(name.trim().to_owned(), value.trim().to_owned());
    }
    Ok(variables)
}

/// The variables of a TOML document of nothing else.
fn as_toml(text: &str) -> Option<BTreeMap<String, String>> {
    let document: toml::Table = text.parse().ok()?;
    let one = |(name, value): (String, toml::Value)| {
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(number) => number.to_string(),
            toml::Value::Boolean(boolean) => boolean.to_string(),
            _ => return None,
        };
        is_variable_name(&name).then_some((name, value))
    };
    document.into_iter().map(one).collect()
}

/// An upper-case letter or underscore, then upper-case letters, digits and underscores.
#[must_use]
pub fn is_variable_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_uppercase() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

impl std::fmt::Display for VariablesFileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "line {}: expected `NAME=value` with a name of upper-case letters, digits and `_`",
            self.line
        )
    }
}

impl std::error::Error for VariablesFileError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_value_wins_over_the_environment_and_host_is_never_taken_from_it() {
        let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let mut options = Options { environment: one("DC", "env"), ..Options::default() };
        assert_eq!(options.fixed("DC"), Some("env"));
        assert_eq!(options.given("DC"), None);
        options.file = one("DC", "file");
        assert_eq!(options.fixed("DC"), Some("file"));
        options.variables = one("DC", "var");
        assert_eq!(options.fixed("DC"), Some("var"));
        options.environment = one("HOST", "builder");
        assert_eq!(options.fixed("HOST"), None);
    }

    #[test]
    fn a_variables_file_may_be_toml() {
        let read = parse_variables_file("# ours\nDC = \"ams\" # there\nORG = 5\n").unwrap();
        assert_eq!((read["DC"].as_str(), read["ORG"].as_str()), ("ams", "5"));
        assert_eq!(parse_variables_file("dc = \"ams\"").unwrap_err().line, 1);
    }

    #[test]
    fn a_variables_file_has_comments_and_names_its_bad_line() {
        let read = parse_variables_file("# ours\n\nDC = ams\nTOKEN=a=b\n").unwrap();
        assert_eq!(read["DC"], "ams");
        assert_eq!(read["TOKEN"], "a=b");
        assert_eq!(parse_variables_file("DC=1\ndc=2").unwrap_err().line, 2);
        assert_eq!(parse_variables_file("DC").unwrap_err().line, 1);
    }
}
