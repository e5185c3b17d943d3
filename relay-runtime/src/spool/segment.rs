//! One file of a spool: records one after another, named after its first line.
//!
//! Finds records in it; reading lines is left to `reader`.

use super::{
    record::{HEADER_BYTES, Header, MAGIC},
    store::Store,
};
use std::io;

/// The suffix of file names.
const SUFFIX: &str = ".spool";

/// The distance between remembered places, in bytes, so that reading can start near any line.
const MARK_BYTES: u64 = 1024 * 1024;

/// How many bytes are searched at a time for the next valid record.
const SEARCH_BYTES: usize = 64 * 1024;

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The number of its first line, as in its name.
    pub(super) first: u64,
    /// The number after that of its last line.
    pub(super) end: u64,
    /// Its size in bytes.
    pub(super) bytes: u64,
    /// When its last record was appended, in seconds since 1970.
    pub(super) newest_s: u64,
    /// Whether it ends with damage, so that nothing is appended to it any more.
    pub(super) is_closed: bool,
    /// Whether some of it could not be read, so that it is kept even when all of its lines are committed.
    pub(super) is_unreadable: bool,
    /// Some of its records: the number of the first line, and the offset.
    marks: Vec<(u64, u64)>,
}

impl Segment {
    /// An empty file.
    pub(super) const fn new(first: u64) -> Self {
        Self {
            first,
            end: first,
            bytes: 0,
            newest_s: 0,
            is_closed: false,
            is_unreadable: false,
            marks: Vec::new(),
        }
    }

    /// The name of the file. Names sort in the order of lines.
    pub(super) fn name(&self) -> String {
        format!("{:020}{SUFFIX}", self.first)
    }

    /// The number in the name of a file, if it is one of ours.
    pub(super) fn number_of(name: &str) -> Option<u64> {
        let digits = name.strip_suffix(SUFFIX)?;
        (digits.len() == 20).then(|| digits.parse().ok())?
    }

    /// The name of the file for its damaged bytes.
    pub(super) fn aside(&self) -> String {
        format!("{:020}.damaged", self.first)
    }

    /// Remembers the offset of a record.
    pub(super) fn mark(&mut self, sequence: u64, offset: u64) {
        if offset >= self.marks.last().map_or(0, |(_, last)| *last) + MARK_BYTES {
            self.marks.push((sequence, offset));
        }
    }

    /// The offset of a record at or before a line, and not far before.
    pub(super) fn offset_near(&self, sequence: u64) -> u64 {
        let after = self.marks.partition_point(|(first, _)| *first <= sequence);
        after.checked_sub(1).map_or(0, |at| self.marks[at].1)
    }

    /// Reads the headers of a file. `None` if no record fits the name.
    pub(super) fn survey(store: &mut dyn Store, first: u64, bytes: u64) -> io::Result<Option<Found>> {
        let mut segment = Self { bytes, ..Self::new(first) };
        let (mut place, mut last) = (Place { offset: 0, next: first }, None);
        while let Some((at, header)) = next_record(store, &segment.name(), place, place.offset)? {
            segment.mark(header.sequence, at);
            segment.end = header.end().max(segment.end);
            segment.newest_s = header.time_s;
            place = Place { offset: at + header.record_bytes(), next: segment.end };
            last = Some((at, header));
        }
        let Some((at, header)) = last else { return Ok(None) };
        // A loss of power can leave a header without its lines, as zeros at the end of the file, so the last
        // record is checked now. All others are checked when they are read.
        let is_sound = is_sound(store, &segment.name(), at, &header)?;
        segment.is_closed = !is_sound || place.offset != bytes;
        Ok(Some(Found { segment, known_bytes: place.offset.min(bytes) }))
    }
}

/// The result of surveying a file.
pub(super) struct Found {
    pub(super) segment: Segment,
    /// Where its last record ends. What the bytes after it were is unknown.
    pub(super) known_bytes: u64,
}

/// A place at which a record ends, and the number that the next line must have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) next: u64,
}

impl Place {
    /// Whether a record at `at`, here or after damage, can belong to this file. Each lost line had at least a
    /// byte, so a header that skips more lines than that is from elsewhere: an old file of which the disk kept
    /// a block.
    pub(super) const fn leads_to(self, at: u64, header: &Header) -> bool {
        header.sequence.saturating_sub(self.next) <= at.saturating_sub(self.offset)
    }
}

/// The first valid header at or after `from` that follows `place`, and its offset.
pub(super) fn next_record(
    store: &mut dyn Store,
    name: &str,
    place: Place,
    mut from: u64,
) -> io::Result<Option<(u64, Header)>> {
    let header_at = |at: u64, bytes: &[u8]| Header::decode(bytes).filter(|header| place.leads_to(at, header));
    let mut header = [0; HEADER_BYTES];
    let got = store.read_at(name, from, &mut header)?;
    if let Some(header) = header_at(from, &header[..got]) {
        return Ok(Some((from, header)));
    }
    let mut buffer = vec![0; SEARCH_BYTES];
    loop {
        let got = store.read_at(name, from, &mut buffer)?;
        for start in memchr::memmem::find_iter(&buffer[..got], &MAGIC) {
            let at = from + start as u64;
            if let Some(header) = header_at(at, &buffer[start..got]) {
                return Ok(Some((at, header)));
            }
        }
        if got < buffer.len() {
            return Ok(None);
        }
        // A header may be split by the edge of the buffer.
        from += (buffer.len() - HEADER_BYTES) as u64;
    }
}

fn is_sound(store: &mut dyn Store, name: &str, at: u64, header: &Header) -> io::Result<bool> {
    let mut lines = vec![0; header.bytes as usize];
    let got = store.read_at(name, at + HEADER_BYTES as u64, &mut lines)?;
    Ok(header.fits(&lines[..got]))
}
