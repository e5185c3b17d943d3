//! The tables that are timed, and lines for each.
//!
//! The build script compiles the tables; the benchmarks also interpret them.

#[path = "production.rs"]
mod production;

use production::FirstMatch;
use relay_runtime::table::{
    Aggregator, Destination, DestinationIndex, Function, HashAlgorithm, HashRing, Matcher, Pattern, Rewriter,
    Route, RouteDestination, RouteKind, Table,
};
use std::fmt::Write as _;

/// The names of all tables that are timed.
pub const ALL: [&str; 20] = [
    "passthrough",
    "prefixes_1",
    "prefixes_10",
    "prefixes_100",
    "prefixes_1k",
    "prefixes_10k",
    "prefixes_100k",
    "substrings_1k",
    "regexes_100",
    "carbon_ch_8",
    "fnv1a_ch_8",
    "jump_fnv1a_ch_8",
    "carbon_ch_4_routes",
    "jump_fnv1a_ch_4_routes",
    "production_negated",
    "production_stopped",
    "mixed",
    "aggregations_100",
    "aggregations_many_names",
    "aggregations_none",
];

/// Also compiled: a hundred aggregations that make a series of each metric.
pub const SERIES: &str = "aggregations_series";

/// The table named `name` in [`ALL`], or [`SERIES`]; for any other name an empty table.
#[must_use]
pub fn table(name: &str) -> Table {
    match name {
        "passthrough" => all_to(route_kind_all(&[0]), 1),
        "prefixes_1" => prefixes(1),
        "prefixes_10" => prefixes(10),
        "prefixes_100" => prefixes(100),
        "prefixes_1k" => prefixes(1_000),
        "prefixes_10k" => prefixes(10_000),
        "prefixes_100k" => prefixes(100_000),
        "substrings_1k" => {
            routes(1_000, |matcher, number| matcher.sub = Some(format!(".service{number:03}.")))
        }
        "regexes_100" => routes(100, |matcher, number| {
            matcher.regex = Some(format!(r"^servers\.[^.]+\.service{number:02}[0-9]\.(cpu|disk)\.[a-z]+\."));
        }),
        "carbon_ch_8" => all_to(ring(HashAlgorithm::CarbonCh), 8),
        "fnv1a_ch_8" => all_to(ring(HashAlgorithm::Fnv1aCh), 8),
        "jump_fnv1a_ch_8" => all_to(ring(HashAlgorithm::JumpFnv1aCh), 8),
        "carbon_ch_4_routes" => rings_of_parts(HashAlgorithm::CarbonCh),
        "jump_fnv1a_ch_4_routes" => rings_of_parts(HashAlgorithm::JumpFnv1aCh),
        "production_negated" => production::table(FirstMatch::Negated),
        "production_stopped" => production::table(FirstMatch::Stopped),
        "mixed" => mixed(),
        "aggregations_100" | "aggregations_many_names" => aggregations("service"),
        "aggregations_none" => aggregations("worker"),
        SERIES => series(),
        _ => Table::default(),
    }
}

/// `count` different lines of about 65 bytes for a table, each with its LF. Every line is routed, except for a
/// few that are blocked.
#[must_use]
pub fn lines(name: &str, count: u64) -> Vec<u8> {
    if name.starts_with("production") {
        return production::lines(count);
    }
    let hosts = match name {
        "prefixes_1" => 1,
        "prefixes_10" | "aggregations_100" => 10,
        "prefixes_100" | "aggregations_many_names" => 100,
        "prefixes_1k" => 1_000,
        "prefixes_10k" => 10_000,
        _ => 100_000,
    };
    // Datapoints are aggregated as they happen: they cover two minutes, and each series occurs again and again.
    let (services, seconds) = match name {
        "aggregations_100" => (200, Some(120)),
        "aggregations_many_names" => (1_000, Some(120)),
        _ => (1_000, None),
    };
    let mut text = String::new();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for at in 0..count {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let (host, service) = (random % hosts, (random >> 20) % services * (1_000 / services));
        let (value, thousandths) = ((random >> 40) % 1_000, (random >> 30) % 1_000);
        let second = seconds.map_or((random >> 50) % 1_000, |seconds| at * seconds / count);
        let written = writeln!(
            text,
            "servers.web{host:05}.service{service:03}.cpu.user.mean.p99 {value}.{thousandths:03} 1700000{second:03}"
        );
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    text.into_bytes()
}

fn destinations(count: usize) -> Vec<Destination> {
    let with_instance =
        |at| Destination { instance: Some(at_letter(at)), ..Destination::new(format!("10.0.0.{at}:2003")) };
    (0..count).map(with_instance).collect()
}

fn at_letter(at: usize) -> String {
    char::from_digit(u32::try_from(at).unwrap_or_default() + 10, 36).unwrap_or('x').to_string()
}

fn route_kind_all(destinations: &[usize]) -> RouteKind {
    let to = |&at: &usize| RouteDestination {
        destination: DestinationIndex::new(at),
        matcher: Matcher::default(),
    };
    RouteKind::SendAllMatch { destinations: destinations.iter().map(to).collect() }
}

fn ring(algorithm: HashAlgorithm) -> RouteKind {
    let destinations = (0..8).map(DestinationIndex::new).collect();
    RouteKind::ConsistentHash(HashRing { algorithm, replicas: 1, diverse: false, destinations })
}

/// Four routes that take every line, each with its own ring of eight destinations.
fn rings_of_parts(algorithm: HashAlgorithm) -> Table {
    let route = |part: usize| {
        let destinations = (8 * part..8 * part + 8).map(DestinationIndex::new).collect();
        let ring = HashRing { algorithm, replicas: 1, diverse: false, destinations };
        let kind = RouteKind::ConsistentHash(ring);
        Route::new(format!("part{part}"), Matcher::default(), kind)
    };
    Table { routes: (0..4).map(route).collect(), destinations: destinations(32), ..Table::default() }
}

/// One route without conditions.
fn all_to(kind: RouteKind, count: usize) -> Table {
    let route = Route::new("all", Matcher::default(), kind);
    Table { routes: vec![route], destinations: destinations(count), ..Table::default() }
}

fn prefixes(count: usize) -> Table {
    routes(count, |matcher, number| matcher.prefix = Some(format!("servers.web{number:05}.")))
}

/// `count` routes to 4 destinations; neighbouring routes have different ones.
fn routes(count: usize, condition: impl Fn(&mut Matcher, usize)) -> Table {
    let route = |number| {
        let mut matcher = Matcher::default();
        condition(&mut matcher, number);
        Route::new(format!("r{number}"), matcher, route_kind_all(&[number % 4]))
    };
    Table { routes: (0..count).map(route).collect(), destinations: destinations(4), ..Table::default() }
}

/// A hundred aggregations of lines that also go to one destination. With "service" as `word`, each line is
/// taken by one of them.
fn aggregations(word: &str) -> Table {
    let mut table = all_to(route_kind_all(&[0]), 1);
    for number in 0..100 {
        let regex = format!(r"^servers\.[^.]+\.{word}{number:02}([0-9])\.(.*)$");
        let matcher = Matcher { regex: Some(regex), ..Matcher::default() };
        let format = format!("sum.{word}{number:02}$1.$2").replace("$1", "${1}");
        let rule = Aggregator::new(Function::Sum, matcher, format);
        table.aggregators.push(Aggregator { interval: 60, wait: 120, ..rule });
    }
    table
}

/// A hundred aggregations by team; no two metrics give the same series.
fn series() -> Table {
    let mut table = all_to(route_kind_all(&[0]), 1);
    for number in 0..100 {
        let regex = format!(r"^team{number:02}\.(.+)\.(mean|count)$");
        let matcher = Matcher { regex: Some(regex), ..Matcher::default() };
        let rule = Aggregator::new(Function::Sum, matcher, format!("sum.team{number:02}.$1.$2"));
        table.aggregators.push(Aggregator { interval: 60, wait: 120, ..rule });
    }
    table
}

/// A table that has grown over years: a blocklist, rewriters that rarely apply, routes of all kinds, and a ring
/// for everything.
fn mixed() -> Table {
    let mut table = all_to(ring(HashAlgorithm::CarbonCh), 8);
    for text in ["debug.", "test.", "tmp.", "servers.web9999", "stats_counts.internal."] {
        table.blocklist.push(Matcher { prefix: Some(text.to_owned()), ..Matcher::default() });
    }
    for text in ["..", ".null.", ".undefined.", ".service99"] {
        table.blocklist.push(Matcher { sub: Some(text.to_owned()), ..Matcher::default() });
    }
    let leftover = r"\.(docker|containerd)-[0-9a-f]{64}\.".to_owned();
    table.blocklist.push(Matcher { regex: Some(leftover), ..Matcher::default() });
    let rewriter = |old: &str, new: &str| Rewriter {
        old: Pattern::parse(old),
        new: new.to_owned(),
        not: None,
        max: None,
    };
    table.rewriters = vec![
        rewriter("_total_total", "_total"),
        rewriter(r"/^collectd\.([^.]+)_example_com\./", "hosts.${1}."),
    ];
    for number in 0..30 {
        let mut matcher = Matcher::default();
        match number % 3 {
            0 => matcher.prefix = Some(format!("servers.web{number:02}")),
            1 => matcher.sub = Some(format!(".service{number:02}")),
            _ => matcher.regex = Some(format!(r"^servers\.[^.]+\.service{number:02}.*\.(cpu|disk)\.")),
        }
        let kind = route_kind_all(&[number % 8]);
        table.routes.push(Route::new(format!("team{number}"), matcher, kind));
    }
    table
}
