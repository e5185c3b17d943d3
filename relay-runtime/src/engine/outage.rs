//! Decides when a destination that is down is logged: when it goes down, and then once a minute, however many
//! attempts fail.
//!
//! There is no clock and no log here: time comes with each attempt, and [`super::outlet`] logs.

use std::time::{Duration, Instant};

/// The time between two log lines about one outage.
const PERIOD: Duration = Duration::from_mins(1);

/// A destination that is down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outage {
    since: Instant,
    said: Instant,
    attempts: u64,
}

impl Outage {
    /// The destination went down, which is logged now.
    pub(super) const fn begin(now: Instant) -> Self {
        Self { since: now, said: now, attempts: 0 }
    }

    /// Records that another attempt failed. Returns the number of failed attempts if it is time for a log
    /// line.
    pub(super) fn failed(&mut self, now: Instant) -> Option<u64> {
        self.attempts += 1;
        let is_due = now.saturating_duration_since(self.said) >= PERIOD;
        if is_due {
            self.said = now;
        }
        is_due.then_some(self.attempts)
    }

    /// How long it has lasted, in whole seconds.
    pub(super) fn seconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.since).as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_one_line_a_minute_however_often_it_is_tried() {
        let began = Instant::now();
        let mut outage = Outage::begin(began);
        let at = |number: u32| began + number * Duration::from_millis(100);
        let said: Vec<_> = (1..=1_800).filter_map(|number| outage.failed(at(number))).collect();
        assert_eq!(said, [600, 1_200, 1_800]);
        assert_eq!(outage.seconds(at(1_800)), 180);
    }
}
