//! The numbers that a bucket stores, and how the functions compute their results from them.
//!
//! A bucket stores only the numbers that its rule's functions need: three for a sum. It stores the values
//! themselves for percentiles only. All results except those of `first`, `last` and `derive` with equal
//! timestamps are the same for every order of arrival; see [`exact`](super::exact).

use super::{
    exact::{self, Sum},
    percentile,
};
use crate::table::{Aggregator, Function, Percentile, PercentileMethod};

/// The places of a bucket's numbers in its list. The first number is the count.
#[derive(Clone, Debug)]
pub(super) struct Fold {
    sum: Option<usize>,
    min: Option<usize>,
    max: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
    slope: Option<usize>,
    moments: Option<usize>,
    words: usize,
    keeps_values: bool,
    method: PercentileMethod,
    interval: f64,
}

/// How many numbers moments need: a shift, and the sums of the shifted values and of their squares.
const MOMENTS: usize = 5;

/// How many numbers a slope needs: time and value of the oldest datapoint and of the newest.
const SLOPE: usize = 4;

impl Fold {
    pub(super) fn new(rule: &Aggregator) -> Self {
        let mut fold = Self {
            sum: None,
            min: None,
            max: None,
            first: None,
            last: None,
            slope: None,
            moments: None,
            words: 1,
            keeps_values: false,
            method: rule.options.percentile_method,
            interval: f64::from(rule.interval),
        };
        for (_, function) in rule.outputs() {
            fold.make_room(function);
        }
        fold
    }

    fn make_room(&mut self, function: Function) {
        let words = &mut self.words;
        let mut take = |place: &mut Option<usize>, count: usize| {
            place.get_or_insert_with(|| {
                *words += count;
                *words - count
            });
        };
        match function {
            Function::Count => {}
            Function::Avg | Function::Sum | Function::Rate => take(&mut self.sum, 2),
            Function::Min => take(&mut self.min, 1),
            Function::Max => take(&mut self.max, 1),
            Function::Delta => {
                take(&mut self.min, 1);
                take(&mut self.max, 1);
            }
            Function::First => take(&mut self.first, 1),
            Function::Last => take(&mut self.last, 1),
            Function::Derive => take(&mut self.slope, SLOPE),
            Function::Stdev | Function::Variance => take(&mut self.moments, MOMENTS),
            Function::Median | Function::Percentile(_) | Function::Percentiles => self.keeps_values = true,
        }
    }

    /// How many numbers a bucket has.
    pub(super) const fn words(&self) -> usize {
        self.words
    }

    /// Whether a bucket stores the values themselves.
    pub(super) const fn keeps_values(&self) -> bool {
        self.keeps_values
    }

    /// Adds a datapoint to the numbers of a bucket, which must be zero before the first.
    #[inline]
    pub(super) fn add(&self, words: &mut [f64], value: f64, seconds: u32) {
        let is_first = words[0] == 0.0;
        words[0] += 1.0;
        if let Some(at) = self.sum {
            add_to(words, at, value);
        }
        if let Some(at) = self.min
            && (is_first || value < words[at])
        {
            words[at] = value;
        }
        if let Some(at) = self.max
            && (is_first || value > words[at])
        {
            words[at] = value;
        }
        if let Some(at) = self.last {
            words[at] = value;
        }
        if let Some(at) = self.first
            && is_first
        {
            words[at] = value;
        }
        if let Some(at) = self.slope {
            add_slope(&mut words[at..at + SLOPE], is_first, f64::from(seconds), value);
        }
        if let Some(at) = self.moments {
            add_moments(&mut words[at..at + MOMENTS], is_first, value);
        }
    }

    /// The result of a function for a bucket; `values` must be sorted. `None` if the function has no result,
    /// such as `derive` of one timestamp.
    pub(super) fn result(&self, function: Function, words: &[f64], values: &[f64]) -> Option<f64> {
        let count = words[0];
        let sum = || self.sum.map(|at| exact::total([words[at], words[at + 1]]));
        let percentile = |percentile| percentile::of_sorted(values, percentile, self.method);
        match function {
            Function::Count => Some(count),
            Function::Sum => sum(),
            Function::Avg => Some(sum()? / count),
            Function::Rate => Some(sum()? / self.interval),
            Function::Min => Some(words[self.min?]),
            Function::Max => Some(words[self.max?]),
            Function::Delta => Some(words[self.max?] - words[self.min?]),
            Function::First => Some(words[self.first?]),
            Function::Last => Some(words[self.last?]),
            Function::Derive => slope(&words[self.slope?..]),
            Function::Variance => Some(variance(&words[self.moments?..], count)),
            Function::Stdev => Some(variance(&words[self.moments?..], count).sqrt()),
            Function::Median => percentile(Percentile::whole(50)),
            Function::Percentile(one) => percentile(one),
            Function::Percentiles => None,
        }
    }
}

#[inline]
fn add_to(words: &mut [f64], at: usize, value: f64) {
    let mut sum: Sum = [words[at], words[at + 1]];
    exact::add(&mut sum, value);
    words[at..at + 2].copy_from_slice(&sum);
}

/// Orders by timestamp; of two datapoints with the same timestamp, the first to arrive counts.
fn add_slope(words: &mut [f64], is_first: bool, seconds: f64, value: f64) {
    if is_first || seconds < words[0] {
        words[..2].copy_from_slice(&[seconds, value]);
    }
    if is_first || seconds > words[2] {
        words[2..4].copy_from_slice(&[seconds, value]);
    }
}

fn slope(words: &[f64]) -> Option<f64> {
    let &[oldest, from, newest, to, ..] = words else { return None };
    (newest > oldest).then(|| (to - from) / (newest - oldest))
}

/// Values are shifted by the first one, so that what they have in common cancels out exactly. A value that is
/// not finite makes the shift NaN, and so the result, as in upstream's two passes.
fn add_moments(words: &mut [f64], is_first: bool, value: f64) {
    if is_first || !value.is_finite() {
        words[0] = if value.is_finite() { value } else { f64::NAN };
    }
    let [high, low] = exact::difference(value, words[0]);
    let [square, lost] = exact::product(high, high);
    let rest = lost + 2.0 * high * low;
    add_to(words, 1, high);
    add_to(words, 3, square);
    // If the main part overflows, the rest has no meaning.
    if low.is_finite() && rest.is_finite() {
        add_to(words, 1, low);
        add_to(words, 3, rest);
    }
}

fn variance(words: &[f64], count: f64) -> f64 {
    let &[shift, sum, sum_low, squares, squares_low, ..] = words else { return f64::NAN };
    if shift.is_nan() {
        return f64::NAN;
    }
    if !squares.is_finite() || !sum.is_finite() {
        return f64::INFINITY;
    }
    let rest = exact::around_mean([squares, squares_low], [sum, sum_low], count);
    if rest.is_nan() { f64::INFINITY } else { (rest / count).max(0.0) }
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the results are exact")]
mod tests {
    use super::*;
    use crate::table::Matcher;

    fn result(function: Function, points: &[(f64, u32)]) -> Option<f64> {
        let fold = Fold::new(&Aggregator::new(function, Matcher::default(), "a"));
        let mut words = vec![0.0; fold.words()];
        let mut values = Vec::new();
        for &(value, seconds) in points {
            fold.add(&mut words, value, seconds);
            values.push(value);
        }
        percentile::sort(&mut values);
        fold.result(function, &words, &values)
    }

    fn of(function: Function, values: &[f64]) -> f64 {
        let points: Vec<_> = values.iter().map(|&value| (value, 1)).collect();
        result(function, &points).unwrap()
    }

    /// The two passes of the textbook.
    fn two_passes(values: &[f64]) -> f64 {
        let count = f64::from(u32::try_from(values.len()).unwrap());
        let mean = values.iter().sum::<f64>() / count;
        (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt()
    }

    #[test]
    fn stdev_is_that_of_two_passes() {
        let wave = |n: u32, scale: f64, offset: f64| {
            (0..n).map(|at| offset + scale * (f64::from(at) * 0.7).sin()).collect::<Vec<_>>()
        };
        for values in [
            wave(10, 1.0, 0.0),
            wave(1000, 3.0, 1000.0),
            wave(100, 1e-6, 1.0),
            wave(50, 1e150, 0.0),
            wave(3, 1e-150, 0.0),
            vec![1e16, 1.0, 2.0, 3.0],
            vec![5.0],
            vec![7.25; 9],
        ] {
            let (got, want) = (of(Function::Stdev, &values), two_passes(&values));
            assert!((got - want).abs() <= want * 1e-12, "{got} {want} {values:?}");
        }
        // Two passes in plain numbers are wrong here; the result is that of exact arithmetic.
        assert_eq!(of(Function::Variance, &[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0, 1e9 + 4.0]), 1.25);
    }

    #[test]
    fn what_is_not_finite_shows() {
        assert!(of(Function::Stdev, &[1.0, f64::NAN]).is_nan());
        assert!(of(Function::Stdev, &[f64::INFINITY, 1.0]).is_nan());
        assert_eq!(of(Function::Stdev, &[1e200, -1e200]), f64::INFINITY);
        assert_eq!(of(Function::Stdev, &[1e200, 1e200]), 0.0);
        assert_eq!(of(Function::Stdev, &[f64::MAX, -f64::MAX]), f64::INFINITY);
        // `max` compares, so a NaN counts only if it comes first.
        assert_eq!(of(Function::Max, &[1.0, f64::NAN, 2.0]), 2.0);
        assert!(of(Function::Min, &[f64::NAN, 2.0]).is_nan());
    }

    #[test]
    fn derive_goes_by_timestamps_and_needs_two() {
        assert_eq!(result(Function::Derive, &[(5.0, 10), (1.0, 8), (2.0, 9), (99.0, 10)]), Some(2.0));
        assert_eq!(result(Function::Derive, &[(5.0, 10), (1.0, 10)]), None);
    }

    #[test]
    fn the_simple_ones_do_what_they_say() {
        let values = [3.0, 1.0, 2.0, 10.0];
        for (function, want) in [
            (Function::Avg, 4.0),
            (Function::Count, 4.0),
            (Function::Delta, 9.0),
            (Function::First, 3.0),
            (Function::Last, 10.0),
            (Function::Max, 10.0),
            (Function::Median, 2.5),
            (Function::Min, 1.0),
            (Function::Rate, 1.6),
            (Function::Sum, 16.0),
            (Function::Variance, 12.5),
        ] {
            assert_eq!(of(function, &values), want, "{function:?}");
        }
    }
}
