//! What outages, resets and kills cost, with real sockets, processes and files: lost, duplicated, torn and reordered lines.
//!
//! Slow, for an outage takes its time: `cargo test -p relay-runtime --test reliability -- --ignored --nocapture`, which the
//! end-to-end step of CI runs.

mod support;

use relay_runtime::{
    plan::Plan,
    table::{FullPolicy, Size},
};
use std::{
    fs,
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    process::Command,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};
use support::{
    Passthrough, Peer, line, plan,
    process::{Process, Sink},
    traffic::{
        Directory, Outcome, SENDERS, assert_nothing_lost, judge, judge_lines, send_until, under_traffic,
        with_spool,
    },
    wait_until,
};

/// What the relay reads of a connection in one turn.
const READ_BYTES: usize = 256 * 1024;

#[test]
#[ignore = "takes its time"]
fn an_outage_of_five_seconds_loses_nothing() {
    let directory = Directory::new("outage");
    let first = Peer::start();
    let mut second = None;
    let plan = with_spool(&[first.address], &directory.0);
    let (each, ledger) = under_traffic(&plan, || {
        thread::sleep(Duration::from_secs(2));
        first.close();
        thread::sleep(Duration::from_secs(5));
        second = Some(Peer::start_on(first.address));
        thread::sleep(Duration::from_secs(2));
    });
    let second = second.unwrap();
    wait_until("all arrived", || first.line_count() + second.line_count() >= each * SENDERS);
    let outcome = judge("outage of 5 s", &[&first, &second], each);
    assert_nothing_lost(&outcome);
    assert_eq!(ledger.destinations[0].1.dropped_total(), 0);
    assert!(directory.files().is_empty(), "{:?}", directory.files());
}

#[test]
#[ignore = "takes its time"]
fn five_resets_with_unread_lines_lose_nothing() {
    let directory = Directory::new("resets");
    let mut peers = vec![Peer::start()];
    let address = peers[0].address;
    let mut plan = with_spool(&[address], &directory.0);
    // Longer than any stall of this machine may keep a peer from reading.
    plan.table.destinations[0].options.redo_ms = Some(20_000.into());
    plan.table.destinations[0].options.redo_bytes = 100_000_000.into();
    let (each, ledger) = under_traffic(&plan, || {
        for _ in 0..5 {
            thread::sleep(Duration::from_millis(700));
            let last = peers.last().unwrap();
            // What it does not read any more the kernel has, and a reset destroys.
            last.pause(true);
            thread::sleep(Duration::from_millis(100));
            last.close();
            peers.push(Peer::start_on(address));
        }
        thread::sleep(Duration::from_secs(1));
    });
    let peers: Vec<_> = peers.iter().collect();
    let outcome = judge("five resets", &peers, each);
    assert_nothing_lost(&outcome);
    let counts = &ledger.destinations[0].1;
    assert!(counts.repeated > 0 && counts.connects > 3, "{}", ledger.to_json());
}

#[test]
#[ignore = "takes its time"]
fn a_destination_that_stops_for_five_seconds_loses_nothing() {
    let directory = Directory::new("stopped");
    let (slow, fast) = (Peer::start(), Peer::start());
    let plan = with_spool(&[slow.address, fast.address], &directory.0);
    let (each, ledger) = under_traffic(&plan, || {
        thread::sleep(Duration::from_secs(1));
        slow.pause(true);
        thread::sleep(Duration::from_secs(5));
        slow.pause(false);
        thread::sleep(Duration::from_secs(1));
    });
    assert_nothing_lost(&judge("stopped for 5 s", &[&slow], each));
    let other = judge("beside it", &[&fast], each);
    assert_nothing_lost(&other);
    assert_eq!(other.duplicated, 0);
    assert_eq!(ledger.destinations[0].1.dropped_total() + ledger.destinations[1].1.dropped_total(), 0);
}

#[test]
#[ignore = "takes its time"]
fn nineteen_dead_destinations_cost_the_twentieth_nothing() {
    let directory = Directory::new("dead");
    let healthy = Peer::start();
    let mut addresses = vec![healthy.address];
    addresses.extend((0..19).map(|_| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()));
    let plan = with_spool(&addresses, &directory.0);
    let (each, ledger) = under_traffic(&plan, || thread::sleep(Duration::from_secs(4)));
    let outcome = judge("beside nineteen dead", &[&healthy], each);
    assert_nothing_lost(&outcome);
    assert_eq!(outcome.duplicated, 0);
    for (name, counts) in &ledger.destinations[1..] {
        assert_eq!((counts.spooled, counts.dropped_total()), ((each * SENDERS) as u64, 0), "{name}");
    }
}

#[test]
#[ignore = "takes its time"]
fn a_full_disk_costs_what_is_counted() {
    let directory = Directory::new("full");
    let first = Peer::start();
    let mut second = None;
    let mut plan = with_spool(&[first.address], &directory.0);
    plan.table.destinations[0].options.spool_bytes_max = 1_000_000.into();
    plan.table.destinations[0].options.connbuf_lines = 1_000.into();
    plan.table.destinations[0].options.when_full = FullPolicy::DropOldest;
    let (each, ledger) = under_traffic(&plan, || {
        thread::sleep(Duration::from_millis(500));
        first.close();
        thread::sleep(Duration::from_secs(4));
        second = Some(Peer::start_on(first.address));
        thread::sleep(Duration::from_millis(500));
    });
    let second = second.unwrap();
    let outcome = judge("spool of 1 MB", &[&first, &second], each);
    let counts = &ledger.destinations[0].1;
    // The oldest lines on disk were sent, and lie there to be sent again: to drop those costs nothing that is owed.
    let excused = counts.dropped_total() + counts.repeated;
    assert!(outcome.lost > 0 && outcome.lost as u64 <= excused, "{outcome:?}, {counts:?}");
    assert_eq!((outcome.torn, outcome.reordered), (0, 0));
}

/// Not a test: the destination of the tests below. It takes one connection after the other.
#[test]
fn sink_process() {
    if let Ok(path) = std::env::var("RELAY_TEST_SINK") {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        println!("address={}", listener.local_addr().unwrap());
        let mut file = fs::File::create(path).unwrap();
        for stream in listener.incoming() {
            std::io::copy(&mut stream.unwrap(), &mut file).unwrap();
        }
    }
}

#[test]
#[ignore = "takes its time"]
fn a_destination_process_that_is_stopped_loses_nothing() {
    let directory = Directory::new("sigstop");
    let spools = Directory::new("sigstop-spools");
    let (sink, fast) = (Sink::start(&directory), Peer::start());
    let plan = with_spool(&[sink.address, fast.address], &spools.0);
    let (each, ledger) = under_traffic(&plan, || {
        thread::sleep(Duration::from_secs(1));
        sink.signal("-STOP");
        thread::sleep(Duration::from_secs(5));
        sink.signal("-CONT");
        thread::sleep(Duration::from_secs(1));
    });
    wait_until("all is written down", || sink.lines().len() >= each * SENDERS);
    assert_nothing_lost(&judge_lines("SIGSTOP for 5 s", sink.lines().into_iter(), each));
    let other = judge("beside it", &[&fast], each);
    assert_nothing_lost(&other);
    assert_eq!(other.duplicated, 0);
    assert_eq!(ledger.destinations[0].1.dropped_total() + ledger.destinations[1].1.dropped_total(), 0);
}

#[test]
#[ignore = "takes its time"]
fn a_full_file_system_costs_what_is_counted() {
    let directory = Directory::new("tmpfs");
    let first = Peer::start();
    let mut plan = with_spool(&[first.address], &directory.0);
    plan.table.destinations[0].options.connbuf_lines = 1_000.into();
    plan.table.destinations[0].options.spoolbuf_lines = 1_000.into();
    // A file system of 2 MB, which nobody but the relay sees.
    let script = "mount -t tmpfs -o size=2m tmpfs \"$0\" && exec \"$@\"";
    let mut relay =
        Process::start_by(Command::new("unshare").args(["-rm", "sh", "-c", script]).arg(&directory.0), &plan);
    let (to, is_over) = (relay.address, AtomicBool::new(false));
    let mut second = None;
    let each = thread::scope(|scope| {
        let sender = scope.spawn(|| send_until(to, 0, &is_over));
        thread::sleep(Duration::from_millis(500));
        first.close();
        wait_until("the disk is full", || relay.ledger()["destinations"][0]["spool_errors"] != 0);
        thread::sleep(Duration::from_secs(1));
        second = Some(Peer::start_on(first.address));
        wait_until("the spool is read", || relay.ledger()["destinations"][0]["spooled"] == 0);
        is_over.store(true, Ordering::SeqCst);
        sender.join().unwrap()
    });
    let all = each * SENDERS;
    wait_until("everything is delivered", || {
        let ledger = relay.ledger();
        let counts = &ledger["destinations"][0];
        ledger["received"] == all && counts["queued"] == 0 && counts["spooled"] == 0
    });
    let ledger = relay.stop();
    let outcome = judge("file system of 2 MB", &[&first, &second.unwrap()], each);
    let dropped: u64 = ledger["destinations"][0]["dropped"]
        .as_object()
        .unwrap()
        .values()
        .filter_map(serde_json::Value::as_u64)
        .sum();
    assert_eq!(ledger["balanced"], true, "{ledger}");
    assert!(outcome.lost > 0 && outcome.lost as u64 <= dropped, "{outcome:?}, {ledger}");
    assert_eq!((outcome.torn, outcome.reordered), (0, 0));
}

/// Kilobytes that the process ever had resident.
fn resident_kib(relay: &Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", relay.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// `memory = "64MiB"`, and destinations that nobody is at.
fn with_little_memory(destinations: usize) -> Plan {
    let dead = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut plan = plan(&(0..destinations).map(|_| dead()).collect::<Vec<_>>());
    plan.settings.workers = 1.into();
    plan.settings.memory = Size(64 << 20).into();
    for destination in &mut plan.table.destinations {
        destination.options.connbuf_lines = 50_000_000.into();
    }
    plan
}

#[test]
#[ignore = "takes its time"]
fn with_every_destination_down_memory_stays_below_its_ceiling() {
    let each = 400_000;
    for spools in [false, true] {
        let directory = Directory::new("memory");
        let mut plan = with_little_memory(8);
        plan.settings.spool_dir = directory.0.to_str().unwrap().into();
        for destination in &mut plan.table.destinations {
            destination.options.spool = spools;
        }
        let mut relay = Process::start(&plan);
        for sender in 0..SENDERS {
            support::send(relay.address, sender, 0..each);
        }
        let mut ledger = relay.ledger();
        wait_until("everything is read", || {
            ledger = relay.ledger();
            ledger["received"] == each * SENDERS
        });
        let kib = resident_kib(&relay);
        let dropped = |destination: &serde_json::Value| {
            destination["dropped"]
                .as_object()
                .unwrap()
                .values()
                .filter_map(serde_json::Value::as_u64)
                .sum::<u64>()
        };
        let dropped: u64 = ledger["destinations"].as_array().unwrap().iter().map(dropped).sum();
        println!("64 MiB, eight dead destinations, spool {spools}: {kib} KiB resident, {dropped} dropped");
        assert!(kib <= 64 * 1024, "{kib} KiB");
        assert_eq!(ledger["balanced"], true, "{ledger}");
        assert_eq!(dropped == 0, spools, "with a spool nothing is lost, without one the memory was full");
        relay.signal("-KILL");
        relay.child.wait().unwrap();
    }
}

#[test]
#[ignore = "takes its time"]
fn unfinished_lines_share_what_there_is() {
    let mut relay = Process::start(&with_little_memory(1));
    let mut clients = Vec::new();
    for _ in 0..400 {
        let mut client = TcpStream::connect(relay.address).unwrap();
        let _ = client.write_all(&vec![b'x'; 60_000]);
        clients.push(client);
    }
    let mut ledger = relay.ledger();
    wait_until("some are closed", || {
        ledger = relay.ledger();
        ledger["connections"]["accepted"] == 400 && ledger["connections"]["memory_closed"] != 0
    });
    // Who sends lines is not affected.
    support::send(relay.address, 0, 0..1_000);
    wait_until("lines are read", || relay.ledger()["routed"] == 1_000);
    let (kib, ledger) = (resident_kib(&relay), relay.ledger());
    println!(
        "400 unfinished lines of 60 kB: {kib} KiB resident, {} closed",
        ledger["connections"]["memory_closed"]
    );
    assert!(kib <= 64 * 1024, "{kib} KiB");
    assert_eq!(ledger["balanced"], true, "{ledger}");
    relay.signal("-KILL");
    relay.child.wait().unwrap();
}

/// Not a test: the relay of the tests below.
#[test]
fn relay_process() {
    if let Ok(plan) = std::env::var("RELAY_TEST_PLAN") {
        let plan: Plan = serde_json::from_str(&plan).unwrap();
        let destinations = u32::try_from(plan.table.destinations.len()).unwrap();
        relay_runtime::serve::run(&plan, Passthrough(destinations)).unwrap();
    }
}

/// What the relay had not read when it was killed, in bytes.
struct Unread(usize);

/// If `is_quiet`, the relay has nothing left to read when it is killed: then nothing may be lost at all. If not, it is
/// stopped at some point of its traffic, so that what lies in its sockets can be counted, and killed there.
fn kill_during_an_outage(what: &str, is_quiet: bool) -> (Outcome, Unread) {
    let directory = Directory::new(what);
    let first = Peer::start();
    let address = first.address;
    let plan = with_spool(&[address], &directory.0);
    let mut relay = Process::start(&plan);
    let to = relay.address;
    let is_over = AtomicBool::new(false);
    let (each, unread) = thread::scope(|scope| {
        let sender = scope.spawn(|| send_until(to, 0, &is_over));
        thread::sleep(Duration::from_secs(1));
        first.close();
        wait_until("the outage is noticed", || relay.ledger()["destinations"][0]["up"] == false);
        thread::sleep(Duration::from_secs(2));
        if !is_quiet {
            relay.signal("-STOP");
        }
        is_over.store(true, Ordering::SeqCst);
        let each = sender.join().unwrap();
        if is_quiet {
            wait_until("the relay has read everything", || relay.ledger()["received"] == each * SENDERS);
        }
        (each, Unread(bytes_in_sockets_of(to)))
    });
    relay.signal("-KILL");
    relay.child.wait().unwrap();
    let second = Peer::start_on(address);
    let again = Process::start(&plan);
    wait_until("the spool is gone", || {
        !directory.files().iter().any(|file| file.extension().is_some_and(|end| end == "spool"))
    });
    let ledger = again.stop();
    let outcome = judge(what, &[&first, &second], each);
    assert_eq!(ledger["balanced"], true, "{ledger}");
    assert!(ledger["destinations"][0]["recovered"].as_u64().unwrap() > 0, "{ledger}");
    assert_eq!((outcome.torn, outcome.reordered), (0, 0));
    (outcome, unread)
}

/// Bytes that were sent to this address and that nobody has read, as the kernel tells (proc(5), /proc/net/tcp).
fn bytes_in_sockets_of(address: SocketAddr) -> usize {
    let port = format!(":{:04X}", address.port());
    let table = fs::read_to_string("/proc/net/tcp").unwrap();
    let bytes = table.lines().skip(1).map(|socket| {
        let fields: Vec<_> = socket.split_whitespace().collect();
        let (unsent, unread) = fields[4].split_once(':').unwrap();
        let bytes = |text| usize::from_str_radix(text, 16).unwrap();
        match fields[3] {
            // A listener's queue is of connections.
            "0A" => 0,
            _ if fields[1].ends_with(&port) => bytes(unread),
            _ if fields[2].ends_with(&port) => bytes(unsent),
            _ => 0,
        }
    });
    bytes.sum()
}

#[test]
#[ignore = "takes its time"]
fn a_kill_during_an_outage_loses_nothing_that_was_dispatched() {
    let (outcome, unread) = kill_during_an_outage("kill-quiet", true);
    assert_eq!(unread.0, 0);
    assert_nothing_lost(&outcome);
}

#[test]
#[ignore = "takes its time"]
fn a_kill_under_traffic_loses_what_was_in_the_sockets() {
    let (outcome, Unread(bytes)) = kill_during_an_outage("kill-traffic", false);
    let in_sockets = bytes.div_ceil(line(0, 0).len());
    println!("of those lost, at most {in_sockets} were in the sockets: {bytes} bytes");
    // Beyond those, only what came in within the turn under way: 10 ms of traffic, or more on a machine that stalls, but
    // never more than a turn may read of each connection.
    let in_turn = SENDERS * READ_BYTES / line(0, 0).len();
    assert!(outcome.lost <= in_sockets + in_turn, "{outcome:?}, {in_sockets} in sockets");
}

#[test]
#[ignore = "takes its time"]
fn a_clean_stop_during_an_outage_keeps_everything() {
    let directory = Directory::new("stop");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let plan = with_spool(&[free], &directory.0);
    let relay = Process::start(&plan);
    for sender in 0..SENDERS {
        support::send(relay.address, sender, 0..5_000);
    }
    let ledger = relay.stop();
    let all = 5_000 * SENDERS as u64;
    assert_eq!(
        (&ledger["received"], &ledger["destinations"][0]["spooled"]),
        (&all.into(), &all.into()),
        "{ledger}"
    );
    let peer = Peer::start_on(free);
    let again = Process::start(&plan);
    wait_until("all arrived", || peer.line_count() as u64 >= all);
    again.stop();
    let outcome = judge("stop during an outage", &[&peer], 5_000);
    assert_nothing_lost(&outcome);
    assert_eq!(outcome.duplicated, 0);
    assert_eq!(fs::read_dir(&directory.0).unwrap().count(), 0, "an empty spool leaves nothing");
}
