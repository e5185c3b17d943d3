//! Numbers of lines that were validated, the usual ones quickly. The long way gives the same for all.

use crate::validate;

/// Digits whose number a float holds exactly.
const DIGITS_MAX: usize = 15;

/// Powers of ten that a float holds exactly, as far as they are needed.
const POWERS: [f64; DIGITS_MAX + 1] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// A value. Of a few digits the mantissa is exact and so is the power of ten, and their quotient rounds once: right.
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
    if digits.is_empty() || digits.len() > DIGITS_MAX + 1 {
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
    let number = decimals.map_or(whole, |before| whole / POWERS[count - before]);
    Some(if is_negative { -number } else { number })
}

/// A timestamp in whole seconds.
#[inline]
pub(super) fn seconds(text: &[u8]) -> Option<u32> {
    if (1..=9).contains(&text.len()) || text.len() == 10 && text[0] < b'4' {
        let mut number = 0_u32;
        for &byte in text {
            if !byte.is_ascii_digit() {
                return validate::seconds(text).ok();
            }
            number = number * 10 + u32::from(byte - b'0');
        }
        return Some(number);
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
