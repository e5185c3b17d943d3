//! Checks regexes for the author of a configuration: whether they parse, where the error is, and which groups
//! they have. Matching is done by relay-runtime.

use super::{check::Check, raw::Text};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::regex::{RegexError, RegexErrorKind};

/// Why a pattern does not parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedRegex {
    /// The message.
    pub why: String,
    /// The byte of the pattern with the error.
    pub at: usize,
    /// What to write instead.
    pub help: String,
}

/// The names of the groups, group 0 first.
pub(super) type Groups = Vec<Option<String>>;

/// Parses a pattern of the Go RE2 dialect.
pub(super) fn parse(pattern: &str) -> Result<Groups, MalformedRegex> {
    relay_runtime::regex::parse_groups(pattern).map(|parsed| parsed.groups).map_err(|error| MalformedRegex {
        why: error.to_string(),
        at: error.range.start,
        help: help(pattern, &error),
    })
}

/// Returns a corrected pattern that parses, or other advice.
fn help(pattern: &str, error: &RegexError) -> String {
    let mended = error.kind.mended(pattern, error.range.clone());
    if let Some(mended) = mended.filter(|mended| relay_runtime::regex::parse_groups(mended).is_ok()) {
        return format!("write `{mended}`");
    }
    match &error.kind {
        RegexErrorKind::UnsupportedGroup(_) => {
            "Go's regexes have no look-ahead and no look-behind: write into `notRegex` what must not match"
                .to_owned()
        }
        RegexErrorKind::TooDeep | RegexErrorKind::TooLarge => "split the regex over several rules".to_owned(),
        RegexErrorKind::MissingParenthesis
        | RegexErrorKind::UnexpectedParenthesis
        | RegexErrorKind::MissingBracket
        | RegexErrorKind::NothingToRepeat(_)
        | RegexErrorKind::NestedRepetition(_)
        | RegexErrorKind::RepetitionCount(_)
        | RegexErrorKind::GroupName(_)
        | RegexErrorKind::UnknownEscape(_)
        | RegexErrorKind::TrailingBackslash
        | RegexErrorKind::ReversedRange(_)
        | RegexErrorKind::UnknownClass(_)
        | RegexErrorKind::UnknownUnicodeClass(_) => {
            "write the regex in Go's syntax; a literal special character needs a backslash".to_owned()
        }
    }
}

/// Parses the pattern and reports an error; `text` is the pattern with its place.
pub(super) fn check(check: &mut Check<'_>, text: &Text) -> Option<Groups> {
    match parse(&text.text) {
        Ok(groups) => {
            report_doubled_backslash(check, text);
            Some(groups)
        }
        Err(MalformedRegex { why, at, help }) => {
            let end = text.text[at.min(text.text.len())..].chars().next().map_or(at, |c| at + c.len_utf8());
            let span = if end > at { text.part(at..end) } else { text.part(at.saturating_sub(1)..at) };
            check.report(
                Diagnostic::error(
                    codes::MALFORMED_REGEX,
                    span,
                    format!("the regex `{}` does not parse", text.text),
                )
                .label(why)
                .help(help),
            );
            None
        }
    }
}

/// Warns about a regex that matches a backslash in the name, if the next character shows that none was
/// intended. In a literal string of TOML one backslash is enough.
fn report_doubled_backslash(check: &mut Check<'_>, text: &Text) {
    const ESCAPED: &str = ".dwDW([{+*?$^|";
    let mut rest = text.text.as_str();
    while let Some(at) = rest.find('\\') {
        let start = text.text.len() - rest.len() + at;
        let mut after = rest[at + 1..].chars();
        let is_doubled = after.next() == Some('\\') && after.next().is_some_and(|c| ESCAPED.contains(c));
        if is_doubled {
            let meant = text.text.replace("\\\\", "\\");
            check.report(
                Diagnostic::warning(
                    codes::DOUBLED_BACKSLASH,
                    text.part(start..start + 2),
                    format!("the regex `{}` matches a backslash in the name", text.text),
                )
                .label("two backslashes match one in the name")
                .help(format!("write `'{meant}'`; in quotes of this kind one backslash is enough")),
            );
            return;
        }
        let escaped = rest[at + 1..].chars().next().map_or(0, char::len_utf8);
        rest = &rest[at + 1 + escaped..];
    }
}

/// Returns the references in `template` that are not groups of the regex.
pub(super) fn unknown_references(template: &str, groups: &Groups) -> Vec<(std::ops::Range<usize>, String)> {
    let known = |name: &str| match canonical_number(name) {
        Some(number) => number < groups.len(),
        None => groups.iter().flatten().any(|group| group == name),
    };
    references(template).into_iter().filter(|(_, name)| !known(name)).collect()
}

/// Returns the references in a template: `$name` and `${name}`, each with the longest possible name.
pub(super) fn references(template: &str) -> Vec<(std::ops::Range<usize>, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = template[at..].find('$') {
        let start = at + next;
        let rest = &template[start + 1..];
        if rest.starts_with('$') {
            at = start + 2;
            continue;
        }
        let braced = rest.strip_prefix('{');
        let body = braced.unwrap_or(rest);
        let end = body.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(body.len());
        let closed = braced.is_none() || body[end..].starts_with('}');
        at = start + 1;
        if end > 0 && closed {
            at += end + if braced.is_some() { 2 } else { 0 };
            found.push((start..at, body[..end].to_owned()));
        }
    }
    found
}

/// Returns the number of a numeric name: decimal, without leading zeros.
fn canonical_number(name: &str) -> Option<usize> {
    let number: usize = name.parse().ok()?;
    (number.to_string() == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_take_the_longest_name() {
        let names =
            |template: &str| references(template).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
        assert_eq!(names("a.$1_x.$1.x.${1}_x.$$1.${}.${a"), ["1_x", "1", "1"]);
    }

    #[test]
    fn unknown_groups_are_found() {
        let groups = parse(r"^(a)(?P<name>b)").unwrap();
        let unknown: Vec<_> = unknown_references("$0 $1 $2 $3 $name $other $01", &groups)
            .into_iter()
            .map(|(_, name)| name)
            .collect();
        assert_eq!(unknown, ["3", "other", "01"]);
    }
}
