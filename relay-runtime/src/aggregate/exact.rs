//! Sums that do not depend on the order of addition, within the precision of the output.
//!
//! A sum consists of two numbers: the result of plain addition, and what its roundings have lost so far
//! (Neumaier's algorithm). The lost part is itself rounded only at about 2^-106 of what was added, so the same
//! datapoints give the same output, whichever connection they came over first. Where plain addition overflows,
//! so does this.

/// A running sum: the result of plain addition, and what its roundings lost.
pub(super) type Sum = [f64; 2];

/// Adds one number.
#[inline]
pub(super) fn add(sum: &mut Sum, number: f64) {
    let [high, low] = sum;
    let whole = *high + number;
    let added = whole - *high;
    *low += (*high - (whole - added)) + (number - added);
    *high = whole;
}

/// The value of the sum.
#[inline]
pub(super) fn total([high, low]: Sum) -> f64 {
    // An infinite sum has no lost part.
    if high.is_finite() { high + low } else { high }
}

/// The difference of two numbers, and what its rounding lost.
#[inline]
pub(super) fn difference(a: f64, b: f64) -> Sum {
    let whole = a - b;
    let taken = whole - a;
    [whole, (a - (whole - taken)) - (b + taken)]
}

/// The product of two numbers, and what its rounding lost (meaningless if the product overflows).
#[inline]
pub(super) fn product(a: f64, b: f64) -> Sum {
    let whole = a * b;
    let ([a, a_low], [b, b_low]) = (halves(a), halves(b));
    let lost = ((a * b - whole) + a * b_low + a_low * b) + a_low * b_low;
    if lost.is_finite() { [whole, lost] } else { [whole, 0.0] }
}

/// Splits a number as Dekker does: a half has 26 bits, so products of halves are exact.
#[inline]
fn halves(number: f64) -> [f64; 2] {
    const SPLIT: f64 = 134_217_729.0;
    let split = number * SPLIT;
    let high = split - (split - number);
    [high, number - high]
}

/// The sum of squared distances from the mean: `squares − sum² / count`.
pub(super) fn around_mean(squares: Sum, sum: Sum, count: f64) -> f64 {
    let [sum, sum_low] = normalized(sum);
    let [square, lost] = product(sum, sum);
    let part = square / count;
    let [back, back_lost] = product(part, count);
    let part_low = (((square - back) - back_lost) + (lost + 2.0 * sum * sum_low)) / count;
    let [squares, squares_low] = normalized(squares);
    let [whole, lost] = difference(squares, part);
    whole + (lost + (squares_low - part_low))
}

/// The same sum, with the larger part first.
fn normalized([high, low]: Sum) -> Sum {
    difference(high, -low)
}

#[cfg(test)]
#[allow(clippy::float_cmp, reason = "the results are exact")]
mod tests {
    use super::*;

    fn sum_of(numbers: impl IntoIterator<Item = f64>) -> f64 {
        let mut sum = [0.0; 2];
        for number in numbers {
            add(&mut sum, number);
        }
        total(sum)
    }

    #[test]
    fn order_makes_no_difference() {
        let numbers: Vec<f64> =
            (1..2000).map(|n| f64::from(n).powi(7) * if n % 3 == 0 { -0.1 } else { 1e-9 }).collect();
        let forth = sum_of(numbers.iter().copied());
        assert_eq!(forth.to_bits(), sum_of(numbers.iter().rev().copied()).to_bits());
        let naive: f64 = numbers.iter().sum();
        assert!((forth - naive).abs() <= naive.abs() * 1e-10);
    }

    #[test]
    fn nothing_is_lost_where_plain_addition_loses() {
        assert_eq!(sum_of([1e16, 1.0, -1e16]), 1.0);
        assert_eq!(sum_of([0.1; 10]), 1.0);
        assert_eq!(sum_of([1e308, 1e308, -1e308]), f64::INFINITY);
        assert!(sum_of([f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn differences_and_products_are_exact() {
        let [whole, lost] = difference(1e16, 1.1);
        assert_eq!((whole, lost), (1e16 - 1.1, (1e16 - (1e16 - 1.1)) - 1.1));
        let [whole, lost] = difference(1.1, 1e16);
        assert_eq!((whole, lost), (1.1 - 1e16, 1.1 - (1e16 + (1.1 - 1e16))));
        let [whole, lost] = product(1.0 + f64::EPSILON, 1.0 + f64::EPSILON);
        assert_eq!((whole, lost), (1.0 + 2.0 * f64::EPSILON, f64::EPSILON * f64::EPSILON));
        assert_eq!(product(1e200, 1e200), [f64::INFINITY, 0.0]);
    }
}
