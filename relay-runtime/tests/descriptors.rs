//! Without file descriptors to spare: what clients leave to destinations and spools, and what happens when there is none
//! left at all. Real processes with real limits.

#![cfg(target_os = "linux")]

mod support;

use relay_runtime::plan::Plan;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use std::{
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Command, Stdio},
};
use support::{
    Passthrough, Peer, line, plan,
    process::Process,
    send,
    traffic::{Directory, with_spool},
    wait_until,
};

/// Starts what comes after it with a limit of open files.
fn limited(limit: u64) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("ulimit -n {limit}; exec \"$@\""), "sh"]);
    shell
}

/// Changes the soft limit of a running relay.
fn set_limit(relay: &Process, limit: u64) {
    let pid = Pid::from_raw(relay.child.id().cast_signed());
    let before = prlimit(pid, Resource::Nofile, Rlimit { current: Some(limit), maximum: None });
    // Only root may raise the hard limit to none.
    if before.is_err() {
        let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
        prlimit(pid, Resource::Nofile, Rlimit { current: Some(limit), maximum }).unwrap();
    }
}

fn text(sender: usize, numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| line(sender, number)).collect()
}

fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[test]
fn idle_clients_leave_descriptors_for_destinations_and_spools() {
    let directory = Directory::new("descriptors-idle");
    let peer = Peer::start();
    let address = peer.address;
    let plan = with_spool(&[address], &directory.0);
    let mut relay = Process::start_by(&mut limited(64), &plan);
    let mut sender = TcpStream::connect(relay.address).unwrap();
    sender.write_all(text(0, 0..1).as_bytes()).unwrap();
    wait_until("a line arrives", || peer.line_count() == 1);
    let idle: Vec<_> = (0..100).map(|_| TcpStream::connect(relay.address).unwrap()).collect();
    relay.wait_for_log(&["clients wait to be accepted", "limit=64", "`LimitNOFILE=`"]);

    drop(peer);
    relay.wait_for_log(&["destination down"]);
    sender.write_all(text(0, 1..10_001).as_bytes()).unwrap();
    wait_until("they are on disk", || relay.ledger()["destinations"][0]["spooled"] == 10_000);
    let again = Peer::start_on(address);
    wait_until("they arrive where the destination was", || again.line_count() >= 10_000);
    let open = relay.ledger()["connections"]["open"].as_u64().unwrap();
    assert!((1..64).contains(&open), "{open}");

    drop(idle);
    relay.wait_for_log(&["clients are accepted again"]);
    send(relay.address, 1, 0..1);
    wait_until("it arrives", || again.lines().contains(&line(1, 0)));
    let log = relay.log();
    assert!(!log.contains("os error 24"), "{log}");
    assert_eq!(log.matches("clients wait to be accepted").count(), 1, "once a minute: {log}");
    let ledger = relay.stop();
    let connections = &ledger["connections"];
    assert!(connections["held_back"].as_u64().unwrap() >= 1, "{connections}");
    assert_eq!((&connections["accepted"], &connections["refused"]), (&102.into(), &0.into()));
    assert_eq!((&ledger["received"], &ledger["balanced"]), (&10_002.into(), &true.into()));
}

#[test]
fn a_limit_that_is_too_small_for_the_configuration_is_an_error_with_numbers() {
    let addresses: Vec<_> = (0..60).map(|_| nobody()).collect();
    let output = limited(50)
        .arg(std::env::current_exe().unwrap())
        .args(["relay_process", "--exact", "--nocapture"])
        .env("RELAY_TEST_PLAN", serde_json::to_string(&plan(&addresses)).unwrap())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    for part in ["may open 50 files", "need at least ", "`ulimit -n`"] {
        assert!(log.contains(part), "{part}: {log}");
    }
}

#[test]
fn without_any_descriptor_nothing_is_lost_and_the_log_says_which_limit_to_raise() {
    let directory = Directory::new("descriptors-none");
    let address = nobody();
    let mut plan = with_spool(&[address], &directory.0);
    // So that lines soon need another file, to be written and to be read.
    plan.table.destinations[0].options.spool_file_bytes_max = 10_000.into();
    let mut relay = Process::start(&plan);
    let mut sender = TcpStream::connect(relay.address).unwrap();
    relay.wait_for_log(&["destination down"]);
    sender.write_all(text(0, 0..10_000).as_bytes()).unwrap();
    wait_until("they are on disk", || relay.ledger()["destinations"][0]["spooled"] == 10_000);

    set_limit(&relay, 4);
    let refused = std::iter::repeat_with(|| TcpStream::connect(relay.address).unwrap()).take(3);
    let waiting: Vec<_> = refused.collect();
    sender.write_all(text(0, 10_000..20_000).as_bytes()).unwrap();
    relay.wait_for_log(&["cannot write to the spool", "os error 24", "`ulimit -n`"]);
    let peer = Peer::start_on(address);
    wait_until("it fails often", || spool_errors(&mut relay) > 6);
    assert_eq!(peer.connections(), 0);
    set_limit(&relay, 1_024);
    drop(waiting);
    assert_all_arrive(relay, &peer, 20_000);
}

#[test]
fn a_spool_that_cannot_be_read_for_want_of_descriptors_is_not_given_up() {
    const LINES: usize = 400_000;
    let directory = Directory::new("descriptors-read");
    let peer = Peer::start();
    peer.pause(true);
    let mut plan = with_spool(&[peer.address], &directory.0);
    plan.table.destinations[0].options.spool_file_bytes_max = 100_000.into();
    let mut relay = Process::start(&plan);
    send(relay.address, 0, 0..LINES);
    wait_until("more than sockets hold is on disk", || {
        let ledger = relay.ledger();
        ledger["received"] == LINES && ledger["destinations"][0]["spooled"].as_u64().unwrap() > 100_000
    });
    set_limit(&relay, 4);
    peer.pause(false);
    relay.wait_for_log(&["cannot read from the spool", "os error 24", "`ulimit -n`"]);
    // More often than a disk may fail before what is on it counts as lost.
    let before = spool_errors(&mut relay);
    wait_until("it fails often", || spool_errors(&mut relay) > before + 6);
    set_limit(&relay, 1_024);
    assert_all_arrive(relay, &peer, LINES);
}

fn spool_errors(relay: &mut Process) -> u64 {
    relay.ledger()["destinations"][0]["spool_errors"].as_u64().unwrap()
}

#[track_caller]
fn assert_all_arrive(relay: Process, peer: &Peer, lines: usize) {
    wait_until("all arrive", || peer.line_count() >= lines);
    let ledger = relay.stop();
    let destination = &ledger["destinations"][0];
    let dropped = destination["dropped"].as_object().unwrap().values().filter_map(serde_json::Value::as_u64);
    assert_eq!((&destination["sent"], dropped.sum()), (&lines.into(), 0_u64), "{destination}");
    assert_eq!(peer.lines().into_iter().collect::<std::collections::BTreeSet<_>>().len(), lines);
}

/// Not a test: the relay of the tests above, in a process of its own.
#[test]
fn relay_process() {
    if let Ok(plan) = std::env::var("RELAY_TEST_PLAN") {
        let plan: Plan = serde_json::from_str(&plan).unwrap();
        let destinations = u32::try_from(plan.table.destinations.len()).unwrap();
        if let Err(error) = relay_runtime::serve::run(&plan, Passthrough(destinations)) {
            eprintln!("error: {error}");
            std::process::exit(1);
        }
    }
}
