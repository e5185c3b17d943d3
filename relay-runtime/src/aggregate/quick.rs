//! Fast parsing of the numbers of validated lines.
//!
//! Usual numbers take the fast path; all others the general parser. Both give the same result.

use crate::validate;

/// How many decimal digits an `f64` represents exactly.
const DIGITS_MAX: usize = 15;

/// How many bytes are read at once.
const WORD: usize = size_of::<u64>();

/// A one in each byte.
const EACH: u64 = 0x0101_0101_0101_0101;

/// The powers of ten, as far as they are needed; an `f64` represents them exactly.
const POWERS: [f64; DIGITS_MAX + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// Parses a value. With few digits the mantissa and the power of ten are both exact, so their quotient is
/// rounded once, which is correct.
#[inline]
pub(super) fn value(text: &[u8]) -> Option<f64> {
    plain(text).or_else(|| validate::value(text))
}

#[inline]
fn plain(text: &[u8]) -> Option<f64> {
    let (is_negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let number = if digits.len() <= WORD { short(digits)? } else { long(digits)? };
    Some(if is_negative { -number } else { number })
}

/// Parses at most eight bytes at once.
#[inline]
fn short(text: &[u8]) -> Option<f64> {
    let word = word(text);
    let points = word ^ (EACH * u64::from(b'.'));
    let points = points.wrapping_sub(EACH) & !points & (EACH << 7);
    let (digits, count, decimals) = if points == 0 {
        (word, text.len(), 0)
    } else {
        let before = points.trailing_zeros() as usize / 8;
        let first = word & ((1 << (8 * before)) - 1);
        // The bytes after the point, at their place.
        let rest = (word >> (8 * before) >> 8) << (8 * before);
        (first | rest, text.len() - 1, text.len() - 1 - before)
    };
    if count == 0 {
        return None;
    }
    let missing = WORD - count;
    let zeros = (EACH * u64::from(b'0')) & ((1 << (8 * missing)) - 1);
    Some(f64::from(eight_digits(digits << (8 * missing) | zeros)?) / POWERS[decimals])
}

#[inline(never)]
fn long(digits: &[u8]) -> Option<f64> {
    if digits.len() > DIGITS_MAX + 1 {
        return None;
    }
    let (mut mantissa, mut count, mut decimals) = (0_u64, 0, None);
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                mantissa = mantissa * 10 + u64::from(byte - b'0');
                count += 1;
            }
            b'.' if decimals.is_none() => decimals = Some(count),
            _ => return None,
        }
    }
    if count == 0 || count > DIGITS_MAX {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "15 digits fit")]
    let whole = mantissa as f64;
    Some(decimals.map_or(whole, |before| whole / POWERS[count - before]))
}

/// Up to eight bytes as a number, the first byte lowest and zeros above.
#[inline]
fn word(text: &[u8]) -> u64 {
    // Two loads that overlap.
    let joined = |first: u64, last: u64, bytes: usize| first | last << (8 * (text.len() - bytes));
    if let Some(word) = text.first_chunk() {
        u64::from_le_bytes(*word)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        joined(u32::from_le_bytes(*first).into(), u32::from_le_bytes(*last).into(), 4)
    } else if let (Some(first), Some(last)) = (text.first_chunk::<2>(), text.last_chunk::<2>()) {
        joined(u16::from_le_bytes(*first).into(), u16::from_le_bytes(*last).into(), 2)
    } else {
        text.first().copied().map_or(0, u64::from)
    }
}

/// Parses eight digits, the first one lowest: combines neighbours to pairs, pairs to fours, and fours to the
/// whole.
#[inline]
fn eight_digits(text: u64) -> Option<u32> {
    let digits = text ^ (EACH * u64::from(b'0'));
    if (digits.wrapping_add(EACH * 0x76) | digits) & (EACH << 7) != 0 {
        return None;
    }
    let pairs = digits.wrapping_mul(10 * 256 + 1) >> 8 & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100 * 65_536 + 1) >> 16 & 0x0000_FFFF_0000_FFFF;
    u32::try_from(fours.wrapping_mul((10_000 << 32) + 1) >> 32).ok()
}

/// Parses a timestamp to whole seconds, as validation does.
#[inline]
pub(super) fn seconds(text: &[u8]) -> Option<u32> {
    if let [first @ b'1'..=b'3', second @ b'0'..=b'9', rest @ ..] = text
        && let Ok(rest) = <[u8; WORD]>::try_from(rest)
        && let Some(rest) = eight_digits(u64::from_le_bytes(rest))
    {
        return Some(u32::from(first - b'0') * 1_000_000_000 + u32::from(second - b'0') * 100_000_000 + rest);
    }
    validate::seconds(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quick_way_is_the_long_way() {
        let mut state = 1_u64;
        let mut texts: Vec<String> =
            ["0", "-0", "-0.0", "1.", ".5", "-.5", ".", "-", "1e3", "nan", "999999999999999", "0x1p3"]
                .map(str::to_owned)
                .to_vec();
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let digits = (state >> 11).to_string();
            let digits = &digits[..=usize::try_from(state % 16).unwrap().min(digits.len() - 1)];
            let at = usize::try_from((state >> 7) % (digits.len() as u64 + 1)).unwrap();
            texts.push(format!("{}.{}", &digits[..at], &digits[at..]));
            texts.push(format!("-{digits}"));
        }
        for text in texts {
            let want = validate::value(text.as_bytes());
            assert_eq!(value(text.as_bytes()).map(f64::to_bits), want.map(f64::to_bits), "{text}");
        }
        for text in
            ["0", "1700000000", "3999999999", "4294967295", "4294967296", "1.5", "17e8", "00000000001"]
        {
            assert_eq!(seconds(text.as_bytes()), validate::seconds(text.as_bytes()).ok(), "{text}");
        }
    }
}
