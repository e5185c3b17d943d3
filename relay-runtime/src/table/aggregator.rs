//! Rules that fold many datapoints into one per interval (spec §9). The engine for them comes later; what
//! they match and what they hide from the routes is already part of the table's meaning.

use super::Matcher;
use serde::{Deserialize, Serialize};

/// One aggregation rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregator {
    /// How the datapoints of a bucket become one.
    pub function: Function,
    /// Which metrics it takes. A missing regex takes everything with group 0 only (BUG-20).
    pub matcher: Matcher,
    /// The output metric, with references to the regex' groups (spec §8).
    pub format: String,
    /// Seconds per bucket, at least 1.
    pub interval: u32,
    /// Seconds after a bucket's start until it is emitted.
    pub wait: u32,
    /// Whether upstream would remember which names match; ours always does.
    pub cache: bool,
    /// Hide what it takes from later aggregators and from all routes.
    pub drop_raw: bool,
}

/// The functions of spec §9.4.
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
    /// Last arrived.
    Last,
    /// Largest.
    Max,
    /// Smallest.
    Min,
    /// Population standard deviation.
    Stdev,
    /// Sum.
    Sum,
    /// Six outputs, `.p25` to `.p99`.
    Percentiles,
}

impl Function {
    /// All functions.
    pub const ALL: [Self; 10] = [
        Self::Avg,
        Self::Count,
        Self::Delta,
        Self::Derive,
        Self::Last,
        Self::Max,
        Self::Min,
        Self::Stdev,
        Self::Sum,
        Self::Percentiles,
    ];

    /// The name as written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
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
        }
    }
}

impl Aggregator {
    /// The seven hex digits that stand for this rule in views and counters (spec §9.6).
    #[must_use]
    pub fn key(&self) -> String {
        use md5::{Digest, Md5};
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let fields = [
            self.function.name().to_owned(),
            text(&self.matcher.regex),
            text(&self.matcher.not_regex),
            text(&self.matcher.prefix),
            text(&self.matcher.not_prefix),
            text(&self.matcher.sub),
            text(&self.matcher.not_sub),
            self.format.clone(),
        ];
        let digest = Md5::digest(fields.join("\0"));
        format!("{:02x}{:02x}{:02x}{:x}", digest[0], digest[1], digest[2], digest[3] >> 4)
    }
}
