//! Real sockets around a relay: peers that record, clients that send, waits with a deadline.

#![allow(dead_code, reason = "each test uses some of it")]

pub(crate) mod process;
pub(crate) mod traffic;

use relay_runtime::{
    dispatch::{Dispatch, Scratch, Sink},
    ledger::Ledger,
    plan::Plan,
    serve::Relay,
    table::{Destination, DestinationIndex, Matcher, Route, RouteDestination, RouteIndex, RouteKind},
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Sends every line to this number of destinations.
pub(crate) struct Passthrough(pub(crate) u32);

impl Dispatch for Passthrough {
    fn dispatch<S: Sink>(&self, name: &[u8], scratch: &mut Scratch, sink: &mut S) {
        self.route(name, scratch, sink);
    }

    fn route<S: Sink>(&self, _: &[u8], _: &mut Scratch, sink: &mut S) {
        sink.route(RouteIndex(0));
        for destination in 0..self.0 {
            sink.deliver(DestinationIndex(destination));
        }
    }
}

/// A relay's plan: listens on a free port, sends everything to all of `addresses`.
pub(crate) fn plan(addresses: &[SocketAddr]) -> Plan {
    let mut plan = Plan::default();
    plan.settings.listen = Some("127.0.0.1:0".into());
    plan.settings.workers = 2.into();
    plan.settings.shutdown_ms = 10_000.into();
    for address in addresses {
        let mut destination = Destination::new(address.to_string());
        destination.options.connbuf_lines = 1_000_000.into();
        destination.options.reconnect_ms = 200.into();
        plan.table.destinations.push(destination);
    }
    let to = |at| RouteDestination { destination: DestinationIndex::new(at), matcher: Matcher::default() };
    let destinations = (0..addresses.len()).map(to).collect();
    let kind = RouteKind::SendAllMatch { destinations };
    plan.table.routes.push(Route::new("all", Matcher::default(), kind));
    plan
}

/// Starts a relay in this process.
pub(crate) fn start(plan: &Plan) -> Relay {
    let destinations = u32::try_from(plan.table.destinations.len()).unwrap();
    Relay::start(plan, Passthrough(destinations)).unwrap()
}

/// A line that nobody else sends.
pub(crate) fn line(sender: usize, number: usize) -> String {
    format!("sender{sender}.line{number} {number} 1700000000\n")
}

/// Polls until `is_so`, and fails after a while.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(2);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited too long until {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until the ledger shows that no line is on its way, and returns it. Fails if it does not balance.
#[track_caller]
pub(crate) fn settled(relay: &Relay, received: u64) -> Ledger {
    let mut last = relay.ledger().unwrap();
    wait_until("the ledger is settled", || {
        last = relay.ledger().unwrap();
        last.total().received >= received
            && last.destinations.iter().all(|(_, counts)| counts.on_the_way == 0)
    });
    assert_eq!(last.difference(), None, "{}", last.to_json());
    assert_eq!(last.total().received, received, "{}", last.to_json());
    last
}

/// A destination that records what it gets.
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    streams: Arc<Mutex<Vec<Vec<u8>>>>,
    line_count: Arc<AtomicUsize>,
    is_closed: Arc<AtomicBool>,
    is_paused: Arc<AtomicBool>,
}

impl Peer {
    pub(crate) fn start() -> Self {
        Self::start_on("127.0.0.1:0".parse().unwrap())
    }

    /// Waits until the address is free.
    pub(crate) fn start_on(address: SocketAddr) -> Self {
        let mut listener = None;
        wait_until("the address is free", || {
            listener = TcpListener::bind(address).ok();
            listener.is_some()
        });
        let listener = listener.unwrap();
        listener.set_nonblocking(true).unwrap();
        let peer = Self {
            address: listener.local_addr().unwrap(),
            streams: Arc::default(),
            line_count: Arc::default(),
            is_closed: Arc::default(),
            is_paused: Arc::default(),
        };
        let (streams, is_closed) = (Arc::clone(&peer.streams), Arc::clone(&peer.is_closed));
        let is_paused = Arc::clone(&peer.is_paused);
        let line_count = Arc::clone(&peer.line_count);
        thread::spawn(move || {
            let mut sockets: Vec<TcpStream> = Vec::new();
            let mut buffer = vec![0; 1 << 16];
            while !is_closed.load(Ordering::SeqCst) {
                if let Ok((socket, _)) = listener.accept() {
                    socket.set_nonblocking(true).unwrap();
                    sockets.push(socket);
                    streams.lock().unwrap().push(Vec::new());
                }
                let mut is_quiet = true;
                for (at, socket) in sockets.iter_mut().enumerate() {
                    while !is_paused.load(Ordering::SeqCst)
                        && let Ok(bytes) = socket.read(&mut buffer)
                        && bytes > 0
                    {
                        is_quiet = false;
                        streams.lock().unwrap()[at].extend_from_slice(&buffer[..bytes]);
                        let ended = memchr::memchr_iter(b'\n', &buffer[..bytes]).count();
                        line_count.fetch_add(ended, Ordering::SeqCst);
                    }
                }
                if is_quiet {
                    thread::sleep(Duration::from_millis(1));
                }
            }
        });
        peer
    }

    /// How many lines came in. Cheap, unlike `lines`.
    pub(crate) fn line_count(&self) -> usize {
        self.line_count.load(Ordering::SeqCst)
    }

    /// The whole lines of all connections.
    pub(crate) fn lines(&self) -> Vec<String> {
        let streams = self.streams.lock().unwrap();
        let text = |bytes: &Vec<u8>| String::from_utf8(bytes.clone()).expect("lines are ASCII");
        streams
            .iter()
            .flat_map(|bytes| text(bytes).split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.streams.lock().unwrap().len()
    }

    /// Whether it reads, or leaves what comes to the kernel.
    pub(crate) fn pause(&self, is_paused: bool) {
        self.is_paused.store(is_paused, Ordering::SeqCst);
    }

    pub(crate) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.close();
    }
}

/// Sends lines `numbers` of `sender` over a connection of its own.
pub(crate) fn send(to: SocketAddr, sender: usize, numbers: std::ops::Range<usize>) {
    let mut stream = TcpStream::connect(to).unwrap();
    let text: String = numbers.map(|number| line(sender, number)).collect();
    stream.write_all(text.as_bytes()).unwrap();
}

/// Fails unless `got` is exactly the lines of `senders` senders, each sender's in order.
#[track_caller]
pub(crate) fn check_lines(mut got: Vec<String>, senders: usize, each: usize) {
    let sender_of = |line: &String| line.split_once('.').map(|(sender, _)| sender.to_owned());
    got.sort_by_key(sender_of);
    let mut want: Vec<_> =
        (0..senders).flat_map(|sender| (0..each).map(move |number| line(sender, number))).collect();
    want.sort_by_key(sender_of);
    assert_eq!(got.len(), want.len(), "number of lines");
    let differing = got.iter().zip(&want).find(|(got, want)| got != want);
    assert_eq!(differing, None, "a line that is not as it was sent, or out of order");
}
