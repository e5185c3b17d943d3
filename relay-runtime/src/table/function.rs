//! The functions of aggregators, by name (carbon-relay-ng's and ours).
//!
//! How they are computed is in [`aggregate`](crate::aggregate).

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A function of the datapoints of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Function {
    /// Mean.
    Avg,
    /// Number of datapoints.
    Count,
    /// Largest minus smallest.
    Delta,
    /// Change per second.
    Derive,
    /// The value that arrived last.
    Last,
    /// Largest.
    Max,
    /// Smallest.
    Min,
    /// Population standard deviation.
    Stdev,
    /// Sum.
    Sum,
    /// One output for each percentile of a list; by default `.p25` to `.p99`.
    Percentiles,
    /// The value that arrived first (ours).
    First,
    /// The 50th percentile (ours).
    Median,
    /// Sum divided by the seconds of the interval (ours).
    Rate,
    /// Population variance (ours).
    Variance,
    /// One percentile, such as `p99` or `p99.9` (ours).
    Percentile(Percentile),
}

/// A percentile in thousandths of a percent, from 0 to 100 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Percentile(u32);

impl Function {
    /// All functions with a fixed name.
    pub const ALL: [Self; 14] = [
        Self::Avg,
        Self::Count,
        Self::Delta,
        Self::Derive,
        Self::First,
        Self::Last,
        Self::Max,
        Self::Median,
        Self::Min,
        Self::Percentiles,
        Self::Rate,
        Self::Stdev,
        Self::Sum,
        Self::Variance,
    ];

    /// The functions that carbon-relay-ng's commands accept (spec §3.3).
    pub const OF_COMMANDS: [Self; 9] = [
        Self::Avg,
        Self::Count,
        Self::Delta,
        Self::Derive,
        Self::Last,
        Self::Max,
        Self::Min,
        Self::Stdev,
        Self::Sum,
    ];

    /// Whether all values of a bucket must be stored until it is emitted.
    #[must_use]
    pub const fn keeps_values(self) -> bool {
        matches!(self, Self::Median | Self::Percentile(_) | Self::Percentiles)
    }

    /// The function with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let fixed = Self::ALL.into_iter().find(|function| function.name() == name);
        fixed.or_else(|| Percentile::parse(name.strip_prefix('p')?).map(Self::Percentile))
    }

    /// The name as in a configuration, with `_` for the point of a percentile, because a dot would separate
    /// nodes.
    #[must_use]
    pub fn name(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Avg => "avg",
            Self::Count => "count",
            Self::Delta => "delta",
            Self::Derive => "derive",
            Self::Last => "last",
            Self::Max => "max",
            Self::Min => "min",
            Self::Stdev => "stdev",
            Self::Sum => "sum",
            Self::Percentiles => "percentiles",
            Self::First => "first",
            Self::Median => "median",
            Self::Rate => "rate",
            Self::Variance => "variance",
            Self::Percentile(percentile) => return Cow::Owned(percentile.name()),
        })
    }
}

impl Percentile {
    const MILLI: u32 = 1000;
    const MAX: u32 = 100 * Self::MILLI;

    /// A percentile without decimals; more than 100 becomes 100.
    #[must_use]
    pub const fn whole(percent: u32) -> Self {
        if percent >= 100 { Self(Self::MAX) } else { Self(percent * Self::MILLI) }
    }

    /// Parses `99`, `99.9` or `99_9`: at most three decimals, at most 100.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once(['.', '_']).unwrap_or((text, "0"));
        let is_number = |text: &str, len: usize| {
            (1..=len).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, 3) || !is_number(decimals, 3) {
            return None;
        }
        let whole: u32 = whole.parse().ok()?;
        let decimals: u32 = format!("{decimals:0<3}").parse().ok()?;
        let milli = whole * Self::MILLI + decimals;
        (milli <= Self::MAX).then_some(Self(milli))
    }

    /// The percentile in percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.0) / f64::from(Self::MILLI)
    }

    /// The name, such as `p99` or `p99_9`.
    #[must_use]
    pub fn name(self) -> String {
        let (whole, decimals) = (self.0 / Self::MILLI, self.0 % Self::MILLI);
        if decimals == 0 {
            return format!("p{whole}");
        }
        format!("p{whole}_{}", format!("{decimals:03}").trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_have_names_that_are_read_back() {
        for (text, name) in
            [("99", "p99"), ("99.9", "p99_9"), ("5.125", "p5_125"), ("100", "p100"), ("0", "p0")]
        {
            let percentile = Percentile::parse(text).unwrap();
            assert_eq!(percentile.name(), name);
            assert_eq!(Function::named(name), Some(Function::Percentile(percentile)));
        }
        for text in ["", "101", "100.001", "9.", ".9", "1e1", "-1", "5.1234", "1000"] {
            assert_eq!(Percentile::parse(text), None, "{text}");
        }
        assert_eq!(Function::named("percentiles"), Some(Function::Percentiles));
        assert_eq!(Function::named("p"), None);
        assert_eq!(Function::named("AVG"), None);
    }
}
