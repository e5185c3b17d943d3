//! The ticks of aggregators: one worker of a relay reads the clock, takes what is due from the open buckets, a
//! limited number of lines at a time, and sends it through the routes.
//!
//! The other workers are not involved.

use super::{
    edge::Edge,
    intake::Intake,
    keeper::{Notes, PATIENCE},
};
use crate::{
    aggregate::{Cursor, Shared},
    parts::Aggregating,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How often the clock is read. Ticks are at whole seconds.
const LOOK: Duration = Duration::from_millis(100);

/// How often a tick that is spread continues.
const PACE: Duration = Duration::from_millis(5);

/// The share of a second's lines that may be sent at once.
const BURST: f64 = 0.02;

/// The state of the worker that ticks.
#[derive(Debug)]
pub(super) struct Ticker {
    _part: Aggregating,
    shared: Arc<Shared>,
    notes: Option<Notes>,
    cursor: Cursor,
    /// The tick in progress.
    tick_s: Option<u64>,
    /// Until when the tick waits for its mark to be written. Nothing of the tick is sent before that.
    note_until: Option<Instant>,
    /// The last second that was processed.
    looked_s: u64,
    lines: Vec<u8>,
    /// The limit in lines per second.
    rate: f64,
    /// How many lines may be sent now.
    allowance: f64,
    filled: Instant,
}

impl Ticker {
    #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
    pub(super) fn new(
        part: Aggregating,
        shared: Arc<Shared>,
        notes: Option<Notes>,
        rate: u64,
        now: Instant,
    ) -> Self {
        Self {
            _part: part,
            shared,
            notes,
            cursor: Cursor::default(),
            tick_s: None,
            note_until: None,
            looked_s: 0,
            lines: Vec::new(),
            rate: rate.max(1) as f64,
            allowance: 0.0,
            filled: now,
        }
    }

    /// When to call [`turn`](Self::turn) again.
    pub(super) fn next_due(&self, now: Instant) -> Instant {
        now + if self.tick_s.is_some() { PACE } else { LOOK }
    }

    /// Sends as much of what is due as may be sent now.
    pub(super) fn turn(&mut self, edge: &Edge, intake: &mut Intake) {
        if self.tick_s.is_none() {
            let is_new_second = self.looked_s != edge.now_s;
            if self.looked_s > edge.now_s
                && let Some(ahead_s) = self.shared.go_back(edge.now_s)
            {
                tracing::error!(
                    ahead_s,
                    "the clock was ahead: buckets that were emitted meanwhile may be emitted again"
                );
            }
            self.looked_s = edge.now_s;
            if !is_new_second || self.shared.next_due().is_none_or(|due_s| due_s > edge.now_s) {
                return;
            }
            self.begin(edge.now_s, edge.now);
        }
        if self.is_being_noted(edge.now) {
            return;
        }
        let elapsed = edge.now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = edge.now;
        self.allowance = elapsed.mul_add(self.rate, self.allowance).min((self.rate * BURST).max(1.0));
        if self.allowance < 1.0 {
            return;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between one and what a usize holds"
        )]
        let mut budget = self.allowance as usize;
        self.allowance -= self.emit(edge.now_s, &mut budget, intake);
    }

    /// Sends everything that is due, at once, because the relay stops. Must be called until it returns that
    /// nothing is left.
    pub(super) fn finish(&mut self, edge: &Edge, intake: &mut Intake) -> bool {
        if self.tick_s.is_none() {
            self.begin(edge.now_s, edge.now);
            if let Some(notes) = &self.notes {
                notes.wait_for(edge.now_s);
            }
        }
        self.emit(edge.now_s, &mut 10_000, intake);
        self.tick_s.is_none() && self.shared.next_due().is_none_or(|due_s| due_s > edge.now_s)
    }

    fn begin(&mut self, now_s: u64, now: Instant) {
        self.tick_s = Some(now_s);
        if let Some(notes) = &self.notes {
            notes.begin(now_s);
            self.note_until = Some(now + PATIENCE);
        }
    }

    /// Whether the tick has to wait until its mark is written.
    fn is_being_noted(&mut self, now: Instant) -> bool {
        if let (Some(notes), Some(tick_s), Some(until)) = (&self.notes, self.tick_s, self.note_until) {
            if now < until && !notes.has(tick_s) {
                return true;
            }
            self.note_until = None;
        }
        false
    }

    /// Continues the tick. Returns how many lines it sent.
    fn emit(&mut self, now_s: u64, budget: &mut usize, intake: &mut Intake) -> f64 {
        let Self { shared, cursor, lines, .. } = self;
        let tick_s = self.tick_s.unwrap_or(now_s);
        lines.clear();
        let mut count = 0_u32;
        let is_over = shared.flush(cursor, tick_s, budget, &mut |emitted| {
            let [name, value, timestamp] = emitted.fields;
            for part in [name, b" ", value, b" ", timestamp, b"\n"] {
                lines.extend_from_slice(part);
            }
            count += 1;
        });
        if is_over {
            self.tick_s = None;
        }
        intake.pipeline.take_emitted(lines, &mut intake.gathered);
        intake.fed_bytes += lines.len();
        f64::from(count)
    }
}
