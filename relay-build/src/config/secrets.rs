//! Finds secrets that would be built into a relay: written in the configuration, or given when it is built.
//!
//! Everyone who has the relay can read them out of it. A secret in a variable that stays open is not in the
//! relay, which then reads it from its environment at its start. Secrets are recognised by the names of keys
//! and options, and as passwords in URLs; others are not found.
//!
//! Warnings, `explain` and packages use the same list. If the file contains a secret, only the owner may read
//! the files that a build writes.

use super::{
    check::Check,
    destinations,
    raw::{Table, Text, Value},
    variables,
};
use crate::diagnostics::{Diagnostic, codes};

/// Parts of the names of keys whose values are secrets.
const WORDS: [&str; 8] =
    ["password", "passwd", "secret", "token", "apikey", "api_key", "credential", "private_key"];

/// Reports every secret in a table and in its subtables. A section that is switched off counts too, because
/// `inputs.json` contains the whole file.
pub(super) fn check(check: &mut Check<'_>, table: &Table) {
    for entry in &table.entries {
        check_value(check, &entry.key, &entry.node.value);
    }
}

fn check_value(check: &mut Check<'_>, key: &str, value: &Value) {
    match value {
        Value::Text(text) if key == "cmds" || key == "init" => check_command(check, text),
        Value::Text(text) if is_secret(key) => report(check, key, text),
        Value::Text(text) => check_url(check, key, text),
        Value::Array(items) => items.iter().for_each(|item| check_value(check, key, &item.value)),
        Value::Table(table) => self::check(check, table),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime => {}
    }
}

/// `addRoute grafanaNet <key> [matcher]  <addr> <apiKey> …`, and options such as `saslPassword=`.
fn check_command(check: &mut Check<'_>, text: &Text) {
    let words: Vec<_> = destinations::words(&text.text);
    for word in &words {
        if let Some((name, value)) = word.text.split_once('=')
            && is_secret(name)
        {
            report(check, name, &text.slice(word.range.end - value.len()..word.range.end));
        }
    }
    let is_grafana_net = words.iter().map(|word| word.text.as_str()).take(2).eq(["addRoute", "grafanaNet"]);
    if let Some(at) = words.iter().position(|word| word.text.contains("://")).filter(|_| is_grafana_net)
        && let Some(key) = words.get(at + 1)
    {
        report(check, "apiKey", &text.slice(key.range.clone()));
    }
    check_url(check, "cmds", text);
}

/// `scheme://user:password@host`.
fn check_url(check: &mut Check<'_>, key: &str, text: &Text) {
    let Some((before, rest)) = text.text.split_once("://") else { return };
    let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or(rest);
    if let Some((login, _)) = authority.rsplit_once('@')
        && let Some((user, password)) = login.split_once(':')
    {
        let start = before.len() + "://".len() + user.len() + 1;
        report(check, &format!("{key}_password"), &text.slice(start..start + password.len()));
    }
}

/// Whether a name looks like the name of a secret.
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
            format!("write `${{{variable}}}` in its place, and set `{variable}` where the relay runs"),
        )
    } else if let Some(given) = found.iter().find(|one| check.options.given(&one.name).is_some()) {
        (
            format!(
                "`{key}` looks like a secret, and the value given for `{}` is built into the relay",
                given.name
            ),
            format!("do not give `{0}` when building; set `{0}` where the relay runs", given.name),
        )
    } else {
        return;
    };
    check.report(
        Diagnostic::warning(codes::LITERAL_SECRET, text.span, message)
            .label("everyone who has the relay can read it")
            .help(help),
    );
}
