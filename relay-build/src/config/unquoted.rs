//! Variables outside of strings: `orgId = ${GRAFANA_NET_USER_ID}`.
//!
//! carbon-relay-ng replaces variables in the whole text before it parses it, so its users write such lines
//! although they are not TOML. We replace only variables outside of strings and comments, and leave every
//! other byte as it is (BUG-05). If a value was given, it replaces the variable. If not, and the variable is
//! a whole value, it becomes a string; the code that reads the key completes it now or leaves it open until
//! the start. Messages use the places in the original file.

use super::{options::Options, variables};
use crate::diagnostics::Span;
use std::ops::Range;

/// The text to parse, and the replacements made in it.
#[derive(Clone, Debug, Default)]
pub(super) struct Expanded {
    pub(super) text: String,
    /// In order of place.
    replacements: Vec<Replacement>,
    /// The variables that were replaced by their value: name and value.
    pub(super) fixed: Vec<(String, String)>,
    /// The variables that have no value but would need one: name and place.
    pub(super) missing: Vec<(String, Span)>,
}

#[derive(Clone, Debug)]
struct Replacement {
    /// In the parsed text.
    new: Range<usize>,
    /// In the file.
    old: Range<usize>,
    /// Whether a string replaced the variable.
    deferred: bool,
}

/// Replaces the variables outside of strings.
pub(super) fn expand(text: &str, options: &Options) -> Expanded {
    let mut expanded = Expanded::default();
    let mut copied = 0;
    for found in outside_strings(text) {
        let Range { start, end } = found.range;
        expanded.text.push_str(&text[copied..start]);
        copied = end;
        let new_start = expanded.text.len();
        let given = options.given(&found.name);
        let deferred = given.is_none() && stands_alone(text, start, end);
        if deferred {
            expanded.text.extend(["\"${", &found.name, "}\""]);
        } else if let Some(value) = given.or_else(|| options.fixed(&found.name)) {
            expanded.text.push_str(value);
            expanded.fixed.push((found.name, value.to_owned()));
        } else {
            expanded.text.push('0');
            expanded.missing.push((found.name, Span { start, end }));
        }
        let new = new_start..expanded.text.len();
        expanded.replacements.push(Replacement { new, old: start..end, deferred });
    }
    expanded.text.push_str(&text[copied..]);
    expanded
}

impl Expanded {
    /// A text without replacements.
    pub(super) fn verbatim(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Converts a place in the parsed text to the place in the file.
    pub(super) fn original(&self, new: Range<usize>) -> Span {
        Span { start: self.offset(new.start, false), end: self.offset(new.end, true) }
    }

    /// Whether the string at this place of the parsed text replaced a variable.
    pub(super) fn is_inserted(&self, new: &Range<usize>) -> bool {
        self.replacements.iter().any(|one| one.deferred && one.new == *new)
    }

    fn offset(&self, at: usize, is_end: bool) -> usize {
        let before =
            self.replacements.iter().take_while(|one| one.new.start < at || (!is_end && one.new.start == at));
        match before.last() {
            None => at,
            Some(one) if at >= one.new.end => one.old.end + (at - one.new.end),
            Some(one) if is_end => one.old.end,
            Some(one) => one.old.start,
        }
    }
}

/// Whether the variable is a whole value: it comes after `=`, `[` or `,` and before the end of the line, `,`,
/// `]`, `}` or `#`.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].trim_end_matches([' ', '\t', '\n', '\r']).bytes().next_back();
    let after = text[end..].trim_start_matches([' ', '\t']).bytes().next();
    matches!(before, Some(b'=' | b'[' | b','))
        && matches!(after, None | Some(b'\n' | b'\r' | b',' | b']' | b'}' | b'#'))
}

/// The variables outside of strings and comments.
fn outside_strings(text: &str) -> Vec<variables::Found> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        at += match rest.as_bytes()[0] {
            b'#' => rest.find('\n').unwrap_or(rest.len()),
            b'"' if rest.starts_with("\"\"\"") => string_length(rest, "\"\"\"", true),
            b'\'' if rest.starts_with("'''") => string_length(rest, "'''", false),
            b'"' => string_length(rest, "\"", true),
            b'\'' => string_length(rest, "'", false),
            b'$' => match variables::at_start(rest) {
                Some((name, length)) => {
                    found.push(variables::Found { name: name.to_owned(), range: at..at + length });
                    length
                }
                None => 1,
            },
            _ => 1,
        };
        at = text.ceil_char_boundary(at);
    }
    found
}

/// Returns the length of the string at the start of `rest`, quotes included; a single-line string ends at the
/// end of the line.
fn string_length(rest: &str, quote: &str, escapes: bool) -> usize {
    let bytes = rest.as_bytes();
    let mut at = quote.len();
    while at < bytes.len() {
        if rest.as_bytes()[at..].starts_with(quote.as_bytes()) {
            // `""""` ends a string that itself ends in a quote.
            let extra =
                bytes[at + quote.len()..].iter().take_while(|&&byte| byte == quote.as_bytes()[0]).count();
            return at + quote.len() + if quote.len() == 3 { extra.min(2) } else { 0 };
        }
        match bytes[at] {
            b'\\' if escapes => at += 2,
            b'\n' if quote.len() == 1 => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[track_caller]
    fn check(text: &str, want: &str) {
        let options = Options {
            variables: BTreeMap::from([("ORG".to_owned(), "12345".to_owned())]),
            ..Options::default()
        };
        let expanded = expand(text, &options);
        assert_eq!(expanded.text, want);
        for needle in ["after", "= "] {
            if let (Some(new), Some(old)) = (want.rfind(needle), text.rfind(needle)) {
                assert_eq!(expanded.original(new..new + 2), Span { start: old, end: old + 2 }, "{needle}");
            }
        }
    }

    #[test]
    fn strings_and_comments_are_left_alone() {
        check(
            "a = \"${ORG} \\\" ${ORG}\" # ${ORG}\nb = '${ORG}' # after",
            "a = \"${ORG} \\\" ${ORG}\" # ${ORG}\nb = '${ORG}' # after",
        );
        check("a = '''\n${ORG}''' # ${ORG}", "a = '''\n${ORG}''' # ${ORG}");
    }

    #[test]
    fn a_given_value_goes_in_as_it_is() {
        check("a = ${ORG} # after", "a = 12345 # after");
        check("a = 1${ORG}0\nafter = 1", "a = 1123450\nafter = 1");
    }

    #[test]
    fn a_whole_value_that_was_not_given_becomes_a_string() {
        check("a = ${OTHER}\nafter = 1", "a = \"${OTHER}\"\nafter = 1");
        check("a = $GRAFANA_NET_USER_ID\nafter = 1", "a = \"${GRAFANA_NET_USER_ID}\"\nafter = 1");
    }

    #[test]
    fn an_unterminated_string_ends_nowhere_worse_than_the_text() {
        check("a = \"x\\", "a = \"x\\");
        check("a = \"\"\"x", "a = \"\"\"x");
        check("a = 'é\nb = 1", "a = 'é\nb = 1");
    }
}
