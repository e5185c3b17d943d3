//! What each signal does to a running relay. The table in docs/reliability.md is the list of what is tried.

#![cfg(target_os = "linux")]

mod support;

use rustix::process::Signal;
use std::{
    fs,
    net::TcpListener,
    os::unix::process::ExitStatusExt as _,
    process::{Command, ExitStatus, Stdio},
};
use support::{Passthrough, Peer, plan, process::Process, send, traffic::Directory, wait_until};

const DOCUMENT: &str = include_str!("../../docs/reliability.md");

/// All that have a name; their numbers are those of the system.
const NAMED: [(&str, Signal); 31] = [
    ("HUP", Signal::HUP),
    ("INT", Signal::INT),
    ("QUIT", Signal::QUIT),
    ("ILL", Signal::ILL),
    ("TRAP", Signal::TRAP),
    ("ABRT", Signal::ABORT),
    ("BUS", Signal::BUS),
    ("FPE", Signal::FPE),
    ("KILL", Signal::KILL),
    ("USR1", Signal::USR1),
    ("SEGV", Signal::SEGV),
    ("USR2", Signal::USR2),
    ("PIPE", Signal::PIPE),
    ("ALRM", Signal::ALARM),
    ("TERM", Signal::TERM),
    ("STKFLT", Signal::STKFLT),
    ("CHLD", Signal::CHILD),
    ("CONT", Signal::CONT),
    ("STOP", Signal::STOP),
    ("TSTP", Signal::TSTP),
    ("TTIN", Signal::TTIN),
    ("TTOU", Signal::TTOU),
    ("URG", Signal::URG),
    ("XCPU", Signal::XCPU),
    ("XFSZ", Signal::XFSZ),
    ("VTALRM", Signal::VTALARM),
    ("PROF", Signal::PROF),
    ("WINCH", Signal::WINCH),
    ("IO", Signal::IO),
    ("PWR", Signal::POWER),
    ("SYS", Signal::SYS),
];

/// The real-time signals that both C libraries give to programs.
const REAL_TIME: std::ops::RangeInclusive<i32> = 35..=64;

/// The rows of the table: the signals, and what they do.
fn rows() -> Vec<(Vec<String>, String)> {
    let section = DOCUMENT.split("\n## Signals\n").nth(1).expect("a section on signals");
    let table = section.lines().skip_while(|line| !line.starts_with("|:")).skip(1);
    let rows = table.take_while(|line| line.starts_with('|')).map(|line| {
        let mut cells = line.trim_matches('|').split('|');
        let (signals, does) = (cells.next().unwrap(), cells.next().unwrap().trim());
        (signals.split('`').skip(1).step_by(2).map(str::to_owned).collect(), does.to_owned())
    });
    rows.collect()
}

/// The signals of the rows that say that they do this.
fn signals_that(does: &str) -> Vec<i32> {
    let found: Vec<i32> = rows()
        .into_iter()
        .filter(|(_, text)| text.starts_with(does))
        .flat_map(|(signals, _)| signals)
        .flat_map(|name| match name.as_str() {
            "RTMIN" => REAL_TIME.collect(),
            name => vec![NAMED.iter().find(|(known, _)| *known == name).expect(name).1.as_raw()],
        })
        .collect();
    assert!(!found.is_empty(), "no row says {does:?}");
    found
}

fn start(plan: &relay_runtime::plan::Plan) -> Process {
    // The faults leave no core files behind.
    let mut quiet = Command::new("sh");
    Process::start_by(quiet.args(["-c", "ulimit -c 0; exec \"$@\"", "sh"]), plan)
}

fn wait_for(mut relay: Process) -> ExitStatus {
    relay.child.wait().unwrap()
}

#[test]
fn the_table_has_every_signal_once() {
    let mut listed: Vec<_> = rows().into_iter().flat_map(|(signals, _)| signals).collect();
    listed.retain(|name| name != "RTMIN");
    listed.sort();
    let mut known = NAMED.map(|(name, _)| name.to_owned()).to_vec();
    known.sort();
    assert_eq!(listed, known);
}

#[test]
fn signals_that_mean_nothing_change_nothing() {
    let peer = Peer::start();
    let relay = start(&plan(&[peer.address]));
    let logged = signals_that("does nothing, and logs the signal");
    let mut count = 0;
    for signal in logged.iter().copied().chain(signals_that("does nothing and logs nothing")) {
        relay.signal(&format!("-{signal}"));
        send(relay.address, 0, count..count + 1);
        count += 1;
        wait_until("a line passes after it", || peer.line_count() == count);
        if logged.contains(&signal) {
            wait_until("each is logged", || relay.log().matches("without meaning").count() == count);
        }
    }
    for signal in signals_that("pauses") {
        relay.signal(&format!("-{signal}"));
        relay.signal("-CONT");
        send(relay.address, 0, count..count + 1);
        count += 1;
        wait_until("a line passes after it", || peer.line_count() == count);
    }
    assert_eq!(relay.log().matches("without meaning").count(), logged.len());
    assert_eq!(relay.stop()["received"], count);
}

#[test]
fn signals_that_stop_do_so_in_good_order() {
    for signal in signals_that("stops in good order") {
        let peer = Peer::start();
        let mut relay = start(&plan(&[peer.address]));
        send(relay.address, 0, 0..1_000);
        relay.signal(&format!("-{signal}"));
        let ledger = relay.next_ledger();
        assert_eq!((&ledger["received"], &ledger["balanced"]), (&1_000.into(), &true.into()), "{signal}");
        assert_eq!(ledger["destinations"][0]["sent"], 1_000, "{signal}");
        assert_eq!(wait_for(relay).code(), Some(0), "{signal}");
    }
}

#[test]
fn signals_that_stop_at_once_count_what_is_given_up() {
    for signal in signals_that("stops at once") {
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut relay = start(&plan(&[nobody]));
        send(relay.address, 0, 0..1_000);
        wait_until("all are queued", || relay.ledger()["destinations"][0]["queued"] == 1_000);
        relay.signal(&format!("-{signal}"));
        given_up(relay);
    }
}

#[test]
fn a_second_sigterm_stops_at_once_and_counts_what_is_given_up() {
    let peer = Peer::start();
    peer.pause(true);
    let mut plan = plan(&[peer.address]);
    plan.settings.shutdown_ms = 600_000.into();
    let mut relay = start(&plan);
    for sender in 0..4 {
        send(relay.address, sender, 0..60_000);
    }
    wait_until("all are read", || relay.ledger()["received"] == 240_000);
    relay.signal("-TERM");
    relay.wait_for_log(&["stopping"]);
    relay.signal("-TERM");
    given_up(relay);
}

/// It ends soon with balanced books, says how many lines that cost, and fails.
#[track_caller]
fn given_up(mut relay: Process) {
    let ledger = relay.next_ledger();
    assert_eq!(ledger["balanced"], true, "{ledger}");
    let lines = ledger["destinations"][0]["dropped"]["shutdown"].as_u64().unwrap();
    assert!(lines > 0, "{ledger}");
    relay.wait_for_log(&["stopped at once", &format!(" {lines} lines given up")]);
    assert_eq!(wait_for(relay).code(), Some(1));
}

#[test]
fn faults_and_sigkill_end_it_as_the_system_does() {
    for signal in signals_that("the system ends the relay") {
        let mut relay = start(&plan(&[]));
        // Rust's runtime looks into SEGV and BUS first, and finds nothing when somebody else sent the first one.
        wait_until("it has ended", || {
            relay.signal(&format!("-{signal}"));
            relay.child.try_wait().unwrap().is_some()
        });
        assert_eq!(wait_for(relay).signal(), Some(signal));
    }
}

#[test]
fn the_pid_file_is_removed_when_it_has_ended_unless_another_process_has_it() {
    let directory = Directory::new("pid-file");
    let path = directory.0.join("relay.pid");
    let mut plan = plan(&[]);
    plan.settings.pid_file = Some(path.display().to_string().as_str().into());
    for signal in ["-TERM", "-QUIT"] {
        let relay = start(&plan);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.trim().parse(), Ok(relay.child.id()));
        relay.signal(signal);
        wait_for(relay);
        assert!(!path.exists(), "{signal}");
    }
    let relay = start(&plan);
    fs::write(&path, "1\n").unwrap();
    relay.stop();
    assert_eq!(fs::read_to_string(&path).unwrap(), "1\n");
}

#[test]
fn a_ledger_says_when_it_was_made_and_by_whom() {
    let mut plan = plan(&[]);
    plan.settings.instance = "edge-7".into();
    let now = || std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64();
    let before = now();
    let mut relay = start(&plan);
    for ledger in [relay.ledger(), relay.stop()] {
        let time = ledger["time"].as_f64().unwrap();
        assert!(before - 0.001 <= time && time <= now(), "{ledger}");
        assert_eq!(
            (&ledger["instance"], &ledger["version"]),
            (&"edge-7".into(), &env!("CARGO_PKG_VERSION").into())
        );
    }
}

#[test]
fn sigusr1_prints_the_ledger() {
    for signal in signals_that("prints the ledger") {
        let mut relay = start(&plan(&[]));
        relay.signal(&format!("-{signal}"));
        assert_eq!(relay.next_ledger()["received"], 0);
        relay.stop();
    }
}

#[test]
fn sighup_is_not_fatal_also_during_a_stop() {
    let peer = Peer::start();
    peer.pause(true);
    let mut plan = plan(&[peer.address]);
    plan.settings.shutdown_ms = 600_000.into();
    let mut relay = start(&plan);
    relay.signal("-HUP");
    relay.wait_for_log(&["SIGHUP", "not a file"]);
    for sender in 0..4 {
        send(relay.address, sender, 0..60_000);
    }
    wait_until("all are read", || relay.ledger()["received"] == 240_000);
    relay.signal("-TERM");
    relay.wait_for_log(&["stopping"]);
    relay.signal("-HUP");
    relay.signal("-USR1");
    peer.pause(false);
    let ledger = relay.next_ledger();
    assert_eq!(ledger["destinations"][0]["sent"], 240_000, "{ledger}");
    assert_eq!(wait_for(relay).code(), Some(0));
}

#[test]
fn sighup_reopens_a_log_that_was_moved_away() {
    let directory = Directory::new("reopen");
    let (log, moved, out) = ["log", "log.1", "out"].map(|name| directory.0.join(name)).into();
    let peer = Peer::start();
    let open = |path| fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["relay_process", "--exact", "--nocapture"])
        .env("RELAY_TEST_PLAN", serde_json::to_string(&plan(&[peer.address])).unwrap())
        .stdin(Stdio::null())
        .stdout(open(&out))
        .stderr(open(&log))
        .spawn()
        .unwrap();
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let signal = |name: &str| {
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
    };
    wait_until("it listens", || text(&log).contains("listening"));
    fs::rename(&log, &moved).unwrap();
    signal("-HUP");
    wait_until("the new file is there", || text(&log).contains("SIGHUP: reopened"));
    // A name that cannot be opened is no reason to end: the old file stays.
    fs::remove_file(&log).unwrap();
    fs::create_dir(&log).unwrap();
    signal("-HUP");
    signal("-USR1");
    wait_until("the books are printed", || text(&out).contains("\"received\":0"));
    fs::remove_dir(&log).unwrap();
    signal("-HUP");
    wait_until("it is back", || text(&log).contains("SIGHUP: reopened"));
    signal("-TERM");
    assert!(child.wait().unwrap().success());
    assert!(text(&log).contains("stopping"));
}

/// Not a test: the relay of the tests above, in a process of its own.
#[test]
fn relay_process() {
    if let Ok(plan) = std::env::var("RELAY_TEST_PLAN") {
        let plan: relay_runtime::plan::Plan = serde_json::from_str(&plan).unwrap();
        let destinations = u32::try_from(plan.table.destinations.len()).unwrap();
        if let Err(error) = relay_runtime::serve::run(&plan, Passthrough(destinations)) {
            eprintln!("error: {error}");
            std::process::exit(1);
        }
    }
}
