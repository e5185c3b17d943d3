//! Decodes the texts of protocol 0, which are one line of characters and escapes.
//!
//! Follows Python's decoders, so a text means here what it means there.

use super::error::Problem;

/// Decodes Python 2's `string-escape`, without the quotes. An unknown escape stays as it is.
pub(super) fn decode_string(text: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let (escape, after) = rest[at + 1..].split_first().ok_or(Problem::BadText)?;
        rest = after;
        match escape {
            b'\\' | b'\'' | b'"' => out.push(*escape),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'a' => out.push(0x07),
            b'b' => out.push(0x08),
            b'v' => out.push(0x0b),
            b'f' => out.push(0x0c),
            b'x' => out.push(low_byte(digits(&mut rest, 16, 2..=2)?)),
            b'0'..=b'7' => {
                rest = &text[text.len() - rest.len() - 1..];
                out.push(low_byte(digits(&mut rest, 8, 1..=3)?));
            }
            other => out.extend_from_slice(&[b'\\', *other]),
        }
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Decodes Python's `raw-unicode-escape`, which is Latin-1 with `\uXXXX` and `\UXXXXXXXX`, to UTF-8.
pub(super) fn decode_unicode(line: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, rest.first()) {
            (b'\\', Some(b'u')) => {
                rest = &rest[1..];
                let unit = digits(&mut rest, 16, 4..=4)?;
                push_char(joined(unit, &mut rest), out);
            }
            (b'\\', Some(b'U')) => {
                rest = &rest[1..];
                let code = digits(&mut rest, 16, 8..=8)?;
                if code > u32::from(char::MAX) {
                    return Err(Problem::BadText);
                }
                push_char(code, out);
            }
            // Of two backslashes, neither starts an escape.
            (b'\\', Some(b'\\')) => {
                rest = &rest[1..];
                out.extend_from_slice(b"\\\\");
            }
            (byte, _) => push_char(byte.into(), out),
        }
    }
    Ok(())
}

/// Joins two surrogates: Python 2 may write a character above U+FFFF as two halves.
fn joined(unit: u32, rest: &mut &[u8]) -> u32 {
    if !(0xd800..0xdc00).contains(&unit) || !rest.starts_with(b"\\u") {
        return unit;
    }
    let mut after = &rest[2..];
    match digits(&mut after, 16, 4..=4) {
        Ok(low) if (0xdc00..0xe000).contains(&low) => {
            *rest = after;
            0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
        }
        _ => unit,
    }
}

/// Appends a character; half a surrogate pair becomes U+FFFD.
fn push_char(code: u32, out: &mut Vec<u8>) {
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Removes as many digits from the front of `rest` as `count` allows. Fails if there are fewer.
fn digits(rest: &mut &[u8], radix: u32, count: std::ops::RangeInclusive<usize>) -> Result<u32, Problem> {
    let digit = |byte: &u8| char::from(*byte).to_digit(radix);
    let found = rest.iter().take(*count.end()).map_while(digit);
    let (number, len) = found.fold((0, 0), |(number, len), digit| (number * radix + digit, len + 1));
    if len < *count.start() {
        return Err(Problem::BadText);
    }
    *rest = &rest[len..];
    Ok(number)
}

/// Python reads `\777` as `\377`.
fn low_byte(number: u32) -> u8 {
    number.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_string(text: &[u8], want: Result<&[u8], Problem>) {
        let mut out = Vec::new();
        let got = decode_string(text, &mut out).map(|()| out.as_slice());
        assert_eq!(got, want, "{}", text.escape_ascii());
    }

    #[track_caller]
    fn check_unicode(line: &[u8], want: Result<&str, Problem>) {
        let mut out = Vec::new();
        let got = decode_unicode(line, &mut out).map(|()| str::from_utf8(&out).unwrap());
        assert_eq!(got, want, "{}", line.escape_ascii());
    }

    #[test]
    fn string_escapes_are_pythons() {
        check_string(b"a.b\xff", Ok(b"a.b\xff"));
        check_string(br#"\\\'\"\n\t\r\a\b\v\f"#, Ok(b"\\'\"\n\t\r\x07\x08\x0b\x0c"));
        check_string(br"\x41\xfFg\0\18\1234\777", Ok(b"A\xffg\0\x018S4\xff"));
        check_string(br"\q\", Err(Problem::BadText));
        check_string(br"\q", Ok(br"\q"));
        check_string(br"\x4", Err(Problem::BadText));
        check_string(br"\x4g", Err(Problem::BadText));
    }

    #[test]
    fn unicode_escapes_are_pythons() {
        check_unicode(b"a.b", Ok("a.b"));
        check_unicode(b"\xe9.\\u65e5\\U0001f600", Ok("é.日😀"));
        check_unicode(br"\ud83d\ude00\ud83d\ud83dx\udc00", Ok("😀\u{fffd}\u{fffd}x\u{fffd}"));
        check_unicode(br"\n\\u0041\\\u0041\", Ok(r"\n\\u0041\\A\"));
        for line in [&br"\u"[..], br"\u123", br"\u123g", br"\U0000004", br"\U00110000"] {
            check_unicode(line, Err(Problem::BadText));
        }
    }
}
