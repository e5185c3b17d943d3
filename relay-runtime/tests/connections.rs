//! What destinations cost whose connections live short, vanish without a word, or take lines slowly: with real sockets and
//! processes.
//!
//! Slow: `cargo test -p relay-runtime --test connections -- --ignored --nocapture`, which the end-to-end step of CI runs. The
//! black holes need root, for a network namespace of their own.

mod support;

use relay_runtime::plan::Plan;
use std::{
    io::Read,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use support::{
    Passthrough, Peer, line, plan,
    process::Process,
    send, start,
    traffic::{Directory, SENDERS, assert_nothing_lost, judge, judge_lines, under_traffic, with_spool},
    wait_until,
};

/// Lines of a connection that lives short.
const SHORT_LINES: usize = 1_000;

/// How a short connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// With a reset, for there is more that nobody reads.
    Reset,
    /// In good order, once everything that came is read.
    HalfClosed,
}

/// A destination whose connections end after 1,000 lines each, until it is told to keep them.
struct ShortLived {
    address: SocketAddr,
    text: Arc<Mutex<Vec<u8>>>,
    connections: Arc<AtomicUsize>,
    is_steady: Arc<AtomicBool>,
}

impl ShortLived {
    fn start(end: End) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = Self {
            address: listener.local_addr().unwrap(),
            text: Arc::default(),
            connections: Arc::default(),
            is_steady: Arc::default(),
        };
        let (text, connections) = (Arc::clone(&peer.text), Arc::clone(&peer.connections));
        let is_steady = Arc::clone(&peer.is_steady);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let read = read_connection(stream.unwrap(), end, &is_steady, &text);
                connections.fetch_add(1, Ordering::SeqCst);
                if read.is_err() {
                    return;
                }
            }
        });
        peer
    }

    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.text.lock().unwrap().clone()).unwrap();
        text.split_inclusive('\n').map(str::to_owned).collect()
    }
}

/// Keeps the whole lines of a connection, and of what comes after its end nothing.
fn read_connection(
    mut stream: TcpStream,
    end: End,
    is_steady: &AtomicBool,
    text: &Mutex<Vec<u8>>,
) -> std::io::Result<()> {
    let (mut buffer, mut lines, mut cut) = (vec![0; 4_096], 0, Vec::new());
    loop {
        let bytes = stream.read(&mut buffer)?;
        if bytes == 0 {
            return Ok(());
        }
        cut.extend_from_slice(&buffer[..bytes]);
        let whole = memchr::memrchr(b'\n', &cut).map_or(0, |at| at + 1);
        lines += memchr::memchr_iter(b'\n', &cut[..whole]).count();
        text.lock().unwrap().extend(cut.drain(..whole));
        if lines >= SHORT_LINES && !is_steady.load(Ordering::SeqCst) {
            if end == End::Reset {
                return Ok(());
            }
            stream.shutdown(std::net::Shutdown::Write)?;
            // The relay notices, and closes; what it had sent by then arrives.
            is_steady_until_closed(&mut stream, &mut cut, text);
            return Ok(());
        }
    }
}

fn is_steady_until_closed(stream: &mut TcpStream, cut: &mut Vec<u8>, text: &Mutex<Vec<u8>>) {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    cut.append(&mut rest);
    let whole = memchr::memrchr(b'\n', cut).map_or(0, |at| at + 1);
    text.lock().unwrap().extend(cut.drain(..whole));
}

/// Lines go on coming while connections end one after the other; then one stays. Every connection brings new lines, and each
/// line is repeated once at most.
fn connections_that_end(end: End) -> support::traffic::Outcome {
    let directory = Directory::new(if end == End::Reset { "short-reset" } else { "short-closed" });
    let peer = ShortLived::start(end);
    let mut plan = with_spool(&[peer.address], &directory.0);
    plan.table.destinations[0].options.reconnect_ms = 50.into();
    let (each, ledger) = under_traffic(&plan, || {
        wait_until("forty connections", || peer.connections.load(Ordering::SeqCst) >= 40);
        peer.is_steady.store(true, Ordering::SeqCst);
        thread::sleep(Duration::from_secs(1));
    });
    let counts = &ledger.destinations[0].1;
    let sent = (each * SENDERS) as u64;
    assert_eq!((counts.sent, counts.dropped_total()), (sent, 0), "{}", ledger.to_json());
    assert!(counts.repeated <= 2 * sent, "{}", ledger.to_json());
    judge_lines(&format!("connections of 1,000 lines, {end:?}"), peer.lines().into_iter(), each)
}

#[test]
#[ignore = "takes its time"]
fn connections_that_are_reset_after_a_thousand_lines_make_progress() {
    let outcome = connections_that_end(End::Reset);
    // Each connection takes what it reads twice from the sequence at most: once, and once more as a repeat.
    let arrived = outcome.sent - outcome.lost;
    assert!(arrived >= 15 * SHORT_LINES, "{outcome:?}");
    assert!(outcome.duplicated <= outcome.sent, "{outcome:?}");
    assert_eq!((outcome.torn, outcome.reordered), (0, 0), "{outcome:?}");
}

#[test]
#[ignore = "takes its time"]
fn connections_that_are_half_closed_after_a_thousand_lines_lose_nothing() {
    let outcome = connections_that_end(End::HalfClosed);
    assert_nothing_lost(&outcome);
    assert!(outcome.duplicated <= outcome.sent, "{outcome:?}");
}

/// A network namespace with a peer in it, joined to this one by a pair of devices.
struct Island {
    name: String,
    here: String,
    address: SocketAddr,
    reader: std::process::Child,
}

impl Island {
    /// `number` makes names and addresses of its own: 10.213.`number`.0/30.
    fn new(number: u8, directory: &Directory) -> Self {
        let (name, here) = (format!("relay-test-{number}"), format!("rt{number}a"));
        let there = format!("rt{number}b");
        let _ = Command::new("ip").args(["netns", "del", &name]).stderr(Stdio::null()).status();
        ip(&["netns", "add", &name]);
        ip(&["link", "add", &here, "type", "veth", "peer", "name", &there, "netns", &name]);
        ip(&["addr", "add", &format!("10.213.{number}.1/30"), "dev", &here]);
        ip(&["link", "set", &here, "up"]);
        ip(&["-n", &name, "addr", "add", &format!("10.213.{number}.2/30"), "dev", &there]);
        ip(&["-n", &name, "link", "set", &there, "up"]);
        let address: SocketAddr = format!("10.213.{number}.2:2003").parse().unwrap();
        let reader = Command::new("ip")
            .args(["netns", "exec", &name])
            .arg(std::env::current_exe().unwrap())
            .args(["reader_process", "--exact", "--nocapture"])
            .env("RELAY_TEST_READER", directory.0.join("read"))
            .env("RELAY_TEST_READER_ADDRESS", address.to_string())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { name, here, address, reader }
    }

    /// From now on nothing gets there or back, and nobody says so.
    fn vanish(&self) {
        ip(&["-n", &self.name, "link", "set", &format!("{}b", self.here.trim_end_matches('a')), "down"]);
    }

    fn come_back(&self) {
        ip(&["-n", &self.name, "link", "set", &format!("{}b", self.here.trim_end_matches('a')), "up"]);
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        let _ = self.reader.kill();
        let _ = self.reader.wait();
        ip(&["netns", "del", &self.name]);
    }
}

#[track_caller]
fn ip(arguments: &[&str]) {
    let done = Command::new("ip").args(arguments).output().expect("iproute2 is installed by .ci/peers");
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "ip {arguments:?}: {said}");
}

/// Not a test: the destination on an island.
#[test]
fn reader_process() {
    if let Ok(path) = std::env::var("RELAY_TEST_READER") {
        let address: SocketAddr = std::env::var("RELAY_TEST_READER_ADDRESS").unwrap().parse().unwrap();
        let file = std::fs::File::create(path).unwrap();
        for stream in TcpListener::bind(address).unwrap().incoming() {
            let mut file = file.try_clone().unwrap();
            thread::spawn(move || std::io::copy(&mut stream.unwrap(), &mut file));
        }
    }
}

fn is_up(relay: &relay_runtime::serve::Relay) -> bool {
    relay.ledger().unwrap().destinations[0].1.up
}

/// Ten lines a second to a destination that vanishes and comes back. Gives how long it stayed up after it vanished.
#[test]
#[ignore = "needs root"]
fn a_black_hole_is_found_at_ten_lines_a_second() {
    let directory = Directory::new("hole");
    let spools = Directory::new("hole-spools");
    let island = Island::new(1, &directory);
    let mut plan = with_spool(&[island.address], &spools.0);
    plan.table.destinations[0].options.write_timeout_ms = 3_000.into();
    let relay = start(&plan);
    wait_until("it is up", || is_up(&relay));
    let (mut number, mut found_after) = (0, None);
    let vanished = Instant::now();
    for tick in 0..200 {
        if tick == 20 {
            island.vanish();
        }
        send(relay.address().unwrap(), 0, number..number + 1);
        number += 1;
        thread::sleep(Duration::from_millis(100));
        if tick > 20 && found_after.is_none() && !is_up(&relay) {
            found_after = Some(vanished.elapsed().saturating_sub(Duration::from_secs(2)));
        }
    }
    let found_after = found_after.expect("it is down");
    println!("black hole at 10 lines/s, write_timeout 3 s: down after {found_after:.1?}");
    assert!(found_after < Duration::from_secs(15), "{found_after:?}");
    island.come_back();
    let read = || std::fs::read_to_string(directory.0.join("read")).unwrap();
    wait_until("everything arrived", || (0..number).all(|number| read().contains(&line(0, number))));
    let ledger = relay.stop(|| false).unwrap();
    assert_eq!(ledger.destinations[0].1.dropped_total(), 0, "{}", ledger.to_json());
}

#[test]
#[ignore = "needs root, and a minute"]
fn an_idle_destination_that_vanished_is_found_by_keepalive() {
    let directory = Directory::new("idle");
    let island = Island::new(2, &directory);
    let mut plan: Plan = plan(&[island.address]);
    plan.table.destinations[0].options.write_timeout_ms = 3_000.into();
    let relay = start(&plan);
    wait_until("it is up", || is_up(&relay));
    island.vanish();
    let vanished = Instant::now();
    wait_until("it is down", || !is_up(&relay));
    println!("idle, vanished: down after {:.1?}", vanished.elapsed());
    relay.stop(|| true).unwrap();
}

/// Not a test: the relay of the test below.
#[test]
fn relay_process() {
    if let Ok(plan) = std::env::var("RELAY_TEST_PLAN") {
        let plan: Plan = serde_json::from_str(&plan).unwrap();
        let destinations = u32::try_from(plan.table.destinations.len()).unwrap();
        relay_runtime::serve::run(&plan, Passthrough(destinations)).unwrap();
    }
}

#[test]
#[ignore = "takes its time"]
fn a_stop_does_not_wait_for_a_slow_destination_with_a_spool() {
    let directory = Directory::new("slow-stop");
    let peer = Peer::start();
    let mut plan = with_spool(&[peer.address], &directory.0);
    plan.settings.shutdown_ms = 60_000.into();
    let mut relay = Process::start(&plan);
    peer.pause(true);
    let each = 100_000;
    for sender in 0..SENDERS {
        send(relay.address, sender, 0..each);
    }
    wait_until("everything is read", || relay.ledger()["received"] == each * SENDERS);
    let ledger = relay.ledger();
    assert_eq!(ledger["destinations"][0]["up"], true, "slow, not down: {ledger}");
    let asked = Instant::now();
    let ledger = relay.stop();
    println!("stop with a slow destination: {:.1?}", asked.elapsed());
    assert!(asked.elapsed() < Duration::from_secs(30), "half of `shutdown_timeout` is more than enough");
    assert_eq!(ledger["balanced"], true, "{ledger}");
    let counts = &ledger["destinations"][0];
    let all = (each * SENDERS) as u64;
    assert_eq!(counts["sent"].as_u64().unwrap() + counts["spooled"].as_u64().unwrap(), all, "{ledger}");
    peer.pause(false);
    let again = Process::start(&plan);
    let outcome = judge("stop with a slow destination", &[&peer], each);
    again.stop();
    assert_nothing_lost(&outcome);
}
