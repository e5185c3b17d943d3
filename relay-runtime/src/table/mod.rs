//! The table model: what a routing table *is*, as plain data.
//!
//! Nothing here acts. relay-build makes a [`Table`] from a configuration, the reference interpreter defines its
//! meaning, the code generator turns it into Rust, and every view (`explain`, `trace`, admin) prints it. The
//! order of every list is that of the configuration and is part of the meaning.
//!
//! A new kind of rule starts here and is then added to `interpret`, to the code generator and to the vectors.

mod aggregator;
mod destination;
mod function;
mod index;
mod late;
mod matcher;
mod rewriter;
mod route;
mod size;

use serde::{Deserialize, Serialize};

pub use aggregator::{Aggregator, AggregatorOptions, BucketTime, Lateness, NumberFormat, PercentileMethod};
pub use destination::{Destination, DestinationOptions, FullPolicy, Replay, Transport};
pub use function::{Function, Percentile};
pub use index::{AggregatorIndex, BlocklistIndex, DestinationIndex, RewriterIndex, RouteIndex};
pub use late::{Late, MissingVariable, Template, Unresolved};
pub use matcher::{Condition, Matcher};
pub use rewriter::{Pattern, Rewriter};
pub use route::{
    CloudWatch, GrafanaNet, HashAlgorithm, HashRing, KafkaMdm, Partitioning, PubSub, Route, RouteDestination,
    RouteKind,
};
pub use size::{MalformedSize, Size};

/// A complete routing table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What makes a line valid.
    pub validation: Validation,
    /// A metric that any entry matches is dropped. An entry has exactly one condition.
    pub blocklist: Vec<Matcher>,
    /// Each rewriter works on the result of the one before it.
    pub rewriters: Vec<Rewriter>,
    /// Tested in order; if one that matches has `drop_raw`, later rules do not see the metric.
    #[cfg_attr(not(feature = "aggregation"), serde(skip_deserializing))]
    pub aggregators: Vec<Aggregator>,
    /// Every route that matches gets the line, up to the first of them that stops.
    pub routes: Vec<Route>,
    /// The distinct destinations that routes refer to. Two routes with the same address, instance and options
    /// share one destination.
    pub destinations: Vec<Destination>,
}

/// What makes a line valid (spec §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// The level for names that are not metrics 2.0.
    pub legacy: LegacyLevel,
    /// The level for metrics 2.0 names.
    pub metrics20: Metrics20Level,
    /// Whether timestamps within a series must increase.
    pub order: bool,
    /// Whether `NaN` and infinite values are refused (ours; upstream accepts them).
    pub finite: bool,
    /// The units that timestamps may have (ours).
    pub timestamps: Timestamps,
}

/// `timestamps` (ours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Timestamps {
    /// Seconds.
    #[default]
    Seconds,
    /// Seconds, and also milliseconds, microseconds and nanoseconds, which are recognised by their magnitude
    /// and converted.
    Auto,
}

/// `validation_level_legacy` (spec §5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LegacyLevel {
    /// Every name except the empty one is valid.
    None,
    /// The tags must be well-formed, the name ASCII without NUL.
    #[default]
    Medium,
    /// As `Medium`, and only letters, digits, `_`, `-` and `.`, without empty nodes.
    Strict,
}

/// `validation_level_m20` (spec §5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metrics20Level {
    /// Every name except the empty one is valid.
    None,
    /// The name must have unit, mtype and one more tag.
    #[default]
    Medium,
}
