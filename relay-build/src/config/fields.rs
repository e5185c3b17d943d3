//! One table of the configuration, key by key.
//!
//! The letter case of keys does not matter. Two spellings of one key are an error, an unknown key is a
//! warning with the nearest known one, and a value of the wrong type is an error that names the type found
//! and the type expected. No key is ignored silently.

use super::{
    check::Check,
    durations, keys,
    raw::{Entry, Node, Table, Text, Value},
};
use crate::diagnostics::{Diagnostic, Span, codes};
use relay_runtime::table::{Late, Size, Template};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// A table of the configuration, its keys matched with the known ones.
pub(super) struct Fields<'a> {
    /// What the table is, for messages: `[amqp]`, "a route".
    pub(super) what: &'static str,
    pub(super) span: Span,
    found: BTreeMap<&'static str, &'a Entry>,
    /// The unknown keys.
    pub(super) unknown: Vec<&'a Entry>,
}

impl<'a> Fields<'a> {
    /// Sorts the table's keys and reports unknown ones.
    pub(super) fn read(
        check: &mut Check<'_>,
        table: &'a Table,
        what: &'static str,
        known: &[&[&'static str]],
    ) -> Self {
        let fields = Self::read_some(check, table, what, known);
        for entry in &fields.unknown {
            let diagnostic = unknown_key(check, entry, what, known);
            check.report(diagnostic);
        }
        fields
    }

    /// Sorts the table's keys and leaves unknown ones to the caller.
    pub(super) fn read_some(
        check: &mut Check<'_>,
        table: &'a Table,
        what: &'static str,
        known: &[&[&'static str]],
    ) -> Self {
        let mut fields = Self { what, span: table.span, found: BTreeMap::new(), unknown: Vec::new() };
        for entry in &table.entries {
            let mut names = known.iter().copied().flatten().copied();
            let exact = names.clone().find(|name| *name == entry.key);
            let Some(name) = exact.or_else(|| names.find(|name| name.eq_ignore_ascii_case(&entry.key)))
            else {
                fields.unknown.push(entry);
                continue;
            };
            if let Some(first) = fields.found.get(name) {
                check.report(
                    Diagnostic::error(
                        codes::DUPLICATE_KEY,
                        entry.key_span,
                        format!("`{}` and `{}` are the same key", first.key, entry.key),
                    )
                    .label("the letter case of keys does not matter")
                    .related(first.key_span, "first written here")
                    .help(format!("keep one of the two, as `{name}`")),
                );
                continue;
            }
            fields.found.insert(name, entry);
        }
        fields
    }

    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.found.get(key).map(|entry| &entry.node)
    }

    pub(super) fn key_span(&self, key: &str) -> Option<Span> {
        self.found.get(key).map(|entry| entry.key_span)
    }

    /// The place of a key's value, or of the table if the key is absent.
    pub(super) fn span_of(&self, key: &str) -> Span {
        self.node(key).map_or(self.span, |node| node.span)
    }

    /// The string under a key, as written.
    pub(super) fn text(&self, check: &mut Check<'_>, key: &str) -> Option<&'a Text> {
        let node = self.node(key)?;
        match &node.value {
            Value::Text(text) => Some(text),
            other => {
                wrong_type(check, node, key, "a string", other);
                None
            }
        }
    }

    /// A string that influences routing, so its variables get their values now; an empty one counts as
    /// absent.
    pub(super) fn fixed(&self, check: &mut Check<'_>, key: &str) -> Option<Text> {
        let text = self.text(check, key)?;
        Some(check.fix(text)).filter(|text| !text.text.is_empty())
    }

    /// A string whose variables may stay open until the start; an empty one counts as absent.
    pub(super) fn open(&self, check: &mut Check<'_>, key: &str) -> Option<Template> {
        let text = self.text(check, key)?;
        Some(check.open(text)).filter(|template| !template.0.is_empty())
    }

    /// The same for a mandatory key.
    pub(super) fn open_required(&self, check: &mut Check<'_>, key: &str, example: &str) -> Template {
        let wrong = self.node(key).is_some_and(|node| !matches!(node.value, Value::Text(_)));
        let template = self.open(check, key);
        if template.is_none() && !wrong {
            self.missing(check, key, example);
        }
        template.unwrap_or_default()
    }

    /// One of a few words; an empty one counts as absent.
    pub(super) fn choice(
        &self,
        check: &mut Check<'_>,
        key: &str,
        choices: &[&'static str],
    ) -> Option<&'static str> {
        let text = self.fixed(check, key)?;
        let found = choices.iter().copied().find(|choice| *choice == text.text);
        if found.is_none() {
            unknown_value(check, &text, key, choices);
        }
        found
    }

    /// The same for a mandatory key.
    pub(super) fn choice_required(
        &self,
        check: &mut Check<'_>,
        key: &str,
        choices: &[&'static str],
    ) -> Option<&'static str> {
        let before = check.diagnostics.len();
        let found = self.choice(check, key, choices);
        if found.is_none() && check.diagnostics.len() == before {
            self.missing(check, key, &format!("\"{}\"", choices[0]));
        }
        found
    }

    /// Reports that a mandatory key is missing or empty.
    pub(super) fn missing(&self, check: &mut Check<'_>, key: &str, example: &str) {
        let (span, state) = match self.node(key) {
            Some(node) => (node.span, "empty"),
            None => (self.span, "missing"),
        };
        let message = format!("`{key}` is {state} in {}", self.what);
        check.report(
            Diagnostic::error(codes::MISSING_KEY, span, message).help(format!("write `{key} = {example}`")),
        );
    }

    pub(super) fn boolean(&self, check: &mut Check<'_>, key: &str) -> Option<bool> {
        let node = self.node(key)?;
        match &node.value {
            Value::Boolean(boolean) => Some(*boolean),
            Value::Text(text) if has_variable(text) => {
                let text = check.fix(text);
                parsed(check, &text, key, "`true` or `false`")
            }
            other => {
                wrong_type(check, node, key, "`true` or `false`", other);
                None
            }
        }
    }

    /// An integer whose variable gets its value now.
    pub(super) fn integer(
        &self,
        check: &mut Check<'_>,
        key: &str,
        range: RangeInclusive<i64>,
    ) -> Option<i64> {
        let node = self.node(key)?;
        let number = match &node.value {
            Value::Integer(number) => *number,
            Value::Text(text) if has_variable(text) => {
                let text = check.fix(text);
                Some(parsed(check, &text, key, "an integer")?)
            }
            other => {
                wrong_type(check, node, key, "an integer", other);
                return None;
            }
        };
        in_range(check, number, node.span, key, range)
    }

    /// A number whose variable may stay open until the start.
    pub(super) fn late(
        &self,
        check: &mut Check<'_>,
        key: &str,
        range: RangeInclusive<i64>,
    ) -> Option<Late<u64>> {
        let node = self.node(key)?;
        if let Value::Text(text) = &node.value
            && has_variable(text)
        {
            let late = check.late(text);
            return match late {
                Some(Late::Known(number)) => {
                    let number = in_range(check, i64::try_from(number).ok(), node.span, key, range)?;
                    u64::try_from(number).ok().map(Late::Known)
                }
                Some(open) => Some(open),
                None => {
                    let closed = Text { text: check.open(text).0, ..text.clone() };
                    parsed::<u64>(check, &closed, key, "an integer").map(Late::Known)
                }
            };
        }
        let number = self.integer(check, key, range)?;
        u64::try_from(number).ok().map(Late::Known)
    }

    /// The same for a number for which 0 means the default.
    pub(super) fn late_or(&self, check: &mut Check<'_>, key: &str, default: u64) -> Late<u64> {
        match self.late(check, key, 0..=i64::MAX) {
            None | Some(Late::Known(0)) => default.into(),
            Some(late) => late,
        }
    }

    /// A number of bytes, with or without a unit; its variable may stay open.
    pub(super) fn size(&self, check: &mut Check<'_>, key: &str) -> Option<Late<Size>> {
        let node = self.node(key)?;
        let text = match &node.value {
            Value::Text(text) => check.open(text),
            Value::Integer(Some(number)) => number.to_string().into(),
            other => {
                wrong_type(check, node, key, "a size such as `\"512MiB\"`", other);
                return None;
            }
        };
        if !text.is_closed() {
            return Some(Late::AtStart(text));
        }
        let size = text.0.parse();
        if let Err(error) = &size {
            check.report(
                Diagnostic::error(codes::MALFORMED_SIZE, node.span, format!("`{key}` is {error}"))
                    .label("expected a number with a unit `KiB`, `MiB` or `GiB`")
                    .help(format!("write `{key} = \"512MiB\"`")),
            );
        }
        size.ok().map(Late::Known)
    }

    /// A float; integers are accepted.
    pub(super) fn float(&self, check: &mut Check<'_>, key: &str) -> Option<f64> {
        let node = self.node(key)?;
        match &node.value {
            Value::Float(number) => Some(*number),
            #[allow(clippy::cast_precision_loss, reason = "nobody writes a factor above 2^53")]
            Value::Integer(Some(number)) => Some(*number as f64),
            Value::Text(text) if has_variable(text) => {
                let text = check.fix(text);
                parsed(check, &text, key, "a number")
            }
            other => {
                wrong_type(check, node, key, "a number", other);
                None
            }
        }
    }

    /// A Go duration in nanoseconds. An integer is read as its decimal text, so only `0` is accepted.
    pub(super) fn duration(&self, check: &mut Check<'_>, key: &str) -> Option<i64> {
        let node = self.node(key)?;
        let text = match &node.value {
            Value::Text(text) => check.fix(text),
            Value::Integer(Some(number)) => {
                Text { text: number.to_string(), span: node.span, ..Text::default() }
            }
            other => {
                wrong_type(check, node, key, "a duration", other);
                return None;
            }
        };
        if text.text.is_empty() {
            return None;
        }
        let duration = durations::parse(&text.text);
        if duration.is_none() {
            let message = format!("`{key}` is not a duration: `{}`", text.text);
            check.report(
                Diagnostic::error(codes::MALFORMED_DURATION, node.span, message)
                    .label(format!("expected {}", durations::FORM))
                    .help(format!("write `{key} = \"{}\"`", durations::meant(&text.text))),
            );
        }
        duration
    }

    /// The items of an array.
    pub(super) fn array(&self, check: &mut Check<'_>, key: &str) -> &'a [Node] {
        let Some(node) = self.node(key) else { return &[] };
        match &node.value {
            Value::Array(items) => items,
            other => {
                wrong_type(check, node, key, "an array", other);
                &[]
            }
        }
    }

    /// The strings of an array.
    pub(super) fn texts(&self, check: &mut Check<'_>, key: &str) -> Vec<&'a Text> {
        let mut texts = Vec::new();
        for item in self.array(check, key) {
            match &item.value {
                Value::Text(text) => texts.push(text),
                other => wrong_type(check, item, key, "an array of strings", other),
            }
        }
        texts
    }

    /// The tables of an array of tables; a single table counts as one.
    pub(super) fn tables(&self, check: &mut Check<'_>, key: &str) -> Vec<&'a Table> {
        let Some(node) = self.node(key) else { return Vec::new() };
        if let Value::Table(table) = &node.value {
            wrong_section(check, table.span, key);
            return Vec::new();
        }
        let mut tables = Vec::new();
        for item in self.array(check, key) {
            match &item.value {
                Value::Table(table) => tables.push(table),
                other => wrong_type(check, item, key, "tables", other),
            }
        }
        tables
    }

    /// A single table.
    pub(super) fn table(&self, check: &mut Check<'_>, key: &str) -> Option<&'a Table> {
        let node = self.node(key)?;
        match &node.value {
            Value::Table(table) => Some(table),
            other => {
                wrong_type(check, node, key, &format!("a section `[{key}]`"), other);
                None
            }
        }
    }
}

/// Makes the diagnostic for an unknown key. In a rule it is an error, because a typing error there makes the
/// rule match more than it should.
pub(super) fn unknown_key(
    check: &Check<'_>,
    entry: &Entry,
    what: &str,
    known: &[&[&'static str]],
) -> Diagnostic {
    let is_rule = what == "the configuration" && is_section_of_rules(entry) || what.starts_with(['a', 'A']);
    let diagnostic =
        if is_rule && !check.options.allow_unknown_keys { Diagnostic::error } else { Diagnostic::warning };
    let message = match &entry.node.value {
        Value::Table(_) => format!("unknown section `{}` in {what}", entry.key),
        _ => format!("unknown key `{}` in {what}", entry.key),
    };
    let near = keys::nearest(&entry.key, known.iter().copied().flatten().copied());
    let is_global = keys::GLOBAL.iter().any(|key| key.eq_ignore_ascii_case(&entry.key));
    let is_exact = near.is_some_and(|near| near.eq_ignore_ascii_case(&entry.key));
    if is_global && !is_exact && what != "the configuration" {
        let help = format!(
            "move `{}` up, above the first section: a key below a section's name belongs to that section",
            entry.key
        );
        return diagnostic(codes::UNKNOWN_KEY, entry.key_span, message)
            .label("there is no such key here")
            .help(help);
    }
    let help = match (near, entry.key.as_str()) {
        (_, "legacy_metric_validation") => "the key is called `validation_level_legacy`".to_owned(),
        (Some(near), _) => format!("a key with a similar name exists: `{near}`"),
        (None, _) => format!("remove `{}`", entry.key),
    };
    diagnostic(codes::UNKNOWN_KEY, entry.key_span, message).label("nothing reads this").help(help)
}

/// Whether an unknown section such as `[[routes]]` was probably intended as a rule.
fn is_section_of_rules(entry: &Entry) -> bool {
    let is_tables = |items: &Vec<Node>| items.iter().any(|item| matches!(item.value, Value::Table(_)));
    matches!(&entry.node.value, Value::Array(items) if is_tables(items))
}

fn wrong_section(check: &mut Check<'_>, span: Span, key: &str) {
    check.report(
        Diagnostic::error(codes::WRONG_TYPE, span, format!("`[{key}]` is a single section"))
            .label(format!("expected `[[{key}]]`, found `[{key}]`"))
            .help(format!("write `[[{key}]]`: there may be several")),
    );
}

pub(super) fn wrong_type(check: &mut Check<'_>, node: &Node, key: &str, expected: &str, found: &Value) {
    let mut diagnostic =
        Diagnostic::error(codes::WRONG_TYPE, node.span, format!("`{key}` has the wrong type"))
            .label(format!("expected {expected}, found {}", found.kind()));
    if let Value::Text(text) = found
        && !text.text.is_empty()
        && (expected.contains("integer") && text.text.parse::<i64>().is_ok()
            || expected.contains("true") && matches!(text.text.as_str(), "true" | "false"))
    {
        diagnostic = diagnostic.help(format!("remove the quotes: `{key} = {}`", text.text));
    } else if expected == "a string" && !matches!(found, Value::Array(_) | Value::Table(_)) {
        diagnostic = diagnostic.help("put the value in quotes");
    }
    check.report(diagnostic);
}

/// Reports a word that is not allowed.
pub(super) fn unknown_value(check: &mut Check<'_>, text: &Text, key: &str, choices: &[&str]) {
    let near = keys::nearest(&text.text, choices.iter().copied());
    let list = choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(", ");
    let message = format!("`{key}` cannot be `{}`", text.text);
    let diagnostic =
        Diagnostic::error(codes::UNKNOWN_VALUE, text.span, message).label(format!("expected one of {list}"));
    let help = match near {
        Some(near) => format!("write `{key} = \"{near}\"`"),
        None => format!("write one of these, such as `{key} = \"{}\"`", choices[0]),
    };
    check.report(diagnostic.help(help));
}

fn has_variable(text: &Text) -> bool {
    !super::variables::find(&text.text).is_empty()
}

fn parsed<T: std::str::FromStr>(check: &mut Check<'_>, text: &Text, key: &str, expected: &str) -> Option<T> {
    let value = text.text.trim().parse().ok();
    // A variable without a value was already reported.
    if value.is_none() && !has_variable(text) {
        check.report(
            Diagnostic::error(
                codes::MALFORMED_VARIABLE,
                text.span,
                format!("the variable's value does not fit `{key}`"),
            )
            .label(format!("expected {expected}, found `{}`", text.text)),
        );
    }
    value
}

pub(super) fn in_range(
    check: &mut Check<'_>,
    number: Option<i64>,
    span: Span,
    key: &str,
    range: RangeInclusive<i64>,
) -> Option<i64> {
    if let Some(number) = number
        && range.contains(&number)
    {
        return Some(number);
    }
    let (low, high) = (*range.start(), *range.end());
    let expected = match high {
        i64::MAX if low == i64::MIN => "a number of 64 bits".to_owned(),
        i64::MAX => format!("at least {low}"),
        _ => format!("{low} to {high}"),
    };
    let nearest = if number.is_some_and(|number| number < low) { low } else { high };
    check.report(
        Diagnostic::error(codes::OUT_OF_RANGE, span, format!("`{key}` is out of range"))
            .label(format!("expected {expected}"))
            .help(format!("write `{key} = {nearest}`, or remove the key to get the default")),
    );
    None
}
