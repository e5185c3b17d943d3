//! The part of a pipeline that is the same for every table.
//!
//! No function here is generic, so they are compiled with this crate and not with each relay.

use super::{
    decision::{Memory, Outcome},
    deferred::Deferred,
    placing::{Placer, Text},
    scan::Scanner,
    shape::{Fields, Recogniser},
};
use crate::{
    admission::Admission,
    aggregate::{Intake, Shared, WriteOutput},
    gather::Gathered,
    parts::Aggregating,
    select::{Liveness, Selectors},
    table::Table,
    validate::Line,
};
use std::{ops::Range, sync::Arc};

/// The state of a pipeline apart from the table's code.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) admission: Admission,
    pub(super) selectors: Selectors,
    pub(super) memory: Memory,
    pub(super) aggregation: Option<Intake>,
    recogniser: Recogniser,
    deferred: Deferred,
}

impl Common {
    pub(super) fn new(table: &Table, line_bytes_max: usize, liveness: Liveness) -> Self {
        let shared = Shared::new(&table.aggregators).map(Arc::new);
        Self {
            admission: Admission::new(table.validation, line_bytes_max),
            selectors: Selectors::new(table, liveness),
            memory: Memory::default(),
            aggregation: Aggregating::get().zip(shared).map(|(part, shared)| Intake::new(part, shared)),
            recogniser: Recogniser::new(table.validation),
            deferred: Deferred::default(),
        }
    }

    pub(super) fn for_another_worker(&self) -> Self {
        Self {
            admission: self.admission.clone(),
            selectors: self.selectors.clone(),
            memory: Memory::default(),
            aggregation: self.aggregation.as_ref().map(Intake::for_another_worker),
            recogniser: self.recogniser,
            deferred: Deferred::default(),
        }
    }

    /// Whether the line is certainly valid, so that it needs no [`check`](Self::check).
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the innermost loop")]
    pub(super) fn is_fine(&self, bytes: &[u8], fields: Fields, scanner: &Scanner<'_>) -> bool {
        let tagged = scanner.may_be_tagged_after(fields.start);
        !self.admission.has_order() && self.recogniser.is_fine(bytes, fields, tagged)
    }

    /// Validates any line and splits it. If it is invalid, counts the reason and returns `None`.
    pub(super) fn check<'l>(&self, line: &'l [u8], now_s: u64, gathered: &mut Gathered) -> Option<Line<'l>> {
        match self.admission.admit(line, now_s) {
            Ok(line) => Some(line),
            Err(reason) => {
                gathered.counts.invalid[reason as usize] += 1;
                gathered.refusals.note(reason, line);
                None
            }
        }
    }

    /// Places a line that is rewritten, composed or hashed, or has another number of destinations than one.
    pub(super) fn place_any(
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
        let routes = if outcome.has_more_deferred {
            self.memory.deferred.as_slice()
        } else {
            outcome.deferred.as_slice()
        };
        if !routes.is_empty() {
            let full = self.deferred.push(routes, name.len(), &text, destinations, outcome.varies);
            if full.0 {
                self.deferred.flush(&self.selectors, placer, gathered);
            }
        } else if !destinations.is_empty() {
            placer.place_for(destinations, outcome.varies, &text, gathered);
        }
    }

    /// Passes a line to the aggregators that take it.
    #[inline(never)]
    pub(super) fn aggregate(
        &mut self,
        fields: &[&[u8]; 3],
        outcome: &Outcome,
        write_output: &WriteOutput<'_>,
    ) {
        let Some(intake) = &mut self.aggregation else { return };
        let name = if outcome.is_rewritten { self.memory.rewritten.as_slice() } else { fields[0] };
        intake.add(&self.memory.aggregators, outcome.looked_up, name, [fields[1], fields[2]], write_output);
    }

    /// Sets the time of the lines that follow.
    pub(super) fn begin(&mut self, now_s: u64) {
        if let Some(intake) = &mut self.aggregation {
            intake.begin(now_s);
        }
    }

    /// Places everything that was deferred for the lines after it.
    pub(super) fn finish(&mut self, placer: &mut Placer<'_>, gathered: &mut Gathered) {
        if let Some(intake) = &mut self.aggregation {
            intake.finish();
        }
        self.deferred.flush(&self.selectors, placer, gathered);
        placer.flush(gathered);
    }
}

/// The fields of a line that this relay made, which are separated by single spaces.
pub(super) fn fields_of(line: &[u8]) -> Option<[&[u8]; 3]> {
    let mut spaces = memchr::memrchr_iter(b' ', line);
    let (second, first) = (spaces.next()?, spaces.next()?);
    Some([&line[..first], &line[first + 1..second], &line[second + 1..]])
}
