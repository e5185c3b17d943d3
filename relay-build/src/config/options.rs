//! The options that the command line adds to a configuration, above all values for its variables.
//!
//! Nothing here reads a file or the environment.

use super::Source;
use std::collections::BTreeMap;

/// The sources of values for variables. The first field that has a value wins.
///
/// The caller passes everything in. So checking does not read the environment, and the same input gives the
/// same plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `--var NAME=value`. An unused one is reported.
    pub variables: BTreeMap<String, String>,
    /// The contents of `--vars-file`; see [`parse_variables_file`].
    pub file: BTreeMap<String, String>,
    /// The environment; used only for variables that must have a value now, and never for `HOST`.
    pub environment: BTreeMap<String, String>,
    /// `--env NAME`: the overlay that is laid over the rest of the configuration.
    pub environment_name: Option<String>,
    /// `vars.NAME.toml` beside the configuration, as read; `None` if it does not exist.
    pub environment_file: Option<Source>,
    /// `--allow unknown-keys`: a key that a rule does not have is a warning, as carbon-relay-ng ignores it.
    pub allow_unknown_keys: bool,
    /// The values from that file and, where it has none, from `[env.NAME.vars]`; filled in by the check.
    pub environment_values: BTreeMap<String, String>,
}

/// Why a variables file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VariablesFileError {
    /// The line, from 1, that is not `NAME=value`.
    pub line: usize,
}

impl Options {
    /// Returns the value that was given for this build: by `--var`, else in the variables file, else for the
    /// named environment.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        let sources = [&self.variables, &self.file, &self.environment_values];
        sources.into_iter().find_map(|values| values.get(name)).map(String::as_str)
    }

    /// Describes where the value for a name comes from, for messages.
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

    /// Returns the value of a variable that must have one now: the given value, else that of the environment.
    /// `HOST` is the name of the machine on which the relay runs, so it is never taken from the environment
    /// here; it must be given.
    #[must_use]
    pub fn fixed(&self, name: &str) -> Option<&str> {
        let environment = || self.environment.get(name).filter(|_| name != "HOST").map(String::as_str);
        self.given(name).or_else(environment)
    }
}

/// Reads a file of variables: TOML with a string for each name, or else `NAME=value` lines. Empty lines and
/// lines that start with `#` are skipped. White space around the name and around the value is removed.
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

/// Returns the variables of a TOML document, if it contains only variables.
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
