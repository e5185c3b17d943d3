//! Converts a timestamp to a second.
//!
//! `-1` means the second of arrival, as in Graphite's own daemons, and the forwarded line contains that
//! second. If a number is too large for seconds, its magnitude shows the unit: the ranges of milliseconds,
//! microseconds and nanoseconds do not overlap, and numbers between them are refused. Other numbers stay as
//! they are written.

use super::{Reason, number};
use crate::table::Timestamps;

/// The highest second that there is, in 2106.
const SECONDS_MAX: f64 = 4_294_967_295.0;

/// Digits of the highest second.
const DIGITS: usize = 10;

/// A timestamp as it is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp<'a>(Text<'a>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text<'a> {
    /// As it was written.
    Written(&'a [u8]),
    /// The decimal digits of a computed second, right-aligned.
    Seconds { digits: [u8; DIGITS], start: usize },
}

/// A unit that is not the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl Timestamp<'_> {
    /// The text to forward.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Written(text) => text,
            Text::Seconds { digits, start } => &digits[*start..],
        }
    }

    /// Whether it is unchanged.
    #[must_use]
    pub const fn is_as_written(&self) -> bool {
        matches!(self.0, Text::Written(_))
    }

    fn of_seconds(seconds: u32) -> Self {
        let (mut digits, mut start, mut rest) = ([b'0'; DIGITS], DIGITS, seconds);
        while start == DIGITS || rest > 0 {
            start -= 1;
            digits[start] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest /= 10;
        }
        Self(Text::Seconds { digits, start })
    }
}

/// Converts `text`, in a line that arrives at `now_s`, to a second and the timestamp to forward.
pub(super) fn check(text: &[u8], rule: Timestamps, now_s: u64) -> Result<(u32, Timestamp<'_>), Reason> {
    let as_second = |seconds: u32| (seconds, Timestamp::of_seconds(seconds));
    let number = number::parse(text).ok_or(Reason::TimestampNotNumber)?.trunc();
    // The text is a whole number here.
    if (-1.0..0.0).contains(&number) {
        return Ok(as_second(u32::try_from(now_s).unwrap_or(u32::MAX)));
    }
    if let Some(seconds) = whole(number) {
        return Ok((seconds, Timestamp(Text::Written(text))));
    }
    let unit = Unit::of(number).ok_or(Reason::TimestampOutOfRange)?;
    match rule {
        Timestamps::Seconds => Err(unit.reason()),
        Timestamps::Auto => unit.seconds(text, number).map(as_second).ok_or(Reason::TimestampOutOfRange),
    }
}

/// Converts a timestamp that was checked and is forwarded to a second. One that does not fit is refused
/// instead of wrapped around (BUG-31).
pub(crate) fn seconds(text: &[u8]) -> Result<u32, Reason> {
    let number = number::parse(text).ok_or(Reason::TimestampNotNumber)?.trunc();
    whole(number).ok_or(Reason::TimestampOutOfRange)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is known to fit")]
fn whole(number: f64) -> Option<u32> {
    (0.0..=SECONDS_MAX).contains(&number).then_some(number as u32)
}

impl Unit {
    const ALL: [Self; 3] = [Self::Milliseconds, Self::Microseconds, Self::Nanoseconds];

    /// The unit in which the number is a time between 1973 and 2106.
    fn of(number: f64) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| {
            #[expect(clippy::cast_precision_loss, reason = "powers of ten, exact")]
            let per_second = unit.per_second() as f64;
            (100_000_000.0 * per_second..(SECONDS_MAX + 1.0) * per_second).contains(&number)
        })
    }

    const fn per_second(self) -> u64 {
        match self {
            Self::Milliseconds => 1_000,
            Self::Microseconds => 1_000_000,
            Self::Nanoseconds => 1_000_000_000,
        }
    }

    const fn reason(self) -> Reason {
        match self {
            Self::Milliseconds => Reason::TimestampInMilliseconds,
            Self::Microseconds => Reason::TimestampInMicroseconds,
            Self::Nanoseconds => Reason::TimestampInNanoseconds,
        }
    }

    /// Divides a whole number digit by digit, because a float cannot represent all digits of nanoseconds.
    fn seconds(self, text: &[u8], number: f64) -> Option<u32> {
        let written = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u64>().ok());
        #[expect(clippy::cast_precision_loss, reason = "powers of ten, exact")]
        let rounded = || whole((number / self.per_second() as f64).trunc());
        written.map_or_else(rounded, |number| u32::try_from(number / self.per_second()).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_700_000_000;

    #[track_caller]
    fn check_both(text: &str, want: Result<(u32, &str), Reason>, want_auto: Result<(u32, &str), Reason>) {
        for (rule, want) in [(Timestamps::Seconds, want), (Timestamps::Auto, want_auto)] {
            let got = check(text.as_bytes(), rule, NOW_S);
            let got =
                got.as_ref().map(|(seconds, text)| (*seconds, str::from_utf8(text.as_bytes()).unwrap()));
            assert_eq!(got, want.as_ref().copied(), "{text}, {rule:?}");
        }
    }

    #[test]
    fn seconds_stay_as_they_are_written() {
        for (text, seconds) in
            [("0", 0), ("4294967295.9", u32::MAX), ("-0.5", 0), ("1.5e9", 1_500_000_000), ("0x1p4", 16)]
        {
            check_both(text, Ok((seconds, text)), Ok((seconds, text)));
            assert_eq!(super::seconds(text.as_bytes()), Ok(seconds));
        }
    }

    #[test]
    fn minus_one_is_the_second_of_arrival() {
        for text in ["-1", "-1.0", "-1.9", "-1e0"] {
            check_both(text, Ok((1_700_000_000, "1700000000")), Ok((1_700_000_000, "1700000000")));
        }
        for (now_s, text) in [(0, "0"), (7, "7"), (u64::MAX, "4294967295")] {
            let (_, got) = check(b"-1", Timestamps::Seconds, now_s).unwrap();
            assert_eq!(got.as_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn larger_units_are_named_and_become_seconds_where_that_is_wanted() {
        use Reason::{TimestampInMicroseconds, TimestampInMilliseconds, TimestampInNanoseconds};
        let all = |text: &str, reason, want| check_both(text, Err(reason), Ok(want));
        all("1699999999999", TimestampInMilliseconds, (1_699_999_999, "1699999999"));
        all("1.7e12", TimestampInMilliseconds, (1_700_000_000, "1700000000"));
        all("100000000000", TimestampInMilliseconds, (100_000_000, "100000000"));
        all("4294967295999", TimestampInMilliseconds, (u32::MAX, "4294967295"));
        all("1699999999999999", TimestampInMicroseconds, (1_699_999_999, "1699999999"));
        all("1699999999999999999", TimestampInNanoseconds, (1_699_999_999, "1699999999"));
        all("4294967295000000000", TimestampInNanoseconds, (u32::MAX, "4294967295"));
        all("+1_700_000_000_123.5", TimestampInMilliseconds, (1_700_000_000, "1700000000"));
    }

    #[test]
    fn what_fits_nothing_is_refused() {
        for text in [
            "-2",
            "4294967296",
            "99999999999",
            "4294967296000",
            "4294967296000000000",
            "1e300",
            "nan",
            "-inf",
        ] {
            let refused = Err(Reason::TimestampOutOfRange);
            check_both(text, refused, refused);
        }
        check_both("x", Err(Reason::TimestampNotNumber), Err(Reason::TimestampNotNumber));
    }
}
