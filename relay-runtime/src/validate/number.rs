//! The numbers that a line may contain: exactly those that Go's `strconv.ParseFloat` accepts (spec §5.5).
//!
//! They are decimal or hexadecimal, with underscores between digits; or `inf`, `infinity` and `nan` in any
//! case. A number that overflows is not accepted. The form of most texts already decides; only those with long
//! exponents are converted.

/// Parses a number.
pub(crate) fn parse(text: &[u8]) -> Option<f64> {
    if let Some(special) = parse_special(text) {
        return Some(special);
    }
    let shape = Shape::of(text)?;
    let number = if shape.is_hex { hex_value(text) } else { decimal_value(text, shape.has_underscores)? };
    number.is_finite().then_some(number)
}

/// Whether `text` is a number, and of which kind. Decides as `parse` does, but converts only where necessary.
pub(crate) fn is_number(text: &[u8]) -> Option<Kind> {
    if let Some(shape) = Shape::of(text) {
        // A decimal number without an exponent needs more than 300 digits to overflow.
        let is_small = !shape.is_hex && !shape.has_exponent && text.len() <= 300;
        return (is_small || parse(text).is_some()).then_some(Kind::Finite);
    }
    parse_special(text).map(|_| Kind::Special)
}

/// The kind of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A finite number.
    Finite,
    /// NaN or infinite.
    Special,
}

fn parse_special(text: &[u8]) -> Option<f64> {
    let is = |text: &[u8], word: &str| text.eq_ignore_ascii_case(word.as_bytes());
    if is(text, "nan") {
        return Some(f64::NAN);
    }
    let (sign, word) = match text {
        [b'-', word @ ..] => (-1.0, word),
        [b'+', word @ ..] | word => (1.0, word),
    };
    (is(word, "inf") || is(word, "infinity")).then_some(sign * f64::INFINITY)
}

/// The form of a well-formed number.
#[derive(Clone, Copy, Debug)]
struct Shape {
    is_hex: bool,
    has_exponent: bool,
    has_underscores: bool,
}

impl Shape {
    /// Recognises Go's grammar: `[+-] [0x] digits [. digits] [e|p [+-] decimal digits]`, with a digit on at
    /// least one side of the point, and an exponent if the number is hexadecimal.
    fn of(text: &[u8]) -> Option<Self> {
        let number = unsigned(text);
        let is_hex = hex_prefix(number);
        let mut rest = if is_hex { &number[2..] } else { number };
        let digits = take_digits(&mut rest, is_hex);
        let mut decimals = 0;
        if let Some(after_point) = rest.strip_prefix(b".") {
            rest = after_point;
            decimals = take_digits(&mut rest, is_hex);
        }
        if digits + decimals == 0 {
            return None;
        }
        let mark = if is_hex { b'p' } else { b'e' };
        let has_exponent = rest.first().is_some_and(|byte| byte.to_ascii_lowercase() == mark);
        if has_exponent {
            rest = unsigned(&rest[1..]);
            if !rest.first().is_some_and(u8::is_ascii_digit) {
                return None;
            }
            take_digits(&mut rest, false);
        }
        let has_underscores = number.contains(&b'_');
        let is_whole = rest.is_empty() && (has_exponent || !is_hex);
        let is_legal = is_whole && (!has_underscores || underscores_part_digits(number, is_hex));
        is_legal.then_some(Self { is_hex, has_exponent, has_underscores })
    }
}

fn unsigned(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")).unwrap_or(text)
}

fn hex_prefix(number: &[u8]) -> bool {
    matches!(number, [b'0', b'x' | b'X', ..])
}

/// Removes digits and underscores from the front; returns the number of digits.
fn take_digits(rest: &mut &[u8], is_hex: bool) -> usize {
    let is_digit = |byte: u8| if is_hex { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
    let end = rest.iter().position(|&byte| !is_digit(byte) && byte != b'_').unwrap_or(rest.len());
    let digits = rest[..end].iter().filter(|&&byte| byte != b'_').count();
    *rest = &rest[end..];
    digits
}

/// Whether each underscore is between two digits, of which `0x` counts as one.
fn underscores_part_digits(number: &[u8], is_hex: bool) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || is_hex && byte.is_ascii_hexdigit();
    let is_parted = |at: usize| {
        let before = at > 0 && (is_digit(number[at - 1]) || is_hex && at == 2);
        before && number.get(at + 1).is_some_and(|&after| is_digit(after))
    };
    (0..number.len()).filter(|&at| number[at] == b'_').all(is_parted)
}

fn decimal_value(text: &[u8], has_underscores: bool) -> Option<f64> {
    if has_underscores {
        let plain: Vec<u8> = text.iter().copied().filter(|&byte| byte != b'_').collect();
        return std::str::from_utf8(&plain).ok()?.parse().ok();
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The value of a well-formed hexadecimal number. It is exact for normal numbers, and close to zero for those
/// that are too small for that, which is enough for seconds and for the overflow check.
fn hex_value(text: &[u8]) -> f64 {
    let (mut mantissa, mut exponent, mut after_point) = (0_u64, 0_i64, false);
    let mut bytes = unsigned(text)[2..].iter().copied();
    for byte in bytes.by_ref() {
        let digit = match byte {
            b'.' => {
                after_point = true;
                continue;
            }
            b'_' => continue,
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' | b'A'..=b'F' => byte.to_ascii_lowercase() - b'a' + 10,
            _ => break,
        };
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | u64::from(digit);
            exponent -= if after_point { 4 } else { 0 };
        } else {
            // Digits that do not fit only decide the direction of rounding.
            mantissa |= u64::from(digit != 0);
            exponent += if after_point { 0 } else { 4 };
        }
    }
    exponent += written_exponent(bytes);
    let sign = if text.first() == Some(&b'-') { -1.0 } else { 1.0 };
    sign * scaled(mantissa, exponent)
}

fn written_exponent(bytes: impl Iterator<Item = u8>) -> i64 {
    let (mut exponent, mut sign) = (0_i64, 1);
    for byte in bytes {
        match byte {
            b'-' => sign = -1,
            // With more digits than a line can have, the exponent is out of range in any case.
            b'0'..=b'9' if exponent < 1_000_000 => exponent = exponent * 10 + i64::from(byte - b'0'),
            _ => {}
        }
    }
    sign * exponent
}

#[expect(clippy::cast_precision_loss, reason = "this is the one rounding that a conversion makes")]
fn scaled(mantissa: u64, exponent: i64) -> f64 {
    let mut number = mantissa as f64;
    let mut left = exponent.clamp(-10_000, 10_000);
    while left != 0 && number != 0.0 && number.is_finite() {
        let step = left.clamp(-512, 512);
        number *= 2.0_f64.powi(i32::try_from(step).unwrap_or(0));
        left -= step;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Option<f64>) {
        let got = parse(text.as_bytes());
        assert_eq!(got.map(f64::to_bits), want.map(f64::to_bits), "{text}");
        let kind = want.map(|number| if number.is_finite() { Kind::Finite } else { Kind::Special });
        assert_eq!(is_number(text.as_bytes()), kind, "{text}");
    }

    #[test]
    fn decimals_are_what_go_takes() {
        for text in ["1", "1.", ".5", "1e5", "1E+5", "-0", "+12.5e-3", "1e-999", "00", "4.9e-324"] {
            check(text, text.parse().ok());
        }
        for text in ["", ".", "+", "-", "1e", "e1", ".e1", "1e+", "1,5", "1 ", "--1", "1.2.3", "1e400", "0b1"]
        {
            check(text, None);
        }
        check(&"9".repeat(308), "9".repeat(308).parse().ok());
        check(&"9".repeat(310), None);
    }

    #[test]
    fn hexadecimals_need_an_exponent() {
        check("0x1p4", Some(16.0));
        check("0X1P+3", Some(8.0));
        check("-0x1.8p1", Some(-3.0));
        check("0x.8p0", Some(0.5));
        check("0x0p99999999999", Some(0.0));
        check("0x1.fffffffffffffp1023", Some(f64::MAX));
        check("0x1.fffffffffffff7p1023", Some(f64::MAX));
        check("0x100000000000000000p0", Some(2.0_f64.powi(68)));
        for text in
            ["0x", "0x1", "0x1p", "0xp1", "0x.p1", "0x1pf", "0x1p1024", "0x1.fffffffffffff8p1023", "0x1e5"]
        {
            check(text, None);
        }
    }

    #[test]
    fn underscores_part_digits_only() {
        check("1_000", Some(1000.0));
        check("1_0.0_1e1_0", Some(100_100_000_000.0));
        check("0x_1p0", Some(1.0));
        check("0x1_0p0", Some(16.0));
        for text in ["_1", "1_", "1__0", "1_.0", "1._0", "1_e5", "1e_5", "1e5_", "+_1", "0_x1p0", "0x1_p0"] {
            check(text, None);
        }
    }

    #[test]
    fn only_infinity_may_have_a_sign() {
        check("NaN", Some(f64::NAN));
        check("-Inf", Some(f64::NEG_INFINITY));
        check("+INFINITY", Some(f64::INFINITY));
        for text in ["+nan", "-nan", "infinit", "in", "nano", "i_nf"] {
            check(text, None);
        }
    }
}
