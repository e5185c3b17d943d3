//! `[env.NAME]`: what differs in one environment (ours), and the values of its variables.
//!
//! An overlay is laid over the tree as written, before anything is checked. So its contents are checked like
//! the rest, and reported at their own places. A plain value or list replaces the other one, a section is
//! laid over the section, a `[[route]]` over the route with the same `key`; other tables are added at the
//! end.
//!
//! Values of variables come from `vars.NAME.toml` beside the configuration, and where it has none from
//! `[env.NAME.vars]`. In both, an unused variable is an error, because its name may be misspelt.

use super::{
    Reported,
    check::Check,
    options::{Options, is_variable_name},
    raw::{self, Entry, Node, Table, Value},
    unquoted::{self, Expanded},
};
use crate::diagnostics::{Diagnostic, Span, codes};
use std::collections::BTreeMap;

/// The section that contains all environments.
const SECTION: &str = "env";

/// The key of the variables in an environment.
const VARIABLES: &str = "vars";

/// A place that an overlay changed, and a description of the change.
pub type OverlayStep = (Span, String);

/// The contents of a named environment, found before the check begins.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// The options with the values of the environment's variables.
    pub(super) options: Options,
    /// The variables of `[env.NAME.vars]`, with their places.
    in_config: Vec<(String, Span)>,
    /// The variables of `vars.NAME.toml`, with their places there.
    in_file: Vec<(String, Span)>,
    /// The problems of that file.
    file_diagnostics: Vec<Diagnostic>,
}

impl Environment {
    /// Collects the values of variables for the environment that `options` names.
    pub(super) fn read(text: &str, options: &Options) -> Self {
        let mut environment = Self { options: options.clone(), ..Self::default() };
        let Some(name) = &options.environment_name else { return environment };
        // The check finds the problems of the text again and reports them.
        let expanded = unquoted::expand(text, options);
        let document = raw::parse(&expanded, &mut Vec::new());
        let mut values = BTreeMap::new();
        if let Some(table) = sub_table(&document, SECTION).and_then(|all| sub_table(all, name))
            && let Some(variables) = sub_table(table, VARIABLES)
        {
            environment.in_config = collect(variables, &mut values, &mut Vec::new());
        }
        if let Some(source) = &options.environment_file {
            let mut diagnostics = Vec::new();
            let document = raw::parse(&Expanded::verbatim(&source.text), &mut diagnostics);
            environment.in_file = collect(&document, &mut values, &mut diagnostics);
            environment.file_diagnostics = diagnostics;
        }
        environment.options.environment_values = values;
        environment
    }

    /// Reports unused variables and adds the problems of the variables file.
    pub(super) fn finish(self, check: &mut Check<'_>) -> Vec<Reported> {
        let unused = |name: &str, span: Span| {
            Diagnostic::error(
                codes::UNUSED_ENVIRONMENT_VARIABLE,
                span,
                format!("nothing uses the variable `{name}` of this environment"),
            )
            .help(format!("remove `{name}`, or write `${{{name}}}` where its value belongs"))
        };
        let in_config = self.in_config.iter().filter(|(name, _)| !check.used.contains(name));
        let found: Vec<_> = in_config.map(|(name, span)| unused(name, *span)).collect();
        check.diagnostics.extend(found);
        let Some(source) = self.options.environment_file else { return Vec::new() };
        let mut diagnostics = self.file_diagnostics;
        let unused_here = self.in_file.iter().filter(|(name, _)| !check.used.contains(name));
        diagnostics.extend(unused_here.map(|(name, span)| unused(name, *span)));
        if diagnostics.is_empty() { Vec::new() } else { vec![Reported { source, diagnostics }] }
    }
}

/// Reads a table of variables; its values replace existing ones.
fn collect(
    table: &Table,
    values: &mut BTreeMap<String, String>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(String, Span)> {
    let mut places = Vec::new();
    for entry in &table.entries {
        let value = match &entry.node.value {
            Value::Text(text) => Some(text.text.clone()),
            Value::Integer(Some(number)) => Some(number.to_string()),
            Value::Boolean(boolean) => Some(boolean.to_string()),
            _ => None,
        };
        match value {
            Some(value) if is_variable_name(&entry.key) => {
                values.insert(entry.key.clone(), value);
                places.push((entry.key.clone(), entry.key_span));
            }
            _ => diagnostics.push(not_a_variable(entry)),
        }
    }
    places
}

fn not_a_variable(entry: &Entry) -> Diagnostic {
    Diagnostic::error(codes::MALFORMED_OVERLAY, entry.key_span, format!("`{}` is not a variable", entry.key))
        .label("expected a name of upper-case letters, digits and `_`, with a string")
        .help(format!("write `{} = \"<value>\"`", entry.key.to_uppercase().replace(['-', '.'], "_")))
}

/// Returns the document with the named environment laid over it and all environments removed, and the changes
/// made.
pub(super) fn apply(check: &mut Check<'_>, mut document: Table) -> (Table, Vec<OverlayStep>) {
    let at = document.entries.iter().position(|entry| entry.key == SECTION);
    let environments = at.map(|at| document.entries.remove(at));
    let mut steps = Vec::new();
    let known = environments.as_ref().map(|entry| names(check, entry)).unwrap_or_default();
    let Some(name) = check.options.environment_name.clone() else { return (document, steps) };
    let overlay = environments.as_ref().and_then(|entry| match &entry.node.value {
        Value::Table(all) => sub_table(all, &name),
        _ => None,
    });
    match overlay {
        Some(overlay) => {
            for entry in overlay.entries.iter().filter(|entry| entry.key != VARIABLES) {
                lay(check, &mut document, entry, "", &mut steps);
            }
            if let Some(entry) = overlay.entries.iter().find(|entry| entry.key == VARIABLES) {
                match &entry.node.value {
                    Value::Table(variables) => {
                        let mut found = Vec::new();
                        collect(variables, &mut BTreeMap::new(), &mut found);
                        check.diagnostics.extend(found);
                    }
                    _ => check.report(not_a_variable(entry)),
                }
            }
        }
        None if check.options.environment_file.is_none() => {
            let span = environments.map(|entry| entry.key_span).unwrap_or_default();
            let help = match known.as_slice() {
                [] => format!(
                    "write a section `[env.{name}]`, or a file `vars.{name}.toml` beside the configuration"
                ),
                known => format!("the environments here are `{}`", known.join("`, `")),
            };
            let message = format!("there is no environment `{name}`");
            check.report(Diagnostic::error(codes::UNKNOWN_ENVIRONMENT, span, message).help(help));
        }
        None => {}
    }
    (document, steps)
}

/// Returns the names of all environments, and reports entries that are not environments.
fn names(check: &mut Check<'_>, entry: &Entry) -> Vec<String> {
    let Value::Table(all) = &entry.node.value else {
        check.report(not_an_overlay(entry, "`env` holds a section for each environment"));
        return Vec::new();
    };
    for entry in all.entries.iter().filter(|entry| !matches!(entry.node.value, Value::Table(_))) {
        check.report(not_an_overlay(entry, "an environment is a section"));
    }
    all.entries.iter().map(|entry| entry.key.clone()).collect()
}

fn not_an_overlay(entry: &Entry, message: &str) -> Diagnostic {
    Diagnostic::error(codes::MALFORMED_OVERLAY, entry.key_span, message)
        .label(format!("found {}", entry.node.value.kind()))
        .help("write `[env.<name>]`, and below it the keys that differ in this environment")
}

/// Lays one key over a table.
fn lay(check: &mut Check<'_>, base: &mut Table, over: &Entry, path: &str, steps: &mut Vec<OverlayStep>) {
    let path = if path.is_empty() { over.key.clone() } else { format!("{path}.{}", over.key) };
    let exact = base.entries.iter().position(|entry| entry.key == over.key);
    let same = || base.entries.iter().position(|entry| entry.key.eq_ignore_ascii_case(&over.key));
    let Some(at) = exact.or_else(same) else {
        steps.push((over.key_span, format!("`{path}` is added")));
        base.entries.push(over.clone());
        return;
    };
    let under = &mut base.entries[at];
    match (&mut under.node.value, &over.node.value) {
        (Value::Table(under), Value::Table(table)) => {
            for entry in &table.entries {
                lay(check, under, entry, &path, steps);
            }
        }
        (Value::Array(items), Value::Array(more)) if more.iter().any(is_table) => {
            for item in more {
                lay_item(check, items, item, &path, steps);
            }
        }
        (Value::Table(_), _) | (_, Value::Table(_)) => {
            let place = under.key_span;
            check.report(
                Diagnostic::error(
                    codes::MALFORMED_OVERLAY,
                    over.key_span,
                    format!("`{path}` of an environment cannot be laid over the configuration"),
                )
                .label(format!("found {}, there is {}", over.node.value.kind(), under.node.value.kind()))
                .related(place, "the configuration has this")
                .help("write it in the same form"),
            );
        }
        _ => {
            steps.push((over.key_span, format!("`{path}` replaces another value")));
            under.node = over.node.clone();
        }
    }
}

/// Lays a table of a list over the one with the same `key`, or adds it.
fn lay_item(
    check: &mut Check<'_>,
    items: &mut Vec<Node>,
    over: &Node,
    path: &str,
    steps: &mut Vec<OverlayStep>,
) {
    let under = key_of(over).and_then(|key| items.iter_mut().find(|item| key_of(item) == Some(key)));
    if let (Some(Value::Table(under)), Value::Table(table)) = (under.map(|node| &mut node.value), &over.value)
    {
        let key = key_of(over).unwrap_or_default();
        for entry in table.entries.iter().filter(|entry| entry.key != "key") {
            lay(check, under, entry, &format!("{path} `{key}`"), steps);
        }
    } else {
        steps.push((over.span, format!("a `[[{path}]]` is added")));
        items.push(over.clone());
    }
}

fn key_of(node: &Node) -> Option<&str> {
    let Value::Table(table) = &node.value else { return None };
    match &table.entries.iter().find(|entry| entry.key == "key")?.node.value {
        Value::Text(text) if !text.text.is_empty() => Some(&text.text),
        _ => None,
    }
}

fn is_table(node: &Node) -> bool {
    matches!(node.value, Value::Table(_))
}

fn sub_table<'t>(table: &'t Table, key: &str) -> Option<&'t Table> {
    match &table.entries.iter().find(|entry| entry.key == key)?.node.value {
        Value::Table(table) => Some(table),
        _ => None,
    }
}
