//! What a running relay says of itself: outages once, losses aloud.

mod support;

use relay_runtime::plan::Plan;
use std::net::{TcpListener, UdpSocket};
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

/// Not a test: the relay of the test above, in a process of its own.
#[test]
fn relay_process() {
    if let Ok(plan) = std::env::var("RELAY_TEST_PLAN") {
        let plan: Plan = serde_json::from_str(&plan).unwrap();
        let destinations = u32::try_from(plan.table.destinations.len()).unwrap();
        relay_runtime::serve::run(&plan, Passthrough(destinations)).unwrap();
    }
}
