//! A table like those that route the metrics of a whole company, and lines for it: 215 routes, by kind, by
//! place and by owner, to 54 clusters with 363 hosts in all, each cluster with a jump hash.
//!
//! The rules of such a table are asked in order, and some of them keep a line from all later rules: either
//! with `stop`, or because the `notRegex` of each later rule excludes everything that the earlier one
//! matches.

use relay_runtime::table::{
    Destination, DestinationIndex, HashAlgorithm, HashRing, Matcher, Route, RouteKind, Table,
};
use std::fmt::Write as _;

/// How the table expresses that no earlier rule took a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FirstMatch {
    /// In the `notRegex` of each later rule.
    Negated,
    /// By a `stop` on the earlier rule.
    Stopped,
}

const PLACES: [&str; 11] =
    ["ams1", "ams4", "fra1", "fra3", "iad2", "iad5", "sjc1", "sin2", "syd1", "gru1", "bom3"];

const OWNERS: [&str; 12] = [
    "payments",
    "search",
    "catalog",
    "identity",
    "billing",
    "delivery",
    "inventory",
    "pricing",
    "content",
    "partners",
    "fraud",
    "mobile",
];

const BRANCHES: [&str; 5] = ["core", "edge", "batch", "data", "tools"];

/// The services of every owner. The first two have a cluster each, the others share one.
const SERVICES: [&str; 5] = ["api", "worker", "ledger", "frontend", "scheduler"];

const MACHINES: [&str; 2] = ["collectd", "telegraf"];

const APPLICATIONS: [&str; 3] = ["statsd", "jmx", "app"];

/// What is measured; the last node is the statistic.
const MEASURED: [&str; 10] = [
    "http.server.requests.by_route.checkout_confirmation.duration.mean",
    "http.client.requests.to_inventory_service.duration.milliseconds.p99",
    "jvm.memory.pools.g1_old_generation.used_after_last_collection",
    "jvm.gc.g1_young_generation.pause.milliseconds.maximum",
    "queue.consumer.order_events.partition_12.lag.records.max",
    "database.pool.primary_writer.connections.active.mean",
    "host.cpu.utilisation.by_state.user_and_system.percent",
    "host.disk.nvme0n1.operations.write_latency.mean",
    "cache.redis.session_store.commands.get.errors.count",
    "cache.redis.session_store.commands.mget.duration.p50",
];

/// The numbers of the clusters, by the first of each kind.
const ELSEWHERE: usize = 0;
const KINDS: usize = 3;
const BY_PLACE: usize = 10;
const BY_OWNER: usize = BY_PLACE + 2 * PLACES.len();
const CLUSTERS: usize = 54;

/// The table of 215 routes.
#[must_use]
pub(super) fn table(first_match: FirstMatch) -> Table {
    let mut writer =
        Writer { first_match, table: Table::default(), clusters: clusters(), earlier: Vec::new() };
    let node = r"[^.]+\.";
    for (at, (key, regex)) in [
        ("testing", r"^[^.]+\.(testing|sandbox)\."),
        ("load-tests", r"^loadtest\."),
        ("canaries", r"^[^.]+\.canary\."),
    ]
    .into_iter()
    .enumerate()
    {
        writer.stopping_route(key, regex, ELSEWHERE + at);
    }
    for (at, (key, regex)) in [
        ("archive", ""),
        ("percentiles", r"\.p(50|75|95|99|999)$"),
        ("collectors", r"\.jvm\.gc\."),
        ("errors", r"\.(errors|failures|timeouts)\.(count|rate)$"),
        ("queues", r"\.queue\.(consumer|producer)\.[^.]+\.partition_[0-9]+\."),
        ("databases", r"\.database\.pool\.[^.]+\.connections\.(active|idle|pending)\."),
        ("probes", r"^[^.]+\.[^.]+\.[^.]+\.[^.]+\.[^.]+\.probe-[0-9]+\."),
    ]
    .into_iter()
    .enumerate()
    {
        writer.route(key, regex, KINDS + at);
    }
    for (at, place) in PLACES.iter().enumerate() {
        for (kind, sources) in [&MACHINES[..], &APPLICATIONS[..]].into_iter().enumerate() {
            let key = format!("{place}-{}", ["machines", "applications"][kind]);
            let regex = format!(r"^({})\.{node}{place}\.", sources.join("|"));
            writer.route(&key, &regex, BY_PLACE + 2 * at + kind);
        }
    }
    for (at, owner) in owners().enumerate() {
        let cluster = |which| BY_OWNER + (3 * at + which) % (CLUSTERS - BY_OWNER);
        let own = format!(r"^{node}{node}{node}{owner}\.");
        let before = writer.earlier.len();
        for (which, service) in SERVICES.iter().take(2).enumerate() {
            let regex = format!(r"{own}{service}\.");
            writer.stopping_route(&format!("{owner}-{service}"), &regex, cluster(which));
        }
        writer.stopping_route(&owner, &own, cluster(2));
        // No service belongs to two owners.
        writer.earlier.truncate(before);
    }
    let owned = owners().collect::<Vec<_>>().join("|");
    writer.earlier.push(format!(r"^{node}{node}{node}({owned})\."));
    writer.route("unowned", "", CLUSTERS - 1);
    for key in ["audit", "audit-copy"] {
        writer.route(key, r"\.audit\.[a-z]+\.(count|bytes)$", CLUSTERS - 1);
    }
    writer.table
}

/// `count` different lines, each with its LF, 172 bytes on average.
#[must_use]
pub(super) fn lines(count: u64) -> Vec<u8> {
    let mut text = String::new();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let owners: Vec<String> = owners().collect();
    for _ in 0..count {
        let mut below = |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random >> 33).unwrap_or_default() % bound
        };
        let sources = [MACHINES[below(2)], APPLICATIONS[below(3)]];
        let (source, place) = (sources[below(2)], PLACES[below(PLACES.len())]);
        let environment = match below(50) {
            0 | 1 => "testing",
            2 | 3 => "sandbox",
            _ => "production",
        };
        let (owner, service) = (&owners[below(owners.len())], SERVICES[below(SERVICES.len())]);
        let owner = if below(20) == 0 { "platform-infrastructure" } else { owner };
        let (pod, instance, measured) =
            (below(16_777_216), below(1_048_576), MEASURED[below(MEASURED.len())]);
        let (day, value, thousandths, second) = (below(27) + 1, below(1_000), below(1_000), below(1_000));
        let written = writeln!(
            text,
            "{source}.{environment}.{place}.{owner}.{service}.{owner}-{service}-{pod:06x}-{instance:05x}.release-202611{day:02}.{measured} \
             {value}.{thousandths:03} 1700000{second:03}"
        );
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    text.into_bytes()
}

fn owners() -> impl Iterator<Item = String> {
    OWNERS.iter().flat_map(|owner| BRANCHES.iter().map(move |branch| format!("{owner}-{branch}")))
}

/// The hosts of every cluster, 363 in all.
fn clusters() -> Vec<Vec<Destination>> {
    let hosts = |cluster: usize| if cluster == 0 { 8 } else { [4, 5, 6, 7, 8, 10, 7][cluster % 7] };
    let host = |cluster: usize, at: usize| Destination {
        instance: Some(format!("{at:02}")),
        ..Destination::new(format!("10.1.{cluster}.{at}:2003"))
    };
    (0..CLUSTERS).map(|cluster| (0..hosts(cluster)).map(|at| host(cluster, at)).collect()).collect()
}

struct Writer {
    first_match: FirstMatch,
    table: Table,
    clusters: Vec<Vec<Destination>>,
    /// The regexes of the rules so far, which a later rule must exclude.
    earlier: Vec<String>,
}

impl Writer {
    /// Adds a route that keeps what it takes from all later routes.
    fn stopping_route(&mut self, key: &str, regex: &str, cluster: usize) {
        self.route(key, regex, cluster);
        self.earlier.push(regex.to_owned());
        if let Some(route) = self.table.routes.last_mut() {
            route.stop = self.first_match == FirstMatch::Stopped;
        }
    }

    /// Adds a route of everything that `regex` matches; an empty regex matches every name.
    fn route(&mut self, key: &str, regex: &str, cluster: usize) {
        let text = |text: String| (!text.is_empty()).then_some(text);
        let not_regex = match self.first_match {
            FirstMatch::Negated => text(self.earlier.join("|")),
            FirstMatch::Stopped => None,
        };
        let matcher = Matcher { regex: text(regex.to_owned()), not_regex, ..Matcher::default() };
        let destinations = self.clusters[cluster].iter().map(|host| {
            let known = self.table.destinations.iter().position(|known| known == host);
            DestinationIndex::new(known.unwrap_or_else(|| {
                self.table.destinations.push(host.clone());
                self.table.destinations.len() - 1
            }))
        });
        let ring = HashRing {
            algorithm: HashAlgorithm::JumpFnv1aCh,
            replicas: 1,
            diverse: false,
            destinations: destinations.collect(),
        };
        let kind = RouteKind::ConsistentHash(ring);
        self.table.routes.push(Route::new(key, matcher, kind));
    }
}
