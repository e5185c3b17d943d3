//! Decides whether a received line is accepted, and returns the datapoint in it.
//!
//! The relay's pipeline, `trace`, `test` and `replay` all call [`Admission::admit`], so they decide alike.
//! (The pipeline recognises most valid lines itself; tests check that its answers are the same.) How a stream
//! is cut into lines is decided in [`protocol`](crate::protocol). There is no clock here: the time of arrival
//! comes with each line.

use crate::{
    order::OrderCheck,
    plan::Plan,
    settings::Settings,
    table::Validation,
    validate::{Line, Reason, Validator, key},
};
use std::{
    io::{self, BufRead},
    sync::Arc,
};

/// The rules for accepting a line. Clones share the memory of the order check.
#[derive(Clone, Debug)]
pub struct Admission {
    line_bytes_max: usize,
    validator: Validator,
    order: Option<Arc<OrderCheck>>,
}

impl Admission {
    /// Makes an admission by these rules; longer lines than `line_bytes_max`, not counting the LF, are
    /// refused.
    #[must_use]
    pub fn new(rules: Validation, line_bytes_max: usize) -> Self {
        let order = rules.order.then(|| Arc::new(OrderCheck::new()));
        Self { line_bytes_max, validator: Validator::new(rules), order }
    }

    /// Makes the admission of a relay with this plan. An open limit gets its value from `lookup`, or else its
    /// default.
    #[must_use]
    pub fn of(plan: &Plan, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let known = |settings: &Settings| settings.line_bytes_max.resolve(&lookup).ok();
        let bytes = known(&plan.settings).or_else(|| known(&Settings::default())).unwrap_or_default();
        Self::new(plan.table.validation, usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// Accepts a line that arrives at `now_s`, given without LF, or returns why it is refused.
    pub fn admit<'l>(&self, line: &'l [u8], now_s: u64) -> Result<Line<'l>, Reason> {
        if line.len() > self.line_bytes_max {
            return Err(Reason::LineTooLong);
        }
        let line = self.validator.check(line, now_s).map_err(|rejected| rejected.reason)?;
        let series = key::without_leading_dot(line.name);
        match &self.order {
            Some(order) if !order.check(series, line.seconds, now_s) => Err(Reason::OutOfOrder),
            _ => Ok(line),
        }
    }

    /// The length of the longest accepted line in bytes, without its LF.
    pub(crate) const fn line_bytes_max(&self) -> usize {
        self.line_bytes_max
    }

    /// Whether the timestamps of a series must grow.
    pub(crate) const fn has_order(&self) -> bool {
        self.order.is_some()
    }

    /// Reads the next line into `line`, without its LF. Returns whether there was one. If a line is too long
    /// for a relay, even after `extra` bytes in front of it, only enough of it is kept to show that.
    pub(crate) fn read_line(
        &self,
        extra: usize,
        input: &mut dyn BufRead,
        line: &mut Vec<u8>,
    ) -> io::Result<bool> {
        let bytes_max = self.line_bytes_max.saturating_add(extra).saturating_add(1);
        line.clear();
        loop {
            let read = match input.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            let end = memchr::memchr(b'\n', read);
            let (bytes, is_there) = (end.unwrap_or(read.len()), !read.is_empty());
            let room = bytes_max.saturating_sub(line.len());
            line.extend_from_slice(&read[..bytes.min(room)]);
            input.consume(bytes + usize::from(end.is_some()));
            if end.is_some() || !is_there {
                return Ok(end.is_some() || !line.is_empty());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    #[test]
    fn lines_are_read_whole_and_long_ones_no_further_than_shows_it() {
        let admission = Admission::new(Validation::default(), 5);
        let text = b"a 1 2\n\nlonger than that\r\nb 1 2";
        for capacity in 1..=text.len() {
            let mut input = BufReader::with_capacity(capacity, &text[..]);
            let (mut line, mut lines) = (Vec::new(), Vec::new());
            while admission.read_line(0, &mut input, &mut line).unwrap() {
                lines.push((String::from_utf8(line.clone()).unwrap(), admission.admit(&line, 0).is_ok()));
            }
            let want = [("a 1 2", true), ("", false), ("longer", false), ("b 1 2", true)];
            assert_eq!(lines, want.map(|(line, is_taken)| (line.to_owned(), is_taken)));
        }
    }

    #[test]
    fn an_open_limit_is_looked_up_or_else_the_default() {
        let mut plan = Plan::default();
        plan.settings.line_bytes_max = crate::table::Late::AtStart("${LONGEST}".into());
        let limit = |value: Option<&str>| {
            Admission::of(&plan, |name| value.filter(|_| name == "LONGEST").map(str::to_owned)).line_bytes_max
        };
        assert_eq!((limit(Some("100")), limit(None), limit(Some("x"))), (100, 65_535, 65_535));
    }
}
