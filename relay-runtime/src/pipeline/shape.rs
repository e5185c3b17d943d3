//! Recognises usual lines without examining them byte by byte.
//!
//! Each function here answers "certainly valid" or "unknown", never "invalid". For "unknown", the caller asks
//! the [`Validator`], which defines what is valid. Tests check that the validator accepts everything that is
//! certainly valid.

use super::lanes;
use crate::{
    table::{LegacyLevel, Validation},
    validate::Validator,
};

/// The positions in a line whose only marks are two spaces and its end: name, space, value, space, timestamp.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) start: usize,
    pub(super) name_end: usize,
    pub(super) value_end: usize,
    /// The position of the LF, or of the CR before it.
    pub(super) end: usize,
}

impl Fields {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the innermost loop")]
    pub(super) fn of(self, bytes: &[u8]) -> [&[u8]; 3] {
        let Self { start, name_end, value_end, end } = self;
        [&bytes[start..name_end], &bytes[name_end + 1..value_end], &bytes[value_end + 1..end]]
    }
}

/// Recognises usual lines under the rules of one table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recogniser {
    validator: Validator,
    /// Whether a legacy name of usual bytes and without tags needs no other check.
    names_are_free: bool,
}

impl Recogniser {
    pub(super) fn new(rules: Validation) -> Self {
        Self { validator: Validator::new(rules), names_are_free: rules.legacy != LegacyLevel::Strict }
    }

    /// Whether the line is certainly valid. `tagged` is true if there may be a `;`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the innermost loop")]
    pub(super) fn is_fine(self, bytes: &[u8], fields: Fields, tagged: bool) -> bool {
        let Fields { start, name_end, value_end, end } = fields;
        let name_is_fine = self.names_are_free && !tagged && is_plain_name(bytes, start, name_end);
        (name_is_fine || self.is_fine_name(&bytes[start..name_end]))
            && (is_decimal(bytes, name_end + 1, value_end)
                || self.is_fine_value(&bytes[name_end + 1..value_end]))
            && is_plain_timestamp(bytes, value_end + 1, end)
    }

    /// For names with tags, names with long first nodes, and strict rules.
    #[inline(never)]
    fn is_fine_name(self, name: &[u8]) -> bool {
        !name.is_empty() && self.validator.check_name(name).is_ok()
    }

    #[inline(never)]
    fn is_fine_value(self, value: &[u8]) -> bool {
        !value.is_empty() && self.validator.check_value(value).is_ok()
    }
}

/// Whether `bytes[start..end]`, which must contain no marks and no `;`, is certainly a legacy name: its first
/// node ends within 16 bytes and contains neither `=` nor `_`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the innermost loop")]
fn is_plain_name(bytes: &[u8], start: usize, end: usize) -> bool {
    let Some(first) = chunk_at(bytes, start) else { return false };
    let parts = lanes::node_parts(first);
    let length = end - start;
    // Bit n: the node may end before byte n.
    let ends = parts.dots | 1 << length.min(16);
    let up_to_first_end = ends ^ (ends - 1);
    // If the node does not end within the 16 bytes, nothing is known of its rest.
    length > 1 && up_to_first_end & (parts.suspects | (u32::from(length > 16) << 16)) == 0
}

/// Whether `bytes[start..end]`, which must contain no marks, is certainly a decimal number: up to 16 bytes, or
/// up to 32, with at most one point and no exponent.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the innermost loop")]
fn is_decimal(bytes: &[u8], start: usize, end: usize) -> bool {
    let length = end - start;
    let Some(first) = chunk_at(bytes, start) else { return false };
    let parts = lanes::decimal_parts(first);
    let (digits, points) = if length <= 16 {
        (parts.digits, parts.points)
    } else {
        let Some(second) = chunk_at(bytes, start + 16) else { return false };
        let more = lanes::decimal_parts(second);
        (parts.digits | more.digits << 16, parts.points | more.points << 16)
    };
    if length > 31 {
        return false;
    }
    let inside = (1_u32 << length) - 1;
    let inside = if first[0] == b'-' { inside & !1 } else { inside };
    let digits = digits & inside;
    let others = inside & !digits;
    // All are digits, or all but one point.
    digits != 0 && others & !points == 0 && others & others.wrapping_sub(1) == 0
}

/// Whether `bytes[start..end]`, which must contain no marks, is certainly a number of seconds that fits 32
/// bits.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the innermost loop")]
fn is_plain_timestamp(bytes: &[u8], start: usize, end: usize) -> bool {
    let Some(first) = chunk_at(bytes, start) else { return false };
    let length = end - start;
    let is_small = length < 10 || length == 10 && first[0] <= b'3';
    if length == 0 || !is_small {
        return false;
    }
    let inside = (1_u32 << length) - 1;
    lanes::decimal_parts(first).digits & inside == inside
}

/// The 16 bytes from `at` on, some of which may be after the part in question.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the innermost loop")]
fn chunk_at(bytes: &[u8], at: usize) -> Option<&[u8; 16]> {
    bytes.get(at..)?.first_chunk()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Metrics20Level, Timestamps};
    use proptest::prelude::*;

    fn all_rules() -> impl Iterator<Item = Validation> {
        use LegacyLevel::{Medium, None, Strict};
        [None, Medium, Strict].into_iter().flat_map(|legacy| {
            [Metrics20Level::None, Metrics20Level::Medium].into_iter().flat_map(move |metrics20| {
                [(false, Timestamps::Seconds), (true, Timestamps::Auto)].map(|(finite, timestamps)| {
                    Validation { legacy, metrics20, finite, timestamps, order: false }
                })
            })
        })
    }

    /// Checks that everything that is certainly valid is valid. Returns whether it was certain.
    fn check(name: &str, value: &str, timestamp: &str) -> bool {
        let line = format!("{name} {value} {timestamp}\n................................");
        let (name_end, value_end) = (name.len(), name.len() + 1 + value.len());
        let end = value_end + 1 + timestamp.len();
        let fields = Fields { start: 0, name_end, value_end, end };
        let mut fine_by_default = false;
        for rules in all_rules() {
            let is_fine = Recogniser::new(rules).is_fine(line.as_bytes(), fields, name.contains(';'));
            if is_fine {
                let checked = Validator::new(rules).check(&line.as_bytes()[..end], 0);
                assert!(checked.is_ok_and(|line| line.canonical), "{name} {value} {timestamp}: {rules:?}");
            }
            fine_by_default |= is_fine && rules == Validation::default();
        }
        fine_by_default
    }

    #[test]
    fn ordinary_lines_are_recognised() {
        for name in [
            "servers.web0123.cpu.user.percent",
            "ab",
            "abcdefghijklmnop",
            "a_b.c",
            "very_long_first_node.x",
            "a;b=c",
        ] {
            for value in ["1", "12.345", "-0.5", "0.9082725655427134", "1e5", ".5", "5."] {
                assert!(check(name, value, "1700000000"), "{name} {value}");
            }
        }
        assert!(check("a.b", "1", "0"));
    }

    #[test]
    fn what_is_not_surely_fine_is_left_to_the_validator() {
        for name in ["", ".", "a=b.c", "a_is_b.c", "x;", "abcdefghijklmnop=.x", "abcdefghijklmno_is_.x"] {
            assert!(!check(name, "1", "1700000000"), "{name}");
        }
        for value in ["", "-", ".", "1.2.3", "1-", "--1", "x", "1234567890123456x", "1.1.1.1.1.1.1.1.1.1"] {
            assert!(!check("a.b", value, "1700000000"), "{value}");
        }
        for timestamp in ["", "17000000000", "4294967296", "-1", "1.5", "x", "99999999999999999999"] {
            assert!(!check("a.b", "1", timestamp), "{timestamp}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn surely_fine_is_fine(
            name in "[a-c.=_;is-]{0,20}", value in "[-+0-9.e_]{0,34}", timestamp in "[0-9.]{0,12}",
        ) {
            check(&name, &value, &timestamp);
        }

        #[test]
        fn surely_fine_numbers_are_fine(value in "-?[0-9]{0,18}\\.?[0-9]{0,18}", timestamp in "[0-9]{8,11}") {
            check("a.b", &value, &timestamp);
        }
    }
}
