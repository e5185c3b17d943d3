//! Converts an integer in two's complement to decimal text.
//!
//! Only for integers that are too large for the machine's own; the cost is charged to the frame.

/// What one step divides by: as many decimal digits as fit 32 bits.
const STEP: u64 = 1_000_000_000;
const STEP_DIGITS: usize = 9;

/// Appends the integer in `bytes`, lowest byte first; no bytes mean 0.
///
/// Takes time quadratic in the number of bytes, of which a pickle has at most 255.
pub(super) fn push_long(bytes: &[u8], out: &mut Vec<u8>) {
    let is_negative = bytes.last().is_some_and(|top| *top >= 0x80);
    if is_negative {
        out.push(b'-');
    }
    let mut words = magnitude(bytes, is_negative);
    let mut steps = Vec::new();
    while !words.is_empty() {
        steps.push(divide(&mut words));
    }
    let top = steps.pop().unwrap_or(0);
    out.extend_from_slice(top.to_string().as_bytes());
    for step in steps.iter().rev() {
        out.extend_from_slice(format!("{step:0STEP_DIGITS$}").as_bytes());
    }
}

/// The work for such an integer, in bytes of ordinary text.
pub(super) const fn cost(bytes: usize) -> usize {
    3 * bytes + bytes * bytes / 16
}

/// The absolute value in 32-bit words, lowest first.
fn magnitude(bytes: &[u8], is_negative: bool) -> Vec<u32> {
    let fill = if is_negative { 0xff } else { 0 };
    let mut words: Vec<u32> = bytes
        .chunks(4)
        .map(|chunk| u32::from_le_bytes(std::array::from_fn(|at| chunk.get(at).copied().unwrap_or(fill))))
        .collect();
    if is_negative {
        let mut carries = true;
        for word in &mut words {
            (*word, carries) = (!*word).overflowing_add(carries.into());
        }
        // Only the lowest number of a length overflows when negated; 0 is not negative.
        words.extend(carries.then_some(1));
    }
    trim(&mut words);
    words
}

/// Divides by [`STEP`] and returns the remainder.
fn divide(words: &mut Vec<u32>) -> u64 {
    let mut remainder = 0;
    for word in words.iter_mut().rev() {
        let dividend = remainder << 32 | u64::from(*word);
        // The quotient fits, because the remainder is below the divisor.
        *word = u32::try_from(dividend / STEP).unwrap_or(u32::MAX);
        remainder = dividend % STEP;
    }
    trim(words);
    remainder
}

fn trim(words: &mut Vec<u32>) {
    while words.last() == Some(&0) {
        words.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(bytes: &[u8], want: &str) {
        let mut out = Vec::new();
        push_long(bytes, &mut out);
        assert_eq!(str::from_utf8(&out), Ok(want), "{bytes:x?}");
    }

    #[test]
    fn twos_complement_becomes_decimal() {
        check(b"", "0");
        check(b"\0\0\0", "0");
        check(b"\x2a", "42");
        check(b"\xff", "-1");
        check(b"\x80", "-128");
        check(b"\xff\xff\xff\xff\0", "4294967295");
        check(b"\0\0\0\0\xff", "-4294967296");
        check(b"\0\0\0\x80", "-2147483648");
        check(b"\0\0\0\0\0\0\0\0\x01", "18446744073709551616");
        check(b"\0\xca\x9a\x3b", "1000000000");
        let power = [&[0; 254][..], b"\x80"].concat();
        let mut out = Vec::new();
        push_long(&power, &mut out);
        assert!(out.starts_with(b"-63") && out.len() == 615, "{}", out.escape_ascii());
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_library(number in any::<i128>(), shift in 0_u32..128, sign in 0_usize..3) {
            let number = number >> shift;
            let bytes = [&number.to_le_bytes()[..], if number < 0 { &b"\xff\xff"[..sign.min(2)] } else { &[0, 0][..sign.min(2)] }].concat();
            check(&bytes, &number.to_string());
        }
    }
}
