//! Percentiles of the values of a bucket, by the three methods of `percentile_method`.
//!
//! Sorting is separate, so that several percentiles share it.

use crate::table::{Percentile, PercentileMethod};

/// Sorts values as Go does: every NaN before all numbers.
pub(super) fn sort(values: &mut [f64]) {
    values.sort_unstable_by(|a, b| match (a.is_nan(), b.is_nan()) {
        (false, false) => a.total_cmp(b),
        (a, b) => b.cmp(&a),
    });
}

/// A percentile of sorted values; `None` if there are none.
pub(super) fn of_sorted(values: &[f64], percentile: Percentile, method: PercentileMethod) -> Option<f64> {
    let (first, last) = (*values.first()?, *values.last()?);
    let count = u32::try_from(values.len()).map_or(f64::INFINITY, f64::from);
    let part = percentile.percent() / 100.0;
    // Ranks count from 1.
    let rank = match method {
        PercentileMethod::Nist => part * (count + 1.0),
        PercentileMethod::Linear => part * (count - 1.0) + 1.0,
        PercentileMethod::Nearest => (part * count + 0.5).floor(),
    };
    if rank < 1.0 {
        return Some(first);
    }
    let floor = rank.floor();
    if floor >= count {
        return Some(last);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the count")]
    let at = floor as usize;
    let (below, above) = (values[at - 1], values[at]);
    let beyond = rank - floor;
    Some(if method == PercentileMethod::Nearest {
        below
    } else if method == PercentileMethod::Linear && beyond == 0.0 {
        // Interpolating with an infinite neighbour would give NaN.
        below
    } else {
        below + beyond * (above - below)
    })
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the results are exact")]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], percent: &str, method: PercentileMethod, want: f64) {
        let mut values = values.to_vec();
        sort(&mut values);
        let got = of_sorted(&values, Percentile::parse(percent).unwrap(), method).unwrap();
        assert!((got - want).abs() <= want.abs() * 1e-12, "{got} {want}");
    }

    const TEN: [f64; 10] = [3.0, 1.0, 2.0, 4.0, 5.0, 10.0, 9.0, 8.0, 7.0, 6.0];

    #[test]
    fn of_one_to_ten() {
        let wanted = [("25", 2.75), ("50", 5.5), ("75", 8.25), ("90", 9.9), ("95", 10.0), ("99", 10.0)];
        for (percent, want) in wanted {
            check(&TEN, percent, PercentileMethod::Nist, want);
        }
        for (percent, want) in [("0", 1.0), ("25", 3.25), ("50", 5.5), ("99.9", 9.991), ("100", 10.0)] {
            check(&TEN, percent, PercentileMethod::Linear, want);
        }
        for (percent, want) in [("1", 1.0), ("25", 3.0), ("50", 5.0), ("95", 10.0), ("100", 10.0)] {
            check(&TEN, percent, PercentileMethod::Nearest, want);
        }
    }

    #[test]
    fn of_one_value_all_are_that_value() {
        for method in [PercentileMethod::Nist, PercentileMethod::Linear, PercentileMethod::Nearest] {
            for percent in ["0", "50", "100"] {
                check(&[7.0], percent, method, 7.0);
            }
        }
    }

    #[test]
    fn nan_is_less_than_all() {
        let mut values = [1.0, f64::NAN, f64::NEG_INFINITY, -0.0, 0.0];
        sort(&mut values);
        assert!(values[0].is_nan());
        assert_eq!(values[1..], [f64::NEG_INFINITY, 0.0, 0.0, 1.0]);
    }
}
