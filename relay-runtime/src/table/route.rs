//! Routes as data: where lines go (spec §2.10, §10, §12, §13).
//!
//! Choosing among a route's destinations at run time is in [`select`](crate::select).

use super::{DestinationIndex, Late, Matcher, Template};
use serde::{Deserialize, Serialize};

/// A matcher, a kind and destinations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The name; may be empty and need not be unique.
    pub key: String,
    /// Which metrics it takes.
    pub matcher: Matcher,
    /// Whether later routes do not get the lines that this one takes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stop: bool,
    /// What it does with the lines that it takes.
    pub kind: RouteKind,
}

/// What a route does with a line that it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RouteKind {
    /// Sends to every destination whose own matcher matches.
    SendAllMatch {
        /// At least one.
        destinations: Vec<RouteDestination>,
    },
    /// Sends to the first destination whose own matcher matches, whether it is up or down.
    SendFirstMatch {
        /// At least one.
        destinations: Vec<RouteDestination>,
    },
    /// Sends to one destination (or `replicas` of them) chosen by a hash of the metric.
    #[cfg_attr(not(feature = "hash"), serde(skip_deserializing))]
    ConsistentHash(HashRing),
    /// Sends to each destination in turn, line by line.
    RoundRobin {
        /// At least one.
        destinations: Vec<DestinationIndex>,
    },
    /// Sends to the first destination that is up, and to the first of all if none is. Returns to an earlier one
    /// when it is up again.
    Failover {
        /// At least one.
        destinations: Vec<DestinationIndex>,
    },
    /// Sends nowhere. The line counts as routed.
    Blackhole,
    /// Sends to Grafana Cloud or metrictank over HTTP.
    #[cfg_attr(not(feature = "remote"), serde(skip_deserializing))]
    GrafanaNet(GrafanaNet),
    /// Sends to Kafka as metrictank's `MetricData`.
    #[cfg_attr(not(feature = "remote"), serde(skip_deserializing))]
    KafkaMdm(KafkaMdm),
    /// Sends to Google Pub/Sub.
    #[cfg_attr(not(feature = "remote"), serde(skip_deserializing))]
    PubSub(PubSub),
    /// Sends to Amazon's `CloudWatch`.
    #[cfg_attr(not(feature = "remote"), serde(skip_deserializing))]
    CloudWatch(CloudWatch),
}

/// A destination as one route uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteDestination {
    /// The destination.
    pub destination: DestinationIndex,
    /// Which of the route's metrics it gets.
    pub matcher: Matcher,
}

/// How a hash route places metrics on its destinations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HashRing {
    /// The algorithm.
    pub algorithm: HashAlgorithm,
    /// How many destinations get each line, at least 1.
    pub replicas: u32,
    /// With several replicas: never two of a line on the same host, whatever the instance (carbon's
    /// `DIVERSE_REPLICAS`).
    pub diverse: bool,
    /// At least one, in the order of the configuration, which decides collisions.
    pub destinations: Vec<DestinationIndex>,
}

/// The algorithms that peers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashAlgorithm {
    /// carbon-relay-ng's `consistentHashing`: carbon's ring without collision handling (spec §10.2).
    ConsistentHashingV1,
    /// Python carbon's ring; also `consistentHashing-v2` (without BUG-42).
    CarbonCh,
    /// Python carbon's ring over FNV-1a.
    #[serde(rename = "fnv1a_ch")]
    Fnv1aCh,
    /// Python carbon's ring over `MurmurHash3`.
    #[serde(rename = "mmh3_ch")]
    Mmh3Ch,
    /// carbon-c-relay's jump hash over 64-bit FNV-1a.
    #[serde(rename = "jump_fnv1a_ch")]
    JumpFnv1aCh,
    /// Python carbon's `fast-hashing` router with `carbon_ch`: the hash modulo the number of destinations.
    FastCarbonCh,
    /// Like `FastCarbonCh`, over FNV-1a.
    #[serde(rename = "fast_fnv1a_ch")]
    FastFnv1aCh,
    /// Like `FastCarbonCh`, over `MurmurHash3`.
    #[serde(rename = "fast_mmh3_ch")]
    FastMmh3Ch,
    /// carbon-c-relay's `carbon_ch`: entries that collide stay in place, and among them a destination without
    /// an instance comes last (with `ConsistentHashingV1` it comes first; otherwise the two are the same).
    CcrCarbonCh,
    /// carbon-c-relay's `fnv1a_ch`, which hashes host and port, or the instance alone if there is one.
    #[serde(rename = "ccr_fnv1a_ch")]
    CcrFnv1aCh,
    /// carbon-c-relay's `any_of` if all destinations are up: FNV-1a modulo the number of destinations.
    CcrAnyOf,
}

impl HashAlgorithm {
    /// All algorithms.
    pub const ALL: [Self; 11] = [
        Self::ConsistentHashingV1,
        Self::CarbonCh,
        Self::Fnv1aCh,
        Self::Mmh3Ch,
        Self::JumpFnv1aCh,
        Self::FastCarbonCh,
        Self::FastFnv1aCh,
        Self::FastMmh3Ch,
        Self::CcrCarbonCh,
        Self::CcrFnv1aCh,
        Self::CcrAnyOf,
    ];

    /// The name in a configuration or, for an algorithm of another relay, the name there.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ConsistentHashingV1 => "consistentHashing",
            Self::CarbonCh => "carbon_ch",
            Self::Fnv1aCh => "fnv1a_ch",
            Self::Mmh3Ch => "mmh3_ch",
            Self::JumpFnv1aCh => "jump_fnv1a_ch",
            Self::FastCarbonCh => "fast_carbon_ch",
            Self::FastFnv1aCh => "fast_fnv1a_ch",
            Self::FastMmh3Ch => "fast_mmh3_ch",
            Self::CcrCarbonCh => "ccr_carbon_ch",
            Self::CcrFnv1aCh => "ccr_fnv1a_ch",
            Self::CcrAnyOf => "ccr_any_of",
        }
    }
}

/// A route to Grafana Cloud (spec §2.10 and §12). Zero or empty values of the configuration are replaced by
/// defaults already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrafanaNet {
    /// Absolute URL; its path ends in `/metrics`.
    pub address: Template,
    /// The bearer token.
    pub api_key: Template,
    /// The path of storage-schemas.conf.
    pub schemas_file: Template,
    /// The path of storage-aggregation.conf, if there is one.
    pub aggregation_file: Option<Template>,
    /// Whether the server's certificate is verified.
    pub ssl_verify: bool,
    /// Accepted for compatibility; has no effect.
    pub spool: bool,
    /// Whether a full buffer stops the inputs instead of dropping metrics.
    pub blocking: bool,
    /// The number of shards.
    pub concurrency: Late<u64>,
    /// The most metrics in memory, over all shards.
    pub buffer_metrics: Late<u64>,
    /// The most metrics per request.
    pub flush_metrics_max: Late<u64>,
    /// Milliseconds after which an incomplete request is sent.
    pub flush_wait_ms: Late<u64>,
    /// Milliseconds that a whole request may take.
    pub timeout_ms: Late<u64>,
    /// The organisation.
    pub org_id: Late<u64>,
    /// The first back-off in milliseconds.
    pub backoff_min_ms: Late<u64>,
    /// The factor by which the back-off grows.
    pub backoff_factor: f64,
}

/// A route to Kafka (spec §2.10 and §13.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KafkaMdm {
    /// `host:port` of each seed broker, at least one.
    pub brokers: Vec<Template>,
    /// The name of the topic.
    pub topic: Template,
    /// `none`, `gzip` or `snappy`.
    pub codec: String,
    /// How the partition of a metric is chosen.
    pub partitioning: Partitioning,
    /// The path of storage-schemas.conf.
    pub schemas_file: Template,
    /// The organisation.
    pub org_id: Late<u64>,
    /// The most metrics in memory.
    pub buffer_metrics: Late<u64>,
    /// The most metrics per flush.
    pub flush_metrics_max: Late<u64>,
    /// Milliseconds between two flushes.
    pub flush_wait_ms: Late<u64>,
    /// Milliseconds that a request may take.
    pub timeout_ms: Late<u64>,
    /// Whether a full buffer stops the inputs instead of dropping metrics.
    pub blocking: bool,
    /// Whether TLS is used.
    pub tls: bool,
    /// Whether the broker's certificate is accepted without verification.
    pub tls_skip_verify: bool,
    /// The path of the client's certificate.
    pub tls_client_cert: Option<Template>,
    /// The path of the client's key.
    pub tls_client_key: Option<Template>,
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`; `None` without SASL.
    pub sasl_mechanism: Option<String>,
    /// The SASL user.
    pub sasl_username: Template,
    /// The SASL password.
    pub sasl_password: Template,
}

/// `partitionBy`: what a metric's partition is computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Partitioning {
    /// The organisation.
    ByOrg,
    /// The name.
    BySeries,
    /// Name and tags, by jump hash.
    BySeriesWithTags,
    /// Name and tags, by FNV-1a.
    BySeriesWithTagsFnv,
}

/// A route to Google Pub/Sub (spec §2.10 and §13.2).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PubSub {
    /// The Google Cloud project.
    pub project: Template,
    /// The name of the topic.
    pub topic: Template,
    /// `gzip` or `none`.
    pub codec: String,
    /// `plain` or `pickle`.
    pub format: String,
    /// The most metrics in memory.
    pub buffer_metrics: Late<u64>,
    /// The most bytes per message.
    pub flush_bytes_max: Late<u64>,
    /// Milliseconds between two flushes.
    pub flush_wait_ms: Late<u64>,
    /// Whether a full buffer stops the inputs instead of dropping metrics.
    pub blocking: bool,
}

/// A route to `CloudWatch` (spec §2.10 and §13.3).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CloudWatch {
    /// The AWS region.
    pub region: Template,
    /// The namespace in `CloudWatch`.
    pub namespace: Template,
    /// The profile of the AWS configuration (without BUG-14).
    pub profile: Option<Template>,
    /// The name and value of each dimension.
    pub dimensions: Vec<(String, String)>,
    /// The storage resolution in seconds.
    pub storage_resolution: Late<u64>,
    /// The most datapoints in memory.
    pub buffer_metrics: Late<u64>,
    /// The most datapoints per request.
    pub flush_metrics_max: Late<u64>,
    /// Milliseconds between two flushes.
    pub flush_wait_ms: Late<u64>,
    /// Whether a full buffer stops the inputs instead of dropping datapoints.
    pub blocking: bool,
}

impl Route {
    /// A route without `stop`.
    #[must_use]
    pub fn new(key: impl Into<String>, matcher: Matcher, kind: RouteKind) -> Self {
        Self { key: key.into(), matcher, stop: false, kind }
    }

    /// The destinations in the order of the configuration; empty for kinds that use other protocols.
    #[must_use]
    pub fn destinations(&self) -> Vec<DestinationIndex> {
        match &self.kind {
            RouteKind::SendAllMatch { destinations } | RouteKind::SendFirstMatch { destinations } => {
                destinations.iter().map(|one| one.destination).collect()
            }
            RouteKind::ConsistentHash(HashRing { destinations, .. })
            | RouteKind::RoundRobin { destinations }
            | RouteKind::Failover { destinations } => destinations.clone(),
            _ => Vec::new(),
        }
    }
}
