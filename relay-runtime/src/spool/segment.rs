//! One file of a spool: records one after another, named after its first line.

use super::{
    record::{HEADER_BYTES, Header, MAGIC},
    store::Store,
};
use std::io;

/// How file names end.
const SUFFIX: &str = ".spool";

/// Places are remembered so far apart, so that reading can start near any line.
const MARK_BYTES: u64 = 1024 * 1024;

/// How much is looked through at a time for the next sound record.
const SEARCH_BYTES: usize = 64 * 1024;

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    /// The number of its first line, which its name says.
    pub(super) first: u64,
    /// The number of the line after its last.
    pub(super) end: u64,
    /// Its size.
    pub(super) bytes: u64,
    /// When its last record was appended, seconds since 1970.
    pub(super) newest_s: u64,
    /// Some of its records: the number of the first line, and the place.
    marks: Vec<(u64, u64)>,
}

impl Segment {
    /// An empty one.
    pub(super) const fn new(first: u64) -> Self {
        Self { first, end: first, bytes: 0, newest_s: 0, marks: Vec::new() }
    }

    /// Its file's name. Names sort like the lines.
    pub(super) fn name(&self) -> String {
        format!("{:020}{SUFFIX}", self.first)
    }

    /// The number in a file's name, if it is one of ours.
    pub(super) fn number_of(name: &str) -> Option<u64> {
        let digits = name.strip_suffix(SUFFIX)?;
        (digits.len() == 20).then(|| digits.parse().ok())?
    }

    /// Where damaged bytes of it are set aside.
    pub(super) fn aside(&self) -> String {
        format!("{:020}.damaged", self.first)
    }

    /// Notes where a record lies.
    pub(super) fn mark(&mut self, sequence: u64, offset: u64) {
        if offset >= self.marks.last().map_or(0, |(_, last)| *last) + MARK_BYTES {
            self.marks.push((sequence, offset));
        }
    }

    /// The place of a record at or before a line, and not far before.
    pub(super) fn offset_near(&self, sequence: u64) -> u64 {
        let after = self.marks.partition_point(|(first, _)| *first <= sequence);
        after.checked_sub(1).map_or(0, |at| self.marks[at].1)
    }

    /// Reads the headers of a file of `bytes`. Gives also where the last sound record ends: what follows is torn.
    pub(super) fn survey(store: &mut dyn Store, first: u64, bytes: u64) -> io::Result<(Self, u64)> {
        let mut segment = Self { bytes, ..Self::new(first) };
        let (mut offset, mut sound_end) = (0, 0);
        let mut newest = None;
        while let Some((at, header)) = next_record(store, &segment.name(), offset)? {
            offset = at + header.record_bytes();
            if offset > bytes {
                // Its lines are cut off. Whatever follows its header cannot be a record.
                break;
            }
            newest = Some((at, header));
            segment.mark(header.sequence, at);
            sound_end = offset;
            segment.end = header.end().unwrap_or(segment.end).max(segment.end);
            segment.newest_s = header.time_s;
        }
        // A loss of power can leave a header without its lines, as zeros; that is the end of the file, so only the last
        // record is suspect. All others are checked when they are read.
        if let Some((at, header)) = newest
            && !is_sound(store, &segment.name(), at, &header)?
        {
            sound_end = at;
            segment.end = header.sequence.max(first);
        }
        Ok((segment, sound_end))
    }
}

/// The first header at or after `offset` that can be trusted, and where it is.
pub(super) fn next_record(
    store: &mut dyn Store,
    name: &str,
    offset: u64,
) -> io::Result<Option<(u64, Header)>> {
    let mut header = [0; HEADER_BYTES];
    let got = store.read_at(name, offset, &mut header)?;
    if let Some(header) = Header::decode(&header[..got]) {
        return Ok(Some((offset, header)));
    }
    let (mut from, mut buffer) = (offset, vec![0; SEARCH_BYTES]);
    loop {
        let got = store.read_at(name, from, &mut buffer)?;
        for at in memchr::memmem::find_iter(&buffer[..got], &MAGIC) {
            if let Some(header) = Header::decode(&buffer[at..got]) {
                return Ok(Some((from + at as u64, header)));
            }
        }
        if got < buffer.len() {
            return Ok(None);
        }
        // A header may lie across the edge.
        from += (buffer.len() - HEADER_BYTES) as u64;
    }
}

fn is_sound(store: &mut dyn Store, name: &str, at: u64, header: &Header) -> io::Result<bool> {
    let mut lines = vec![0; header.bytes as usize];
    let got = store.read_at(name, at + HEADER_BYTES as u64, &mut lines)?;
    Ok(header.fits(&lines[..got]))
}
