//! Finds out what is in a spool's directory, without changing anything.
//!
//! Neither names nor positions are trusted alone: a file counts if a record in it agrees with its name.
//! Everything else is foreign, and [`Survey::set_aside`] renames it when the spool is opened.

use super::{
    position,
    reader::set_aside,
    segment::{Found, Segment},
    store::Store,
};
use std::{collections::VecDeque, io, ops::Range};

/// The result.
#[derive(Debug)]
pub(super) struct Survey {
    /// The valid files, in order.
    pub(super) segments: VecDeque<Segment>,
    /// Lines before this one are committed.
    pub(super) committed: u64,
    /// The number after that of the last line.
    pub(super) end: u64,
    /// Files without a record that fits their names.
    strangers: Vec<(Segment, u64)>,
    /// Bytes after the last record of a file.
    tails: Vec<(Segment, Range<u64>)>,
}

/// The number of lines and bytes of a spool. Changes nothing and locks nothing.
#[cfg(feature = "tools")]
pub(crate) fn count(store: &mut dyn Store) -> io::Result<(u64, u64)> {
    let survey = Survey::of(store)?;
    Ok((survey.lines(), survey.bytes()))
}

impl Survey {
    pub(super) fn of(store: &mut dyn Store) -> io::Result<Self> {
        let files = store.list()?.into_iter();
        let mut files: Vec<_> =
            files.filter_map(|(name, bytes)| Some((Segment::number_of(&name)?, bytes))).collect();
        files.sort_unstable();
        let (mut segments, mut strangers, mut tails) = (VecDeque::<Segment>::new(), Vec::new(), Vec::new());
        for (first, bytes) in files {
            let Some(Found { segment, known_bytes }) = Segment::survey(store, first, bytes)? else {
                strangers.push((Segment::new(first), bytes));
                continue;
            };
            if known_bytes < bytes {
                tails.push((segment.clone(), known_bytes..bytes));
            }
            // What its headers claim ends where the next file begins.
            if let Some(before) = segments.back_mut() {
                before.end = before.end.min(first);
            }
            segments.push_back(segment);
        }
        let first = segments.front().map_or(0, |segment| segment.first);
        let last_end = segments.back().map_or(0, |segment| segment.end);
        let committed = position::load(store)?.unwrap_or(first).max(first);
        // Committed lines are missing at the end: numbers continue after them, which the file itself cannot
        // show.
        if let Some(last) = segments.back_mut() {
            last.is_closed |= committed > last_end;
        }
        Ok(Self { segments, committed, end: last_end.max(committed), strangers, tails })
    }

    /// The number of lines that are not committed.
    pub(super) const fn lines(&self) -> u64 {
        self.end - self.committed
    }

    /// The bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Sets aside what belongs to no known line. Returns the number of its bytes.
    pub(super) fn set_aside(&mut self, store: &mut dyn Store) -> io::Result<u64> {
        let mut bytes = 0;
        for (stranger, stranger_bytes) in self.strangers.drain(..) {
            bytes += stranger_bytes;
            if stranger_bytes > 0 {
                store.rename(&stranger.name(), &stranger.aside())?;
            } else {
                store.remove(&stranger.name())?;
            }
        }
        for (segment, tail) in self.tails.drain(..) {
            if !set_aside(store, &segment, tail.clone())? {
                continue;
            }
            bytes += tail.end - tail.start;
            store.truncate(&segment.name(), tail.start)?;
            for cut in self.segments.iter_mut().filter(|one| one.first == segment.first) {
                cut.bytes = tail.start;
            }
        }
        Ok(bytes)
    }
}
