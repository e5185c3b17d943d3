//! Duration strings as in Go (spec §2.3): `90s`, `1h30m`, `1.5h`, `0`. A number other than 0 needs a unit.

/// Describes a duration, for messages.
pub(super) const FORM: &str =
    "a number with a unit `ns`, `us`, `ms`, `s`, `m` or `h`, such as `\"90s\"` or `\"1h30m\"`";

const UNITS: [(&str, f64); 8] =
    [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9)];

/// Returns nanoseconds, or `None` if the text is not a duration or too large.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    let mut total = 0.0;
    while !rest.is_empty() || total == 0.0 {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        if !number.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let unit = UNITS.iter().find(|(name, _)| *name == &after[..end])?.1;
        total += number.parse::<f64>().ok()? * unit;
        rest = &after[end..];
        if rest.is_empty() {
            break;
        }
    }
    let nanoseconds = if negative { -total } else { total };
    // A float holds every duration that matters exactly enough: 2^53 ns are 104 days, and steps are of ns.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "the range was checked")]
    (nanoseconds.abs() < i64::MAX as f64).then_some(nanoseconds as i64)
}

/// The duration that an invalid text probably means.
pub(super) fn meant(text: &str) -> String {
    const WORDS: [(&str, &str); 9] = [
        ("milliseconds", "ms"),
        ("millis", "ms"),
        ("seconds", "s"),
        ("secs", "s"),
        ("sec", "s"),
        ("minutes", "m"),
        ("mins", "m"),
        ("min", "m"),
        ("hours", "h"),
    ];
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    let in_hours = |(unit, hours): (&str, u64)| {
        let number: u64 = packed.strip_suffix(unit)?.parse().ok()?;
        Some(format!("{}h", number.checked_mul(hours)?))
    };
    let long = [("days", 24), ("day", 24), ("d", 24), ("weeks", 168), ("week", 168), ("w", 168)];
    if packed.parse::<u64>().is_ok() {
        return format!("{packed}s");
    }
    if let Some(hours) = long.into_iter().find_map(in_hours) {
        return hours;
    }
    let short = WORDS.iter().fold(packed, |text, (word, unit)| text.replace(word, unit));
    let short = short.strip_suffix("hour").map_or(short.clone(), |number| format!("{number}h"));
    if parse(&short).is_some() { short } else { "90s".to_owned() }
}

/// Whole milliseconds, rounded up, so that a short time does not become none.
pub(super) fn milliseconds(nanoseconds: i64) -> Option<u64> {
    u64::try_from(nanoseconds).ok().map(|nanoseconds| nanoseconds.div_ceil(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<i64>) {
        assert_eq!(parse(text), want, "{text}");
    }

    #[test]
    fn units_add_up_and_fractions_count() {
        check("1.5h", Some(5_400_000_000_000));
        check("1h30m", Some(5_400_000_000_000));
        check("2m", Some(120_000_000_000));
        check("-1s", Some(-1_000_000_000));
        check("+.5s", Some(500_000_000));
        check("1.s", Some(1_000_000_000));
        check("100µs", Some(100_000));
        check("0", Some(0));
        check("0s", Some(0));
        check("24h", Some(86_400_000_000_000));
    }

    #[test]
    fn what_was_meant_is_a_duration() {
        for (text, want) in [
            ("120", "120s"),
            ("1d", "24h"),
            ("2 weeks", "336h"),
            ("5 min", "5m"),
            ("10 Seconds", "10s"),
            ("1h 30m", "1h30m"),
            ("1 hour", "1h"),
            ("soon", "90s"),
            ("", "90s"),
        ] {
            assert_eq!(meant(text), want, "{text}");
            assert!(parse(want).is_some());
        }
    }

    #[test]
    fn other_texts_are_not_durations() {
        for text in ["", "120", "1d", "s", ".s", "1.2.3s", "1h 30m", "-", "h1", "1e3s", "0s0", "999999999h"] {
            check(text, None);
        }
    }
}
