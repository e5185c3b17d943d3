//! Reports for programs: one JSON array, every place with byte offsets, line and column.
//!
//! Colours and quoted source are left to `render`.

use super::{Diagnostic, Severity, Span, render::place};
use crate::config::Source;
use serde_json::{Value, json};

/// Returns the diagnostics as an array of objects with `code`, `severity`, `message`, `file`, `place`,
/// `related` and `help`.
#[must_use]
pub fn to_json(diagnostics: &[Diagnostic], source: &Source) -> Value {
    diagnostics.iter().map(|diagnostic| one(diagnostic, source)).collect()
}

fn one(diagnostic: &Diagnostic, source: &Source) -> Value {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    json!({
        "code": diagnostic.code.to_string(),
        "severity": severity,
        "message": diagnostic.message,
        "file": source.path.display().to_string(),
        "place": diagnostic.place.as_ref().map(|(span, label)| location(*span, label, source)),
        "related": diagnostic.related.iter().map(|(span, label)| location(*span, label, source)).collect::<Vec<_>>(),
        "help": diagnostic.help,
    })
}

fn location(span: Span, label: &str, source: &Source) -> Value {
    let range = place(span, source);
    let (line, column) = source.line_column(range.start);
    let (end_line, end_column) = source.line_column(range.end);
    json!({
        "start": range.start,
        "end": range.end,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
        "label": label,
    })
}
