//! Character classes: `[…]`, Perl's `\d \s \w` and POSIX' `[:alpha:]`.
//!
//! In Go a class is a plain list of characters and ranges: `[`, `&&`, `--` and `~~` in it mean themselves.

use super::{
    error::{RegexError, RegexErrorKind as Kind},
    escape,
    parser::Parser,
    unicode,
};
use regex_syntax::hir::{self, ClassUnicode, ClassUnicodeRange, Hir};

/// A set of characters that is being built.
pub(super) struct Class(ClassUnicode);

/// Parses the `[…]` at the parser's position.
pub(super) fn parse_bracketed(parser: &mut Parser<'_>) -> Result<Class, RegexError> {
    let start = parser.position();
    parser.bump('[');
    let negated = parser.peek() == Some('^');
    if negated {
        parser.bump('^');
    }
    let mut class = Class::empty();
    // A `]` as the first character does not close the class.
    let mut first = true;
    while first || parser.peek() != Some(']') {
        first = false;
        if let Some(named) = parse_member_class(parser)? {
            class.0.union(&named);
        } else {
            let (low, high) = parse_range(parser, start)?;
            class.add_range(low, high, parser.flags.fold);
        }
    }
    parser.bump(']');
    if negated {
        class.0.negate();
    }
    Ok(class)
}

/// Parses `\d`, `\S` and their like, if one is at the parser's position.
pub(super) fn parse_perl(parser: &mut Parser<'_>) -> Option<ClassUnicode> {
    let &[b'\\', letter, ..] = parser.rest().as_bytes() else { return None };
    let ranges: &[(char, char)] = match letter.to_ascii_lowercase() {
        b'd' => &[('0', '9')],
        // VT is white space in POSIX, but not here.
        b's' => &[('\t', '\n'), ('\x0c', '\r'), (' ', ' ')],
        b'w' => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        _ => return None,
    };
    parser.skip(2);
    Some(group(ranges, parser.flags.fold, letter.is_ascii_uppercase()))
}

/// Parses a class that is a member of a class, if one is at the parser's position.
fn parse_member_class(parser: &mut Parser<'_>) -> Result<Option<ClassUnicode>, RegexError> {
    let rest = parser.rest();
    if rest.starts_with("[:")
        && let Some(end) = rest[2..].find(":]")
    {
        return parse_posix(parser, 2 + end).map(Some);
    }
    if rest.starts_with("\\p") || rest.starts_with("\\P") {
        return unicode::parse_class(parser).map(Some);
    }
    Ok(parse_perl(parser))
}

/// Parses `[:name:]` or `[:^name:]`, whose `:]` is `end` bytes away.
fn parse_posix(parser: &mut Parser<'_>, end: usize) -> Result<ClassUnicode, RegexError> {
    let (start, rest) = (parser.position(), parser.rest());
    parser.skip(end + 2);
    let name = &rest[2..end];
    let (name, negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
    let ranges: &[(char, char)] = match name {
        "alnum" => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        "alpha" => &[('A', 'Z'), ('a', 'z')],
        "ascii" => &[('\0', '\x7f')],
        "blank" => &[('\t', '\t'), (' ', ' ')],
        "cntrl" => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        "digit" => &[('0', '9')],
        "graph" => &[('!', '~')],
        "lower" => &[('a', 'z')],
        "print" => &[(' ', '~')],
        "punct" => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        "space" => &[('\t', '\r'), (' ', ' ')],
        "upper" => &[('A', 'Z')],
        "word" => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        "xdigit" => &[('0', '9'), ('A', 'F'), ('a', 'f')],
        _ => return Err(parser.error(start, Kind::UnknownClass(parser.since(start)))),
    };
    Ok(group(ranges, parser.flags.fold, negated))
}

/// Parses a character or a range. `class` is the position at which the class starts.
fn parse_range(parser: &mut Parser<'_>, class: usize) -> Result<(u32, u32), RegexError> {
    let start = parser.position();
    let low = parse_member(parser, class)?;
    let mut after = parser.rest().chars();
    // In `[a-]` the hyphen is a member.
    if after.next() != Some('-') || matches!(after.next(), None | Some(']')) {
        return Ok((low, low));
    }
    parser.bump('-');
    let high = parse_member(parser, class)?;
    if high < low {
        return Err(parser.error(start, Kind::ReversedRange(parser.since(start))));
    }
    Ok((low, high))
}

fn parse_member(parser: &mut Parser<'_>, class: usize) -> Result<u32, RegexError> {
    match parser.peek() {
        None => Err(RegexError { range: class..class + 1, kind: Kind::MissingBracket }),
        Some('\\') => escape::parse_escape(parser),
        Some(char) => {
            parser.bump(char);
            Ok(char.into())
        }
    }
}

/// Case folding comes before negation: `(?i)\W` does not contain the long s, which folds to s.
fn group(ranges: &[(char, char)], fold: bool, negated: bool) -> ClassUnicode {
    let mut class = ClassUnicode::new(ranges.iter().map(|&(low, high)| ClassUnicodeRange::new(low, high)));
    if fold {
        class.case_fold_simple();
    }
    if negated {
        class.negate();
    }
    class
}

impl Class {
    pub(super) fn empty() -> Self {
        Self(ClassUnicode::empty())
    }

    /// Adds the characters from `low` to `high`, both included; surrogates are not characters. With `fold`,
    /// also adds the characters that are equal except for case.
    pub(super) fn add_range(&mut self, low: u32, high: u32, fold: bool) {
        let below = (low, high.min(0xd7ff));
        let above = (low.max(0xe000), high);
        let mut added = ClassUnicode::empty();
        for (low, high) in [below, above] {
            if let (true, Some(low), Some(high)) = (low <= high, char::from_u32(low), char::from_u32(high)) {
                added.push(ClassUnicodeRange::new(low, high));
            }
        }
        if fold {
            added.case_fold_simple();
        }
        self.0.union(&added);
    }

    pub(super) fn into_hir(self) -> Hir {
        Hir::class(hir::Class::Unicode(self.0))
    }
}

impl From<ClassUnicode> for Class {
    fn from(class: ClassUnicode) -> Self {
        Self(class)
    }
}
