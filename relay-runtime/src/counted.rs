//! A number with its noun: "1 route", "2 routes", "0 blocklist entries".
//!
//! For texts that people read. Nouns are English and regular; those in -y after a consonant get -ies.

use std::fmt;

/// A number and what it counts, as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted<'a> {
    number: u64,
    noun: &'a str,
}

/// `number` of what `noun`, a singular, names.
#[must_use]
pub fn counted<N: TryInto<u64>>(number: N, noun: &str) -> Counted<'_> {
    Counted { number: number.try_into().unwrap_or(u64::MAX), noun }
}

impl fmt::Display for Counted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, noun } = self;
        let stem = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
        match (number, stem) {
            (1, _) => write!(f, "1 {noun}"),
            (_, Some(stem)) => write!(f, "{number} {stem}ies"),
            (_, None) => write!(f, "{number} {noun}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_a_singular_and_everything_else_a_plural() {
        let texts = [0_usize, 1, 2].map(|number| counted(number, "route").to_string());
        assert_eq!(texts, ["0 routes", "1 route", "2 routes"]);
        assert_eq!(counted(3_u64, "blocklist entry").to_string(), "3 blocklist entries");
        assert_eq!(counted(3_u64, "key").to_string(), "3 keys");
    }
}
