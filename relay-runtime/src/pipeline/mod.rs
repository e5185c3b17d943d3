//! From bytes to chunks: what one worker does with the lines that it reads.
//!
//! For each line it finds the end and the fields (`scan`), decides whether the line is valid (`shape`,
//! otherwise the [`Validator`](crate::validate::Validator)) and in order, passes it through the table
//! (`decision`), and adds it to what is gathered for its destinations (`placing`, after `deferred` if a hash
//! has to be computed).
//!
//! The loop is compiled once for each table, with the table's `dispatch` inlined. What the loop calls rarely is
//! in `common` and compiled once for all tables. The engine knows the loop only as [`LinePipeline`], which it
//! calls once per read.
//!
//! There are no sockets and no clock here.

mod common;
mod decision;
mod deferred;
mod lanes;
mod placing;
mod scan;
mod shape;

use crate::{
    aggregate::Shared,
    dispatch::{Dispatch, DynDispatch as _, Scratch},
    gather::{Gathered, SetId},
    select::Liveness,
    table::Table,
    validate::Reason,
};
use common::Common;
use decision::{Decision, End, Outcome};
use placing::{Placer, Text};
use scan::Scanner;
use shape::Fields;
use std::{ops::Range, sync::Arc};

/// A worker's pipeline from bytes to chunks.
pub trait LinePipeline: Send {
    /// Processes the whole lines at the start of `bytes`; returns how many bytes those are. The rest is the
    /// start of a line, or begins with a line that is too long. In the latter case it is longer than the limit,
    /// and the caller must close the stream.
    fn take_lines(&mut self, bytes: &[u8], now_s: u64, gathered: &mut Gathered) -> usize;

    /// Processes the last line of a datagram, or of a stream that ended cleanly: not empty, without LF, within
    /// the limit.
    fn take_last_line(&mut self, line: &[u8], now_s: u64, gathered: &mut Gathered);

    /// Passes whole lines that aggregators emitted, with three fields each, through the routes. Only called if
    /// there are aggregators.
    fn take_emitted(&mut self, bytes: &[u8], gathered: &mut Gathered) {
        let _ = (bytes, gathered);
    }

    /// The open buckets, if there are aggregators.
    fn aggregation(&self) -> Option<Arc<Shared>> {
        None
    }

    /// Limits the memory in which names are remembered for aggregators. Must be called before the first line.
    fn bound_names(&mut self, bytes_max: usize) {
        let _ = bytes_max;
    }

    /// A pipeline for another worker. The two share the order check and the open buckets, and nothing else.
    fn for_another_worker(&self) -> Box<dyn LinePipeline>;
}

/// The pipeline for one table.
#[derive(Debug)]
pub struct Pipeline<D> {
    dispatch: Arc<D>,
    scratch: Scratch,
    common: Common,
}

impl<D: Dispatch> Pipeline<D> {
    /// A pipeline for `table`, which `dispatch` implements, and in which no variable is open. `line_bytes_max`
    /// limits a line without its LF.
    #[must_use]
    pub fn new(dispatch: Arc<D>, table: &Table, line_bytes_max: usize, liveness: Liveness) -> Self {
        Self { dispatch, scratch: Scratch::default(), common: Common::new(table, line_bytes_max, liveness) }
    }

    /// Processes any line. `line` is its range in the input, without LF.
    #[inline(never)]
    fn take_any(&mut self, line: Range<usize>, now_s: u64, placer: &mut Placer<'_>, gathered: &mut Gathered) {
        let bytes = placer.bytes;
        let Some(checked) = self.common.check(&bytes[line.clone()], now_s, gathered) else { return };
        // The last line of a stream has no LF that could be sent with it.
        let has_end = line.end < bytes.len();
        let verbatim = (checked.canonical && has_end).then_some(line.start..line.end + 1);
        let fields = [checked.name, checked.value, checked.timestamp.as_bytes()];
        self.take_valid(fields, verbatim, placer, gathered);
    }

    /// Processes a valid line. `verbatim` is its range with LF, if it can be sent as it is.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the innermost loop; the other caller is not inlined into it")]
    fn take_valid(
        &mut self,
        fields: [&[u8]; 3],
        verbatim: Option<Range<usize>>,
        placer: &mut Placer<'_>,
        gathered: &mut Gathered,
    ) {
        let Common { selectors, memory, aggregation, .. } = &mut self.common;
        let mut decision = Decision::new(&mut gathered.counts, selectors, memory, aggregation);
        self.dispatch.dispatch(fields[0], &mut self.scratch, &mut decision);
        let outcome = decision.outcome();
        if outcome.is_aggregated {
            let dispatch = &self.dispatch;
            self.common.aggregate(&fields, &outcome, &|at, name, out| dispatch.output(at, name, out));
        }
        if !outcome.is_routed || outcome.end != End::Routes {
            return count_unrouted(outcome.end, fields[0], gathered);
        }
        gathered.counts.routed += 1;
        match (verbatim, outcome) {
            (
                Some(line),
                Outcome { is_rewritten: false, deferred: None, has_more: false, first: Some(first), .. },
            ) => placer.place(SetId::single(first), &Text::Verbatim(line), gathered),
            (verbatim, outcome) => self.common.place_any(fields, verbatim, outcome, placer, gathered),
        }
    }
}

impl<D: Dispatch + 'static> LinePipeline for Pipeline<D> {
    fn take_lines(&mut self, bytes: &[u8], now_s: u64, gathered: &mut Gathered) -> usize {
        self.common.begin(now_s);
        let mut scanner = Scanner::new(bytes);
        let mut placer = Placer::new(bytes);
        let (mut start, mut lines) = (0, 0);
        while let Some(found) = next_line(&mut scanner, bytes, start) {
            if found.end - start > self.common.admission.line_bytes_max() {
                break;
            }
            lines += 1;
            match found.fields {
                Some(fields) if self.common.is_fine(bytes, fields, &scanner) => {
                    let verbatim = (fields.end == found.end).then_some(start..found.end + 1);
                    self.take_valid(fields.of(bytes), verbatim, &mut placer, gathered);
                }
                _ => self.take_any(start..found.end, now_s, &mut placer, gathered),
            }
            start = found.end + 1;
        }
        gathered.counts.received += lines;
        self.common.finish(&mut placer, gathered);
        start
    }

    fn take_last_line(&mut self, line: &[u8], now_s: u64, gathered: &mut Gathered) {
        self.common.begin(now_s);
        let mut placer = Placer::new(line);
        gathered.counts.received += 1;
        self.take_any(0..line.len(), now_s, &mut placer, gathered);
        self.common.finish(&mut placer, gathered);
    }

    fn take_emitted(&mut self, bytes: &[u8], gathered: &mut Gathered) {
        if self.common.aggregation.is_none() {
            return;
        }
        let mut placer = Placer::new(bytes);
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            let line = start..end + 1;
            if let Some(fields) = common::fields_of(&bytes[start..end]) {
                gathered.counts.emitted += 1;
                let Common { selectors, memory, aggregation, .. } = &mut self.common;
                let mut decision = Decision::new(&mut gathered.counts, selectors, memory, aggregation);
                // Too rare to be compiled for each relay.
                self.dispatch.route_dyn(fields[0], &mut self.scratch, &mut decision);
                let outcome = decision.outcome();
                gathered.counts.emitted_unroutable += u64::from(!outcome.is_routed);
                self.common.place_any(fields, Some(line), outcome, &mut placer, gathered);
            }
            start = end + 1;
        }
        self.common.finish(&mut placer, gathered);
    }

    fn aggregation(&self) -> Option<Arc<Shared>> {
        self.common.aggregation.as_ref().map(|intake| Arc::clone(intake.shared()))
    }

    fn bound_names(&mut self, bytes_max: usize) {
        if let Some(intake) = &mut self.common.aggregation {
            intake.bound_names(bytes_max);
        }
    }

    fn for_another_worker(&self) -> Box<dyn LinePipeline> {
        let Self { dispatch, common, .. } = self;
        let (dispatch, common) = (Arc::clone(dispatch), common.for_another_worker());
        Box::new(Self { dispatch, scratch: Scratch::default(), common })
    }
}

/// A whole line.
struct Found {
    /// The position of its LF.
    end: usize,
    /// The fields, if the line's marks are those of a usual line.
    fields: Option<Fields>,
}

/// The line that starts at `start`, where the last one ended.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the innermost loop")]
fn next_line(scanner: &mut Scanner<'_>, bytes: &[u8], start: usize) -> Option<Found> {
    let name_end = scanner.next_mark()?;
    if bytes[name_end] != b' ' {
        return line_ending_after(scanner, bytes, name_end);
    }
    let value_end = scanner.next_mark()?;
    if bytes[value_end] != b' ' {
        return line_ending_after(scanner, bytes, value_end);
    }
    let end = scanner.next_mark()?;
    let fields = Some(Fields { start, name_end, value_end, end });
    match bytes[end] {
        b'\n' => Some(Found { end, fields }),
        b'\r' if bytes.get(end + 1) == Some(&b'\n') => {
            scanner.next_mark();
            Some(Found { end: end + 1, fields })
        }
        _ => line_ending_after(scanner, bytes, end),
    }
}

/// The line that ends with the first LF at or after `mark`.
#[inline(never)]
fn line_ending_after(scanner: &mut Scanner<'_>, bytes: &[u8], mark: usize) -> Option<Found> {
    let mut end = mark;
    while bytes[end] != b'\n' {
        end = scanner.next_mark()?;
    }
    Some(Found { end, fields: None })
}

#[cold]
fn count_unrouted(end: End, name: &[u8], gathered: &mut Gathered) {
    let counts = &mut gathered.counts;
    match end {
        End::Routes => counts.unroutable += 1,
        End::Blocked => counts.blocked += 1,
        End::Hidden => counts.aggregated_away += 1,
        End::Unusable => {
            counts.invalid[Reason::RewrittenName as usize] += 1;
            gathered.refusals.note(Reason::RewrittenName, name);
        }
    }
}
