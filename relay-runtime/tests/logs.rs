//! What a running relay says of itself: outages once, losses aloud.

mod support;

use relay_runtime::plan::Plan;
use std::net::TcpListener;
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

/// Not a test: the relay of the test above, in a process of its own.
#[test]
fn relay_process() {
    if let Ok(plan) = std::env::var("RELAY_TEST_PLAN") {
        let plan: Plan = serde_json::from_str(&plan).unwrap();
        let destinations = u32::try_from(plan.table.destinations.len()).unwrap();
        relay_runtime::serve::run(&plan, Passthrough(destinations)).unwrap();
    }
}
