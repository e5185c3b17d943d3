//! Finds the literals that every match of a regex contains, so that most names need no automaton.
//!
//! Everything returned here is true of every name that the regex matches (it is sound, not complete). Literals
//! are taken from the parsed regex and never from its text, so alternations and repetitions are not overlooked
//! (BUG-37).
//!
//! A regex sees a name with invalid UTF-8 replaced, while a literal is compared with the bytes as they came.
//! For a literal of whole characters other than U+FFFD the two agree; other literals are not used.

use regex_syntax::hir::{Hir, HirKind, Look, literal};

/// Facts about every name that a regex matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Required {
    /// Set if the regex means exactly this.
    pub equivalent: Option<Equivalent>,
    /// The name starts with one of these, unless the list is empty.
    pub prefixes: Vec<String>,
    /// The name contains all of these.
    pub substrings: Vec<String>,
    /// The name contains one of these, unless the list is empty.
    pub any_substring: Vec<String>,
}

/// The meaning of a regex that one comparison can replace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Equivalent {
    /// Every name matches.
    Everything,
    /// `^literal`
    Prefix(String),
    /// `^literal$`
    Exact(String),
    /// `literal`
    Substring(String),
    /// `literal$`
    Suffix(String),
}

/// A list of more alternatives than this rules out too few names to be worth a search.
const ALTERNATIVES_MAX: usize = 32;

/// Returns facts about every name that contains a match of `hir`.
#[must_use]
pub fn required(hir: &Hir) -> Required {
    let anchored = hir.properties().look_set_prefix().contains(Look::Start);
    let begins = beginnings(hir);
    let (prefixes, any_substring) = if anchored { (begins, Vec::new()) } else { (Vec::new(), begins) };
    let mut substrings = Vec::new();
    collect_literals(hir, &mut substrings);
    substrings.sort();
    substrings.dedup();
    Required { equivalent: equivalent(hir), prefixes, substrings, any_substring }
}

/// Literals of which every match begins with one; empty if there is no such list.
fn beginnings(hir: &Hir) -> Vec<String> {
    let sequence = literal::Extractor::new().limit_total(ALTERNATIVES_MAX * 4).extract(hir);
    let Some(literals) = sequence.literals() else { return Vec::new() };
    if literals.is_empty() || literals.len() > ALTERNATIVES_MAX * 4 {
        return Vec::new();
    }
    let mut texts = Vec::new();
    for literal in literals {
        match usable(valid_beginning(literal.as_bytes())) {
            Some(text) => texts.push(text),
            None => return Vec::new(),
        }
    }
    texts.sort();
    // After sorting, a text that starts with another one comes right after it, or after another that does.
    texts.dedup_by(|later, earlier| later.starts_with(earlier.as_str()));
    if texts.len() > ALTERNATIVES_MAX { Vec::new() } else { texts }
}

/// Adds the runs of literal characters that are part of every match to `found`.
fn collect_literals(hir: &Hir, found: &mut Vec<String>) {
    match hir.kind() {
        HirKind::Literal(literal) => found.extend(usable(&literal.0)),
        HirKind::Capture(capture) => collect_literals(&capture.sub, found),
        HirKind::Repetition(repetition) if repetition.min > 0 => collect_literals(&repetition.sub, found),
        HirKind::Concat(parts) => {
            // A group separates a literal from its neighbours in the tree, but not in the text.
            let mut run = Vec::new();
            for part in parts {
                match plain(part) {
                    Some(bytes) => run.extend(bytes),
                    None if is_look(part) => {}
                    None => {
                        found.extend(usable(&std::mem::take(&mut run)));
                        collect_literals(part, found);
                    }
                }
            }
            found.extend(usable(&run));
        }
        _ => {}
    }
}

/// The bytes that `hir` matches, if it is a literal, however deeply grouped.
fn plain(hir: &Hir) -> Option<Vec<u8>> {
    match hir.kind() {
        HirKind::Empty => Some(Vec::new()),
        HirKind::Literal(literal) => Some(literal.0.to_vec()),
        HirKind::Capture(capture) => plain(&capture.sub),
        HirKind::Concat(parts) => parts.iter().map(plain).collect::<Option<Vec<_>>>().map(|all| all.concat()),
        _ => None,
    }
}

fn equivalent(hir: &Hir) -> Option<Equivalent> {
    let mut parts = Vec::new();
    flatten(hir, &mut parts);
    let anything = |hir: &&Hir| matches!(hir.kind(), HirKind::Repetition(repetition) if repetition.min == 0);
    // A trailing `x*` at an unanchored end can match nothing, so it requires no literal.
    while parts.last().is_some_and(anything) {
        parts.pop();
    }
    let free = parts.iter().take_while(|part| anything(part)).count();
    parts.drain(..free);
    let start = parts.first().is_some_and(|part| *part.kind() == HirKind::Look(Look::Start));
    let end = parts.len() > usize::from(start)
        && parts.last().is_some_and(|part| *part.kind() == HirKind::Look(Look::End));
    let middle = &parts[usize::from(start)..parts.len() - usize::from(end)];
    let bytes = middle.iter().map(|part| plain(part)).collect::<Option<Vec<_>>>()?.concat();
    if bytes.is_empty() {
        return (!(start && end)).then_some(Equivalent::Everything);
    }
    let text = usable(&bytes)?;
    Some(match (start, end) {
        (true, true) => Equivalent::Exact(text),
        (true, false) => Equivalent::Prefix(text),
        (false, true) => Equivalent::Suffix(text),
        (false, false) => Equivalent::Substring(text),
    })
}

fn flatten<'h>(hir: &'h Hir, parts: &mut Vec<&'h Hir>) {
    match hir.kind() {
        HirKind::Concat(subs) => subs.iter().for_each(|sub| flatten(sub, parts)),
        HirKind::Capture(capture) => flatten(&capture.sub, parts),
        _ => parts.push(hir),
    }
}

fn is_look(hir: &Hir) -> bool {
    matches!(hir.kind(), HirKind::Look(_))
}

/// A literal may be cut within a character; only its whole characters are used.
fn valid_beginning(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Ok(_) => bytes,
        Err(error) => &bytes[..error.valid_up_to()],
    }
}

fn usable(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.is_empty() && !text.contains('\u{FFFD}')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_runtime::regex::parse;

    #[track_caller]
    fn check(pattern: &str, prefixes: &[&str], substrings: &[&str]) {
        let found = required(&parse(pattern).expect("a regex"));
        assert_eq!(found.prefixes, prefixes, "{pattern}");
        assert_eq!(found.substrings, substrings, "{pattern}");
    }

    #[track_caller]
    fn check_equivalent(pattern: &str, want: impl Into<Option<Equivalent>>) {
        let found = required(&parse(pattern).expect("a regex"));
        assert_eq!(found.equivalent, want.into(), "{pattern}");
    }

    #[test]
    fn literals_hold_for_every_match() {
        check(r"^servers\.(dc1|dc2)\.cpu$", &["servers.dc1.cpu", "servers.dc2.cpu"], &[".cpu", "servers."]);
        check(r"^foo|^bar", &["bar", "foo"], &[]);
        check(r"^foo|bar", &[], &[]);
        check(r"^foox?z", &["fooxz", "fooz"], &["foo", "z"]);
        check(r"^ab*", &["a"], &["a"]);
        check(r"^ab{0,1}c", &["abc", "ac"], &["a", "c"]);
        check(r"\.count$", &[], &[".count"]);
        check(r"a.*bcd.*e", &[], &["a", "bcd", "e"]);
        check(r"(?i)abc", &[], &[]);
        check(r"(a)(b)c+", &[], &["ab", "c"]);
        check(r"x*", &[], &[]);
        check(r"(?m)^abc", &[], &["abc"]);
    }

    #[test]
    fn regexes_that_are_literals_in_disguise_are_seen_through() {
        use Equivalent::{Everything, Exact, Prefix, Substring, Suffix};
        check_equivalent(r"^a\.b\.", Some(Prefix("a.b.".to_owned())));
        check_equivalent(r"^a\.b\..*", Some(Prefix("a.b.".to_owned())));
        check_equivalent(r"^abc$", Some(Exact("abc".to_owned())));
        check_equivalent(r"abc", Some(Substring("abc".to_owned())));
        check_equivalent(r".*abc.*", Some(Substring("abc".to_owned())));
        check_equivalent(r"(abc)$", Some(Suffix("abc".to_owned())));
        check_equivalent(r"^.*abc$", None);
        check_equivalent(r"^(abc|d)", None);
        check_equivalent(r".*", Some(Everything));
        check_equivalent(r"^", Some(Everything));
        check_equivalent(r"^$", None);
        check_equivalent(r"(?m)^abc", None);
        check_equivalent(r"a$b", None);
        check_equivalent(r"a^b", None);
        check_equivalent("\u{FFFD}", None);
    }
}
