//! Decides which lines are valid (spec §5).
//!
//! [`Validator::check`] defines the meaning: every line, byte by byte, obvious rather than fast. The data path
//! recognises usual lines itself (`pipeline::shape`) and calls this for all others; tests check that both
//! agree. Whether a datapoint is newer than the one before is decided by [`order`](crate::order).

pub(crate) mod fields;
pub(crate) mod key;
pub(crate) mod number;
mod reason;
mod timestamp;

use crate::table::Validation;
use number::Kind;

pub use fields::has_white_space;
pub use reason::Reason;
pub use timestamp::Timestamp;
pub(crate) use timestamp::seconds;

/// The validation rules of a table.
#[derive(Clone, Copy, Debug)]
pub struct Validator {
    rules: Validation,
}

/// A valid line. Name, value and timestamp are forwarded, separated by one space each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The metric, with its leading dot if it has one.
    pub name: &'a [u8],
    /// The value as written.
    pub value: &'a [u8],
    /// The timestamp to forward: as written, unless that is not a second.
    pub timestamp: Timestamp<'a>,
    /// The timestamp in whole seconds.
    pub seconds: u32,
    /// Whether the line is forwarded byte for byte as it came.
    pub canonical: bool,
}

/// An invalid line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rejected<'a> {
    /// Why it is invalid.
    pub reason: Reason,
    /// The metric without its leading dot; empty if the line does not have three fields.
    pub name: &'a [u8],
}

impl Validator {
    /// A validator for these rules.
    #[must_use]
    pub const fn new(rules: Validation) -> Self {
        Self { rules }
    }

    /// Checks one line that arrives at `now_s`, given without LF; a CR at its end is white space like any other.
    pub fn check<'a>(&self, line: &'a [u8], now_s: u64) -> Result<Line<'a>, Rejected<'a>> {
        let Some([name, value, timestamp]) = fields::split(line) else {
            return Err(Rejected { reason: Reason::WrongNumFields, name: &[] });
        };
        let rejected = |reason| Rejected { reason, name: key::without_leading_dot(name) };
        self.check_name(name).map_err(rejected)?;
        self.check_value(value).map_err(rejected)?;
        let is_parted_by_spaces = line.len() == name.len() + value.len() + timestamp.len() + 2
            && line[name.len()] == b' '
            && line[name.len() + 1 + value.len()] == b' ';
        let (seconds, timestamp) =
            timestamp::check(timestamp, self.rules.timestamps, now_s).map_err(rejected)?;
        let canonical = is_parted_by_spaces && timestamp.is_as_written();
        Ok(Line { name, value, timestamp, seconds, canonical })
    }

    pub(crate) fn check_name(self, name: &[u8]) -> Result<(), Reason> {
        key::check(name, self.rules)
    }

    pub(crate) fn check_value(self, value: &[u8]) -> Result<(), Reason> {
        match number::is_number(value) {
            None => Err(Reason::ValueNotNumber),
            Some(Kind::Special) if self.rules.finite => Err(Reason::ValueNotFinite),
            Some(_) => Ok(()),
        }
    }
}

/// The number that a value represents, if it is one.
#[must_use]
pub fn value(value: &[u8]) -> Option<f64> {
    number::parse(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_single_spaces_are_canonical() {
        let validator = Validator::new(Validation::default());
        for (line, want) in [
            ("a.b 1 2", true),
            ("a.b  1 2", false),
            ("a.b\t1 2", false),
            ("a.b 1 2\r", false),
            (" a.b 1 2", false),
            ("a.b 1 -1", false),
            ("a.b 1\u{a0}2", false),
        ] {
            assert_eq!(validator.check(line.as_bytes(), 0).unwrap().canonical, want, "{line}");
        }
    }

    #[test]
    fn specials_are_refused_where_the_table_says_so() {
        let check = |finite, line| {
            let rules = Validation { finite, ..Validation::default() };
            Validator::new(rules).check(line, 0).map_err(|rejected| rejected.reason).map(|line| line.seconds)
        };
        assert_eq!(check(false, b"a nan 1"), Ok(1));
        assert_eq!(check(true, b"a nan 1"), Err(Reason::ValueNotFinite));
        assert_eq!(check(true, b"a 1e300 1"), Ok(1));
    }
}
