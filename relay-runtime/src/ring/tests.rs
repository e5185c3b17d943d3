//! What the peers answered, and what we answer. Every recorded case is run. Where ours differs, the rule that
//! makes it differ is named by the number of upstream's bug, and the wanted answer is computed by a model
//! here that has nothing in common with the code under test but MD5.

use super::{
    Hashes, NameHash, Ring, hash,
    picks::{Picks, Walk},
    placement::{self, Circle, Entry, Node},
    points::Points,
};
use crate::{
    select::{Liveness, Selectors},
    table::{
        Destination, DestinationIndex, HashAlgorithm, HashRing, Matcher, Route, RouteDestination, RouteIndex,
        RouteKind, Table,
    },
};
use serde_json::Value;

macro_rules! vectors {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/", $file))
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
    };
}

#[test]
fn carbon_relay_ng_places_metrics_so() {
    let (mut names_run, mut moved) = (0, 0);
    for case in vectors!("hashring.jsonl") {
        let destinations = destinations(&case["destinations"], ':');
        let is_v2 = case["type"] == "consistentHashing-v2";
        let algorithm = if is_v2 { HashAlgorithm::CarbonCh } else { HashAlgorithm::ConsistentHashingV1 };
        let table = hash_table(algorithm, 1, false, destinations.clone());
        let recorded = case.get("index_if_stable_sort").unwrap_or(&case["index"]);
        // BUG-18: upstream hashes a bracketed IPv6 address as `[`; wanted is its host.
        let bug_18 = destinations.iter().any(|destination| destination.address.0.starts_with('['));
        let upstream =
            if is_v2 { model::upstream_v2(&destinations) } else { model::overlapping(&destinations) };
        if !bug_18 {
            let mut first: Vec<(i64, usize)> = serde_json::from_value(case["ring_first10"].clone()).unwrap();
            let mut ours = upstream[..10].to_vec();
            if case["depends_on_sort"] == true {
                // BUG-41: upstream puts equal entries in any order.
                first.iter_mut().chain(&mut ours).for_each(|entry| entry.1 = 0);
            }
            assert_eq!(ours, first, "{case}");
        }
        let carbon = model::carbon(&destinations);
        let mut asked = Asked::new(&table);
        for (name, recorded) in strings(&case["names"]).zip(recorded.as_array().unwrap()) {
            let recorded = usize::try_from(recorded.as_u64().unwrap()).unwrap();
            let want = if bug_18 && !is_v2 {
                model::find(&upstream, name)
            } else if is_v2 {
                // BUG-42: upstream does not move entries out of the way of ones of the same destination.
                let carbon = model::find(&carbon, name);
                assert!(bug_18 || model::find(&upstream, name) == recorded, "{name} {case}");
                moved += usize::from(!bug_18 && carbon != recorded);
                carbon
            } else {
                recorded
            };
            assert_eq!(asked.selected(name), [want], "{name} {case}");
            names_run += 1;
        }
    }
    assert_eq!(names_run, 3_972);
    assert!(moved < names_run / 500, "{moved} of {names_run} names moved by BUG-42");
}

#[test]
fn python_carbon_places_metrics_so() {
    for case in vectors!("hashring_carbon.jsonl") {
        match case["kind"].as_str().unwrap() {
            "hash" => check_hash(&case),
            "ring" | "ring_ops" => check_ring(&case),
            "router" => check_router(&case),
            other => panic!("no rule for {other}"),
        }
    }
}

#[test]
fn carbon_c_relay_places_metrics_so() {
    for case in vectors!("hashring_ccr.jsonl") {
        let destinations = destinations(&case["servers"], '=');
        let indices: Vec<_> = (0..destinations.len()).map(DestinationIndex::new).collect();
        let replicas = u32::try_from(case["replication"].as_u64().unwrap_or(1)).unwrap();
        let hashed = |algorithm| hash_table(algorithm, replicas, false, destinations.clone());
        let everyone =
            indices.iter().map(|&destination| RouteDestination { destination, matcher: Matcher::default() });
        let table = match case["type"].as_str().unwrap() {
            "carbon_ch" => hashed(HashAlgorithm::CcrCarbonCh),
            "fnv1a_ch" => hashed(HashAlgorithm::CcrFnv1aCh),
            "jump_fnv1a_ch" => hashed(HashAlgorithm::JumpFnv1aCh),
            "any_of" => hashed(HashAlgorithm::CcrAnyOf),
            "failover" => table(RouteKind::Failover { destinations: indices }, destinations),
            "forward" => table(RouteKind::SendAllMatch { destinations: everyone.collect() }, destinations),
            other => panic!("no rule for {other}"),
        };
        let mut asked = Asked::new(&table);
        for (name, want) in expectations(&case["expect"]) {
            if case["type"] == "forward" {
                let all = table.routes[0].destinations();
                assert_eq!(all.iter().map(|index| index.get()).collect::<Vec<_>>(), want);
            } else {
                assert_eq!(asked.selected(&name), want, "{name} {}", case["id"]);
            }
        }
        check_ccr_internals(&case, &table);
    }
}

fn check_ccr_internals(case: &Value, table: &Table) {
    let RouteKind::ConsistentHash(ring) = &table.routes[0].kind else { return };
    let Some(positions) = case.get("hash_pos") else { return };
    for ((name, _), position) in expectations(&case["expect"]).zip(positions.as_array().unwrap()) {
        let ours = match ring.algorithm {
            HashAlgorithm::JumpFnv1aCh => {
                let bucket = hash::jump(hash::fnv1a_64_signed(name.as_bytes()), table.destinations.len());
                i64::try_from(bucket).unwrap()
            }
            algorithm => NameHash::of(algorithm).position(name.as_bytes()),
        };
        assert_eq!(ours, position.as_i64().unwrap(), "{name} {}", case["id"]);
    }
    if let Some(want) = case.get("ring").filter(|_| ring.algorithm != HashAlgorithm::JumpFnv1aCh) {
        let mut want: Vec<(i64, usize)> = serde_json::from_value(want.clone()).unwrap();
        want.dedup_by_key(|entry| entry.0);
        let entries = placement::overlapping(ring.algorithm, &nodes(&table.destinations));
        assert_eq!(pairs(&entries), want, "{}", case["id"]);
    }
}

fn check_hash(case: &Value) {
    let hash = NameHash::of(carbon_algorithm(case));
    for entry in case["expect"].as_array().unwrap() {
        let name = entry[0].as_str().unwrap();
        assert_eq!(hash.position(name.as_bytes()), entry[1].as_i64().unwrap(), "{name}");
    }
}

fn check_ring(case: &Value) {
    let destinations: Vec<Destination> = case["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| {
            let host = node[0].as_str().unwrap();
            let address = if host.contains(':') { format!("[{host}]:2003") } else { format!("{host}:2003") };
            let instance = node[1].as_str().map(str::to_owned);
            Destination { instance, ..Destination::new(address) }
        })
        .collect();
    let nodes = nodes(&destinations);
    let mut circle = Circle::new(carbon_algorithm(case));
    circle.entries_per_node = usize::try_from(case["replica_count"].as_u64().unwrap()).unwrap();
    let changes: Vec<(String, usize)> = match case.get("ops") {
        Some(changes) => serde_json::from_value(changes.clone()).unwrap(),
        None => (0..nodes.len()).map(|node| ("add".to_owned(), node)).collect(),
    };
    for (change, node) in changes {
        match change.as_str() {
            "add" => circle.add(node, &nodes[node]),
            _ => circle.entries.retain(|_, other| *other != node),
        }
    }
    let entries = circle.entries();
    if let Some(want) = case.get("ring") {
        assert_eq!(pairs(&entries), serde_json::from_value::<Vec<(i64, usize)>>(want.clone()).unwrap());
    }
    if let Some(want) = case.get("ring_len") {
        assert_eq!(entries.len(), usize::try_from(want.as_u64().unwrap()).unwrap());
    }
    let hash = NameHash::of(carbon_algorithm(case));
    let points = Points::new(hash.space(), &entries);
    let found = |name: &str, replicas| {
        let ring = hash_ring(carbon_algorithm(case), replicas, false, nodes.len());
        let picks = Picks::around(&entries, 1, &Walk::new(&ring, &nodes));
        let chosen = picks.at(points.next(hash.position(name.as_bytes())));
        chosen.iter().map(|index| index.get()).collect::<Vec<_>>()
    };
    let names = case["expect_first"].as_array().into_iter().flatten();
    for entry in names {
        let want = usize::try_from(entry[1].as_u64().unwrap()).unwrap();
        assert_eq!(found(entry[0].as_str().unwrap(), 1), [want], "{entry} {}", case["id"]);
    }
    let all = u32::try_from(nodes.len()).unwrap();
    for (name, mut want) in expectations(&case["expect_all"]) {
        if nodes.len() == 1 {
            // The only node is yielded once by itself and once by the walk; a line is sent once.
            want.dedup();
        }
        assert_eq!(found(&name, all), want, "{name} {}", case["id"]);
    }
}

fn check_router(case: &Value) {
    let destinations = destinations(&case["destinations"], ':');
    let replicas = u32::try_from(case["replication_factor"].as_u64().unwrap()).unwrap();
    let diverse = case["diverse_replicas"].as_bool().unwrap();
    let table = hash_table(carbon_algorithm(case), replicas, diverse, destinations);
    let mut asked = Asked::new(&table);
    for (name, mut want) in expectations(&case["expect"]) {
        if table.destinations.len() == 1 {
            // As above.
            want.dedup();
        }
        assert_eq!(asked.selected(&name), want, "{name} {}", case["id"]);
    }
}

fn carbon_algorithm(case: &Value) -> HashAlgorithm {
    let is_fast = case.get("router").is_some_and(|router| router == "fast-hashing");
    match (is_fast, case["hash_type"].as_str()) {
        (false, None | Some("carbon_ch")) => HashAlgorithm::CarbonCh,
        (false, Some("fnv1a_ch")) => HashAlgorithm::Fnv1aCh,
        (false, Some("mmh3_ch")) => HashAlgorithm::Mmh3Ch,
        (true, Some("carbon_ch")) => HashAlgorithm::FastCarbonCh,
        (true, Some("fnv1a_ch")) => HashAlgorithm::FastFnv1aCh,
        (true, None | Some("mmh3_ch")) => HashAlgorithm::FastMmh3Ch,
        (_, Some(other)) => panic!("no rule for {other}"),
    }
}

#[test]
fn adding_a_destination_moves_metrics_only_to_it() {
    for algorithm in HashAlgorithm::ALL {
        // Modulo placements move nearly everything, and say so.
        if matches!(Ring::new(&hash_ring(algorithm, 1, false, 0), &[]).search, super::Search::Modulo { .. }) {
            continue;
        }
        let destinations: Vec<_> = (0..5).map(|at| Destination::new(format!("10.0.0.{at}:2003"))).collect();
        let before = Ring::new(&hash_ring(algorithm, 1, false, 4), &destinations);
        let after = Ring::new(&hash_ring(algorithm, 1, false, 5), &destinations);
        let (mut moved, mut strayed) = (0, 0);
        for name in (0..2_000).map(|at| format!("servers.web{at}.cpu.user")) {
            let (mut old, mut new) = (Vec::new(), Vec::new());
            before.select(name.as_bytes(), &mut old);
            after.select(name.as_bytes(), &mut new);
            moved += usize::from(new != old);
            strayed += usize::from(new != old && new != [DestinationIndex(4)]);
        }
        // Carbon's collisions, and fnv1a_ch without instances is made of them, move a few others.
        let is_collisions = algorithm == HashAlgorithm::Fnv1aCh;
        assert!(
            is_collisions || ((200..700).contains(&moved) && strayed < 20),
            "{algorithm:?} {moved} {strayed}"
        );
    }
}

#[test]
fn diverse_replicas_are_on_different_hosts() {
    let written = ["10.0.0.1:1:a", "10.0.0.1:2:b", "10.0.0.2:1:c", "10.0.0.2:2:d"];
    let destinations: Vec<_> = written.iter().map(|text| destination(text, ':')).collect();
    for algorithm in HashAlgorithm::ALL {
        let table = hash_table(algorithm, 3, true, destinations.clone());
        let mut asked = Asked::new(&table);
        for name in ["a", "a.b.c.d", "servers.web01.cpu.user", "foo"] {
            let hosts: Vec<_> = asked.selected(name).iter().map(|&at| destinations[at].host()).collect();
            assert!(hosts.len() == 2 && hosts[0] != hosts[1], "{algorithm:?} {name} {hosts:?}");
        }
    }
}

#[test]
fn instances_that_are_neither_all_numbers_nor_all_texts_do_not_stop_the_sort() {
    let instances =
        (0..60).map(|at| if at % 3 == 0 { format!("{at}x") } else { (at * 37 % 101).to_string() });
    let destinations: Vec<_> =
        instances.map(|instance| destination(&format!("10.0.0.1:2003:{instance}"), ':')).collect();
    let mut order = pairs(&placement::by_instance(&nodes(&destinations)));
    order.sort_unstable_by_key(|entry| entry.1);
    assert!(order.iter().map(|entry| entry.1).eq(0..60));
}

/// Straightforward rings: lists of position and number, searched from the start.
mod model {
    use super::Destination;
    use std::collections::BTreeSet;

    type Model = Vec<(i64, usize)>;

    pub(super) fn find(model: &Model, name: &str) -> usize {
        let position = md5(name);
        model.iter().find(|entry| entry.0 >= position).unwrap_or(&model[0]).1
    }

    /// carbon-relay-ng's first kind; with BUG-41, ties that are left go to the first configured.
    pub(super) fn overlapping(destinations: &[Destination]) -> Model {
        sorted(wanted(destinations).collect(), destinations)
    }

    /// carbon-relay-ng's second kind, with BUG-42.
    pub(super) fn upstream_v2(destinations: &[Destination]) -> Model {
        let (mut model, mut taken, mut own) = (Model::new(), BTreeSet::new(), Model::new());
        for (wanted, at) in wanted(destinations) {
            if own.first().is_some_and(|entry| entry.1 != at) {
                taken.extend(own.iter().map(|entry| entry.0));
                model.append(&mut own);
            }
            let mut position = wanted;
            while taken.contains(&position) {
                position = (position + 1) % 65_536;
            }
            own.push((position, at));
        }
        model.append(&mut own);
        sorted(model, destinations)
    }

    pub(super) fn carbon(destinations: &[Destination]) -> Model {
        let (mut model, mut taken) = (Model::new(), BTreeSet::new());
        for (wanted, at) in wanted(destinations) {
            let mut position = wanted;
            while !taken.insert(position) {
                position += 1;
            }
            model.push((position, at));
        }
        sorted(model, destinations)
    }

    fn wanted(destinations: &[Destination]) -> impl Iterator<Item = (i64, usize)> {
        destinations.iter().enumerate().flat_map(|(at, destination)| {
            let instance = match &destination.instance {
                Some(instance) => format!("'{instance}'"),
                None => "None".to_owned(),
            };
            let node = format!("('{}', {instance})", destination.host());
            (0..100).map(move |replica| (md5(&format!("{node}:{replica}")), at))
        })
    }

    fn sorted(mut model: Model, destinations: &[Destination]) -> Model {
        let node = |at: usize| (destinations[at].host(), destinations[at].instance.as_deref().unwrap_or(""));
        model.sort_by(|left, right| left.0.cmp(&right.0).then(node(left.1).cmp(&node(right.1))));
        model
    }

    fn md5(text: &str) -> i64 {
        let digest = ::md5::compute(text);
        i64::from(digest[0]) * 256 + i64::from(digest[1])
    }
}

/// A table of one route, asked for its destinations one at a time and many at a time.
struct Asked(Selectors);

impl Asked {
    fn new(table: &Table) -> Self {
        Self(Selectors::new(table, Liveness::all_up(table.destinations.len())))
    }

    #[track_caller]
    fn selected(&mut self, name: &str) -> Vec<usize> {
        let mut one = Vec::new();
        self.0.select(RouteIndex(0), name.as_bytes(), &mut one);
        if self.0.is_hashed(RouteIndex(0)) {
            let names: [&[u8]; 3] = [b"other", name.as_bytes(), b""];
            let mut hashes = Hashes::default();
            self.0.hash(&names, |_| &[RouteIndex(0)], &mut hashes);
            assert_eq!(self.0.select_hashed(RouteIndex(0), 1, &mut hashes).destinations, one);
        }
        one.iter().map(|index| index.get()).collect()
    }
}

fn hash_table(
    algorithm: HashAlgorithm,
    replicas: u32,
    diverse: bool,
    destinations: Vec<Destination>,
) -> Table {
    let ring = hash_ring(algorithm, replicas, diverse, destinations.len());
    table(RouteKind::ConsistentHash(ring), destinations)
}

fn hash_ring(algorithm: HashAlgorithm, replicas: u32, diverse: bool, destinations: usize) -> HashRing {
    let destinations = (0..destinations).map(DestinationIndex::new).collect();
    HashRing { algorithm, replicas, diverse, destinations }
}

fn table(kind: RouteKind, destinations: Vec<Destination>) -> Table {
    let route = Route::new("", Matcher::default(), kind);
    Table { routes: vec![route], destinations, ..Table::default() }
}

fn nodes(destinations: &[Destination]) -> Vec<Node<'_>> {
    let node = |(at, destination)| Node::new(DestinationIndex::new(at), destination);
    destinations.iter().enumerate().map(node).collect()
}

fn destinations(written: &Value, instance_after: char) -> Vec<Destination> {
    strings(written).map(|text| destination(text, instance_after)).collect()
}

/// `host[:port]`, then the instance after a colon or an equals sign.
fn destination(written: &str, instance_after: char) -> Destination {
    let written = written.split(' ').next().unwrap();
    let host_end = written.find(']').map_or(0, |at| at + 1);
    let mut colons = written[host_end..].match_indices(':').map(|(at, _)| at + host_end);
    let end = if instance_after == '=' { written.find('=') } else { colons.nth(1) };
    let instance = end.map(|at| written[at + 1..].to_owned());
    Destination { instance, ..Destination::new(&written[..end.unwrap_or(written.len())]) }
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap())
}

fn expectations(list: &Value) -> impl Iterator<Item = (String, Vec<usize>)> {
    list.as_array().unwrap().iter().map(|entry| serde_json::from_value(entry.clone()).unwrap())
}

fn pairs(entries: &[Entry]) -> Vec<(i64, usize)> {
    entries.iter().map(|entry| (entry.position, entry.node)).collect()
}
