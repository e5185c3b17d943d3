//! The ticks of aggregators: one worker of a relay that has some looks at the clock, takes what is due off the open
//! buckets, a bounded number of lines at a time, and sends it through the routes. The others know nothing of it.

use super::{edge::Edge, intake::Intake, state::StateFiles};
use crate::{
    aggregate::{Cursor, Shared},
    parts::Aggregating,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How often the clock is looked at. Ticks are at whole seconds.
const LOOK: Duration = Duration::from_millis(100);

/// How often a tick that is spread goes on.
const PACE: Duration = Duration::from_millis(5);

/// So much of a second's lines may go out at once.
const BURST: f64 = 0.02;

/// The one that ticks.
#[derive(Debug)]
pub(super) struct Ticker {
    _part: Aggregating,
    shared: Arc<Shared>,
    state: Option<Arc<StateFiles>>,
    cursor: Cursor,
    /// The tick that is under way.
    tick_s: Option<u64>,
    /// The last second that was looked at.
    looked_s: u64,
    lines: Vec<u8>,
    /// Lines per second.
    rate: f64,
    /// Lines that may go out now.
    allowance: f64,
    filled: Instant,
}

impl Ticker {
    #[expect(clippy::cast_precision_loss, reason = "a rate need not be exact")]
    pub(super) fn new(
        part: Aggregating,
        shared: Arc<Shared>,
        state: Option<Arc<StateFiles>>,
        rate: u64,
        now: Instant,
    ) -> Self {
        Self {
            _part: part,
            shared,
            state,
            cursor: Cursor::default(),
            tick_s: None,
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

    /// Sends what may go out now of what is due.
    pub(super) fn turn(&mut self, edge: &Edge, intake: &mut Intake) {
        if self.tick_s.is_none() {
            let is_new_second = self.looked_s != edge.now_s;
            self.looked_s = edge.now_s;
            if !is_new_second || self.shared.next_due().is_none_or(|due_s| due_s > edge.now_s) {
                return;
            }
            self.begin(edge.now_s);
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

    /// Sends all that is due, at once: the relay stops. To be called until it says that nothing is left.
    pub(super) fn finish(&mut self, edge: &Edge, intake: &mut Intake) -> bool {
        if self.tick_s.is_none() {
            self.begin(edge.now_s);
        }
        self.emit(edge.now_s, &mut 10_000, intake);
        self.tick_s.is_none() && self.shared.next_due().is_none_or(|due_s| due_s > edge.now_s)
    }

    fn begin(&mut self, now_s: u64) {
        self.tick_s = Some(now_s);
        if let Some(state) = &self.state {
            state.note_tick(now_s);
        }
    }

    /// Goes on with the tick. Says how many lines that made.
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
