//! Splits a line into its three fields (spec §5.1).
//!
//! White space is what Unicode defines as such, in valid UTF-8; the rest of the line may be any bytes.

/// The fields of a line, if there are exactly three: metric, value, timestamp.
pub(crate) fn split(line: &[u8]) -> Option<[&[u8]; 3]> {
    let mut rest = line;
    let mut next = || {
        rest = &rest[white_space_run(rest)..];
        let end = field_end(rest);
        let field = &rest[..end];
        rest = &rest[end..];
        field
    };
    let fields = [next(), next(), next()];
    let whole = fields.iter().all(|field| !field.is_empty()) && next().is_empty();
    whole.then_some(fields)
}

/// Whether the text contains white space. Such a text cannot be sent as a metric.
#[must_use]
pub fn has_white_space(text: &[u8]) -> bool {
    field_end(text) < text.len()
}

/// Where the first white space starts, or the length of `text`.
fn field_end(text: &[u8]) -> usize {
    (0..text.len()).find(|&at| white_space_at(&text[at..]) > 0).unwrap_or(text.len())
}

fn white_space_run(text: &[u8]) -> usize {
    let mut end = 0;
    loop {
        match white_space_at(&text[end..]) {
            0 => return end,
            bytes => end += bytes,
        }
    }
}

/// The length in bytes of the white space character at the start of `text`; 0 if there is none.
///
/// Characters outside ASCII are recognised by their bytes. That gives the same result as decoding: they are
/// valid sequences, and a valid sequence cannot start inside another.
fn white_space_at(text: &[u8]) -> usize {
    match text {
        [b'\t'..=b'\r' | b' ', ..] => 1,
        [0xc2, 0x85 | 0xa0, ..] => 2,
        [0xe1, 0x9a, 0x80, ..]
        | [0xe2, 0x80, 0x80..=0x8a | 0xa8 | 0xa9 | 0xaf, ..]
        | [0xe2, 0x81, 0x9f, ..]
        | [0xe3, 0x80, 0x80, ..] => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &[u8], want: Option<[&str; 3]>) {
        assert_eq!(split(line), want.map(|fields| fields.map(str::as_bytes)));
    }

    #[test]
    fn any_run_of_white_space_parts_fields() {
        check(b"a 1 2", Some(["a", "1", "2"]));
        check(b" \ta\x0b1\x0c\r2\n ", Some(["a", "1", "2"]));
        check("a\u{a0}1\u{3000}\u{2028}2\u{85}".as_bytes(), Some(["a", "1", "2"]));
    }

    #[test]
    fn three_fields_it_must_be() {
        for line in [&b""[..], b" ", b"a", b"a 1", b"a 1 2 3"] {
            check(line, None);
        }
    }

    #[test]
    fn stray_bytes_of_white_space_characters_are_text() {
        check(b"a\x851\xa02", None);
        assert_eq!(split(b"\xa0 \x85 \xe2\x80"), Some([&b"\xa0"[..], b"\x85", b"\xe2\x80"]));
    }

    #[test]
    fn agrees_with_the_standard_library_on_characters() {
        for character in (0..=0x1_ffff).filter_map(char::from_u32) {
            let text = character.to_string();
            assert_eq!(has_white_space(text.as_bytes()), character.is_whitespace(), "{character:?}");
        }
    }
}
