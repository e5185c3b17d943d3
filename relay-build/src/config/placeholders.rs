//! `{{ name }}`: a placeholder of a tool that generates the file (Ansible, Helm, …) and that was not
//! replaced.
//!
//! In a text that becomes a metric's name it is an error, because no such name is intended; elsewhere it is a
//! warning. Regexes may contain braces, and `${{1}}` is a group (see [`super::braces`]).

use super::{
    check::Check,
    raw::{Table, Text, Value},
};
use crate::diagnostics::{Diagnostic, codes};
use std::ops::Range;

/// Keys whose text becomes (a part of) a metric's name.
const NAMING: [&str; 2] = ["format", "new"];

/// Keys whose text is a regex or a test, which may contain braces.
const EXEMPT: [&str; 6] = ["regex", "notRegex", "old", "not", "line", "metric"];

/// Reports the placeholders in a table and in its subtables.
pub(super) fn check(check: &mut Check<'_>, table: &Table) {
    for entry in &table.entries {
        if !EXEMPT.iter().any(|key| key.eq_ignore_ascii_case(&entry.key)) {
            check_value(check, &entry.key, &entry.node.value);
        }
    }
}

fn check_value(check: &mut Check<'_>, key: &str, value: &Value) {
    match value {
        Value::Text(text) => report(check, key, text),
        Value::Array(items) => items.iter().for_each(|item| check_value(check, key, &item.value)),
        Value::Table(table) => self::check(check, table),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime => {}
    }
}

/// Returns the place of the first placeholder.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    let start = text.match_indices("{{").map(|(at, _)| at).find(|at| !text[..*at].ends_with('$'))?;
    let end = start + text[start..].find("}}")?;
    (end > start + 2).then_some(start..end + 2)
}

fn report(check: &mut Check<'_>, key: &str, text: &Text) {
    let Some(range) = find(&text.text) else { return };
    let what = &text.text[range.clone()];
    let message = format!("`{key}` contains `{what}`, which nothing replaces");
    let is_naming = NAMING.iter().any(|name| name.eq_ignore_ascii_case(key));
    let diagnostic = if is_naming { Diagnostic::error } else { Diagnostic::warning };
    let name = what.trim_matches(['{', '}', ' ', '.', '-']).to_uppercase();
    let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    check.report(
        diagnostic(codes::UNRENDERED, text.part(range.clone()), message)
            .label("a placeholder of the tool that generates this file")
            .help(format!("let that tool replace it, or write a variable of this relay: `${{{name}}}`")),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_in_doubled_braces_are_no_placeholders() {
        assert_eq!(find("${{1}}.x"), None);
        assert_eq!(find("a.{{ dc }}.x"), Some(2..10));
        assert_eq!(find("${{1}}.{{dc}}"), Some(7..13));
        assert_eq!(find("{{}} {{"), None);
    }
}
