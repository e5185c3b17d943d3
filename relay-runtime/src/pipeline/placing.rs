//! Puts routed lines into the chunks of their destinations.
//!
//! A line that is sent as it came is not copied at once: as long as the lines after it go to the same set, they
//! form one run, which is copied in one piece. Adding anything else first flushes the run, so no line overtakes
//! another of its series.

use crate::{
    gather::{CHUNK_BYTES, Gathered, SetId, Together},
    table::DestinationIndex,
};
use std::ops::Range;

/// The bytes that are added for a line.
#[derive(Clone, Debug)]
pub(super) enum Text<'a> {
    /// This range of the input, LF included.
    Verbatim(Range<usize>),
    /// Other bytes, LF included.
    Whole(&'a [u8]),
    /// The fields, to be joined.
    Composed([&'a [u8]; 3]),
}

/// Adds lines of one input to what is gathered.
#[derive(Debug)]
pub(super) struct Placer<'a> {
    pub(super) bytes: &'a [u8],
    run: Range<usize>,
    run_lines: u32,
    run_set: SetId,
}

impl<'a> Placer<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, run: 0..0, run_lines: 0, run_set: SetId::single(DestinationIndex(0)) }
    }

    /// Adds a line for one set.
    #[inline]
    pub(super) fn place(&mut self, set: SetId, text: &Text<'_>, gathered: &mut Gathered) {
        match text {
            Text::Verbatim(line) => {
                let extends = set == self.run_set && line.start == self.run.end;
                if extends && line.end - self.run.start <= CHUNK_BYTES {
                    self.run.end = line.end;
                    self.run_lines += 1;
                } else {
                    self.flush(gathered);
                    self.run = line.clone();
                    self.run_lines = 1;
                    self.run_set = set;
                }
            }
            Text::Whole(line) => {
                self.flush(gathered);
                gathered.add(set, line, 1);
            }
            Text::Composed(fields) => {
                self.flush(gathered);
                gathered.add_fields(set, *fields);
            }
        }
    }

    /// Adds a line for several destinations. If `is_apart`, adds it for each one separately: this is necessary
    /// if the next line of its series may have other destinations, because the two could otherwise be in
    /// different chunks.
    pub(super) fn place_for(
        &mut self,
        destinations: &[DestinationIndex],
        is_apart: bool,
        text: &Text<'_>,
        gathered: &mut Gathered,
    ) {
        let together =
            if is_apart && destinations.len() > 1 { Together::No } else { gathered.set_of(destinations) };
        match together {
            Together::As(set) => self.place(set, text, gathered),
            Together::No => {
                for &destination in destinations {
                    self.place(SetId::single(destination), text, gathered);
                }
            }
        }
    }

    /// Adds the current run to the chunk of its set.
    #[inline]
    pub(super) fn flush(&mut self, gathered: &mut Gathered) {
        if self.run_lines > 0 {
            gathered.add(self.run_set, &self.bytes[self.run.clone()], self.run_lines);
            self.run_lines = 0;
        }
    }
}
