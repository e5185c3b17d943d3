//! The other end of a connection: what the relay's kernel accepted, what arrived, what the peer's program read.
//!
//! It only records; [`super::world`] decides what happens.

use super::Kind;

/// One connection as the peer sees it.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// The bytes that the relay's kernel accepted.
    pub(super) taken: Vec<u8>,
    /// How many of them arrived.
    pub(super) acknowledged: usize,
    /// How many of them the relay knows to have arrived.
    pub(super) heard: usize,
    /// How many of them the peer's program read.
    pub(super) read: usize,
    /// Nothing arrives any more, and there is no error.
    pub(super) is_black_hole: bool,
}

impl Connection {
    /// What the relay's kernel would answer if it were asked.
    pub(super) const fn outstanding(&self) -> usize {
        self.taken.len() - self.acknowledged
    }

    /// The lines that are complete within the first `end` bytes, each with the position after it. In pickles,
    /// names are searched for in complete frames.
    pub(super) fn lines(&self, end: usize, kind: Kind) -> Vec<(u32, usize)> {
        let taken = &self.taken[..end];
        if kind == Kind::Pickle { of_frames(taken) } else { of_text(taken) }
    }
}

fn of_text(taken: &[u8]) -> Vec<(u32, usize)> {
    let ends = memchr::memchr_iter(b'\n', taken);
    let mut start = 0;
    ends.map(|end| {
        let line = &taken[start..end];
        start = end + 1;
        (number(std::str::from_utf8(line).unwrap()), end + 1)
    })
    .collect()
}

fn of_frames(taken: &[u8]) -> Vec<(u32, usize)> {
    let (mut rest, mut lines) = (taken, Vec::new());
    while let Some((length, after)) = rest.split_first_chunk()
        && let Some((frame, after)) = after.split_at_checked(u32::from_be_bytes(*length) as usize)
    {
        let text = String::from_utf8_lossy(frame);
        let end = taken.len() - after.len();
        lines.extend(text.split('n').filter_map(|part| Some((number(part.split_once('.')?.0), end))));
        rest = after;
    }
    lines
}

/// The number of a line, which must be neither torn nor glued to another.
fn number(line: &str) -> u32 {
    let (number, filling) = line.split_once(':').expect("a line has its colon");
    let number: u32 = number.parse().expect("a line starts with its number");
    assert_eq!(filling, "x".repeat(number as usize % 11), "line {number} is torn or glued");
    number
}
