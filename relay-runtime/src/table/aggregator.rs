//! Rules that fold many datapoints into one per interval (spec §9). What they compute is in
//! [`aggregate`](crate::aggregate).

use super::{Function, Matcher, Percentile};
use serde::{Deserialize, Serialize};

/// One aggregation rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregator {
    /// How the datapoints of a bucket become one: at least one function. With more than one, each output has the
    /// function's name at its end.
    pub functions: Vec<Function>,
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
    /// What carbon-relay-ng does not have.
    #[serde(default)]
    pub options: AggregatorOptions,
}

/// The options that are ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AggregatorOptions {
    /// `bucket_time`.
    pub bucket_time: BucketTime,
    /// `lateness`.
    pub lateness: Lateness,
    /// `number_format`.
    pub number_format: NumberFormat,
    /// `percentiles`: what the function of that name puts out.
    pub percentiles: Vec<Percentile>,
    /// `percentile_method`.
    pub percentile_method: PercentileMethod,
    /// `max_future`: seconds that a bucket may start after now.
    pub future_max_s: u32,
    /// `max_buckets`: buckets that are open at a time, over all series.
    pub buckets_max: u32,
    /// `max_series`: series that have an open bucket.
    pub series_max: u32,
    /// `max_values`: values kept at a time for percentiles and medians.
    pub values_max: u32,
}

/// Which moment of a bucket is the timestamp of its output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BucketTime {
    /// Its first second, as upstream.
    #[default]
    Start,
    /// The second in its middle.
    Middle,
    /// The first second after it.
    End,
}

/// What becomes of a datapoint whose bucket was emitted already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lateness {
    /// It is dropped and counted.
    #[default]
    Drop,
    /// It is added, and the corrected output emitted again, as long as the bucket is kept.
    Reemit {
        /// Seconds after the first output until the bucket is forgotten.
        keep_s: u32,
    },
}

/// How outputs are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberFormat {
    /// The shortest decimal that is read back as the same number (BUG-39).
    #[default]
    Shortest,
    /// Six decimals, as upstream.
    Fixed6,
}

/// What a percentile between two values is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PercentileMethod {
    /// NIST's, also known as Hyndman and Fan's sixth; upstream's.
    #[default]
    Nist,
    /// Linear between the ends, their seventh; Python carbon's.
    Linear,
    /// The value of the nearest rank; carbon-c-relay's.
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
    /// A rule with one function, without any of our options.
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

    /// The functions as written: their names, with commas.
    #[must_use]
    pub fn function_names(&self) -> String {
        let names: Vec<_> = self.functions.iter().map(|function| function.name()).collect();
        names.join(",")
    }

    /// What each output metric ends with, after the expanded format, and what its value is.
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

    /// The seven hex digits that stand for this rule in views and counters (spec §9.6).
    #[must_use]
    pub fn key(&self) -> String {
        use md5::{Digest, Md5};
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
        let digest = Md5::digest(fields.join("\0"));
        format!("{:02x}{:02x}{:02x}{:x}", digest[0], digest[1], digest[2], digest[3] >> 4)
    }
}
