//! The open buckets of one rule: adds datapoints and emits buckets when they are due (spec §9.2, §9.3).
//!
//! A bucket is open from its first datapoint until it is emitted, at the first tick for which `start <= now -
//! wait`. A datapoint for an open bucket is always added; one that would open a bucket that is already due is
//! late. No bucket is emitted twice, even if the clock goes back a little, unless the rule's `lateness` asks
//! for corrections: then the bucket is kept for a while, and what was added since is emitted at the next tick.
//!
//! There is no clock and no I/O here; time is an argument.

use super::{
    cells::{Cells, Head, NONE},
    counts::AggregatorCounts,
    number, percentile,
    rule::Rule,
    series::{Hint, SeriesList},
    snapshot::Saved,
};
use std::{collections::BTreeMap, io::Write as _};

/// The state of one rule.
#[derive(Debug)]
pub(super) struct RuleState {
    cells: Cells,
    series: SeriesList,
    /// Buckets that are not emitted yet, by start.
    open: BTreeMap<u32, Group>,
    /// Buckets that were emitted and are kept for corrections, by start.
    kept: BTreeMap<u32, Kept>,
    /// When corrections are due, if there are any.
    corrections_at: Option<u64>,
    /// The latest start of a bucket that was emitted.
    emitted_until: Option<u32>,
    pub(super) counts: AggregatorCounts,
    line: Vec<u8>,
}

/// The cells of all buckets that start at the same time.
#[derive(Debug, Default)]
struct Group {
    cells: Vec<u32>,
    /// Whether the cells are in the order in which they are taken off the end.
    is_ordered: bool,
}

#[derive(Debug, Default)]
struct Kept {
    cells: Vec<u32>,
    /// The cells with new datapoints, each of them once.
    changed: Group,
}

/// An output series: its name as the rule's `format` makes it, and the hash of the name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named<'a> {
    pub(super) output: &'a [u8],
    pub(super) hash: u64,
}

/// The value and timestamp of a datapoint, without its series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub(super) value: f64,
    pub(super) seconds: u32,
}

/// The order in which series of the same start are emitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By the bytes of their names.
    ByName,
    /// In the order of arrival, which costs nothing.
    ByArrival,
}

/// A line that a rule emits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Emitted<'a> {
    /// Metric, value and timestamp.
    pub fields: [&'a [u8]; 3],
}

impl RuleState {
    pub(super) fn new(rule: &Rule) -> Self {
        Self {
            cells: Cells::new(rule.fold.words(), rule.fold.keeps_values()),
            series: SeriesList::new(),
            open: BTreeMap::new(),
            kept: BTreeMap::new(),
            corrections_at: None,
            emitted_until: None,
            counts: AggregatorCounts::default(),
            line: Vec::new(),
        }
    }

    /// Adds a datapoint, and opens a bucket for it if necessary. Updates `hint`.
    pub(super) fn add(
        &mut self,
        rule: &Rule,
        series: Named<'_>,
        hint: &mut Hint,
        sample: Sample,
        now_s: u64,
    ) {
        self.counts.taken += 1;
        let known = self.series.find(series.hash, series.output, hint);
        let cell = known.and_then(|series| self.find_cell(rule, series, sample.seconds));
        let start = rule.bucket(sample.seconds);
        if let Some(cell) = cell.or_else(|| self.open_cell(rule, start, known, series, hint, now_s)) {
            self.add_to_cell(rule, cell, sample, now_s);
        }
    }

    /// Fast path: adds to an open bucket of the series that `hint` points at; returns false if the hint is
    /// stale or no such bucket is open.
    #[inline]
    pub(super) fn add_known(&mut self, rule: &Rule, hint: Hint, sample: Sample, now_s: u64) -> bool {
        let series = self.series.known(hint);
        let Some(cell) = series.and_then(|series| self.find_cell(rule, series, sample.seconds)) else {
            return false;
        };
        self.counts.taken += 1;
        self.add_to_cell(rule, cell, sample, now_s);
        true
    }

    #[inline]
    fn add_to_cell(&mut self, rule: &Rule, cell: u32, sample: Sample, now_s: u64) {
        if let Some(values) = self.cells.values_mut(cell) {
            if !rule.values.take() {
                self.counts.no_room += 1;
                return self.discard_if_empty(rule, cell);
            }
            values.push(sample.value);
        }
        self.counts.added += 1;
        rule.fold.add(self.cells.words_mut(cell), sample.value, sample.seconds);
        if rule.keep.is_some() {
            self.note_correction(rule, cell, now_s);
        }
    }

    #[inline]
    fn find_cell(&self, rule: &Rule, series: u32, seconds: u32) -> Option<u32> {
        let mut cell = self.series.head(series);
        while cell != NONE {
            let head = self.cells.head(cell);
            if seconds.checked_sub(head.start).is_some_and(|after| after < rule.interval) {
                return Some(cell);
            }
            cell = head.next;
        }
        None
    }

    /// Opens a bucket, unless it is late, too far in the future, or above the limit; counts the datapoint in
    /// these cases.
    fn open_cell(
        &mut self,
        rule: &Rule,
        start: u32,
        known: Option<u32>,
        series: Named<'_>,
        hint: &mut Hint,
        now_s: u64,
    ) -> Option<u32> {
        let cutoff = rule.cutoff(now_s);
        let was_emitted = cutoff.max(self.emitted_until).is_some_and(|until| start <= until);
        if was_emitted && rule.keep.is_none_or(|keep| is_forgotten(start, keep, cutoff)) {
            self.counts.late += 1;
            return None;
        }
        if u64::from(start) > now_s.saturating_add(rule.future_max_s.into()) {
            self.counts.future += 1;
            return None;
        }
        if !rule.buckets.take() {
            self.counts.no_room += 1;
            return None;
        }
        if known.is_none() && !rule.series.take() {
            rule.buckets.give_back(1);
            self.counts.no_room += 1;
            return None;
        }
        let series = known.unwrap_or_else(|| self.series.add(series.hash, series.output, hint));
        let cell = self.cells.take(Head { start, next: self.series.head(series), series });
        self.series.set_head(series, cell);
        let cells = if was_emitted {
            &mut self.kept.entry(start).or_default().cells
        } else {
            &mut self.open.entry(start).or_default().cells
        };
        cells.push(cell);
        Some(cell)
    }

    /// Frees a cell that was just opened for a value for which there is no room.
    fn discard_if_empty(&mut self, rule: &Rule, cell: u32) {
        if self.cells.words(cell)[0] == 0.0 {
            let start = self.cells.head(cell).start;
            let lists = [
                self.open.get_mut(&start).map(|group| &mut group.cells),
                self.kept.get_mut(&start).map(|kept| &mut kept.cells),
            ];
            for cells in lists.into_iter().flatten() {
                if cells.last() == Some(&cell) {
                    cells.pop();
                }
            }
            self.release(rule, cell);
        }
    }

    fn note_correction(&mut self, rule: &Rule, cell: u32, now_s: u64) {
        let Some(kept) = self.kept.get_mut(&self.cells.head(cell).start) else { return };
        self.counts.corrections += 1;
        let Kept { cells, changed } = kept;
        // A cell may be in the list several times, but not without limit.
        if changed.cells.len() > 2 * cells.len() {
            changed.cells.sort_unstable();
            changed.cells.dedup();
        }
        if changed.cells.last() != Some(&cell) {
            changed.cells.push(cell);
        }
        changed.is_ordered = false;
        self.corrections_at.get_or_insert_with(|| rule.next_tick(now_s));
    }

    /// When the next bucket or correction is due, in seconds since 1970.
    pub(super) fn next_due(&self, rule: &Rule) -> Option<u64> {
        let at = |start: &u32, more: u32| u64::from(*start) + u64::from(rule.wait) + u64::from(more);
        let open = self.open.keys().next().map(|start| at(start, 0));
        let kept = self.kept.keys().next().map(|start| at(start, rule.keep.unwrap_or(0)));
        [open, kept, self.corrections_at].into_iter().flatten().min()
    }

    /// The start of the earliest bucket that is due at `now_s`.
    pub(super) fn first_due(&self, rule: &Rule, now_s: u64) -> Option<u32> {
        let cutoff = rule.cutoff(now_s)?;
        let open = self.open.keys().next().copied().filter(|start| *start <= cutoff);
        if self.corrections_at.is_none_or(|at| at > now_s) {
            return open;
        }
        let corrected = self.kept.iter().find(|(_, kept)| !kept.changed.cells.is_empty());
        open.into_iter().chain(corrected.map(|(start, _)| *start)).min()
    }

    /// Emits as many series as `budget` allows of the bucket that starts at `start` and is due, and removes
    /// them from it. Returns whether the bucket is complete.
    pub(super) fn emit(
        &mut self,
        rule: &Rule,
        start: u32,
        clock: &Clock,
        order: Order,
        budget: &mut usize,
        each: &mut dyn FnMut(Emitted<'_>),
    ) -> bool {
        self.order(start, order);
        while *budget > 0 {
            let Some((cell, is_new)) = self.next_cell(start) else { break };
            *budget -= 1;
            self.emit_cell(rule, cell, start, each);
            if is_new && clock.is_incomplete(rule, start) {
                self.counts.incomplete += 1;
            }
            if rule.keep.is_none() {
                self.release(rule, cell);
            } else if is_new {
                self.kept.entry(start).or_default().cells.push(cell);
            }
        }
        self.emitted_until = self.emitted_until.max(Some(start));
        if self.open.get(&start).is_some_and(|group| group.cells.is_empty()) {
            self.open.remove(&start);
        }
        !self.open.contains_key(&start)
            && self.kept.get(&start).is_none_or(|kept| kept.changed.cells.is_empty())
    }

    /// Called when everything that was due is emitted: forgets buckets that were kept long enough.
    pub(super) fn conclude(&mut self, rule: &Rule, now_s: u64) {
        if self.corrections_at.is_some_and(|at| at <= now_s) {
            self.corrections_at = None;
        }
        let Some(keep) = rule.keep else { return };
        let cutoff = rule.cutoff(now_s);
        while let Some(first) = self.kept.first_entry() {
            if !is_forgotten(*first.key(), keep, cutoff) {
                return;
            }
            for cell in first.remove().cells {
                self.release(rule, cell);
            }
        }
    }

    /// Sorts the cells of one start in the order of output, last first.
    fn order(&mut self, start: u32, order: Order) {
        let Self { open, kept, cells, series, .. } = self;
        let corrected = kept.get_mut(&start).map(|kept| {
            // A cell is in the list once for each datapoint.
            if !kept.changed.is_ordered {
                kept.changed.cells.sort_unstable();
                kept.changed.cells.dedup();
            }
            &mut kept.changed
        });
        for group in open.get_mut(&start).into_iter().chain(corrected) {
            if !group.is_ordered {
                group.is_ordered = true;
                match order {
                    Order::ByArrival => group.cells.reverse(),
                    Order::ByName => {
                        let name = |cell: &u32| series.name(cells.head(*cell).series);
                        group.cells.sort_unstable_by(|a, b| name(b).cmp(name(a)));
                    }
                }
            }
        }
    }

    /// The next cell of one start, and whether it is emitted for the first time.
    fn next_cell(&mut self, start: u32) -> Option<(u32, bool)> {
        if let Some(cell) = self.open.get_mut(&start).and_then(|group| group.cells.pop()) {
            return Some((cell, true));
        }
        self.kept.get_mut(&start)?.changed.cells.pop().map(|cell| (cell, false))
    }

    fn emit_cell(&mut self, rule: &Rule, cell: u32, start: u32, each: &mut dyn FnMut(Emitted<'_>)) {
        let series = self.cells.head(cell).series;
        let (words, values) = self.cells.contents(cell);
        percentile::sort(values);
        let stamp = u64::from(start) + u64::from(rule.stamp_after);
        for (suffix, function) in &rule.outputs {
            let Some(result) = rule.fold.result(*function, words, values) else { continue };
            let line = &mut self.line;
            line.clear();
            line.extend_from_slice(self.series.name(series));
            line.extend_from_slice(suffix.as_bytes());
            let name_end = line.len();
            number::push(result, rule.number_format, line);
            let value_end = line.len();
            // Writing to memory cannot fail.
            let _ = write!(line, "{stamp}");
            let (name, rest) = line.split_at(name_end);
            let (value, timestamp) = rest.split_at(value_end - name_end);
            self.counts.emitted += 1;
            each(Emitted { fields: [name, value, timestamp] });
        }
    }

    /// Frees the cell, and forgets its series if this was the series' last cell.
    fn release(&mut self, rule: &Rule, cell: u32) {
        let Head { series, next, .. } = self.cells.head(cell);
        if self.series.head(series) == cell {
            self.series.set_head(series, next);
        } else {
            let mut before = self.series.head(series);
            while self.cells.head(before).next != cell {
                before = self.cells.head(before).next;
            }
            self.cells.set_next(before, next);
        }
        rule.values.give_back(self.cells.release(cell));
        rule.buckets.give_back(1);
        if self.series.head(series) == NONE {
            self.series.remove(super::hash_of(self.series.name(series)), series);
            rule.series.give_back(1);
        }
    }

    /// The latest start of a bucket that was emitted.
    pub(super) const fn emitted_until(&self) -> Option<u32> {
        self.emitted_until
    }

    /// Prevents that a bucket up to this start is emitted again.
    pub(super) fn set_emitted_until(&mut self, until: u32) {
        self.emitted_until = self.emitted_until.max(Some(until));
    }

    /// Called when the clock has gone back. If it was ahead by more than an interval, forgets which buckets were emitted,
    /// and returns by how many seconds it was ahead.
    pub(super) fn go_back(&mut self, rule: &Rule, now_s: u64) -> Option<u64> {
        let ahead_s = rule.ahead_s(self.emitted_until?, now_s)?;
        self.emitted_until = None;
        Some(ahead_s)
    }

    /// Calls `each` for every bucket that is not emitted yet: start, name, numbers, values.
    pub(super) fn each_open(&self, mut each: impl FnMut(u32, &[u8], &[f64], &[f64])) {
        for (start, group) in &self.open {
            for &cell in &group.cells {
                let name = self.series.name(self.cells.head(cell).series);
                each(*start, name, self.cells.words(cell), self.cells.values(cell));
            }
        }
    }

    /// Opens a saved bucket, unless it was emitted since. Returns whether it is open.
    pub(super) fn reopen(&mut self, rule: &Rule, saved: &Saved<'_>, hash: u64) -> bool {
        let Saved { start, name, words, values } = saved;
        let mut hint = Hint::default();
        let known = self.series.find(hash, name, &mut hint);
        if self.emitted_until.is_some_and(|until| *start <= until)
            || known.is_some_and(|series| self.find_cell(rule, series, *start).is_some())
            || !rule.buckets.take()
        {
            return false;
        }
        if known.is_none() {
            rule.series.take();
        }
        let series = known.unwrap_or_else(|| self.series.add(hash, name, &mut hint));
        let cell = self.cells.take(Head { start: *start, next: self.series.head(series), series });
        self.series.set_head(series, cell);
        self.cells.words_mut(cell).copy_from_slice(words);
        if let Some(kept) = self.cells.values_mut(cell) {
            kept.extend(values.iter().take_while(|_| rule.values.take()));
        }
        self.open.entry(*start).or_default().cells.push(cell);
        true
    }

    /// The counts, including the number of open buckets.
    pub(super) fn counts(&self) -> AggregatorCounts {
        AggregatorCounts { open: self.cells.used() as u64, ..self.counts }
    }
}

/// The times that decide whether a bucket is complete.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    /// When the relay began to accept lines, in seconds since 1970.
    pub(super) since_s: u64,
    pub(super) now_s: u64,
}

impl Clock {
    fn is_incomplete(&self, rule: &Rule, start: u32) -> bool {
        let (start, end) = (u64::from(start), u64::from(start) + u64::from(rule.interval));
        start < self.since_s || self.now_s < end
    }
}

/// Whether a bucket that was emitted is no longer kept for corrections.
fn is_forgotten(start: u32, keep: u32, cutoff: Option<u32>) -> bool {
    cutoff.and_then(|cutoff| cutoff.checked_sub(keep)).is_some_and(|cutoff| start <= cutoff)
}
