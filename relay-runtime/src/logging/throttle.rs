//! Limits how often one place in the code logs.
//!
//! Connections come and go at a rate that peers determine; the log must not grow at that rate. Messages that
//! are left out are counted, and the next message that is logged has the count.

use std::time::{Duration, Instant};

/// How many messages are allowed at once, and per second after that.
const BURST: u32 = 20;

/// The time after which one more message is allowed.
const REFILL: Duration = Duration::from_millis(1_000 / BURST as u64);

/// A token bucket of messages.
#[derive(Debug)]
pub struct Throttle {
    left: u32,
    since: Instant,
    suppressed: u64,
}

impl Throttle {
    /// A full token bucket.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self { left: BURST, since: now, suppressed: 0 }
    }

    /// Returns whether to log now: `Some` with the number of messages left out since the last one, or `None` to
    /// leave this one out.
    pub fn admit(&mut self, now: Instant) -> Option<u64> {
        let earned = now.saturating_duration_since(self.since).as_millis() / REFILL.as_millis();
        if earned > 0 {
            self.left = self.left.saturating_add(u32::try_from(earned).unwrap_or(BURST)).min(BURST);
            self.since = now;
        }
        if self.left == 0 {
            self.suppressed += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted() {
        let now = Instant::now();
        let mut throttle = Throttle::new(now);
        assert_eq!((0..100).filter(|_| throttle.admit(now).is_some()).count(), 20);
        assert_eq!(throttle.admit(now + REFILL), Some(80));
        assert_eq!(throttle.admit(now + REFILL), None);
    }
}
