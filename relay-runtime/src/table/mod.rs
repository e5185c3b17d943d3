//! The table model: what a routing table *is*, as plain data.
//!
//! Nothing here acts. `relay-build` makes a [`Table`] out of a configuration, the reference interpreter
//! gives it its meaning, the code generator turns it into Rust, and every view (`explain`, `trace`, admin)
//! prints it. Order in every list is the order in the configuration and is part of the meaning.
//!
//! A new kind of rule starts here, then goes to `interpret`, to the code generator and to the vectors.

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

/// A whole routing table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// What a line must look like to be taken.
    pub validation: Validation,
    /// Metrics matched by any entry are dropped. An entry has exactly one condition.
    pub blocklist: Vec<Matcher>,
    /// Each rewrites the result of the one before it.
    pub rewriters: Vec<Rewriter>,
    /// Asked in order; a `drop_raw` one that matches ends the metric's way.
    #[cfg_attr(not(feature = "aggregation"), serde(skip_deserializing))]
    pub aggregators: Vec<Aggregator>,
    /// Every route that matches gets the line, up to the first of them that stops.
    pub routes: Vec<Route>,
    /// The distinct destinations that the routes refer to. Two routes to the same address, instance and
    /// options share one.
    pub destinations: Vec<Destination>,
}

/// What a line must look like to be taken (spec §5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    /// For names that are neither metrics2.0 kind.
    pub legacy: LegacyLevel,
    /// For metrics2.0 names.
    pub metrics20: Metrics20Level,
    /// Timestamps within a series must grow.
    pub order: bool,
    /// Refuse `NaN` and infinite values (ours; upstream lets them through).
    pub finite: bool,
}

/// `validation_level_legacy` (spec §5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LegacyLevel {
    /// Anything goes, but not an empty name.
    None,
    /// Valid tag appendix, ASCII, no NUL.
    #[default]
    Medium,
    /// And only letters, digits, `_`, `-`, `.`, without empty nodes.
    Strict,
}

/// `validation_level_m20` (spec §5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metrics20Level {
    /// Anything goes, but not an empty name.
    None,
    /// Unit, mtype and one more tag.
    #[default]
    Medium,
}
