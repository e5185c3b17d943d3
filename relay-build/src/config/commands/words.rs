//! The words of a command and the separators between them.
//!
//! Each word has its place in the text, for messages.

use std::ops::Range;

/// A word, or a separator: two adjacent spaces, or the word `##`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) range: Range<usize>,
}

pub(super) const SEPARATOR: &str = "##";

impl Word {
    pub(super) fn is_separator(&self) -> bool {
        self.text == SEPARATOR
    }
}

/// The words of a command.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if !c.is_whitespace() {
            start.get_or_insert(at);
            at += c.len_utf8();
            continue;
        }
        end_word(text, start.take(), at, &mut words);
        if text[at..].starts_with("  ") {
            words.push(Word { text: SEPARATOR.to_owned(), range: at..at + 2 });
            at += 2;
        } else {
            at += c.len_utf8();
        }
    }
    end_word(text, start, at, &mut words);
    words
}

fn end_word(text: &str, start: Option<usize>, end: usize, words: &mut Vec<Word>) {
    if let Some(start) = start {
        words.push(Word { text: text[start..end].to_owned(), range: start..end });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_spaces_are_separators() {
        let of = |text: &str| words(text).into_iter().map(|word| word.text).collect::<Vec<_>>();
        assert_eq!(of("a b  c"), ["a", "b", "##", "c"]);
        assert_eq!(of("a   b"), ["a", "##", "b"]);
        assert_eq!(of("a    b"), ["a", "##", "##", "b"]);
        assert_eq!(of(" a\tb "), ["a", "b"]);
        assert_eq!(of(""), [""; 0]);
    }
}
