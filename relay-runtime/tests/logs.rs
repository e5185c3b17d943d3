//! What a running relay says of itself: outages once, losses aloud.

mod support;

use relay_runtime::{plan::Plan, table::FullPolicy};
use std::{
    io::Write as _,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
};
use support::{Passthrough, Peer, plan, process::Process, send, wait_until};

#[test]
fn losses_and_outages_are_said_once_with_their_place_and_what_to_do() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut plan = plan(&[nobody]);
    plan.table.destinations[0].options.connbuf_lines = 10.into();
    let mut relay = Process::start(&plan);
    relay.wait_for_log(&["destination down", "cannot connect", "waiting=0"]);
    send(relay.address, 0, 0..1_000);
    let place = format!("place={nobody}");
    relay.wait_for_log(&[
        "lines are lost ",
        "conn_down_no_spool",
        &place,
        "lines=990",
        "`spool = true`",
        "`connbuf`",
    ]);
    assert_eq!(relay.ledger()["destinations"][0]["queued"], 10);
    let peer = Peer::start_on(nobody);
    relay.wait_for_log(&["destination up", "waiting=10", "down_seconds="]);
    wait_until("what was kept arrived", || peer.line_count() == 10);
    relay.signal("-TERM");
    relay.wait_for_log(&["lines lost since the start: 990 conn_down_no_spool", &nobody.to_string()]);
    let log = relay.log();
    // It was tried several times a second all the while.
    assert_eq!(log.matches("destination down").count(), 1, "{log}");
    assert_eq!(log.matches("lines are lost ").count(), 1, "{log}");
    assert!(relay.child.wait().unwrap().success());
}

#[test]
fn lines_that_no_destination_of_their_route_takes_are_lost_aloud() {
    let relay = Process::start(&plan(&[]));
    send(relay.address, 0, 0..100);
    relay.wait_for_log(&["lines are lost ", "undelivered", "place=route `all`", "lines=100", "help="]);
    relay.signal("-TERM");
    relay.wait_for_log(&["lines lost since the start: 100 undelivered (route `all`)"]);
}

#[test]
#[cfg(target_os = "linux")]
fn datagrams_that_the_kernel_drops_are_counted_and_said() {
    // More than its largest buffer, in bytes.
    const DATAGRAMS: usize = 20_000;
    let peer = Peer::start();
    let mut relay = Process::start(&plan(&[peer.address]));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    relay.signal("-STOP");
    let name = "x".repeat(1_000);
    for number in 0..DATAGRAMS {
        socket.send_to(format!("{name} {number} 1700000000\n").as_bytes(), relay.address).unwrap();
    }
    relay.signal("-CONT");
    let input = relay.address.to_string();
    let counts = |ledger: &serde_json::Value| {
        (ledger["received"].as_u64().unwrap(), ledger["kernel_drops"][&input].as_u64().unwrap())
    };
    wait_until("every datagram is accounted for", || {
        let (received, dropped) = counts(&relay.ledger());
        received + dropped == DATAGRAMS as u64
    });
    let (received, dropped) = counts(&relay.ledger());
    assert!(received > 0 && dropped > 0, "{received} {dropped}");
    let place = format!("place={input}");
    relay.wait_for_log(&[
        "lines are lost ",
        "kernel_drops",
        &place,
        &format!("lines={dropped} "),
        "rmem_max",
    ]);
    relay.signal("-TERM");
    relay.wait_for_log(&[&format!("lines lost since the start: {dropped} kernel_drops ({input})")]);
}

/// A relay that logs at this level and takes pickles too, or not; and where it takes them.
fn relay_at(level: &str, takes_pickles: bool) -> (Process, SocketAddr) {
    let mut plan = plan(&[]);
    level.clone_into(&mut plan.settings.log_level);
    plan.settings.pickle = takes_pickles.then(|| "127.0.0.1:0".into());
    let relay = Process::start(&plan);
    if !takes_pickles {
        let address = relay.address;
        return (relay, address);
    }
    relay.wait_for_log(&["listening", "pickle", "tcp"]);
    let log = relay.log();
    let line = log.lines().find(|line| line.contains("pickle")).unwrap();
    let address = line.split("address=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    (relay, address)
}

/// Sends this over a connection of its own, and ends it. Gives the sender's address.
fn say(to: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    stream.local_addr().unwrap().to_string()
}

#[test]
fn refused_lines_are_sampled_at_info_with_sender_reason_and_their_text_shown_safely() {
    let (mut relay, _) = relay_at("info", false);
    let long = format!("{} 1 1\n", "..x".repeat(1_000));
    let text = format!("a.b\x1b[31m\0 \"one\"\na b c\nc 1\nd 1\n{long}");
    let sender = format!("peer={}", say(relay.address, text.as_bytes()));
    let escaped = r#"line="a.b\x1b[31m\x00 \"one\"""#;
    relay.wait_for_log(&[
        "refused a line",
        &sender,
        "reason=\"wrong_num_fields\"",
        escaped,
        "lines=3",
        "help=",
    ]);
    relay.wait_for_log(&[
        "refused a line",
        &sender,
        "reason=\"value_not_number\"",
        r#"line="a b c""#,
        "lines=1",
    ]);
    for _ in 0..20 {
        say(relay.address, b"another 1\n");
    }
    wait_until("all are refused", || relay.ledger()["invalid"]["wrong_num_fields"] == 23);
    // No more than one in ten seconds for each reason.
    let log = relay.log();
    assert!(log.matches("refused a line").count() <= 6, "{log}");
    assert!(!log.contains('\x1b') && log.lines().all(|line| line.len() < 1_000), "{log}");
    relay.stop();
}

#[test]
fn each_refused_line_is_seen_at_debug() {
    let (mut relay, _) = relay_at("debug", false);
    let lines: Vec<_> = (0..100).map(|number| format!("line{number} x")).collect();
    let sender = say(relay.address, (lines.join("\n") + "\n").as_bytes());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.send_to(b"datagram 1\n", relay.address).unwrap();
    wait_until("all are refused", || relay.ledger()["invalid"]["wrong_num_fields"] == 101);
    for line in &lines {
        relay.wait_for_log(&["refused a line", &sender, &format!("line=\"{line}\"")]);
    }
    let sender = socket.local_addr().unwrap().to_string();
    relay.wait_for_log(&["refused a line", &sender, "line=\"datagram 1\""]);
    relay.stop();
}

#[test]
fn pickle_at_the_port_for_plaintext_is_named_as_such() {
    // As Python's `pickle.dumps([("a.b", (1, 2))], protocol=2)` makes it, and protocol 0; with a LF in it or not.
    let frames: [&[u8]; 3] = [
        b"\x00\x00\x00\x1e\x80\x02]q\x00X\x03\x00\x00\x00a.bq\x01K\x01K\x02\x86q\x02\x86q\x03a.",
        b"\x00\x00\x00\x18\x80\x02]q\x0a(X\x03\x00\x00\x00a.bq\x01K\x01a.",
        b"\x00\x00\x00\x20(lp0\n(S'a.b'\np1\n(I1\nI2\ntp2\ntp3\na.",
    ];
    for frame in frames {
        let (relay, pickle) = relay_at("info", true);
        let sender = format!("peer={}", say(relay.address, frame));
        let ports = format!("{} is for plaintext, pickle is taken at {pickle}", relay.address);
        relay.wait_for_log(&["looks like pickle", &ports, &sender]);
        relay.stop();
    }
    let (relay, _) = relay_at("info", false);
    say(relay.address, frames[0]);
    relay.wait_for_log(&["looks like pickle", "`pickle_addr` is not set"]);
    for _ in 0..20 {
        say(relay.address, frames[0]);
        say(relay.address, b"no pickle 1 2 3\n");
    }
    let log = relay.log();
    assert!(log.matches("looks like").count() <= 3, "sampled: {log}");
    relay.stop();
}

#[test]
fn plaintext_at_the_port_for_pickle_is_named_as_such() {
    let (relay, pickle) = relay_at("info", true);
    let sender = format!("peer={}", say(pickle, b"servers.a.load 1 1700000000\n"));
    let ports = format!("{pickle} is for pickle, plaintext is taken at {}", relay.address);
    relay.wait_for_log(&["looks like plaintext", &ports, &sender]);
    relay.stop();
    // A length beyond the limit is no text.
    let (relay, pickle) = relay_at("info", true);
    say(pickle, b"\xff\xff\xff\xff\x80\x02]q");
    relay.wait_for_log(&["connection down", "pickle_frame_max"]);
    assert!(!relay.log().contains("looks like"));
    relay.stop();
}

#[test]
fn a_stop_says_each_second_which_destinations_it_waits_for() {
    let peer = Peer::start();
    peer.pause(true);
    let mut plan = plan(&[peer.address]);
    plan.settings.shutdown_ms = 600_000.into();
    let mut relay = Process::start(&plan);
    for sender in 0..4 {
        send(relay.address, sender, 0..60_000);
    }
    wait_until("all are read", || relay.ledger()["received"] == 240_000);
    relay.signal("-TERM");
    relay.wait_for_log(&["stopping: waits for ", &format!("{} (", peer.address), " lines)", "lines="]);
    wait_until("it says so each second", || relay.log().matches("stopping: waits for ").count() >= 3);
    peer.pause(false);
    assert_eq!(relay.next_ledger()["destinations"][0]["sent"], 240_000);
    assert!(relay.child.wait().unwrap().success());
}

#[test]
fn a_stop_says_that_it_waits_for_clients() {
    let peer = Peer::start();
    peer.pause(true);
    let mut plan = plan(&[peer.address]);
    plan.settings.shutdown_ms = 600_000.into();
    let options = &mut plan.table.destinations[0].options;
    options.connbuf_lines = 1_000.into();
    options.when_full = FullPolicy::Block;
    options.block_max_ms = 600_000.into();
    let mut relay = Process::start(&plan);
    let to = relay.address;
    let sender = std::thread::spawn(move || send(to, 0, 0..400_000));
    wait_until("it reads the client", || relay.ledger()["received"].as_u64().unwrap() > 1_000);
    relay.signal("-TERM");
    relay.wait_for_log(&["stopping: waits for clients", "clients=1", "when_full", "seconds_left="]);
    peer.pause(false);
    sender.join().unwrap();
    wait_until("all arrive", || peer.line_count() == 400_000);
    assert!(relay.child.wait().unwrap().success());
}

/// Not a test: the relay of the test above, in a process of its own.
#[test]
fn relay_process() {
    if let Ok(plan) = std::env::var("RELAY_TEST_PLAN") {
        let plan: Plan = serde_json::from_str(&plan).unwrap();
        let destinations = u32::try_from(plan.table.destinations.len()).unwrap();
        relay_runtime::serve::run(&plan, Passthrough(destinations)).unwrap();
    }
}
