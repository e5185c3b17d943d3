//! Escapes that stand for one character, inside and outside of classes.
//!
//! Escapes that stand for a class are in `class` and `unicode`.

use super::{
    error::{RegexError, RegexErrorKind as Kind},
    parser::Parser,
};

/// Parses the escape at the parser's position. The result may be a surrogate, which matches nothing.
pub(super) fn parse_escape(parser: &mut Parser<'_>) -> Result<u32, RegexError> {
    let start = parser.position();
    parser.bump('\\');
    let Some(next) = parser.peek() else {
        return Err(parser.error(start, Kind::TrailingBackslash));
    };
    parser.bump(next);
    let code_point = match next {
        '1'..='7' if !parser.rest().starts_with(is_octal) => None,
        '0'..='7' => Some(parse_octal(parser, next)),
        'x' => parse_hex(parser),
        'a' => Some(0x07),
        'f' => Some(0x0c),
        'n' => Some(0x0a),
        'r' => Some(0x0d),
        't' => Some(0x09),
        'v' => Some(0x0b),
        // Escaped punctuation means itself; letters and digits are errors, because they may mean something in
        // Perl.
        _ if next.is_ascii() && !next.is_ascii_alphanumeric() => Some(next.into()),
        _ => None,
    };
    code_point.ok_or_else(|| parser.error(start, Kind::UnknownEscape(parser.since(start))))
}

/// Parses up to three octal digits, of which `first` has been read.
fn parse_octal(parser: &mut Parser<'_>, first: char) -> u32 {
    let mut value = first.to_digit(8).unwrap_or(0);
    for _ in 1..3 {
        let Some(next) = parser.peek().filter(|&next| is_octal(next)) else { break };
        parser.bump(next);
        value = value * 8 + next.to_digit(8).unwrap_or(0);
    }
    value
}

/// Parses `41` or `{1F600}` after `\x`.
fn parse_hex(parser: &mut Parser<'_>) -> Option<u32> {
    let first = parser.peek()?;
    parser.bump(first);
    if first != '{' {
        let second = parser.peek()?;
        parser.bump(second);
        return Some(first.to_digit(16)? * 16 + second.to_digit(16)?);
    }
    let (mut value, mut digits) = (0, 0);
    loop {
        let next = parser.peek()?;
        parser.bump(next);
        if next == '}' {
            return (digits > 0).then_some(value);
        }
        value = value * 16 + next.to_digit(16)?;
        digits += 1;
        if value > u32::from(char::MAX) {
            return None;
        }
    }
}

const fn is_octal(char: char) -> bool {
    matches!(char, '0'..='7')
}
