//! Secrets that would get into a relay: written in the configuration, or given when it is built.
//!
//! A relay takes them from its environment when it starts; what is in the file, or given with `--var`, can be read out of
//! the relay by whoever has it. Only keys and options by their names; nobody knows what else is a secret.

use super::{
    check::Check,
    raw::{Table, Text, Value},
    variables,
};
use crate::diagnostics::{Diagnostic, codes};

/// Parts of the names of keys that hold secrets.
const WORDS: [&str; 6] = ["password", "passwd", "secret", "token", "apikey", "api_key"];

/// Reports every one in a table and below.
pub(super) fn check(check: &mut Check<'_>, table: &Table) {
    // A section that is switched off does not get into the relay.
    let is_off = |entry: &super::raw::Entry| {
        entry.key.eq_ignore_ascii_case("amqp_enabled") && matches!(entry.node.value, Value::Boolean(false))
    };
    if table.entries.iter().any(is_off) {
        return;
    }
    for entry in &table.entries {
        match &entry.node.value {
            Value::Text(text) if is_secret(&entry.key) => report(check, &entry.key, text),
            Value::Table(table) => self::check(check, table),
            Value::Array(items) => {
                for item in items {
                    if let Value::Table(table) = &item.value {
                        self::check(check, table);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Whether a name looks like one of a secret.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let lower = name.to_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

fn report(check: &mut Check<'_>, key: &str, text: &Text) {
    if text.text.is_empty() {
        return;
    }
    let found = variables::find(&text.text);
    let variable: String = key
        .chars()
        .flat_map(|c| [Some('_').filter(|_| c.is_uppercase()), Some(c.to_ascii_uppercase())])
        .flatten()
        .collect();
    let (message, help) = if found.is_empty() {
        (
            format!("`{key}` looks like a secret and is written literally"),
            format!("write `{key} = \"${{{variable}}}\"` and set `{variable}` where the relay runs"),
        )
    } else if let Some(given) = found.iter().find(|one| check.options.given(&one.name).is_some()) {
        (
            format!(
                "`{key}` looks like a secret, and the value given for `{}` gets into the relay",
                given.name
            ),
            format!("do not give `{0}` when building; set `{0}` where the relay runs", given.name),
        )
    } else {
        return;
    };
    check.report(
        Diagnostic::warning(codes::LITERAL_SECRET, text.span, message)
            .label("whoever has the relay can read it")
            .help(help),
    );
}
