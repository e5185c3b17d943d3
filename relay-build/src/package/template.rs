//! Fills the files of `templates/` with values.
//!
//! A placeholder without a value is an error, not an empty string.

use super::PackageError;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;

/// The text of the template `name` with `values` in it.
pub(super) fn render(name: &'static str, text: &str, values: impl Serialize) -> Result<String, PackageError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let fail = |error: minijinja::Error| PackageError::Template { name, error: error.into() };
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build().map_err(fail)?);
    environment.render_named_str(name, text, Serde(values)).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_placeholder_is_an_error_that_names_the_template() {
        let error = render("deb/control", "{{ a }}\n{{ b }}\n", [("a", 1)].into_iter().collect::<Map>());
        let error = error.unwrap_err().to_string();
        assert!(error.contains("deb/control") && error.contains('2'), "{error}");
    }

    type Map = std::collections::BTreeMap<&'static str, u8>;
}
