//! Where lines go (spec §2.10, §10, §12, §13).

use super::{DestinationIndex, Late, Matcher, Template};
use serde::{Deserialize, Serialize};

/// A matcher, a kind and the destinations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The name; may be empty and need not be unique.
    pub key: String,
    /// Which metrics it takes.
    pub matcher: Matcher,
    /// Whether no later route gets what it takes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stop: bool,
    /// What it does with them.
    pub kind: RouteKind,
}

/// What a route does with a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RouteKind {
    /// To every destination whose own matcher matches.
    SendAllMatch {
        /// At least one.
        destinations: Vec<RouteDestination>,
    },
    /// To the first destination whose own matcher matches, up or down.
    SendFirstMatch {
        /// At least one.
        destinations: Vec<RouteDestination>,
    },
    /// To one destination (or `replicas` of them) chosen by a hash of the metric.
    #[cfg_attr(not(feature = "hash"), serde(skip_deserializing))]
    ConsistentHash(HashRing),
    /// To each destination in turn.
    RoundRobin {
        /// At least one.
        destinations: Vec<DestinationIndex>,
    },
    /// To the first destination that is up; back when it returns. All down: to the first.
    Failover {
        /// At least one.
        destinations: Vec<DestinationIndex>,
    },
    /// Nowhere. The line counts as routed.
    Blackhole,
    /// To Grafana Cloud or metrictank over HTTP.
    #[cfg_attr(not(feature = "remote"), serde(skip_deserializing))]
    GrafanaNet(GrafanaNet),
    /// To Kafka as metrictank's `MetricData`.
    #[cfg_attr(not(feature = "remote"), serde(skip_deserializing))]
    KafkaMdm(KafkaMdm),
    /// To Google Pub/Sub.
    #[cfg_attr(not(feature = "remote"), serde(skip_deserializing))]
    PubSub(PubSub),
    /// To Amazon's `CloudWatch`.
    #[cfg_attr(not(feature = "remote"), serde(skip_deserializing))]
    CloudWatch(CloudWatch),
}

/// A destination as one route uses it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteDestination {
    /// Where to.
    pub destination: DestinationIndex,
    /// Which of the route's metrics.
    pub matcher: Matcher,
}

/// How a hash route places metrics and destinations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HashRing {
    /// The placement rule.
    pub algorithm: HashAlgorithm,
    /// How many destinations get each line, at least 1.
    pub replicas: u32,
    /// With more than one replica: never two on the same host, whatever the instance
    /// (carbon's `DIVERSE_REPLICAS`).
    pub diverse: bool,
    /// In configured order, which matters for collisions; at least one.
    pub destinations: Vec<DestinationIndex>,
}

/// The placement rules that peers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashAlgorithm {
    /// carbon-relay-ng's `consistentHashing`: carbon's ring without collision handling (spec §10.2).
    ConsistentHashingV1,
    /// Python carbon's ring; also `consistentHashing-v2` (BUG-42 not copied).
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
    /// The same over FNV-1a.
    #[serde(rename = "fast_fnv1a_ch")]
    FastFnv1aCh,
    /// The same over `MurmurHash3`.
    #[serde(rename = "fast_mmh3_ch")]
    FastMmh3Ch,
    /// carbon-c-relay's `carbon_ch`: entries that collide stay where they are, and among them a destination
    /// without instance comes last (with `ConsistentHashingV1` first; else they are the same).
    CcrCarbonCh,
    /// carbon-c-relay's `fnv1a_ch`, which looks at host and port, or at the instance alone if there is one.
    #[serde(rename = "ccr_fnv1a_ch")]
    CcrFnv1aCh,
    /// carbon-c-relay's `any_of` while all are up: FNV-1a modulo the number of destinations.
    CcrAnyOf,
}

impl HashAlgorithm {
    /// All of them.
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

    /// The name that a configuration, or the relay that has it, gives it.
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

/// Spec §2.10 and §12. Zero or empty in the configuration already became the default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrafanaNet {
    /// Absolute URL; its path ends in `/metrics`.
    pub address: Template,
    /// Bearer token.
    pub api_key: Template,
    /// storage-schemas.conf.
    pub schemas_file: Template,
    /// storage-aggregation.conf, if any.
    pub aggregation_file: Option<Template>,
    /// Verify the server's certificate.
    pub ssl_verify: bool,
    /// Accepted for compatibility.
    pub spool: bool,
    /// Push back instead of dropping when full.
    pub blocking: bool,
    /// Number of shards.
    pub concurrency: Late<u64>,
    /// Metrics in memory over all shards.
    pub buffer_metrics: Late<u64>,
    /// Metrics per request.
    pub flush_metrics_max: Late<u64>,
    /// Milliseconds until an incomplete request is sent.
    pub flush_wait_ms: Late<u64>,
    /// Milliseconds for a whole request.
    pub timeout_ms: Late<u64>,
    /// Organisation.
    pub org_id: Late<u64>,
    /// Milliseconds of the first back-off.
    pub backoff_min_ms: Late<u64>,
    /// Growth of the back-off.
    pub backoff_factor: f64,
}

/// Spec §2.10 and §13.1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KafkaMdm {
    /// `host:port` of each seed broker, at least one.
    pub brokers: Vec<Template>,
    /// Topic name.
    pub topic: Template,
    /// `none`, `gzip` or `snappy`.
    pub codec: String,
    /// How a metric finds its partition.
    pub partitioning: Partitioning,
    /// storage-schemas.conf.
    pub schemas_file: Template,
    /// Organisation.
    pub org_id: Late<u64>,
    /// Metrics in memory.
    pub buffer_metrics: Late<u64>,
    /// Metrics per flush.
    pub flush_metrics_max: Late<u64>,
    /// Milliseconds between flushes.
    pub flush_wait_ms: Late<u64>,
    /// Milliseconds for a request.
    pub timeout_ms: Late<u64>,
    /// Push back instead of dropping when full.
    pub blocking: bool,
    /// Use TLS.
    pub tls: bool,
    /// Do not verify the broker's certificate.
    pub tls_skip_verify: bool,
    /// Client certificate file.
    pub tls_client_cert: Option<Template>,
    /// Client key file.
    pub tls_client_key: Option<Template>,
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`; `None` without SASL.
    pub sasl_mechanism: Option<String>,
    /// SASL user.
    pub sasl_username: Template,
    /// SASL password.
    pub sasl_password: Template,
}

/// `partitionBy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Partitioning {
    /// By organisation.
    ByOrg,
    /// By name.
    BySeries,
    /// By name and tags, jump hash.
    BySeriesWithTags,
    /// By name and tags, FNV-1a.
    BySeriesWithTagsFnv,
}

/// Spec §2.10 and §13.2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PubSub {
    /// Google Cloud project.
    pub project: Template,
    /// Topic name.
    pub topic: Template,
    /// `gzip` or `none`.
    pub codec: String,
    /// `plain` or `pickle`.
    pub format: String,
    /// Metrics in memory.
    pub buffer_metrics: Late<u64>,
    /// Bytes per message.
    pub flush_bytes_max: Late<u64>,
    /// Milliseconds between flushes.
    pub flush_wait_ms: Late<u64>,
    /// Push back instead of dropping when full.
    pub blocking: bool,
}

/// Spec §2.10 and §13.3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CloudWatch {
    /// AWS region.
    pub region: Template,
    /// The namespace there.
    pub namespace: Template,
    /// Named profile of the AWS configuration (BUG-14 not copied).
    pub profile: Option<Template>,
    /// Name and value of each dimension.
    pub dimensions: Vec<(String, String)>,
    /// Seconds.
    pub storage_resolution: Late<u64>,
    /// Datapoints in memory.
    pub buffer_metrics: Late<u64>,
    /// Datapoints per request.
    pub flush_metrics_max: Late<u64>,
    /// Milliseconds between flushes.
    pub flush_wait_ms: Late<u64>,
    /// Push back instead of dropping when full.
    pub blocking: bool,
}

impl Route {
    /// A route after which later ones are asked, too.
    #[must_use]
    pub fn new(key: impl Into<String>, matcher: Matcher, kind: RouteKind) -> Self {
        Self { key: key.into(), matcher, stop: false, kind }
    }

    /// The destinations in configured order; none for the kinds that speak other protocols.
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
