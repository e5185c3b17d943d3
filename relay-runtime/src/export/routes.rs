//! Writes every `[[route]]` with its destinations.
//!
//! Options of the destinations are in `destinations`, routes to remote services in `remote`.

use super::{destinations, document::Document, remote, rules};
use crate::table::{DestinationIndex, HashRing, Matcher, Route, RouteDestination, RouteKind, Table};

pub(super) fn routes(document: &mut Document, table: &Table) {
    for Route { key, matcher, stop, kind } in &table.routes {
        document.element("route");
        if !key.is_empty() {
            document.value("key", key);
        }
        document.value("type", name(kind));
        rules::matcher(document, matcher);
        document.flag("stop", *stop);
        match kind {
            RouteKind::SendAllMatch { destinations } | RouteKind::SendFirstMatch { destinations } => {
                for RouteDestination { destination, matcher } in destinations {
                    destinations::write(document, table, *destination, matcher);
                }
            }
            RouteKind::ConsistentHash(ring) => hash_ring(document, table, ring),
            RouteKind::RoundRobin { destinations } | RouteKind::Failover { destinations } => {
                plain(document, table, destinations);
            }
            RouteKind::Blackhole => {}
            RouteKind::GrafanaNet(route) => remote::grafana_net(document, route),
            RouteKind::KafkaMdm(route) => remote::kafka_mdm(document, route),
            RouteKind::PubSub(route) => remote::pub_sub(document, route),
            RouteKind::CloudWatch(route) => remote::cloud_watch(document, route),
        }
    }
}

/// The value of `type`.
fn name(kind: &RouteKind) -> &'static str {
    match kind {
        RouteKind::SendAllMatch { .. } => "sendAllMatch",
        RouteKind::SendFirstMatch { .. } => "sendFirstMatch",
        RouteKind::ConsistentHash(ring) => ring.algorithm.name(),
        RouteKind::RoundRobin { .. } => "roundRobin",
        RouteKind::Failover { .. } => "failover",
        RouteKind::Blackhole => "blackhole",
        RouteKind::GrafanaNet(_) => "grafanaNet",
        RouteKind::KafkaMdm(_) => "kafkaMdm",
        RouteKind::PubSub(_) => "pubsub",
        RouteKind::CloudWatch(_) => "cloudWatch",
    }
}

fn hash_ring(document: &mut Document, table: &Table, ring: &HashRing) {
    let HashRing { algorithm: _, replicas, diverse, destinations } = ring;
    document.value_unless("replicas", replicas, &1);
    document.flag("diverse", *diverse);
    plain(document, table, destinations);
}

fn plain(document: &mut Document, table: &Table, destinations: &[DestinationIndex]) {
    for destination in destinations {
        destinations::write(document, table, *destination, &Matcher::default());
    }
}
