//! What a spool's directory that is removed, and a file system that hangs, do to a running relay: real processes, real files, and
//! a real ext4 that is frozen with fsfreeze(8).
//!
//! The slow ones need root: `cargo test -p relay-runtime --test disks -- --ignored`, which the end-to-end step of CI runs.

#![cfg(target_os = "linux")]

mod support;

use relay_runtime::{
    interpret::Interpreter,
    plan::Plan,
    table::{DestinationIndex, Matcher, Route, RouteDestination, RouteKind},
};
use serde_json::Value;
use std::{
    fs,
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use support::{
    Peer, line,
    process::Process,
    traffic::{Directory, with_spool},
    wait_until,
};

/// Not a test: the relay of the tests below.
#[test]
fn relay_process() {
    if let Ok(plan) = std::env::var("RELAY_TEST_PLAN") {
        let plan: Plan = serde_json::from_str(&plan).unwrap();
        relay_runtime::serve::run(&plan, Interpreter::new(&plan.table).unwrap()).unwrap();
    }
}

fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn counts(relay: &mut Process, destination: usize) -> Value {
    relay.ledger()["destinations"][destination].clone()
}

#[test]
fn a_spool_directory_that_is_removed_is_made_again_with_what_was_open() {
    let (directory, down) = (Directory::new("removed"), nobody());
    let plan = with_spool(&[down], &directory.0);
    let mut relay = Process::start(&plan);
    let mut sent = 0;
    let mut send = |relay: &mut Process| {
        support::send(relay.address, 0, sent..sent + 1_000);
        sent += 1_000;
        wait_until("it is spooled", || counts(relay, 0)["spooled"] == sent);
    };
    send(&mut relay);
    for times in 1..=2 {
        fs::remove_dir_all(&directory.0).unwrap();
        // Nobody else gets the directory meanwhile.
        assert_refused(&plan);
        send(&mut relay);
        let is_said = || relay.log().matches("were removed under this relay").count() >= times;
        wait_until("it is made again", is_said);
        assert!(!directory.files().is_empty());
    }
    assert_refused(&plan);
    // What the files have is what a relay that is killed leaves to the next one.
    relay.signal("-KILL");
    relay.child.wait().unwrap();
    let next = Process::start(&plan);
    let peer = Peer::start_on(down);
    wait_until("all arrive", || peer.line_count() >= 3_000);
    let mut lines = peer.lines();
    lines.dedup();
    assert_eq!(lines, (0..3_000).map(|number| line(0, number)).collect::<Vec<_>>());
    next.stop();
}

/// A second relay on the same directory ends at once.
#[track_caller]
fn assert_refused(plan: &Plan) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["relay_process", "--exact", "--nocapture"])
        .env("RELAY_TEST_PLAN", serde_json::to_string(plan).unwrap())
        .output()
        .unwrap();
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && said.contains("ResourceBusy"), "{said}");
}

/// An ext4 in a file, which can be frozen.
struct FileSystem {
    place: Directory,
    holder: Child,
}

impl FileSystem {
    fn new(name: &str) -> Self {
        let place = Directory::new(name);
        let script = "truncate -s 64M image && mkfs.ext4 -q image && mkdir -p fs && mount -o loop image fs && echo up && read _";
        let mut holder = Command::new("sh")
            .args(["-c", script])
            .current_dir(&place.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = std::io::BufReader::new(holder.stdout.take().unwrap());
        let mut said = String::new();
        std::io::BufRead::read_line(&mut out, &mut said).unwrap();
        assert_eq!(said.trim(), "up", "this test mounts an ext4, for which it must be root");
        Self { place, holder }
    }

    fn path(&self) -> PathBuf {
        self.place.0.join("fs")
    }

    fn freeze(&self, option: &str) {
        assert!(Command::new("fsfreeze").arg(option).arg(self.path()).status().unwrap().success());
    }
}

impl Drop for FileSystem {
    fn drop(&mut self) {
        let _ = Command::new("fsfreeze").arg("-u").arg(self.path()).stderr(Stdio::null()).status();
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// Names in `a.` go to the first destination, which has a spool in `directory`, all others to the second, which has none.
fn two_ways(to: [SocketAddr; 2], directory: &Path) -> Plan {
    let mut plan = with_spool(&to, directory);
    plan.table.destinations[1].options.spool = false;
    let spooled = Matcher { prefix: Some("a.".to_owned()), ..Matcher::default() };
    let others = Matcher { not_prefix: Some("a.".to_owned()), ..Matcher::default() };
    let route = |at, key, matcher| {
        let to = RouteDestination { destination: DestinationIndex::new(at), matcher: Matcher::default() };
        Route::new(key, matcher, RouteKind::SendAllMatch { destinations: vec![to] })
    };
    plan.table.routes = vec![route(0, "spooled", spooled), route(1, "others", others)];
    plan
}

/// Sends lines until the peer takes no more, or `most` were sent. Gives how many went out whole.
fn send_most(to: SocketAddr, prefix: &str, most: usize) -> (TcpStream, usize) {
    let mut socket = TcpStream::connect(to).unwrap();
    socket.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let line = |number: usize| format!("{prefix}{number} 1 1700000000\n");
    for number in 0..most {
        if socket.write_all(line(number).as_bytes()).is_err() {
            return (socket, number);
        }
    }
    (socket, most)
}

#[test]
#[ignore = "freezes a file system, which takes root and its time"]
fn a_file_system_that_hangs_holds_only_the_inputs_whose_lines_need_it() {
    let disk = FileSystem::new("frozen");
    let (down, up) = (nobody(), Peer::start());
    let mut relay = Process::start(&two_ways([down, up.address], &disk.path()));
    let (_first, _) = send_most(relay.address, "a.before", 1_000);
    wait_until("it is spooled", || counts(&mut relay, 0)["spooled"] == 1_000);

    disk.freeze("-f");
    let started = Instant::now();
    // More than the sockets hold, so that the sender notices that it is not read.
    let address = relay.address;
    let held = thread::spawn(move || send_most(address, "a.during", 2_000_000));
    wait_for_a_line(&relay, "does not answer");
    let (_healthy, sent) = send_most(relay.address, "b.", 200_000);
    wait_until("the others arrive", || up.line_count() == sent);
    assert_eq!(sent, 200_000);
    let during = relay.ledger();
    assert_eq!(during["balanced"], true, "{during}");
    let (held, held_lines) = held.join().unwrap();
    assert!(held_lines < 2_000_000, "the input that needs the disk is not read on");
    println!(
        "frozen for {:?}: {sent} lines passed beside it, {held_lines} were taken for the disk",
        started.elapsed()
    );

    disk.freeze("-u");
    wait_for_a_line(&relay, "answers again");
    let peer = Peer::start_on(down);
    // The line that was cut when its sender gave up comes from nobody.
    drop(held);
    wait_until("all arrive", || peer.line_count() >= 1_000 + held_lines);
    let last = relay.stop();
    assert_eq!(last["balanced"], true, "{last}");
    assert_eq!(last["destinations"][0]["dropped"]["slow_spool"], 0, "{last}");
}

#[test]
#[ignore = "freezes a file system, which takes root and its time"]
fn a_stop_with_a_file_system_that_hangs_ends_in_time_and_counts_what_it_costs() {
    let disk = FileSystem::new("frozen-stop");
    let mut plan = two_ways([nobody(), nobody()], &disk.path());
    plan.settings.shutdown_ms = 2_000.into();
    let mut relay = Process::start(&plan);
    let (_first, _) = send_most(relay.address, "a.before", 1_000);
    wait_until("it is spooled", || counts(&mut relay, 0)["spooled"] == 1_000);
    disk.freeze("-f");
    let (_second, _) = send_most(relay.address, "a.during", 1_000);
    wait_for_a_line(&relay, "does not answer");
    relay.signal("-TERM");
    let started = Instant::now();
    let ledger = relay.next_ledger();
    let took = started.elapsed();
    println!("stopped after {took:?}: {}", ledger["destinations"][0]);
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(ledger["balanced"], true, "{ledger}");
    let destination = &ledger["destinations"][0];
    assert_eq!(
        (&destination["spooled"], &destination["dropped"]["slow_spool"]),
        (&1_000.into(), &1_000.into())
    );
    // The thread that hangs keeps the process until the disk answers.
    disk.freeze("-u");
    relay.child.wait().unwrap();
}

fn wait_for_a_line(relay: &Process, part: &str) {
    wait_until(&format!("the log says {part:?}"), || relay.log().contains(part));
}
