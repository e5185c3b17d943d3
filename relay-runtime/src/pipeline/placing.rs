//! Putting routed lines into the chunks of their destinations.
//!
//! A line that is sent as it came is not copied at once: as long as the lines that follow it go to the same
//! set, they wait as one run, and move as one copy. Whatever is added in another way lets the run go first,
//! so that no line overtakes another of its series.

use crate::{
    gather::{CHUNK_BYTES, Gathered, SetId, Together},
    table::DestinationIndex,
};
use std::ops::Range;

/// What is added for a line.
#[derive(Clone, Debug)]
pub(super) enum Text<'a> {
    /// These bytes of the input, LF included.
    Verbatim(Range<usize>),
    /// Other bytes, LF included.
    Whole(&'a [u8]),
    /// To be put together from its fields.
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

    /// Adds a line for several destinations; for each by itself if it `is_apart`, as it must be where the next line of its
    /// series may have others and so must not wait in another chunk than this one.
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

    /// Lets the run go.
    #[inline]
    pub(super) fn flush(&mut self, gathered: &mut Gathered) {
        if self.run_lines > 0 {
            gathered.add(self.run_set, &self.bytes[self.run.clone()], self.run_lines);
            self.run_lines = 0;
        }
    }
}
