//! The form of a log line: `YYYY-MM-DD HH:MM:SS.mmm [LEVEL] message name=value …` (spec §1.4).
//!
//! Times are UTC. Every event becomes exactly one line, in one write.

use std::{
    fmt::{self, Write},
    time::{SystemTime, UNIX_EPOCH},
};
use tracing::{
    Event, Level,
    field::{Field, Visit},
};

/// The current time in the form of log lines.
pub(super) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    written_time(since.as_secs(), since.subsec_millis())
}

/// An event as a line.
pub(super) fn line(event: &Event<'_>) -> String {
    let mut fields = Fields::default();
    event.record(&mut fields);
    let level = match *event.metadata().level() {
        Level::WARN => "WARNING",
        other => other.as_str(),
    };
    format!("{} [{level}] {}{}\n", now(), fields.message, fields.rest)
}

/// The message, separate from the other fields.
#[derive(Default)]
struct Fields {
    message: String,
    rest: String,
}

impl Visit for Fields {
    fn record_u64(&mut self, field: &Field, value: u64) {
        // Nearly always no message was suppressed.
        if field.name() != "suppressed" || value > 0 {
            self.record_debug(field, &value);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.rest, " {name}={value:?}"),
        };
    }
}

/// The Gregorian calendar date of days since 1970, after Howard Hinnant's `civil_from_days`.
fn written_time(seconds: u64, millis: u32) -> String {
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{millis:03}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_in_the_calendar() {
        for (seconds, want) in [
            (0, "1970-01-01 00:00:00.007"),
            (951_782_399, "2000-02-28 23:59:59.007"),
            (951_782_400, "2000-02-29 00:00:00.007"),
            (1_735_689_599, "2024-12-31 23:59:59.007"),
            (4_107_542_400, "2100-03-01 00:00:00.007"),
        ] {
            assert_eq!(written_time(seconds, 7), want);
        }
    }
}
