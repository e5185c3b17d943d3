//! Regexes as the configuration's author sees them: do they parse, where do they not, which groups do they have.

use super::{check::Check, raw::Text};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::regex::{RegexError, RegexErrorKind};

/// Why a pattern does not parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedRegex {
    /// What is wrong.
    pub why: String,
    /// The byte of the pattern where it is wrong.
    pub at: usize,
    /// What to do about it.
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

/// A mended pattern that parses, or what else the author can do.
fn help(pattern: &str, error: &RegexError) -> String {
    let mended = error.kind.mended(pattern, error.range.clone());
    if let Some(mended) = mended.filter(|mended| relay_runtime::regex::parse_groups(mended).is_ok()) {
        return format!("write `{mended}`");
    }
    match &error.kind {
        RegexErrorKind::UnsupportedGroup(_) => {
            "Go's regexes look neither ahead nor behind: write what must not match into `notRegex`".to_owned()
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
            "write the regex in Go's syntax; a character that is meant literally gets a backslash".to_owned()
        }
    }
}

/// Parses the pattern and reports why it does not; `text` is the pattern itself.
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

/// Warns about a backslash that the regex wants in the name, where the next character says that none was meant: in a literal
/// string of TOML one backslash is enough.
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
                    format!("the regex `{}` wants a backslash in the name", text.text),
                )
                .label("two backslashes stand for one in the name")
                .help(format!("write `'{meant}'`; in quotes of this kind one backslash is enough")),
            );
            return;
        }
        let escaped = rest[at + 1..].chars().next().map_or(0, char::len_utf8);
        rest = &rest[at + 1 + escaped..];
    }
}

/// The names that `template` refers to and that are no group of the regex (spec §8).
pub(super) fn unknown_references(template: &str, groups: &Groups) -> Vec<(std::ops::Range<usize>, String)> {
    let known = |name: &str| match canonical_number(name) {
        Some(number) => number < groups.len(),
        None => groups.iter().flatten().any(|group| group == name),
    };
    references(template).into_iter().filter(|(_, name)| !known(name)).collect()
}

/// The references of a template: `$name` and `${name}`, with the longest name.
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

/// The number a name stands for: decimal, without leading zeros.
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
