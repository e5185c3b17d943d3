//! The configuration as written: a tree of values with their places in the file.
//!
//! Nothing here depends on which keys exist or what they mean; that is the task of the checks. Variables
//! outside of strings are already replaced in the parsed text ([`super::unquoted`]), but the spans of this
//! tree are those of the file as written.

use super::unquoted::Expanded;
use crate::diagnostics::{Diagnostic, Span, codes};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) value: Value,
}

/// A value of TOML.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Text),
    /// `None` if it does not fit into 64 bits.
    Integer(Option<i64>),
    Float(f64),
    Boolean(bool),
    Datetime,
    Array(Vec<Node>),
    Table(Table),
}

/// A string.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_field_names, reason = "the text of a text")]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) span: Span,
    /// The place of the text's first byte in the file, if the file contains the text byte by byte.
    pub(super) at: Option<usize>,
    /// Whether it is a variable without quotes that is the whole value.
    pub(super) unquoted: bool,
}

/// Keys with values, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) span: Span,
    pub(super) entries: Vec<Entry>,
}

/// One key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_span: Span,
    pub(super) node: Node,
}

/// Parses the text. Reports syntax errors and returns what could be read around them.
pub(super) fn parse(expanded: &Expanded, diagnostics: &mut Vec<Diagnostic>) -> Table {
    let (document, errors) = DeTable::parse_recoverable(&expanded.text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let message = format!("the file is not valid TOML: {}", error.message());
        diagnostics.push(
            Diagnostic::error(codes::SYNTAX, expanded.original(span), message)
                .help(syntax_help(error.message())),
        );
    }
    let reader = Reader { expanded };
    reader.table(document.get_ref(), document.span())
}

/// Returns the help for a syntax error, chosen by the parser's message.
fn syntax_help(message: &str) -> &'static str {
    const HELPS: [(&str, &str); 7] = [
        ("duplicate key", "remove one of the two"),
        ("must be quoted", "put the value in quotes"),
        ("unclosed array", "end the list with `]`"),
        ("missing comma", "put a `,` between the elements"),
        (
            "basic string",
            "end the string with `\"`; in double quotes a backslash is written `\\\\`, or use single quotes",
        ),
        ("escape", "write `\\\\` for a backslash, or put the string in single quotes"),
        ("key", "write `<key> = <value>`, each on a line of its own"),
    ];
    let known = HELPS.iter().find(|(part, _)| message.contains(part));
    known.map_or(
        "strings are written in quotes, lists in `[…]`; sections begin with `[<name>]` or `[[<name>]]`",
        |(_, help)| help,
    )
}

struct Reader<'a> {
    expanded: &'a Expanded,
}

impl Reader<'_> {
    fn table(&self, table: &DeTable<'_>, span: Range<usize>) -> Table {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                key: key.get_ref().to_string(),
                key_span: self.expanded.original(key.span()),
                node: self.node(value.get_ref(), value.span()),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key_span.start);
        Table { span: self.expanded.original(span), entries }
    }

    fn node(&self, value: &DeValue<'_>, range: Range<usize>) -> Node {
        let span = self.expanded.original(range.clone());
        let value = match value {
            DeValue::String(text) => Value::Text(self.text(text, range, span)),
            DeValue::Integer(number) => {
                Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok())
            }
            DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(boolean) => Value::Boolean(*boolean),
            DeValue::Datetime(_) => Value::Datetime,
            DeValue::Array(items) => {
                Value::Array(items.iter().map(|item| self.node(item.get_ref(), item.span())).collect())
            }
            DeValue::Table(table) => Value::Table(self.table(table, range)),
        };
        Node { span, value }
    }

    fn text(&self, text: &str, range: Range<usize>, span: Span) -> Text {
        let unquoted = self.expanded.is_inserted(&range);
        let written = self.expanded.text.get(range.clone()).unwrap_or_default();
        // A place inside of the text is known only if the file contains the text byte by byte.
        let at =
            written.find(text).filter(|_| !unquoted && !text.is_empty() && written.len() <= text.len() + 7);
        let at = at.map(|offset| span.start + offset);
        Text { text: text.to_owned(), span, at, unquoted }
    }
}

impl Text {
    /// The place of a part of the text, or of the whole text if the file contains it in another form.
    pub(super) fn part(&self, part: Range<usize>) -> Span {
        match self.at {
            Some(at) if part.end <= self.text.len() => Span { start: at + part.start, end: at + part.end },
            _ => self.span,
        }
    }

    /// A part of the text as a separate text.
    pub(super) fn slice(&self, part: Range<usize>) -> Self {
        Self {
            text: self.text.get(part.clone()).unwrap_or_default().to_owned(),
            span: self.part(part.clone()),
            at: self.at.map(|at| at + part.start),
            unquoted: self.unquoted,
        }
    }
}

impl Value {
    /// The TOML name of the type, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(text) if text.unquoted => "a variable",
            Self::Text(_) => "a string",
            Self::Integer(_) => "an integer",
            Self::Float(_) => "a float",
            Self::Boolean(_) => "a boolean",
            Self::Datetime => "a date",
            Self::Array(_) => "an array",
            Self::Table(_) => "a table",
        }
    }
}
