//! Lines to measure with, to compare by, or to choose strategies for: from a file, or made from the rules.

use crate::{
    analyses::samples::{Random, Subject},
    digest::sha256,
};
use relay_runtime::table::Table;
use ruzstd::decoding::StreamingDecoder;
use std::{
    fmt::Write as _,
    fs,
    io::{self, Read as _},
    path::Path,
};

/// Rules beyond this many are represented by a selection.
const SUBJECTS_MAX: usize = 2_000;

/// What a Zstandard frame begins with (RFC 8878, 3.1.1).
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// More than this is no corpus but an accident.
const BYTES_MAX: u64 = 4 << 30;

/// Lines, each with its LF.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The file that they come from.
    pub file: Option<String>,
    /// All of them.
    pub text: Vec<u8>,
}

/// A file of lines as it is, or what it holds if it is compressed as `relay record` does.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = fs::read(path)?;
    if !bytes.starts_with(&ZSTD_MAGIC) {
        return Ok(bytes);
    }
    let (mut rest, mut text) = (bytes.as_slice(), Vec::new());
    while !rest.is_empty() {
        let frame = StreamingDecoder::new(&mut rest).map_err(io::Error::other)?;
        let left = BYTES_MAX - text.len() as u64;
        if frame.take(left).read_to_end(&mut text)? as u64 == left {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "more than 4 GiB of lines"));
        }
    }
    Ok(text)
}

impl Corpus {
    /// The lines of a file, which may be compressed: see [`Corpus::of_file`].
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(Self::of_file(&path.display().to_string(), &read_file(path)?))
    }

    /// The lines of a file. When every one of them is only a name, each is completed with a value and a timestamp.
    #[must_use]
    pub fn of_file(path: &str, bytes: &[u8]) -> Self {
        let lines = || bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let is_name = |line: &[u8]| !line.trim_ascii().iter().any(u8::is_ascii_whitespace);
        let mut text = Vec::with_capacity(bytes.len() + 1);
        if lines().all(is_name) {
            for line in lines() {
                text.extend_from_slice(line.trim_ascii());
                text.extend_from_slice(b" 1 1700000000\n");
            }
        } else {
            text.extend_from_slice(bytes);
            if text.last().is_some_and(|last| *last != b'\n') {
                text.push(b'\n');
            }
        }
        Self { file: Some(path.to_owned()), text }
    }

    /// Lines made from the rules: see [`generated_lines`].
    #[must_use]
    pub fn generated(table: &Table, lines: usize, seed: u64) -> Self {
        Self { file: None, text: generated_lines(table, lines, seed).into_bytes() }
    }

    /// Whether there is nothing to measure.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The digest of the lines.
    #[must_use]
    pub fn sha256(&self) -> String {
        sha256(&self.text)
    }
}

/// Hits and near misses of each rule in turn; a table without rules gets any names.
#[must_use]
pub fn generated_lines(table: &Table, lines: usize, seed: u64) -> String {
    let mut random = Random::new(seed);
    let mut subjects = Subject::of_table(table);
    if subjects.len() > SUBJECTS_MAX {
        let (step, mut at) = (subjects.len().div_ceil(SUBJECTS_MAX), 0);
        subjects.retain(|_| {
            at += 1;
            (at - 1) % step == 0
        });
    }
    if subjects.is_empty() {
        subjects.extend(Subject::new(&relay_runtime::table::Matcher::default()));
    }
    let count = subjects.len();
    let mut text = String::new();
    let (mut made, mut failed) = (0, 0);
    // A rule that nothing matches makes no line; a table of only such rules makes none at all.
    for at in 0.. {
        if made == lines || failed > 2 * count {
            break;
        }
        let subject = &mut subjects[at % count];
        let is_hit = (at / count).is_multiple_of(2);
        let name = if is_hit { subject.hit(&mut random) } else { subject.near_miss(&mut random) };
        let Some(name) = name.or_else(|| subject.hit(&mut random)) else {
            failed += 1;
            continue;
        };
        let (value, fraction, second) = (random.below(1_000), random.below(1_000), random.below(1_000));
        let written = writeln!(text, "{name} {value}.{fraction:03} 1700000{second:03}");
        debug_assert!(written.is_ok(), "a string takes everything");
        (made, failed) = (made + 1, 0);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_runtime::table::Matcher;

    #[test]
    fn names_are_completed_and_lines_are_left_alone() {
        assert_eq!(Corpus::of_file("x", b"a.b\n\nc\r\n").text, b"a.b 1 1700000000\nc 1 1700000000\n");
        assert_eq!(Corpus::of_file("x", b"a.b 1 2\nc").text, b"a.b 1 2\nc\n");
        assert!(Corpus::of_file("x", b"").is_empty());
    }

    #[test]
    fn half_of_the_lines_hit_and_a_seed_gives_them_again() {
        let rule = |text: &str| Matcher { prefix: Some(text.to_owned()), ..Matcher::default() };
        let table = Table { blocklist: vec![rule("debug."), rule("test.")], ..Table::default() };
        let text = generated_lines(&table, 400, 5);
        assert_eq!(text.lines().count(), 400);
        let hits =
            text.lines().filter(|line| line.starts_with("debug.") || line.starts_with("test.")).count();
        assert_eq!(hits, 200);
        assert_eq!(text, generated_lines(&table, 400, 5));
        assert_ne!(text, generated_lines(&table, 400, 6));
        assert_eq!(generated_lines(&Table::default(), 10, 1).lines().count(), 10);
    }

    #[test]
    fn rules_that_nothing_matches_make_no_line() {
        let never =
            Matcher { prefix: Some("a".to_owned()), not_prefix: Some("a".to_owned()), ..Matcher::default() };
        let table = Table { blocklist: vec![never], ..Table::default() };
        assert_eq!(generated_lines(&table, 10, 1), "");
    }
}
