//! A relay between real sockets: every line once, whole, in order, whatever the peers do.

mod support;

use relay_runtime::{
    destination::DropReason, protocol::pickle::encode, serve::raise_open_files_max, table::Transport,
    validate::Reason,
};
use socket2::SockRef;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use support::{Passthrough, Peer, check_lines, line, plan, send, settled, start, wait_until};

#[test]
fn lines_of_many_connections_arrive_once_whole_and_in_order() {
    let peers = [Peer::start(), Peer::start()];
    let relay = start(&plan(&peers.each_ref().map(|peer| peer.address)));
    let to = relay.address().unwrap();
    thread::scope(|scope| {
        for sender in 0..20 {
            scope.spawn(move || send(to, sender, 0..2_000));
        }
    });
    let ledger = settled(&relay, 40_000);
    assert_eq!(ledger.total().routed, 40_000);
    let last = relay.stop(|| false).unwrap();
    for (peer, (_, counts)) in peers.iter().zip(&last.destinations) {
        assert_eq!((counts.sent, counts.dropped_total()), (40_000, 0));
        wait_until("all arrived", || peer.line_count() >= 40_000);
        check_lines(peer.lines(), 20, 2_000);
    }
    assert_eq!(last.difference(), None);
}

#[test]
fn a_datagram_is_a_stream_that_ends_cleanly() {
    let peer = Peer::start();
    let relay = start(&plan(&[peer.address]));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let text = [line(0, 0), line(0, 1)].concat();
    socket.send_to(text.trim_end().as_bytes(), relay.address().unwrap()).unwrap();
    settled(&relay, 2);
    wait_until("both arrived", || peer.line_count() == 2);
    check_lines(peer.lines(), 1, 2);
}

#[test]
fn pickles_and_lines_come_in_beside_each_other() {
    let peer = Peer::start();
    let mut plan = plan(&[peer.address]);
    plan.settings.pickle = Some("127.0.0.1:0".into());
    let relay = start(&plan);
    let (plain, pickle) = (relay.address().unwrap(), relay.pickle_address().unwrap());
    let frames = |sender: usize, numbers: std::ops::Range<usize>| {
        let mut out = Vec::new();
        for number in numbers.step_by(7) {
            let lines: String = (number..number + 7).map(|number| line(sender, number)).collect();
            assert_eq!(encode(lines.as_bytes(), &mut out).points, 7);
        }
        out
    };
    thread::scope(|scope| {
        // At odd places, with time for the relay to read between them.
        scope.spawn(|| {
            let mut stream = TcpStream::connect(pickle).unwrap();
            stream.set_nodelay(true).unwrap();
            for (number, part) in frames(0, 0..700).chunks(613).enumerate() {
                let (one, two) = part.split_at(part.len().min(number % 11));
                stream.write_all(one).unwrap();
                thread::sleep(Duration::from_millis(1));
                stream.write_all(two).unwrap();
            }
        });
        for sender in 1..4 {
            let frames = &frames;
            scope.spawn(move || {
                TcpStream::connect(pickle).unwrap().write_all(&frames(sender, 0..700)).unwrap();
            });
        }
        scope.spawn(|| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            for number in (0..700).step_by(70) {
                socket.send_to(&frames(4, number..number + 70), pickle).unwrap();
            }
        });
        scope.spawn(|| send(plain, 5, 0..700));
    });
    let ledger = settled(&relay, 6 * 700);
    assert_eq!((ledger.total().routed, ledger.connections().bad_pickle), (6 * 700, 0));
    wait_until("all arrived", || peer.line_count() >= 6 * 700);
    check_lines(peer.lines(), 6, 700);
    assert_eq!(relay.stop(|| false).unwrap().difference(), None);
}

#[test]
fn bad_pickles_harm_their_own_connection_only() {
    let peer = Peer::start();
    let mut plan = plan(&[peer.address]);
    plan.settings.pickle = Some("127.0.0.1:0".into());
    plan.settings.pickle_idle_ms = 200.into();
    plan.settings.pickle_frame_bytes_max = 1_000.into();
    let relay = start(&plan);
    let to = relay.pickle_address().unwrap();
    let mut good = Vec::new();
    encode(line(0, 0).as_bytes(), &mut good);
    let connections = || relay.ledger().unwrap().connections();
    let closed_after = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(bytes).unwrap();
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0, "the relay closes it");
    };
    // Undecodable after a good one, none of a list, without an end, too long.
    for bad in [&b"\0\0\0\x02]\x81"[..], b"\0\0\0\x02N.", b"\0\0\0\x01]", b"\0\0\x03\xe9]"] {
        closed_after(bad);
    }
    closed_after(&[&good[..], b"\0\0\0\x02]b", &good].concat());
    assert_eq!((connections().bad_pickle, connections().idle_closed), (5, 0));
    // Silence within a frame; an item that is no datapoint beside one that is.
    closed_after(&good[..10]);
    assert_eq!(connections().idle_closed, 1);
    TcpStream::connect(to)
        .unwrap()
        .write_all(b"\0\0\0\x1a](NU\x0dsender0.line1K\x05K\x01\x86\x86e.")
        .unwrap();
    let ledger = settled(&relay, 4);
    assert_eq!(ledger.total().invalid_for(Reason::BadPickle), 1);
    assert_eq!(ledger.total().invalid_for(Reason::Unterminated), 1);
    wait_until("the good ones arrived", || peer.line_count() == 2);
    assert_eq!(peer.lines(), [line(0, 0), "sender0.line1 1 5\n".to_owned()]);
}

#[test]
fn lines_wait_for_a_destination_that_comes_back() {
    let peer = Peer::start();
    let address = peer.address;
    let relay = start(&plan(&[address]));
    let to = relay.address().unwrap();
    send(to, 0, 0..100);
    wait_until("the first lines arrived", || peer.line_count() == 100);
    peer.close();
    wait_until("the loss is noticed", || !relay.ledger().unwrap().destinations[0].1.up);
    send(to, 0, 100..300);
    let ledger = settled(&relay, 300);
    assert_eq!(ledger.destinations[0].1.queued, 200);
    let again = Peer::start_on(address);
    wait_until("the others arrived", || again.line_count() == 200);
    check_lines([peer.lines(), again.lines()].concat(), 1, 300);
    assert_eq!(settled(&relay, 300).destinations[0].1.connects, 2);
}

#[test]
fn a_destination_that_stops_reading_harms_no_other() {
    let (healthy, stalled) = (Peer::start(), TcpListener::bind("127.0.0.1:0").unwrap());
    let mut plan = plan(&[stalled.local_addr().unwrap(), healthy.address]);
    plan.table.destinations[0].options.connbuf_lines = 1_000.into();
    plan.table.destinations[0].options.write_timeout_ms = 300.into();
    let relay = start(&plan);
    let to = relay.address().unwrap();
    let (senders, each) = (4, 60_000);
    thread::scope(|scope| {
        for sender in 0..senders {
            scope.spawn(move || send(to, sender, 0..each));
        }
    });
    let all = senders * each;
    let ledger = settled(&relay, all as u64);
    wait_until("the healthy one has all", || healthy.line_count() == all);
    check_lines(healthy.lines(), senders, each);
    assert_eq!(ledger.destinations[1].1.dropped_total(), 0);
    assert!(ledger.destinations[0].1.dropped(DropReason::SlowConn) > 0, "{}", ledger.to_json());
    let waiting = ledger.destinations[0].1.queued - ledger.destinations[0].1.in_flight;
    assert!(waiting <= 1_000);
    wait_until("the write timeout ends the connection", || {
        relay.ledger().unwrap().destinations[0].1.connects > 1
    });
    // What was cut by the timeout starts again whole, and counts stay exact.
    settled(&relay, all as u64);
}

#[test]
fn a_fragment_counts_only_after_a_clean_end() {
    let peer = Peer::start();
    let mut plan = plan(&[peer.address]);
    plan.settings.listen_idle_ms = 200.into();
    let relay = start(&plan);
    let to = relay.address().unwrap();
    let fragment = |end: fn(&TcpStream)| {
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(line(0, 0).trim_end().as_bytes()).unwrap();
        end(&stream);
        stream
    };
    drop(fragment(|_| {}));
    settled(&relay, 1);
    let silent = fragment(|_| {});
    settled(&relay, 2);
    assert_eq!(relay.ledger().unwrap().connections().idle_closed, 1);
    drop(silent);
    let reset = fragment(|_| {});
    wait_until("the connection is open", || relay.ledger().unwrap().connections().open == 1);
    reset_on_close(&reset);
    drop(reset);
    let ledger = settled(&relay, 3);
    assert_eq!(ledger.total().invalid_for(Reason::Unterminated), 2);
    wait_until("the whole one arrived", || peer.line_count() > 0);
    check_lines(peer.lines(), 1, 1);
}

/// Clients that send a byte a second.
const TRICKLES: u64 = 1_000;

#[test]
fn hostile_clients_harm_nobody() {
    let peer = Peer::start();
    let relay = start(&plan(&[peer.address]));
    let to = relay.address().unwrap();
    let before = resident_kib();
    raise_open_files_max();
    let mut trickles: Vec<_> = (0..TRICKLES).map(|_| TcpStream::connect(to).unwrap()).collect();
    wait_until("all are connected", || relay.ledger().unwrap().connections().open == TRICKLES);
    thread::scope(|scope| {
        scope.spawn(|| {
            for byte in b"a.b" {
                for stream in &mut trickles {
                    stream.write_all(&[*byte]).unwrap();
                }
                thread::sleep(Duration::from_secs(1));
            }
        });
        scope.spawn(|| {
            let mut stream = TcpStream::connect(to).unwrap();
            // The relay closes in the middle of it.
            let _ = stream.write_all(&vec![b'x'; 10_000_000]);
        });
        scope.spawn(|| send_raw(to, &[&[0; 100][..], b"\n", &[0xff; 100], b"\n\n \n"].concat()));
        for sender in 0..10 {
            scope.spawn(move || send(to, sender, 0..1_000));
        }
    });
    for stream in &trickles {
        reset_on_close(stream);
    }
    drop(trickles);
    // 4 lines of garbage, 1 too long, and the fragments.
    let ledger = settled(&relay, 10_000 + 4 + 1 + TRICKLES);
    assert_eq!(ledger.total().invalid_for(Reason::Unterminated), TRICKLES);
    assert_eq!(ledger.total().invalid_for(Reason::LineTooLong), 1);
    assert_eq!(ledger.total().routed, 10_000);
    wait_until("the good ones arrived", || peer.line_count() == 10_000);
    check_lines(peer.lines(), 10, 1_000);
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 100_000, "{grown} KiB more");
}

#[test]
fn datagrams_go_to_destinations_that_want_them() {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut plan = plan(&[peer.local_addr().unwrap()]);
    plan.table.destinations[0].transport = Transport::Udp;
    let relay = start(&plan);
    send(relay.address().unwrap(), 0, 0..100);
    let (mut got, mut buffer) = (String::new(), vec![0; 65_536]);
    while got.lines().count() < 100 {
        let bytes = peer.recv(&mut buffer).unwrap();
        assert!(bytes <= 1_400 && buffer[..bytes].ends_with(b"\n"), "whole lines that need no fragments");
        got.push_str(std::str::from_utf8(&buffer[..bytes]).unwrap());
    }
    check_lines(got.split_inclusive('\n').map(str::to_owned).collect(), 1, 100);
    assert_eq!(settled(&relay, 100).destinations[0].1.sent, 100);
}

#[test]
fn both_ends_may_be_ipv6() {
    let peer = Peer::start_on("[::1]:0".parse().unwrap());
    let mut plan = plan(&[peer.address]);
    plan.settings.listen = Some("[::1]:0".into());
    let relay = start(&plan);
    send(relay.address().unwrap(), 0, 0..100);
    wait_until("all arrived", || peer.line_count() == 100);
    check_lines(peer.lines(), 1, 100);
}

#[test]
fn one_connection_too_many_is_closed_and_counted() {
    let mut plan = plan(&[]);
    plan.settings.connections_max = 2.into();
    let relay = start(&plan);
    let to = relay.address().unwrap();
    let open: Vec<_> = (0..2).map(|_| TcpStream::connect(to).unwrap()).collect();
    wait_until("two are open", || relay.ledger().unwrap().connections().open == 2);
    let mut refused = TcpStream::connect(to).unwrap();
    assert_eq!(refused.read(&mut [0]).unwrap_or(0), 0);
    assert_eq!(relay.ledger().unwrap().connections().refused, 1);
    drop(open);
    wait_until("none is open", || relay.ledger().unwrap().connections().open == 0);
}

#[test]
fn a_relay_without_inputs_or_with_idle_clients_stops_at_once() {
    let peer = Peer::start();
    let mut plan = plan(&[peer.address]);
    for listen in [None, plan.settings.listen.clone()] {
        plan.settings.listen = listen;
        let relay = start(&plan);
        let _client = relay.address().map(TcpStream::connect);
        let started = Instant::now();
        relay.stop(|| false).unwrap();
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn what_cannot_be_delivered_in_time_is_counted() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut plan = plan(&[free]);
    plan.settings.shutdown_ms = 200.into();
    let relay = start(&plan);
    send(relay.address().unwrap(), 0, 0..50);
    settled(&relay, 50);
    let last = relay.stop(|| false).unwrap();
    assert_eq!(last.destinations[0].1.dropped(DropReason::Shutdown), 50);
    assert_eq!(last.difference(), None);
}

#[test]
fn a_destination_that_is_down_does_not_hold_up_a_stop() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut plan = plan(&[free]);
    plan.settings.shutdown_ms = 120_000.into();
    let relay = start(&plan);
    send(relay.address().unwrap(), 0, 0..50);
    settled(&relay, 50);
    let started = Instant::now();
    let last = relay.stop(|| false).unwrap();
    assert!(started.elapsed() < Duration::from_mins(1));
    assert_eq!(last.destinations[0].1.dropped(DropReason::Shutdown), 50);
    assert_eq!(last.difference(), None);
}

#[test]
fn sigterm_delivers_what_came_in_and_prints_the_ledger() {
    let peer = Peer::start();
    let mut relay = Command::new(std::env::current_exe().unwrap())
        .args(["relay_process", "--exact", "--nocapture"])
        .env("RELAY_TEST_PLAN", serde_json::to_string(&plan(&[peer.address])).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(relay.stderr.take().unwrap());
    let mut listening = String::new();
    while !listening.contains("listening") {
        listening.clear();
        assert!(log.read_line(&mut listening).unwrap() > 0, "it ended");
    }
    let address = listening.split("address=").nth(1).unwrap().split_whitespace().next().unwrap();
    let to: SocketAddr = address.parse().unwrap();
    send(to, 0, 0..5_000);
    let killed = Command::new("kill").args(["-TERM", &relay.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut out = String::new();
    relay.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    assert!(relay.wait().unwrap().success());
    let ledger = out.lines().find_map(|line| line.find("{\"").map(|at| line[at..].to_owned())).unwrap();
    let ledger: serde_json::Value = serde_json::from_str(&ledger).unwrap();
    assert_eq!((&ledger["received"], &ledger["balanced"]), (&5_000.into(), &true.into()));
    assert_eq!(ledger["destinations"][0]["sent"], 5_000);
    wait_until("all arrived", || peer.line_count() == 5_000);
    check_lines(peer.lines(), 1, 5_000);
    assert_eq!(peer.connections(), 1);
}

/// Not a test: the relay of the test above, in a process of its own.
#[test]
fn relay_process() {
    if let Ok(plan) = std::env::var("RELAY_TEST_PLAN") {
        let plan = serde_json::from_str(&plan).unwrap();
        relay_runtime::serve::run(&plan, Passthrough(1)).unwrap();
    }
}

fn send_raw(to: SocketAddr, bytes: &[u8]) {
    TcpStream::connect(to).unwrap().write_all(bytes).unwrap();
}

fn reset_on_close(stream: &TcpStream) {
    SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
