//! Books under traffic. Alone in its process, for it makes lines as fast as it can.

mod support;

use std::{
    io::Write as _,
    net::TcpStream,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};
use support::{Peer, line, plan, start};

#[test]
fn every_ledger_balances_also_while_lines_move_between_workers() {
    const ASKED: usize = 10_000;
    let peers = [Peer::start(), Peer::start()];
    let relay = start(&plan(&peers.each_ref().map(|peer| peer.address)));
    let to = relay.address().unwrap();
    let is_over = AtomicBool::new(false);
    let mut on_the_way = 0;
    thread::scope(|scope| {
        for sender in 0..4 {
            let is_over = &is_over;
            scope.spawn(move || {
                let mut stream = TcpStream::connect(to).unwrap();
                let text: String = (0..20).map(|number| line(sender, number)).collect();
                while !is_over.load(Ordering::Relaxed) {
                    stream.write_all(text.as_bytes()).unwrap();
                    // Turns stay short, so that there are many, and the workers have time for ledgers on a slow machine too.
                    thread::sleep(Duration::from_millis(1));
                }
            });
        }
        for asked in 0..ASKED {
            let ledger = relay.ledger().unwrap();
            let difference = ledger.difference();
            if difference.is_some() || asked + 1 == ASKED {
                is_over.store(true, Ordering::Relaxed);
            }
            assert_eq!(difference, None, "ledger {asked}: {}", ledger.to_json());
            // Each destination gets every line, so it has the same count in the ledger as the inputs.
            for (_, counts) in &ledger.destinations {
                let got = counts.routed + counts.on_the_way;
                assert_eq!(got, ledger.total().routed, "{}", ledger.to_json());
                on_the_way += counts.on_the_way;
            }
        }
    });
    assert!(on_the_way > 0, "two workers that are both busy have lines between them now and then");
    relay.stop(|| true).unwrap();
}
