//! What lies in a spool's directory, found out without changing anything.
//!
//! Neither names nor positions are believed for themselves: a file counts when a record in it says the same as its name. All
//! else is somebody's, and is set aside by the one who opens the spool ([`Survey::set_aside`]).

use super::{
    position,
    reader::set_aside,
    segment::{Found, Segment},
    store::Store,
};
use std::{collections::VecDeque, io, ops::Range};

/// What was found.
#[derive(Debug)]
pub(super) struct Survey {
    /// In order.
    pub(super) segments: VecDeque<Segment>,
    /// Lines before this one are done with.
    pub(super) committed: u64,
    /// The number of the line after the last.
    pub(super) end: u64,
    /// Files without a record that fits their names.
    strangers: Vec<(Segment, u64)>,
    /// Bytes behind the last record of a file.
    tails: Vec<(Segment, Range<u64>)>,
}

/// The lines and the bytes of a spool. Nothing is changed, and nobody is kept from it.
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
            // What its headers say ends where the next file begins.
            if let Some(before) = segments.back_mut() {
                before.end = before.end.min(first);
            }
            segments.push_back(segment);
        }
        let first = segments.front().map_or(0, |segment| segment.first);
        let last_end = segments.back().map_or(0, |segment| segment.end);
        let committed = position::load(store)?.unwrap_or(first).max(first);
        // Lines that were done with are missing at the end: numbers go on after them, which a file cannot show within it.
        if let Some(last) = segments.back_mut() {
            last.is_closed |= committed > last_end;
        }
        Ok(Self { segments, committed, end: last_end.max(committed), strangers, tails })
    }

    /// Lines that wait.
    pub(super) const fn lines(&self) -> u64 {
        self.end - self.committed
    }

    /// Bytes of all files.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Keeps what belongs to no line that is known, apart from the rest. Gives the number of its bytes.
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
