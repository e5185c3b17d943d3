//! Prints diagnostics like a compiler: code, place, the quoted source, what to write instead.
//!
//! The output contains no escape sequences unless colours are asked for.

use super::{Diagnostic, Severity, Span};
use crate::config::Source;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet, renderer::DecorStyle};
use std::ops::Range;

/// Renders all diagnostics in order, with an empty line between two.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], source: &Source, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let path = source.path.display().to_string();
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&[report(diagnostic, source, &path)]));
        text.push_str("\n\n");
    }
    text.truncate(text.trim_end().len());
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Returns the byte range to underline: inside the text, at least one character, at most to the end of its
/// first line. So a diagnostic about a section shows only its header.
#[must_use]
pub fn place(span: Span, source: &Source) -> Range<usize> {
    let text = &source.text;
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let line_end = text[start..].find(['\n', '\r']).map_or(text.len(), |newline| start + newline);
    let end = text.ceil_char_boundary(span.end.clamp(start, line_end));
    if end > start {
        return start..end;
    }
    // The range is empty: underline the character there, or the one before the end of the line or text.
    match text[start..line_end].chars().next() {
        Some(c) => start..start + c.len_utf8(),
        None => text[..start]
            .chars()
            .next_back()
            .filter(|c| *c != '\n')
            .map_or(start..start, |c| start - c.len_utf8()..start),
    }
}

fn report<'a>(diagnostic: &'a Diagnostic, source: &'a Source, path: &'a str) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.to_string());
    let mut group = Group::with_title(title);
    if let Some((span, label)) = &diagnostic.place {
        let related = diagnostic.related.iter().map(|(span, label)| (AnnotationKind::Context, span, label));
        let annotations = std::iter::once((AnnotationKind::Primary, span, label)).chain(related);
        let snippet = Snippet::source(source.text.as_str()).path(path).annotations(
            annotations.map(|(kind, span, label)| annotation(kind, place(*span, source), label)),
        );
        group = group.element(snippet);
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

fn annotation(kind: AnnotationKind, range: Range<usize>, label: &str) -> Annotation<'_> {
    let annotation = kind.span(range);
    if label.is_empty() { annotation } else { annotation.label(label) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_never_empty_nor_outside_nor_on_two_lines() {
        let source = Source { path: "x".into(), text: "ab\ncé\n".to_owned() };
        let of = |start, end| place(Span { start, end }, &source);
        assert_eq!(of(0, 1), 0..1);
        assert_eq!(of(0, 5), 0..2);
        assert_eq!(of(0, 0), 0..1);
        assert_eq!(of(2, 2), 1..2);
        assert_eq!(of(4, 5), 4..6);
        assert_eq!(of(99, 99), 7..7);
    }
}
