//! From bytes to chunks: what one worker does with the lines that it reads.
//!
//! Per line: find its end and its fields ([`scan`]), see whether it is valid ([`shape`], else the
//! [`Validator`]), whether it is in order, take it through the table ([`decision`]), and add it to what is
//! gathered for its destinations ([`placing`], by way of [`deferred`] where a hash has to be computed).
//!
//! The loop is compiled once for each table, with the table's `dispatch` inlined. The engine knows it only as
//! [`LinePipeline`], which it calls once per read, so that the engine is compiled once.
//! No sockets and no clock.

mod decision;
mod deferred;
mod lanes;
mod placing;
mod scan;
mod shape;

use crate::{
    dispatch::{Dispatch, Scratch},
    gather::{Gathered, SetId},
    order::OrderCheck,
    select::{Liveness, Selectors},
    table::Table,
    validate::{Line, Reason, Validator, key},
};
use decision::{Decision, End, Memory, Outcome};
use deferred::Deferred;
use placing::{Placer, Text};
use scan::Scanner;
use shape::{Fields, Recogniser};
use std::{ops::Range, sync::Arc};

/// One worker's way from bytes to chunks.
pub trait LinePipeline: Send {
    /// Takes the whole lines at the start of `bytes`; returns how many bytes those were. What is left is the
    /// start of a line, or begins with a line that is too long; in the latter case it is longer than the
    /// limit, and the stream is to be refused.
    fn take_lines(&mut self, bytes: &[u8], now_s: u64, gathered: &mut Gathered) -> usize;

    /// Takes the unterminated last line of a stream that ended cleanly, or of a datagram: not empty, without
    /// LF, within the limit.
    fn take_last_line(&mut self, line: &[u8], now_s: u64, gathered: &mut Gathered);
}

/// The pipeline for one table.
#[derive(Debug)]
pub struct Pipeline<D> {
    dispatch: Arc<D>,
    recogniser: Recogniser,
    validator: Validator,
    order: Option<Arc<OrderCheck>>,
    line_bytes_max: usize,
    selectors: Selectors,
    scratch: Scratch,
    memory: Memory,
    deferred: Deferred,
}

impl<D: Dispatch> Pipeline<D> {
    /// A pipeline for `table`, which `dispatch` implements and whose templates are resolved. Lines have at
    /// most `line_bytes_max` bytes, not counting the LF.
    ///
    /// The other workers' pipelines are clones of the first one: they share the order check.
    #[must_use]
    pub fn new(dispatch: Arc<D>, table: &Table, line_bytes_max: usize, liveness: Liveness) -> Self {
        Self {
            dispatch,
            recogniser: Recogniser::new(table.validation),
            validator: Validator::new(table.validation),
            order: table.validation.order.then(|| Arc::new(OrderCheck::new())),
            line_bytes_max,
            selectors: Selectors::new(table, liveness),
            scratch: Scratch::default(),
            memory: Memory::default(),
            deferred: Deferred::default(),
        }
    }

    /// Takes a line that may be anything. `line` is its place in the input, without LF.
    #[inline(never)]
    fn take_any(&mut self, line: Range<usize>, now_s: u64, placer: &mut Placer<'_>, gathered: &mut Gathered) {
        let bytes = placer.bytes;
        match self.validator.check(&bytes[line.clone()]) {
            Err(rejected) => gathered.counts.invalid[rejected.reason as usize] += 1,
            Ok(Line { name, seconds, .. }) if !self.is_in_order(name, seconds, now_s) => {
                gathered.counts.invalid[Reason::OutOfOrder as usize] += 1;
            }
            Ok(Line { name, value, timestamp, canonical, .. }) => {
                // The last line of a stream has no LF to be sent along.
                let has_end = line.end < bytes.len();
                let verbatim = (canonical && has_end).then_some(line.start..line.end + 1);
                self.take_valid([name, value, timestamp], verbatim, placer, gathered);
            }
        }
    }

    fn is_in_order(&self, name: &[u8], seconds: u32, now_s: u64) -> bool {
        let check = |order: &Arc<OrderCheck>| order.check(key::without_leading_dot(name), seconds, now_s);
        self.order.as_ref().is_none_or(check)
    }

    /// Takes a valid line. `verbatim` is where it lies with its LF, if it can be sent as it is.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the innermost loop; the other caller is not inlined into it")]
    fn take_valid(
        &mut self,
        fields: [&[u8]; 3],
        verbatim: Option<Range<usize>>,
        placer: &mut Placer<'_>,
        gathered: &mut Gathered,
    ) {
        let mut decision = Decision::new(&mut gathered.counts, &mut self.selectors, &mut self.memory);
        self.dispatch.dispatch(fields[0], &mut self.scratch, &mut decision);
        let outcome = decision.outcome();
        if !outcome.is_routed || outcome.end != End::Routes {
            return count_unrouted(outcome.end, gathered);
        }
        gathered.counts.routed += 1;
        match (verbatim, outcome) {
            (
                Some(line),
                Outcome { is_rewritten: false, deferred: None, has_more: false, first: Some(first), .. },
            ) => placer.place(SetId::single(first), &Text::Verbatim(line), gathered),
            (verbatim, outcome) => self.place_any(fields, verbatim, outcome, placer, gathered),
        }
    }

    /// Places a line that is rewritten, composed, hashed, or has not exactly one destination.
    #[inline(never)]
    fn place_any(
        &mut self,
        [name, value, timestamp]: [&[u8]; 3],
        verbatim: Option<Range<usize>>,
        outcome: Outcome,
        placer: &mut Placer<'_>,
        gathered: &mut Gathered,
    ) {
        let name = if outcome.is_rewritten { self.memory.rewritten.as_slice() } else { name };
        let text = match verbatim {
            Some(line) if !outcome.is_rewritten => Text::Verbatim(line),
            _ => Text::Composed([name, value, timestamp]),
        };
        let destinations =
            if outcome.has_more { self.memory.destinations.as_slice() } else { outcome.first.as_slice() };
        if let Some(route) = outcome.deferred {
            let full = self.deferred.push(route, name.len(), &text, destinations, outcome.varies);
            if full.0 {
                self.deferred.flush(&self.selectors, placer, gathered);
            }
        } else if !destinations.is_empty() {
            placer.place_for(destinations, outcome.varies, &text, gathered);
        }
    }

    /// Lets everything go that waits for the lines after it.
    fn finish(&mut self, placer: &mut Placer<'_>, gathered: &mut Gathered) {
        self.deferred.flush(&self.selectors, placer, gathered);
        placer.flush(gathered);
    }
}

impl<D: Dispatch> LinePipeline for Pipeline<D> {
    fn take_lines(&mut self, bytes: &[u8], now_s: u64, gathered: &mut Gathered) -> usize {
        let mut scanner = Scanner::new(bytes);
        let mut placer = Placer::new(bytes);
        let (mut start, mut lines) = (0, 0);
        while let Some(found) = next_line(&mut scanner, bytes, start) {
            if found.end - start > self.line_bytes_max {
                break;
            }
            lines += 1;
            match found.fields {
                Some(fields) if self.order.is_none() && self.is_fine(bytes, fields, &scanner) => {
                    let verbatim = (fields.end == found.end).then_some(start..found.end + 1);
                    self.take_valid(fields.of(bytes), verbatim, &mut placer, gathered);
                }
                _ => self.take_any(start..found.end, now_s, &mut placer, gathered),
            }
            start = found.end + 1;
        }
        gathered.counts.received += lines;
        self.finish(&mut placer, gathered);
        start
    }

    fn take_last_line(&mut self, line: &[u8], now_s: u64, gathered: &mut Gathered) {
        let mut placer = Placer::new(line);
        gathered.counts.received += 1;
        self.take_any(0..line.len(), now_s, &mut placer, gathered);
        self.finish(&mut placer, gathered);
    }
}

impl<D> Pipeline<D> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the innermost loop")]
    fn is_fine(&self, bytes: &[u8], fields: Fields, scanner: &Scanner<'_>) -> bool {
        self.recogniser.is_fine(bytes, fields, scanner.may_be_tagged_after(fields.start))
    }
}

impl<D> Clone for Pipeline<D> {
    fn clone(&self) -> Self {
        Self {
            dispatch: Arc::clone(&self.dispatch),
            recogniser: self.recogniser,
            validator: self.validator,
            order: self.order.clone(),
            line_bytes_max: self.line_bytes_max,
            selectors: self.selectors.clone(),
            scratch: Scratch::default(),
            memory: Memory::default(),
            deferred: Deferred::default(),
        }
    }
}

/// A whole line.
struct Found {
    /// The position of its LF.
    end: usize,
    /// If its marks are those of an ordinary line.
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

/// The line whose LF is the first one at or after `mark`.
#[inline(never)]
fn line_ending_after(scanner: &mut Scanner<'_>, bytes: &[u8], mark: usize) -> Option<Found> {
    let mut end = mark;
    while bytes[end] != b'\n' {
        end = scanner.next_mark()?;
    }
    Some(Found { end, fields: None })
}

#[cold]
fn count_unrouted(end: End, gathered: &mut Gathered) {
    let counts = &mut gathered.counts;
    match end {
        End::Routes => counts.unroutable += 1,
        End::Blocked => counts.blocked += 1,
        End::Hidden => counts.aggregated_away += 1,
        End::Unusable => counts.invalid[Reason::RewrittenName as usize] += 1,
    }
}
