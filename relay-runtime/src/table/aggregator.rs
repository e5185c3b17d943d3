//! Aggregation rules as data: they fold many datapoints into one per interval (spec §9).
//!
//! What they compute is in [`aggregate`](crate::aggregate).

use super::{Function, Matcher, Percentile};
use serde::{Deserialize, Serialize};

/// One aggregation rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregator {
    /// The functions that are computed of each bucket, at least one. If there are several, each output's name
    /// ends with the name of its function.
    pub functions: Vec<Function>,
    /// Which metrics it takes. Without a regex it takes what the other conditions match, and only group 0
    /// exists (BUG-20).
    pub matcher: Matcher,
    /// The output's name, with references to the groups of the regex (spec §8).
    pub format: String,
    /// Seconds per bucket, at least 1.
    pub interval: u32,
    /// Seconds after a bucket's start until it is emitted.
    pub wait: u32,
    /// Whether upstream would remember which names match. Ours always remembers, so this has no effect.
    pub cache: bool,
    /// Whether it hides what it takes from later aggregators and from all routes.
    pub drop_raw: bool,
    /// Options that carbon-relay-ng does not have.
    #[serde(default)]
    pub options: AggregatorOptions,
}

/// The options of an aggregation that carbon-relay-ng does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AggregatorOptions {
    /// `bucket_time`: the timestamp of outputs.
    pub bucket_time: BucketTime,
    /// `lateness`: what happens to late datapoints.
    pub lateness: Lateness,
    /// `number_format`: how values are written.
    pub number_format: NumberFormat,
    /// `percentiles`: the outputs of the function of that name.
    pub percentiles: Vec<Percentile>,
    /// `percentile_method`: how percentiles are interpolated.
    pub percentile_method: PercentileMethod,
    /// `max_future`: how many seconds after now a bucket may start.
    pub future_max_s: u32,
    /// `max_buckets`: the most open buckets, over all series.
    pub buckets_max: u32,
    /// `max_series`: the most series that have an open bucket.
    pub series_max: u32,
    /// `max_values`: the most values that are stored for percentiles and medians.
    pub values_max: u32,
}

/// Which moment of a bucket is the timestamp of its output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BucketTime {
    /// The bucket's first second, as in upstream.
    #[default]
    Start,
    /// The second in the bucket's middle.
    Middle,
    /// The first second after the bucket.
    End,
}

/// What happens to a datapoint whose bucket was emitted already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lateness {
    /// It is dropped and counted.
    #[default]
    Drop,
    /// It is added, and the corrected output is emitted again, until the bucket is forgotten.
    Reemit {
        /// Seconds after the first output until the bucket is forgotten.
        keep_s: u32,
    },
}

/// How the values of outputs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberFormat {
    /// The shortest decimal that reads back as the same number (BUG-39).
    #[default]
    Shortest,
    /// Six decimals, as in upstream.
    Fixed6,
}

/// How a percentile between two values is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PercentileMethod {
    /// The definition of NIST, the sixth of Hyndman and Fan; as in upstream.
    #[default]
    Nist,
    /// Linear between the ends, the seventh of Hyndman and Fan; as in Python's carbon.
    Linear,
    /// The value at the nearest rank; as in carbon-c-relay.
    Nearest,
}

impl Default for AggregatorOptions {
    fn default() -> Self {
        Self {
            bucket_time: BucketTime::default(),
            lateness: Lateness::default(),
            number_format: NumberFormat::default(),
            percentiles: [25, 50, 75, 90, 95, 99].map(Percentile::whole).to_vec(),
            percentile_method: PercentileMethod::default(),
            future_max_s: 3_600,
            buckets_max: 10_000_000,
            series_max: 10_000_000,
            values_max: 10_000_000,
        }
    }
}

impl Aggregator {
    /// A rule with one function and our options at their defaults.
    #[must_use]
    pub fn new(function: Function, matcher: Matcher, format: impl Into<String>) -> Self {
        Self {
            functions: vec![function],
            matcher,
            format: format.into(),
            interval: 10,
            wait: 20,
            cache: true,
            drop_raw: false,
            options: AggregatorOptions::default(),
        }
    }

    /// The names of the functions, joined by commas.
    #[must_use]
    pub fn function_names(&self) -> String {
        let names: Vec<_> = self.functions.iter().map(|function| function.name()).collect();
        names.join(",")
    }

    /// The suffix of each output's name, which follows the expanded format, and the function that is its value.
    #[must_use]
    pub fn outputs(&self) -> Vec<(String, Function)> {
        let is_one = self.functions.len() == 1;
        let mut outputs = Vec::new();
        for &function in &self.functions {
            match function {
                Function::Percentiles => outputs.extend(self.options.percentiles.iter().map(|&percentile| {
                    (format!(".{}", percentile.name()), Function::Percentile(percentile))
                })),
                _ if is_one => outputs.push((String::new(), function)),
                _ => outputs.push((format!(".{}", function.name()), function)),
            }
        }
        outputs
    }

    /// The seven hexadecimal digits that identify this rule in views and counters (spec §9.6).
    #[must_use]
    pub fn key(&self) -> String {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let fields = [
            self.function_names(),
            text(&self.matcher.regex),
            text(&self.matcher.not_regex),
            text(&self.matcher.prefix),
            text(&self.matcher.not_prefix),
            text(&self.matcher.sub),
            text(&self.matcher.not_sub),
            self.format.clone(),
        ];
        let digest = md5::compute(fields.join("\0"));
        format!("{:02x}{:02x}{:02x}{:x}", digest[0], digest[1], digest[2], digest[3] >> 4)
    }
}
