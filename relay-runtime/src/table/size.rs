//! A number of bytes, as written in a configuration.
//!
//! Units with an `i` are powers of 1024, those without are powers of 1000.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// A number of bytes. Written as a number, or as a number with a unit: `512MiB`, `1.5 GiB`, `64kB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Size(pub u64);

/// The text is not a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedSize;

const UNITS: [(&str, f64); 13] = [
    ("", 1.0),
    ("b", 1.0),
    ("k", 1024.0),
    ("m", 1_048_576.0),
    ("g", 1_073_741_824.0),
    ("kib", 1024.0),
    ("mib", 1_048_576.0),
    ("gib", 1_073_741_824.0),
    ("tib", 1_099_511_627_776.0),
    ("kb", 1e3),
    ("mb", 1e6),
    ("gb", 1e9),
    ("tb", 1e12),
];

impl FromStr for Size {
    type Err = MalformedSize;

    fn from_str(text: &str) -> Result<Self, MalformedSize> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = (&text[..end], text[end..].trim_start().to_ascii_lowercase());
        let factor = UNITS.iter().find(|(name, _)| *name == unit).ok_or(MalformedSize)?.1;
        if let (Ok(whole), true) = (number.parse::<u64>(), unit.is_empty()) {
            return Ok(Self(whole));
        }
        let bytes = number.parse::<f64>().map_err(|_| MalformedSize)? * factor;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "there is no sign in front of it, and the range was checked"
        )]
        if bytes < 9.0e18 { Ok(Self(bytes as u64)) } else { Err(MalformedSize) }
    }
}

impl fmt::Display for MalformedSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a number of bytes such as `512MiB`, `2GiB` or `1048576`")
    }
}

impl std::error::Error for MalformedSize {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_powers_of_1024_with_an_i_and_of_1000_without() {
        for (text, want) in [
            ("0", 0),
            ("1048576", 1_048_576),
            ("512MiB", 512 << 20),
            ("1.5 GiB", 3 << 29),
            ("64kB", 64_000),
            ("64K", 65_536),
            ("2tib", 2 << 40),
            ("7b", 7),
        ] {
            assert_eq!(text.parse(), Ok(Size(want)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_sizes() {
        for text in ["", "MiB", "-1", "1.2.3MiB", "1 parsec", "99999999999TiB", "1e3", "."] {
            assert_eq!(text.parse::<Size>(), Err(MalformedSize), "{text}");
        }
    }
}
