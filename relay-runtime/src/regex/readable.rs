//! Text as Go's regexp reads it: each byte that is not part of valid UTF-8 becomes a U+FFFD of its own.
//!
//! Positions in the readable form can be converted back to positions in the original.

use std::borrow::Cow;

const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// The text with every invalid byte replaced by U+FFFD. Valid text is not copied.
#[must_use]
pub fn readable(text: &[u8]) -> Cow<'_, [u8]> {
    if std::str::from_utf8(text).is_ok() { Cow::Borrowed(text) } else { Cow::Owned(replace(text, |_| ())) }
}

/// Like [`readable`], with the positions in the copy at which a replacement starts, in ascending order.
pub(super) fn replacements(text: &[u8]) -> (Vec<u8>, Vec<usize>) {
    let mut starts = Vec::new();
    let copy = replace(text, |at| starts.push(at));
    (copy, starts)
}

/// Converts a position in the copy, which must lie between characters, to the position in the original.
pub(super) fn original_position(starts: &[usize], at: usize) -> usize {
    let before = starts.partition_point(|&start| start < at);
    at - before * (REPLACEMENT.len() - 1)
}

fn replace(text: &[u8], mut replaced_at: impl FnMut(usize)) -> Vec<u8> {
    let mut copy = Vec::with_capacity(text.len() + 16);
    for chunk in text.utf8_chunks() {
        copy.extend_from_slice(chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            replaced_at(copy.len());
            copy.extend_from_slice(REPLACEMENT);
        }
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invalid_byte_becomes_one_character() {
        let text = b"a\xe2\x82b\xff\xc3\xa9";
        let (copy, starts) = replacements(text);
        assert_eq!(copy, "a\u{fffd}\u{fffd}b\u{fffd}é".as_bytes());
        let positions: Vec<_> = [0, 1, 4, 7, 8, 11, 13].map(|at| original_position(&starts, at)).into();
        assert_eq!(positions, [0, 1, 2, 3, 4, 5, 7]);
    }

    #[test]
    fn valid_text_is_not_copied() {
        assert!(matches!(readable("é.cpu".as_bytes()), Cow::Borrowed(_)));
    }
}
