//! Aggregators in a running relay: the same outputs however many workers there are and whatever connections datapoints come
//! over, all of them accounted for, and open buckets that outlive a restart.

mod support;

use relay_runtime::{
    interpret::Interpreter,
    plan::Plan,
    serve::Relay,
    table::{Aggregator, Function, Matcher},
};
use std::{
    collections::BTreeMap,
    io::Write as _,
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};
use support::{Peer, plan, settled, wait_until};

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn rule(function: Function, regex: &str, format: &str, wait: u32) -> Aggregator {
    let matcher = Matcher { regex: Some(regex.to_owned()), ..Matcher::default() };
    Aggregator { interval: 2, wait, drop_raw: true, ..Aggregator::new(function, matcher, format) }
}

fn with_rules(peer: &Peer, rules: Vec<Aggregator>) -> Plan {
    let mut plan = plan(&[peer.address]);
    plan.table.aggregators = rules;
    plan
}

fn start(plan: &Plan) -> Relay {
    Relay::start(plan, Interpreter::new(&plan.table).unwrap()).unwrap()
}

fn send(to: SocketAddr, lines: &str) {
    TcpStream::connect(to).unwrap().write_all(lines.as_bytes()).unwrap();
}

/// Senders × series × datapoints, all in two buckets: what comes out, and the time of the first bucket.
fn outputs(workers: u64) -> BTreeMap<String, Vec<f64>> {
    const SENDERS: u32 = 8;
    let peer = Peer::start();
    let mut plan = with_rules(
        &peer,
        vec![
            rule(Function::Sum, r"^s\.(\d+)\.\d+$", "sum.$1", 6),
            rule(Function::Stdev, r"^d\.(\d+)\.\d+$", "dev.$1", 6),
        ],
    );
    plan.settings.workers = workers.into();
    let relay = start(&plan);
    let to = relay.address().unwrap();
    let first = now_s() / 2 * 2;
    thread::scope(|scope| {
        for sender in 0..SENDERS {
            scope.spawn(move || {
                let mut lines = Vec::new();
                for number in 0..500_u32 {
                    let (series, at) = (number % 50, first + u64::from(number % 4));
                    let value = 0.1 + f64::from(sender * number) * 1.000_001;
                    for kind in ["s", "d"] {
                        lines.push(format!("{kind}.{series}.{sender} {value} {at}\n"));
                    }
                }
                send(to, &lines.concat());
            });
        }
    });
    let ledger = settled(&relay, u64::from(SENDERS) * 1000);
    assert_eq!(ledger.total().aggregated_away, u64::from(SENDERS) * 1000);
    wait_until("all buckets came", || peer.line_count() >= 200);
    wait_until("none is open", || {
        relay.ledger().unwrap().aggregators.iter().all(|(_, counts)| counts.open == 0)
    });
    let last = relay.stop(|| false).unwrap();
    assert_eq!(last.difference(), None);
    for (key, counts) in &last.aggregators {
        assert!(counts.is_balanced(), "{key} {counts:?}");
        assert_eq!((counts.taken, counts.late), (u64::from(SENDERS) * 500, 0), "{key} {counts:?}");
    }
    assert_eq!(last.total().emitted, last.aggregators.iter().map(|(_, counts)| counts.emitted).sum::<u64>());
    wait_until("all arrived", || peer.line_count() as u64 >= last.total().emitted);
    let mut outputs: BTreeMap<String, Vec<(u64, f64)>> = BTreeMap::new();
    for line in peer.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        let time: u64 = fields[2].parse().unwrap();
        outputs.entry(fields[0].to_owned()).or_default().push((time - first, fields[1].parse().unwrap()));
    }
    outputs
        .into_iter()
        .flat_map(|(name, list)| {
            assert!(list.is_sorted_by_key(|(time, _)| *time), "{name}: in order of time");
            list.into_iter().map(move |(time, value)| (format!("{name} {time}"), vec![value]))
        })
        .collect()
}

#[test]
fn outputs_do_not_depend_on_the_number_of_workers() {
    let of_one = outputs(1);
    // Each series has datapoints of one parity of time, so of both buckets.
    assert_eq!(of_one.len(), 2 * 50 * 2, "{:?}", of_one.keys().collect::<Vec<_>>());
    for workers in [2, 5] {
        assert_eq!(outputs(workers), of_one, "{workers} workers");
    }
}

fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("static-relay-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&directory);
    directory
}

#[test]
fn open_buckets_outlive_a_restart_where_the_rule_is_unchanged() {
    let peer = Peer::start();
    let directory = directory("state");
    let rules = |changed: &str| {
        vec![rule(Function::Sum, r"^s\.(.*)$", "sum.$1", 8), rule(Function::Median, r"^m\.(.*)$", changed, 8)]
    };
    let mut plan = with_rules(&peer, rules("median.$1"));
    plan.settings.state_dir = Some(directory.to_str().unwrap().into());
    let relay = start(&plan);
    let at = now_s();
    send(relay.address().unwrap(), &format!("s.a 1 {at}\ns.a 2.5 {at}\nm.a 1 {at}\nm.a 5 {at}\n"));
    settled(&relay, 4);
    let last = relay.stop(|| false).unwrap();
    assert!(last.aggregators.iter().all(|(_, counts)| counts.open == 1), "{:?}", last.aggregators);

    plan.table.aggregators = rules("other.$1");
    let relay = start(&plan);
    send(relay.address().unwrap(), &format!("s.a 0.25 {at}\n"));
    let ledger = settled(&relay, 1);
    let open: Vec<_> = ledger.aggregators.iter().map(|(_, counts)| counts.open).collect();
    assert_eq!(open, [1, 0], "the changed rule has nothing");
    wait_until("it is emitted", || peer.line_count() == 1);
    let bucket = at / 2 * 2;
    assert_eq!(peer.lines(), [format!("sum.a 3.75 {bucket}\n")]);
    relay.stop(|| false).unwrap();

    // What was emitted is not opened again.
    let relay = start(&plan);
    assert!(relay.ledger().unwrap().aggregators.iter().all(|(_, counts)| counts.open == 0));
    relay.stop(|| false).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn what_a_tick_may_have_emitted_is_not_opened_again() {
    let peer = Peer::start();
    let directory = directory("tick");
    let mut plan = with_rules(&peer, vec![rule(Function::Sum, r"^s\.(.*)$", "sum.$1", 6)]);
    plan.settings.state_dir = Some(directory.to_str().unwrap().into());
    plan.settings.aggregation_checkpoint_ms = 100.into();
    let relay = start(&plan);
    let at = now_s();
    send(relay.address().unwrap(), &format!("s.a 1 {at}\n"));
    let state = directory.join("aggregates.state");
    let mut checkpoint = Vec::new();
    wait_until("a checkpoint holds the bucket", || {
        checkpoint = std::fs::read(&state).unwrap_or_default();
        checkpoint.windows(5).any(|window| window == b"sum.a")
    });
    wait_until("it is emitted", || peer.line_count() == 1);
    relay.stop(|| false).unwrap();
    // As if the relay had been killed after it was emitted and before the next checkpoint.
    std::fs::write(&state, &checkpoint).unwrap();
    let relay = start(&plan);
    assert_eq!(relay.ledger().unwrap().aggregators[0].1.open, 0);
    relay.stop(|| false).unwrap();
    // And a damaged file is no reason not to start.
    checkpoint[20] ^= 1;
    std::fs::write(&state, &checkpoint).unwrap();
    start(&plan).stop(|| false).unwrap();
    assert_eq!(peer.line_count(), 1);
    std::fs::remove_dir_all(&directory).unwrap();
}

fn tick_file(tick_s: u64) -> Vec<u8> {
    let mut bytes = [&b"relaytk\x01"[..], &tick_s.to_le_bytes()].concat();
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// Leaves a directory with a bucket that waits, and another tick beside it. Gives the sums that come out after a new start.
fn sums_after(name: &str, tick: &[u8]) -> (Vec<String>, Vec<String>) {
    let peer = Peer::start();
    let directory = directory(name);
    let mut plan = with_rules(&peer, vec![rule(Function::Sum, r"^s\.(.*)$", "sum.$1", 4)]);
    plan.settings.state_dir = Some(directory.to_str().unwrap().into());
    let relay = start(&plan);
    let at = now_s() / 2 * 2;
    send(relay.address().unwrap(), &format!("s.a 1 {at}\n"));
    settled(&relay, 1);
    relay.stop(|| false).unwrap();
    std::fs::write(directory.join("aggregates.tick"), tick).unwrap();
    let relay = start(&plan);
    send(relay.address().unwrap(), &format!("s.a 2 {at}\ns.b 3 {}\n", at + 2));
    wait_until("both buckets are over", || {
        let counts = relay.ledger().unwrap().aggregators.remove(0).1;
        counts.taken == 2 && counts.open == 0
    });
    relay.stop(|| false).unwrap();
    wait_until("all arrived", || peer.line_count() >= 2);
    let files = std::fs::read_dir(&directory).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    std::fs::remove_dir_all(&directory).unwrap();
    let names = |line: String| line.rsplit_once(' ').unwrap().0.to_owned();
    (peer.lines().into_iter().map(names).collect(), files)
}

#[test]
fn a_tick_that_is_damaged_or_ahead_of_the_clock_hinders_nothing() {
    let ten_years = tick_file(now_s() + 10 * 365 * 86_400);
    let kept =
        ["aggregates.state", "aggregates.state.ahead", "aggregates.tick", "aggregates.tick.ahead", "lock"];
    let damaged = ["aggregates.state", "aggregates.tick", "aggregates.tick.damaged", "lock"];
    thread::scope(|scope| {
        for (case, tick, files) in [
            ("ahead", &ten_years[..], &kept[..]),
            ("ones", &[0xff; 8], &damaged),
            ("empty", &[], &damaged),
            ("cut", &ten_years[..19], &damaged),
        ] {
            scope.spawn(move || {
                let (sums, left) = sums_after(&format!("tick-{case}"), tick);
                assert_eq!(sums, ["sum.a 3", "sum.b 3"], "{case}");
                assert_eq!(left, files, "{case}");
            });
        }
    });
}

#[test]
fn two_relays_do_not_share_their_state() {
    let peer = Peer::start();
    let directory = directory("state-shared");
    let mut plan = with_rules(&peer, vec![rule(Function::Sum, r"^s\.(.*)$", "sum.$1", 4)]);
    plan.settings.state_dir = Some(directory.to_str().unwrap().into());
    let relay = start(&plan);
    let second = || Relay::start(&plan, Interpreter::new(&plan.table).unwrap());
    let error = second().unwrap_err().to_string();
    assert!(
        error.contains(directory.to_str().unwrap()) && error.contains("another relay uses it"),
        "{error}"
    );
    // Nor after somebody removed the directory; and it is made again.
    std::fs::remove_dir_all(&directory).unwrap();
    assert!(second().unwrap_err().to_string().contains("another relay uses it"));
    send(relay.address().unwrap(), &format!("s.a 1 {}\n", now_s()));
    settled(&relay, 1);
    let last = relay.stop(|| false).unwrap();
    assert_eq!(last.aggregators[0].1.open, 1);
    let again = second().unwrap();
    assert_eq!(again.ledger().unwrap().aggregators[0].1.open, 1);
    again.stop(|| false).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
}
