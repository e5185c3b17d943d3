//! The names that rewriters and aggregators can produce, as matchers that match at least those.
//!
//! The matchers may match more names than are produced, never fewer, so "no produced name matches" is reliable.

use relay_runtime::{
    regex::parse_groups,
    table::{Aggregator, Matcher, Pattern, Rewriter},
    template::{Piece, Template},
};

/// Matches every name that this rewriter has changed. Returns `None` if it never changes one.
pub(super) fn by_rewriter(rewriter: &Rewriter) -> Option<Matcher> {
    let mut matcher = Matcher::default();
    match &rewriter.old {
        Pattern::Text(_) if rewriter.max == Some(0) => return None,
        Pattern::Text(_) => matcher.sub = Some(rewriter.new.clone()).filter(|new| !new.is_empty()),
        Pattern::Regex(old) => matcher.regex = template_regex(&rewriter.new, old, ["", ""]),
    }
    Some(matcher)
}

/// Matches every name that this aggregator emits.
pub(super) fn by_aggregator(aggregator: &Aggregator) -> Matcher {
    let regex = aggregator.matcher.regex.as_deref().unwrap_or_default();
    let is_bare = aggregator.outputs().iter().all(|(suffix, _)| suffix.is_empty());
    let ends = if is_bare { ["^", "$"] } else { ["^", ""] };
    Matcher { regex: template_regex(&aggregator.format, regex, ends), ..Matcher::default() }
}

/// The literals of a template with `.*` between them; `None` if no literal is left.
fn template_regex(template: &str, old: &str, [start, end]: [&str; 2]) -> Option<String> {
    let literal = |piece: &Piece| match piece {
        Piece::Literal(text) => regex_syntax::escape(text),
        Piece::Group(_) | Piece::FirstOf(_) => ".*".to_owned(),
    };
    let pieces = pieces(template, old)?;
    let body: String = pieces.iter().map(literal).collect();
    Some(format!("(?s){start}{body}{end}"))
}

/// The parts of a replacement text; `old` is the regex whose groups it refers to. `None` if `old` is not valid.
pub(super) fn pieces(template: &str, old: &str) -> Option<Vec<Piece>> {
    let groups = parse_groups(old).ok()?.groups;
    Some(Template::parse(template, &groups).pieces().to_vec())
}

/// The names in which this rewriter finds something to replace.
pub(super) fn taken_by(rewriter: &Rewriter) -> Matcher {
    let mut matcher = Matcher::default();
    match &rewriter.old {
        Pattern::Text(text) => matcher.sub = Some(text.clone()),
        Pattern::Regex(regex) => matcher.regex = Some(or_empty(regex)),
    }
    match &rewriter.not {
        None => {}
        Some(Pattern::Text(text)) if !text.is_empty() => matcher.not_sub = Some(text.clone()),
        Some(Pattern::Text(_)) => matcher.not_regex = Some(or_empty("")),
        Some(Pattern::Regex(regex)) => matcher.not_regex = Some(or_empty(regex)),
    }
    matcher
}

/// Escapes an empty text: an empty `regex` would be no condition, while an empty regex matches everywhere.
fn or_empty(regex: &str) -> String {
    if regex.is_empty() { "(?:)".to_owned() } else { regex.to_owned() }
}
