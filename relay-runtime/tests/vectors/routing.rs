//! Compares anything that runs a whole table with recorded deliveries. They are those of carbon-relay-ng's own code, and of carbon-c-relay for routes with `stop`.

use super::cases;
use relay_runtime::{
    admission::Admission,
    dispatch::DynDispatch,
    table::{
        Condition, Destination, DestinationIndex, HashAlgorithm, HashRing, Matcher, Pattern, Rewriter, Route,
        RouteDestination, RouteKind, Table,
    },
    trace::{Trace, Tracer},
};
use serde_json::{Value, json};

/// The time of arrival, where a timestamp asks for it.
const NOW_S: u64 = 1_700_000_000;

/// The cases, each with its table.
pub(crate) fn tables() -> impl Iterator<Item = (Value, Table)> {
    cases(include_str!("routing.jsonl")).chain(cases(include_str!("stop.jsonl"))).map(|case| {
        let table = table(&case);
        (case, table)
    })
}

/// Sends a case's lines through; gives how many there were. `look` sees each trace of a line.
pub(crate) fn check(
    case: &Value,
    table: &Table,
    dispatch: &dyn DynDispatch,
    look: &mut dyn FnMut(&Trace),
) -> usize {
    let mut tracer = Tracer::new(table, dispatch, Admission::new(table.validation, 65_535));
    let mut checked = 0;
    for line in list(&case["lines"]) {
        let written = line["in"].as_str().unwrap();
        let trace = tracer.trace(written.as_bytes(), NOW_S);
        look(&trace);
        checked += 1;
        if let Some(reason) = trace.reason {
            // `want` was made without validation; what is rejected goes nowhere.
            assert!(trace.routes.is_empty());
            let ours_alone = match reason {
                "empty_key" => "BUG-30",
                "timestamp_out_of_range"
                | "timestamp_in_milliseconds"
                | "timestamp_in_microseconds"
                | "timestamp_in_nanoseconds" => "BUG-31",
                "rewritten_name" => "the check of rewritten names",
                _ => "",
            };
            assert!(line["to"] == json!([]) || !ours_alone.is_empty(), "{written:?} {reason}");
            continue;
        }
        assert_eq!(deliveries(&trace), wanted(case, line), "{written:?} through {case}");
    }
    for line in list(&case["aggregates"]) {
        let written = line["in"].as_str().unwrap();
        let name = written.split(' ').next().unwrap();
        let trace = tracer.trace_aggregate(name.as_bytes());
        assert_eq!(deliveries(&trace), wanted(case, line), "{written:?}");
        checked += 1;
    }
    checked
}

/// Each delivery as route, address and metric, sorted.
type Deliveries = Vec<(String, String, String)>;

fn deliveries(trace: &Trace) -> Deliveries {
    let name = trace.rewritten.as_ref().or(trace.name.as_ref()).cloned().unwrap_or_default();
    let to = |key: &String, to: &String| (key.clone(), to.clone(), name.clone());
    let routes = trace.routes.iter();
    let mut all: Vec<_> =
        routes.flat_map(|route| route.destinations.iter().map(|one| to(&route.key, one))).collect();
    all.sort();
    all
}

fn wanted(case: &Value, line: &Value) -> Deliveries {
    let mut all: Vec<_> = list(&line["want"])
        .map(|to| {
            let route = &case["routes"][index(&to["route"])];
            let destination = &route["dests"][index(&to["dest"])];
            let name = to["line"].as_str().unwrap().rsplitn(3, ' ').last().unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&route["key"]), text(&destination["addr"]), name.to_owned())
        })
        .collect();
    all.sort();
    all
}

fn index(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// The table of a case. Every destination of a case has an address of its own.
pub(crate) fn table(case: &Value) -> Table {
    let mut table = Table {
        blocklist: list(&case["blocklist"]).map(matcher).collect(),
        rewriters: list(&case["rewriters"]).map(rewriter).collect(),
        ..Table::default()
    };
    for written in list(&case["routes"]) {
        let destinations: Vec<RouteDestination> = list(&written["dests"])
            .map(|destination| {
                table.destinations.push(Destination::new(destination["addr"].as_str().unwrap()));
                let index = DestinationIndex::new(table.destinations.len() - 1);
                RouteDestination { destination: index, matcher: matcher(destination) }
            })
            .collect();
        let hash = |algorithm| {
            let destinations = destinations.iter().map(|one| one.destination).collect();
            RouteKind::ConsistentHash(HashRing { algorithm, replicas: 1, diverse: false, destinations })
        };
        let kind = match written["type"].as_str().unwrap() {
            "sendAllMatch" => RouteKind::SendAllMatch { destinations },
            "sendFirstMatch" => RouteKind::SendFirstMatch { destinations },
            "consistentHashing" => hash(HashAlgorithm::ConsistentHashingV1),
            "blackhole" => RouteKind::Blackhole,
            // As wanted: carbon's own ring (BUG-42).
            _ => hash(HashAlgorithm::CarbonCh),
        };
        let key = written["key"].as_str().unwrap().to_owned();
        let stop = written["stop"] == true;
        table.routes.push(Route { stop, ..Route::new(key, matcher(written), kind) });
    }
    table
}

pub(crate) fn matcher(written: &Value) -> Matcher {
    let mut matcher = Matcher::default();
    for condition in Condition::ALL {
        matcher.set(condition, written[condition.name()].as_str().unwrap_or_default());
    }
    matcher
}

pub(crate) fn rewriter(written: &Value) -> Rewriter {
    let text = |key: &str| written[key].as_str().unwrap_or_default();
    let not = Some(text("not")).filter(|not| !not.is_empty()).map(Pattern::parse);
    let max = written["max"].as_i64().and_then(|max| u32::try_from(max).ok());
    Rewriter { old: Pattern::parse(text("old")), new: text("new").to_owned(), not, max }
}
