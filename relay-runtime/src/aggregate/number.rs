//! How a result is written in a line.
//!
//! By default the shortest decimal that reads back as the same number; `fixed6` is carbon-relay-ng's format.

use crate::{protocol::pickle::push_float, table::NumberFormat};
use std::io::Write as _;

/// Appends a number in the given format.
pub(super) fn push(number: f64, format: NumberFormat, out: &mut Vec<u8>) {
    if format == NumberFormat::Fixed6 && number.is_finite() {
        // Writing to memory cannot fail.
        let _ = write!(out, "{number:.6}");
    } else {
        push_float(number, out);
    }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the results are exact")]
mod tests {
    use super::*;

    #[test]
    fn six_decimals_are_those_of_go() {
        for (number, want) in [
            (3.0, "3.000000"),
            (4e-7, "0.000000"),
            (-0.0, "-0.000000"),
            (0.007_812_5, "0.007812"),
            (1e21, "1000000000000000000000.000000"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            let mut out = Vec::new();
            push(number, NumberFormat::Fixed6, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), want);
        }
    }

    #[test]
    fn the_shortest_form_is_read_back_as_it_was() {
        for number in [0.1 + 0.2, 4e-7, 1e300, -5.0, 1.0 / 3.0, 123_456_789.0] {
            let mut out = Vec::new();
            push(number, NumberFormat::Shortest, &mut out);
            assert_eq!(String::from_utf8(out).unwrap().parse(), Ok(number));
        }
    }
}
