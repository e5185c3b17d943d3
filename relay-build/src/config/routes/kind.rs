//! The names of the route types: carbon-relay-ng's, ours, and the hash types of other relays.
//!
//! Each type says how many destinations it needs and which keys it has.

use crate::config::keys;
use relay_runtime::table::HashAlgorithm;

/// A value of `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteType {
    /// Every destination that matches.
    SendAllMatch,
    /// The first destination that matches.
    SendFirstMatch,
    /// The destination that a hash of the metric chooses.
    Hash(HashAlgorithm),
    /// One destination after the other (ours).
    RoundRobin,
    /// The first destination that is up (ours).
    Failover,
    /// Nowhere (ours).
    Blackhole,
    /// Grafana Cloud.
    GrafanaNet,
    /// Kafka, as metrictank reads it.
    KafkaMdm,
    /// Google Pub/Sub.
    PubSub,
    /// Amazon's `CloudWatch`.
    CloudWatch,
}

const NAMES: [(&str, RouteType); 21] = [
    ("sendAllMatch", RouteType::SendAllMatch),
    ("sendFirstMatch", RouteType::SendFirstMatch),
    ("consistentHashing", RouteType::Hash(HashAlgorithm::ConsistentHashingV1)),
    ("consistentHashing-v2", RouteType::Hash(HashAlgorithm::CarbonCh)),
    ("roundRobin", RouteType::RoundRobin),
    ("failover", RouteType::Failover),
    ("blackhole", RouteType::Blackhole),
    ("carbon_ch", RouteType::Hash(HashAlgorithm::CarbonCh)),
    ("fnv1a_ch", RouteType::Hash(HashAlgorithm::Fnv1aCh)),
    ("mmh3_ch", RouteType::Hash(HashAlgorithm::Mmh3Ch)),
    ("jump_fnv1a_ch", RouteType::Hash(HashAlgorithm::JumpFnv1aCh)),
    ("fast_carbon_ch", RouteType::Hash(HashAlgorithm::FastCarbonCh)),
    ("fast_fnv1a_ch", RouteType::Hash(HashAlgorithm::FastFnv1aCh)),
    ("fast_mmh3_ch", RouteType::Hash(HashAlgorithm::FastMmh3Ch)),
    ("ccr_carbon_ch", RouteType::Hash(HashAlgorithm::CcrCarbonCh)),
    ("ccr_fnv1a_ch", RouteType::Hash(HashAlgorithm::CcrFnv1aCh)),
    ("ccr_any_of", RouteType::Hash(HashAlgorithm::CcrAnyOf)),
    ("grafanaNet", RouteType::GrafanaNet),
    ("kafkaMdm", RouteType::KafkaMdm),
    ("pubsub", RouteType::PubSub),
    ("cloudWatch", RouteType::CloudWatch),
];

/// The names of the hash types, which are also the values of the key `hash`.
pub(in crate::config) const HASHES: &[&str] = &[
    "carbon_ch",
    "fnv1a_ch",
    "mmh3_ch",
    "jump_fnv1a_ch",
    "fast_carbon_ch",
    "fast_fnv1a_ch",
    "fast_mmh3_ch",
    "ccr_carbon_ch",
    "ccr_fnv1a_ch",
    "ccr_any_of",
];

impl RouteType {
    /// Returns the type with exactly this name, letter case included.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    /// Returns every name.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The first name of the type.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// Returns how many destinations a type with this name needs: two for hash types of carbon-relay-ng, one
    /// for ours.
    #[must_use]
    pub fn destinations_min(self, written: &str) -> usize {
        match self {
            Self::Hash(_) if written.starts_with("consistentHashing") => 2,
            Self::Hash(_) | Self::SendAllMatch | Self::SendFirstMatch | Self::RoundRobin | Self::Failover => {
                1
            }
            Self::Blackhole | Self::GrafanaNet | Self::KafkaMdm | Self::PubSub | Self::CloudWatch => 0,
        }
    }

    /// Whether its destinations may have matchers.
    #[must_use]
    pub fn takes_matchers(self) -> bool {
        matches!(self, Self::SendAllMatch | Self::SendFirstMatch)
    }

    /// Whether it sends with carbon's protocols, or nowhere.
    #[must_use]
    pub fn is_carbon(self) -> bool {
        !matches!(self, Self::GrafanaNet | Self::KafkaMdm | Self::PubSub | Self::CloudWatch)
    }

    /// The keys that a route of this type has.
    pub(super) fn keys(self) -> &'static [&'static [&'static str]] {
        match self {
            Self::Hash(_) => &[keys::ROUTE, keys::MATCHER, keys::CARBON, keys::HASH],
            Self::SendAllMatch | Self::SendFirstMatch | Self::RoundRobin | Self::Failover => {
                &[keys::ROUTE, keys::MATCHER, keys::CARBON]
            }
            Self::Blackhole => &[keys::ROUTE, keys::MATCHER],
            Self::GrafanaNet => &[keys::ROUTE, keys::MATCHER, keys::GRAFANA_NET],
            Self::KafkaMdm => &[keys::ROUTE, keys::MATCHER, keys::KAFKA_MDM],
            Self::PubSub => &[keys::ROUTE, keys::MATCHER, keys::PUBSUB],
            Self::CloudWatch => &[keys::ROUTE, keys::MATCHER, keys::CLOUD_WATCH],
        }
    }
}
