//! What a stop waits for, once a second: clients that are still read, then destinations with the lines that are left.
//!
//! Each worker speaks for itself. Nothing is said in the first second, in which most stops end, and at most ten
//! destinations are named.

use std::time::{Duration, Instant};

/// Between two lines.
const PERIOD: Duration = Duration::from_secs(1);

/// The most destinations that are named.
const NAMES: usize = 10;

/// When to say it next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Farewell(Option<Instant>);

/// A destination that the stop waits for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited<'a> {
    pub(super) destination: &'a str,
    /// Lines that are left to send.
    pub(super) lines: u64,
    /// What else there is to say of it; empty for a destination that is up.
    pub(super) state: &'static str,
}

impl Farewell {
    /// A stop begins, unless it has begun already.
    pub(super) fn begin(&mut self, now: Instant) {
        self.0.get_or_insert(now + PERIOD);
    }

    /// When to say it next.
    pub(super) const fn next(self) -> Option<Instant> {
        self.0
    }

    /// Whether to say it now.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.0.is_some_and(|next| next <= now);
        if is_due {
            self.0 = Some(now + PERIOD);
        }
        is_due
    }
}

/// Says that clients are still read, and why.
pub(super) fn say_clients(clients: u64, reason: &str, left: Duration) {
    tracing::info!(clients, reason, seconds_left = left.as_secs(), "stopping: waits for clients");
}

/// Says which destinations have lines left.
pub(super) fn say_destinations(awaited: &[Awaited<'_>], left: Duration) {
    let lines: u64 = awaited.iter().map(|one| one.lines).sum();
    let mut names: Vec<_> = awaited
        .iter()
        .take(NAMES)
        .map(|Awaited { destination, lines, state }| format!("{destination} ({lines} lines{state})"))
        .collect();
    if awaited.len() > NAMES {
        names.push(format!("{} more", awaited.len() - NAMES));
    }
    let names = names.join(", ");
    tracing::info!(lines, seconds_left = left.as_secs(), "stopping: waits for {names}");
}
