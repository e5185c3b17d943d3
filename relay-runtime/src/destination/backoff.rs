//! How long to wait before the next attempt to connect.
//!
//! The first retry comes soon, because most outages are restarts; then the pause doubles up to the configured
//! limit. Jitter (half to all of the pause) keeps many relays from connecting at the same moment. There is no
//! clock here: the caller adds the pause to its own time.

use std::time::Duration;

/// The pause before the first retry.
const FIRST: Duration = Duration::from_millis(100);

/// Exponential back-off with jitter.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    max: Duration,
    failures: u32,
    random: u64,
}

impl Backoff {
    /// Pauses of at most `max`; `seed` determines the jitter.
    #[must_use]
    pub(super) const fn new(max: Duration, seed: u64) -> Self {
        Self { max, failures: 0, random: seed | 1 }
    }

    /// Records a failure and returns the pause before the next attempt.
    pub(super) fn wait(&mut self) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.failures.min(20));
        self.failures = self.failures.saturating_add(1);
        let wait = doubled.min(self.max);
        wait / 2 + wait.mul_f64(self.fraction() / 2.0)
    }

    /// Records that the connection was good: the next failure counts as the first.
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// A number from 0 to 1, by xorshift: it need not be secret.
    fn fraction(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        f64::from((self.random >> 40) as u32) / f64::from(1_u32 << 24)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_fast_to_the_bound_and_start_again() {
        let mut backoff = Backoff::new(Duration::from_secs(10), 7);
        let between = |wait: Duration, ms: u64| {
            let whole = Duration::from_millis(ms);
            assert!(wait >= whole / 2 && wait <= whole, "{wait:?} is not about {whole:?}");
        };
        for ms in [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000] {
            between(backoff.wait(), ms);
        }
        backoff.reset();
        between(backoff.wait(), 100);
    }

    #[test]
    fn a_bound_below_the_first_wait_holds() {
        let mut backoff = Backoff::new(Duration::from_millis(10), 7);
        assert!((0..50).all(|_| backoff.wait() <= Duration::from_millis(10)));
    }
}
