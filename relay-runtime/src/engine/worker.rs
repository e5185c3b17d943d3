//! One worker: a thread with an event loop that owns some inbound connections and some destinations.
//!
//! A turn: wait, note what is ready, take the mail, read, hand the gathered chunks to the owners of their
//! destinations, write. Each step is bounded, so no connection, listener or destination keeps others waiting:
//! a connection is read once per turn, and what is not finished comes again in the next turn, which then does
//! not wait. Edge-triggered: what became ready stays in a list until the socket says that it is drained.
//!
//! How the steps of a stop follow each other is decided by [`super::Engine`]; a worker obeys its orders.

use super::{
    Setup,
    connection::{Connection, End, Feed, Progress},
    event::{Event, Notice},
    listener::{Accepted, Client, Listening, accept},
    mailbox::{Mail, Mailbox, Order},
    outlet::{Outlet, Surroundings},
};
use crate::{
    destination::{Destination, Input, WhenFull},
    gather::{Chunk, Gathered},
    ledger::{ConnectionCounts, WorkerLedger},
    logging::Throttle,
    pipeline::LinePipeline,
    protocol::Violation,
    select::Liveness,
    spool::Spool,
    table::DestinationIndex,
};
use mio::{Events, Interest, Poll, Token};
use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::Sender,
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Bytes of one read.
const READ_BYTES: usize = 256 * 1024;

/// Bytes read before chunks are handed over and written within a turn: bounds what is gathered, and keeps it
/// warm in the cache.
const HAND_OVER_BYTES: usize = 1024 * 1024;

/// Connections read in a turn, connections accepted, datagrams taken.
const READS_PER_TURN: usize = 256;
const ACCEPTS_PER_TURN: usize = 64;
const DATAGRAMS_PER_TURN: usize = 256;

/// Reads that a connection gets at a stop: enough for what the kernel holds, not for an endless sender.
const READS_AT_STOP: u32 = 64;

/// A connection is read until it was silent for so long after the stop began: what a client has sent may still be on its
/// way through the kernel, on loopback too. One that never is silent gets the longer time.
const SILENCE_AT_STOP: Duration = Duration::from_millis(50);
const LISTEN_AT_STOP: Duration = Duration::from_millis(250);

/// The same for clients that wait to be accepted, and for datagrams.
const TURNS_AT_STOP: usize = 64;

/// How long a stop waits for destinations that are down: long enough for one more attempt at each. Those that are up
/// get until the deadline.
const DOWN_GRACE: Duration = Duration::from_secs(1);

/// How long to wait when nothing but time and other workers can change anything.
const PAUSED: Duration = Duration::from_millis(1);

pub(super) const WAKER: Token = Token(0);
/// Of each listener the TCP socket and then the UDP socket.
const LISTENERS: usize = 1;
const OUTLETS: usize = 1 << 8;
const CONNECTIONS: usize = 1 << 32;

/// One event loop.
pub(super) struct Worker {
    index: usize,
    setup: Arc<Setup>,
    poll: Poll,
    mailboxes: Vec<Mailbox>,
    notices: Sender<Notice>,
    /// Open connections by worker, for all workers to see.
    loads: Arc<[AtomicUsize]>,
    /// By worker, whether a destination of its wants inputs to be held.
    holds: Arc<[AtomicBool]>,
    can_hold: bool,
    liveness: Liveness,
    throttle: Throttle,

    /// In the order of the inputs; with another worker than the first, none.
    listening: Vec<Listening>,

    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Connections to be read, in turn.
    ready: VecDeque<usize>,
    counts: ConnectionCounts,
    next_sweep: Option<Instant>,

    outlets: Vec<Outlet>,
    /// Outlets that something happened to.
    touched: Vec<usize>,
    /// No outlet wants to be driven before that.
    next_due: Option<Instant>,
    /// By worker, chunks for the destinations that it owns.
    outboxes: Vec<Vec<(DestinationIndex, Chunk)>>,
    handed: Vec<u64>,

    pipeline: Box<dyn LinePipeline>,
    gathered: Gathered,
    fed_bytes: usize,
    buffer: Vec<u8>,
    mail: Mail,
    now: Instant,
    now_s: u64,
    stop: Stop,
}

/// How far a stop has come.
#[derive(Clone, Copy, Debug)]
enum Stop {
    No,
    /// Connections are read for the last time.
    Inputs {
        since: Instant,
        deadline: Instant,
    },
    /// Only mail and destinations are left.
    Idle,
    /// Deliver until the deadline, or not quite so long to who is down.
    Finish {
        deadline: Instant,
        down_until: Instant,
    },
}

/// What a worker shares with the others.
pub(super) struct Company {
    pub(super) setup: Arc<Setup>,
    pub(super) mailboxes: Vec<Mailbox>,
    pub(super) notices: Sender<Notice>,
    pub(super) loads: Arc<[AtomicUsize]>,
    pub(super) holds: Arc<[AtomicBool]>,
}

impl Worker {
    pub(super) fn new(
        index: usize,
        poll: Poll,
        company: Company,
        listening: Vec<Listening>,
        spools: Vec<Option<Spool>>,
        pipeline: Box<dyn LinePipeline>,
    ) -> io::Result<Self> {
        let Company { setup, mailboxes, notices, loads, holds } = company;
        let now = Instant::now();
        let destinations = setup.destinations.len();
        let mut worker = Self {
            index,
            poll,
            notices,
            loads,
            holds,
            can_hold: setup.destinations.iter().any(|one| matches!(one.limits.when_full, WhenFull::Block(_))),
            liveness: setup.liveness.clone(),
            throttle: Throttle::new(now),
            listening,
            connections: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            counts: ConnectionCounts::default(),
            next_sweep: None,
            outlets: outlets(&setup, spools, index, mailboxes.len(), now),
            touched: Vec::new(),
            next_due: Some(now),
            outboxes: mailboxes.iter().map(|_| Vec::new()).collect(),
            handed: vec![0; destinations],
            pipeline,
            gathered: Gathered::new(destinations),
            fed_bytes: 0,
            buffer: vec![0; READ_BYTES],
            mail: Mail::default(),
            now,
            now_s: 0,
            stop: Stop::No,
            setup,
            mailboxes,
        };
        worker.register_listening()?;
        worker.next_sweep = worker.sweep_interval().map(|interval| now + interval);
        Ok(worker)
    }

    /// Runs until an order to finish is carried out.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            if let Err(error) = self.poll.poll(&mut events, self.wait_max())
                && error.kind() != io::ErrorKind::Interrupted
            {
                return Err(error);
            }
            self.read_clocks();
            self.note_events(&events);
            events.clear();
            self.take_mail();
            if !self.is_paused() {
                self.accept_clients();
                self.read_connections();
                self.read_datagrams();
            }
            self.hand_over();
            self.drive_due();
            self.note_hold();
            self.sweep_idle();
            if self.is_finished() {
                return Ok(());
            }
        }
    }

    fn wait_max(&self) -> Option<Duration> {
        let is_paused = self.is_paused();
        let is_stopping = matches!(self.stop, Stop::Inputs { .. });
        let has_datagrams = self.listening.iter().any(|listening| listening.has_datagrams);
        if is_stopping || has_datagrams || !self.ready.is_empty() {
            return Some(if is_paused || is_stopping { PAUSED } else { Duration::ZERO });
        }
        let accept_at = self.listening.iter().filter_map(|listening| listening.accept_at(self.now)).min();
        let finish_at = match self.stop {
            Stop::Finish { deadline, down_until } => {
                Some(if self.now < down_until { down_until } else { deadline })
            }
            _ => None,
        };
        let next = [self.next_due, self.next_sweep, accept_at, finish_at].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    fn read_clocks(&mut self) {
        self.now = Instant::now();
        self.now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    }

    fn note_events(&mut self, events: &Events) {
        for event in events {
            match event.token() {
                WAKER => {}
                Token(token) if token < OUTLETS => self.note_input_event(token - LISTENERS),
                Token(token) if token >= CONNECTIONS => {
                    let slot = token - CONNECTIONS;
                    if let Some(Some(connection)) = self.connections.get_mut(slot) {
                        connection.is_ending |= event.is_read_closed() || event.is_error();
                    }
                    self.list_ready(slot);
                }
                Token(token) => self.note_outlet_event(token - OUTLETS, event),
            }
        }
    }

    fn note_input_event(&mut self, socket: usize) {
        // One that is being closed may still have an event.
        let Some(listening) = self.listening.get_mut(socket / 2) else { return };
        if socket.is_multiple_of(2) {
            listening.has_clients = true;
        } else {
            listening.has_datagrams = true;
        }
    }

    fn note_outlet_event(&mut self, at: usize, event: &mio::event::Event) {
        let Some(outlet) = self.outlets.get_mut(at) else { return };
        let mut around = Surroundings {
            now: self.now,
            now_s: self.now_s,
            registry: self.poll.registry(),
            mailbox: &self.mailboxes[self.index],
            liveness: &self.liveness,
            throttle: &mut self.throttle,
        };
        outlet.handle_event(event, &mut self.buffer, &mut around);
        touch(&mut self.touched, outlet, at);
    }

    fn take_mail(&mut self) {
        let mut mail = std::mem::take(&mut self.mail);
        self.mailboxes[self.index].take(&mut mail);
        let workers = self.mailboxes.len();
        for (destination, chunk) in mail.chunks.drain(..) {
            let at = destination.get() / workers;
            let outlet = &mut self.outlets[at];
            outlet.destination.handle(self.now, Input::Lines(chunk));
            touch(&mut self.touched, outlet, at);
        }
        for (destination, resolution) in mail.resolutions.drain(..) {
            let at = destination.get() / workers;
            let outlet = &mut self.outlets[at];
            let mut around = Surroundings {
                now: self.now,
                now_s: self.now_s,
                registry: self.poll.registry(),
                mailbox: &self.mailboxes[self.index],
                liveness: &self.liveness,
                throttle: &mut self.throttle,
            };
            outlet.resolved(resolution, &mut around);
            touch(&mut self.touched, outlet, at);
        }
        for client in mail.clients.drain(..) {
            self.add_connection(client);
        }
        for order in mail.orders.drain(..) {
            self.obey(order);
        }
        self.mail = mail;
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Report => {
                self.ask_outlets();
                self.report(Event::Report(Box::new(self.ledger())));
            }
            Order::CloseListener => {
                self.close_listeners();
                self.report(Event::ListenerClosed);
            }
            Order::CloseInputs(deadline) => {
                self.stop = Stop::Inputs { since: self.now, deadline };
                for slot in 0..self.connections.len() {
                    self.list_ready(slot);
                }
            }
            Order::Finish(deadline) => {
                if !matches!(self.stop, Stop::Idle | Stop::Finish { .. }) {
                    self.conclude_inputs(self.now);
                }
                self.stop = Stop::Finish { deadline, down_until: deadline.min(self.now + DOWN_GRACE) };
                for outlet in &mut self.outlets {
                    outlet.destination.handle(self.now, Input::Stop);
                }
            }
        }
    }

    fn report(&self, event: Event) {
        // Nobody listens any more when the engine was dropped.
        let _ = self.notices.send(Notice { worker: self.index, event });
    }

    // Inputs.

    fn register_listening(&mut self) -> io::Result<()> {
        for (at, Listening { tcp, udp, .. }) in self.listening.iter_mut().enumerate() {
            let token = LISTENERS + 2 * at;
            self.poll.registry().register(tcp, Token(token), Interest::READABLE)?;
            self.poll.registry().register(udp, Token(token + 1), Interest::READABLE)?;
        }
        Ok(())
    }

    /// Clients that wait to be accepted may have sent lines: they are taken first.
    fn close_listeners(&mut self) {
        for input in 0..self.listening.len() {
            for _ in 0..TURNS_AT_STOP {
                self.listening[input].has_clients = true;
                self.accept_clients_of(input);
                if !self.listening[input].has_clients {
                    break;
                }
            }
            for _ in 0..TURNS_AT_STOP {
                if !self.read_datagram_turn(input) {
                    break;
                }
            }
        }
        self.listening.clear();
        self.hand_over();
    }

    fn accept_clients(&mut self) {
        for input in 0..self.listening.len() {
            self.accept_clients_of(input);
        }
    }

    fn accept_clients_of(&mut self, input: usize) {
        if !self.listening[input].has_clients || !self.listening[input].pause.is_over(self.now) {
            return;
        }
        for _ in 0..ACCEPTS_PER_TURN {
            let listening = &mut self.listening[input];
            match accept(&listening.tcp) {
                Accepted::Connection(socket, peer) => {
                    listening.pause.succeeded();
                    self.place_connection(Client { socket, peer, input });
                }
                Accepted::Nobody => {
                    listening.has_clients = false;
                    return;
                }
                Accepted::Failed(error) => {
                    listening.pause.failed(self.now);
                    if let Some(suppressed) = self.throttle.admit(self.now) {
                        tracing::error!(%error, suppressed, "cannot accept connections, trying again");
                    }
                    return;
                }
            }
        }
    }

    /// To the worker with the fewest connections; this one among equals.
    fn place_connection(&mut self, client: Client) {
        let load = |worker: usize| self.loads[worker].load(Ordering::Relaxed);
        let open: usize = (0..self.loads.len()).map(load).sum();
        if open >= self.setup.connections_max {
            self.counts.refused += 1;
            if let Some(suppressed) = self.throttle.admit(self.now) {
                let peer = client.peer;
                tracing::warn!(%peer, open, suppressed, "too many connections, refused one");
            }
            return;
        }
        self.counts.accepted += 1;
        let least = (0..self.loads.len()).min_by_key(|&worker| (load(worker), worker != self.index));
        let worker = least.unwrap_or(self.index);
        self.loads[worker].fetch_add(1, Ordering::Relaxed);
        if worker == self.index {
            self.add_connection(client);
        } else {
            self.mailboxes[worker].send_client(client);
        }
    }

    fn add_connection(&mut self, client: Client) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        let (peer, input) = (client.peer, &self.setup.inputs[client.input]);
        let mut connection = Connection::new(client, input, self.setup.input_limits, self.now);
        let token = Token(CONNECTIONS + slot);
        let registered = self.poll.registry().register(&mut connection.socket, token, Interest::READABLE);
        self.connections[slot] = Some(connection);
        match registered {
            Ok(()) => tracing::debug!(%peer, "connection up"),
            Err(error) => self.end_connection(slot, &End::Broken(error)),
        }
    }

    fn list_ready(&mut self, slot: usize) {
        if let Some(Some(connection)) = self.connections.get_mut(slot)
            && !connection.is_listed
        {
            connection.is_listed = true;
            self.ready.push_back(slot);
        }
    }

    fn read_connections(&mut self) {
        for _ in 0..self.ready.len().min(READS_PER_TURN) {
            let Some(slot) = self.ready.pop_front() else { break };
            self.read_connection(slot);
            if self.fed_bytes >= HAND_OVER_BYTES {
                self.hand_over();
            }
        }
        if let Stop::Inputs { deadline, .. } = self.stop {
            self.conclude_inputs(deadline);
        }
    }

    fn read_connection(&mut self, slot: usize) {
        let Some(Some(connection)) = self.connections.get_mut(slot) else { return };
        connection.is_listed = false;
        let mut feed =
            Feed { pipeline: &mut *self.pipeline, gathered: &mut self.gathered, now_s: self.now_s };
        let progress = connection.read(&mut self.buffer, self.now, &mut feed);
        let last_read = connection.last_read;
        match progress {
            Progress::More(bytes) => {
                self.fed_bytes += bytes;
                let reads_left = connection.reads_left.get_or_insert(READS_AT_STOP);
                if matches!(self.stop, Stop::Inputs { .. }) {
                    *reads_left -= 1;
                }
                if *reads_left == 0 {
                    self.end_connection(slot, &End::Stopping);
                } else {
                    self.list_ready(slot);
                }
            }
            Progress::Drained(bytes) => {
                self.fed_bytes += bytes;
                if let Stop::Inputs { since, .. } = self.stop {
                    let is_silent = self.now >= last_read.max(since) + SILENCE_AT_STOP;
                    if is_silent || self.now >= since + LISTEN_AT_STOP {
                        self.end_connection(slot, &End::Stopping);
                    } else {
                        self.list_ready(slot);
                    }
                }
            }
            Progress::Ended(end) => {
                self.end_connection(slot, &end);
                if matches!(end, End::Violation(_)) {
                    // Nobody says how much was gathered before that.
                    self.hand_over();
                }
            }
        }
    }

    fn end_connection(&mut self, slot: usize, end: &End) {
        let Some(connection) = self.connections[slot].take() else { return };
        self.free.push(slot);
        self.loads[self.index].fetch_sub(1, Ordering::Relaxed);
        self.note_end(connection.peer, end);
        let mut feed =
            Feed { pipeline: &mut *self.pipeline, gathered: &mut self.gathered, now_s: self.now_s };
        connection.finish(end, &mut feed);
    }

    fn note_end(&mut self, peer: SocketAddr, end: &End) {
        let (counter, reason) = match end {
            End::Clean | End::Stopping => return tracing::debug!(%peer, "connection closed"),
            End::Broken(error) => (&mut self.counts.broken, error.to_string()),
            End::Violation(violation @ Violation::LineTooLong(_)) => {
                (&mut self.counts.line_too_long, violation.to_string())
            }
            End::Violation(violation @ Violation::BadPickle(_)) => {
                (&mut self.counts.bad_pickle, violation.to_string())
            }
            End::Idle => (&mut self.counts.idle_closed, "silent for too long".to_owned()),
        };
        *counter += 1;
        if let Some(suppressed) = self.throttle.admit(self.now) {
            tracing::warn!(%peer, reason, suppressed, "connection down");
        }
    }

    /// Ends what is left when the deadline for inputs has passed, and reports when nothing is left.
    fn conclude_inputs(&mut self, deadline: Instant) {
        if self.now >= deadline {
            for slot in 0..self.connections.len() {
                self.end_connection(slot, &End::Stopping);
            }
        }
        if self.connections.iter().all(Option::is_none) {
            self.ready.clear();
            self.stop = Stop::Idle;
            self.hand_over();
            self.report(Event::InputsClosed);
        }
    }

    fn read_datagrams(&mut self) {
        for input in 0..self.listening.len() {
            if self.listening[input].has_datagrams {
                self.listening[input].has_datagrams = self.read_datagram_turn(input);
            }
        }
    }

    /// Says whether there may be more.
    fn read_datagram_turn(&mut self, input: usize) -> bool {
        let (protocol, limits) = (self.setup.inputs[input].protocol, self.setup.input_limits);
        for _ in 0..DATAGRAMS_PER_TURN {
            match self.listening[input].udp.recv(&mut self.buffer) {
                Ok(bytes) => {
                    let (bytes, pipeline) = (&self.buffer[..bytes], &mut *self.pipeline);
                    self.fed_bytes +=
                        protocol.take_datagram(bytes, limits, self.now_s, pipeline, &mut self.gathered);
                    if self.fed_bytes >= HAND_OVER_BYTES {
                        self.hand_over();
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // An error of an earlier send, or a signal: the next datagram is not affected.
                Err(_) => {}
            }
        }
        true
    }

    fn sweep_interval(&self) -> Option<Duration> {
        let idle = self.setup.inputs.iter().filter_map(|input| input.idle_max).min()?;
        Some((idle / 8).clamp(Duration::from_millis(10), Duration::from_secs(5)))
    }

    /// Looks at all connections, a few times per idle limit.
    fn sweep_idle(&mut self) {
        let (Some(at), Some(interval)) = (self.next_sweep, self.sweep_interval()) else { return };
        if self.now < at {
            return;
        }
        self.next_sweep = Some(self.now + interval);
        for slot in 0..self.connections.len() {
            let is_idle = |connection: &Connection| !connection.is_listed && connection.is_idle(self.now);
            if self.connections[slot].as_ref().is_some_and(is_idle) {
                self.end_connection(slot, &End::Idle);
            }
        }
    }

    // Outputs.

    /// Gives what was gathered to the owners of its destinations, and writes.
    fn hand_over(&mut self) {
        self.fed_bytes = 0;
        let Self { gathered, outlets, outboxes, handed, touched, index, now, .. } = self;
        let workers = outboxes.len();
        gathered.drain(|destinations, chunk| {
            for destination in destinations {
                handed[destination.get()] += u64::from(chunk.lines());
                let (owner, at) = (destination.get() % workers, destination.get() / workers);
                if owner == *index {
                    outlets[at].destination.handle(*now, Input::Lines(chunk.clone()));
                    touch(touched, &mut outlets[at], at);
                } else {
                    outboxes[owner].push((*destination, chunk.clone()));
                }
            }
        });
        for (mailbox, outbox) in self.mailboxes.iter().zip(&mut self.outboxes) {
            if !outbox.is_empty() {
                mailbox.send_chunks(outbox);
            }
        }
        self.drive_touched();
    }

    fn drive_touched(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        for at in touched.drain(..) {
            self.outlets[at].is_listed = false;
            self.drive(at);
        }
        self.touched = touched;
    }

    /// Drives the outlets whose time has come. Looking at all of them is cheap, and happens only when the
    /// earliest of them is due.
    fn drive_due(&mut self) {
        if self.next_due.is_none_or(|due| self.now < due) {
            return;
        }
        self.next_due = None;
        for at in 0..self.outlets.len() {
            self.drive(at);
        }
    }

    fn drive(&mut self, at: usize) {
        let mut around = Surroundings {
            now: self.now,
            now_s: self.now_s,
            registry: self.poll.registry(),
            mailbox: &self.mailboxes[self.index],
            liveness: &self.liveness,
            throttle: &mut self.throttle,
        };
        let outlet = &mut self.outlets[at];
        outlet.drive(&mut around);
        let due = outlet.destination.poll_timeout(self.now);
        self.next_due = self.next_due.into_iter().chain(due).min();
    }

    /// What arrived since the kernel was last asked belongs into the books.
    fn ask_outlets(&mut self) {
        for outlet in &mut self.outlets {
            outlet.ask(self.now);
        }
    }

    /// Whether nothing is to be read: another worker does not keep up, or a destination with `when_full = "block"` has no
    /// room.
    fn is_paused(&self) -> bool {
        self.mailboxes.iter().any(Mailbox::is_full)
            || (self.can_hold && self.holds.iter().any(|hold| hold.load(Ordering::Relaxed)))
    }

    fn note_hold(&self) {
        if self.can_hold {
            let is_holding = self.outlets.iter().any(|outlet| outlet.destination.is_holding(self.now));
            self.holds[self.index].store(is_holding, Ordering::Relaxed);
        }
    }

    fn is_finished(&mut self) -> bool {
        let Stop::Finish { deadline, down_until } = self.stop else { return false };
        let waits = |Outlet { destination, .. }: &Outlet| {
            !destination.is_settled() && self.now < if destination.is_up() { deadline } else { down_until }
        };
        if self.outlets.iter().any(waits) {
            return false;
        }
        for outlet in &mut self.outlets {
            outlet.destination.handle(self.now, Input::GiveUp);
            outlet.close(&mut self.buffer);
        }
        self.report(Event::Finished(Box::new(self.ledger())));
        true
    }

    fn ledger(&self) -> WorkerLedger {
        let open = self.connections.iter().flatten().count() as u64;
        let destinations = self.outlets.iter().map(|outlet| (outlet.index, outlet.destination.counts()));
        WorkerLedger {
            counts: self.gathered.counts.clone(),
            connections: ConnectionCounts { open, ..self.counts },
            handed: self.handed.clone(),
            destinations: destinations.collect(),
        }
    }
}

/// Destinations are dealt out in turn: worker = index mod workers.
fn outlets(
    setup: &Setup,
    spools: Vec<Option<Spool>>,
    worker: usize,
    workers: usize,
    now: Instant,
) -> Vec<Outlet> {
    let dealt = setup.destinations.iter().enumerate().skip(worker).step_by(workers);
    dealt
        .zip(spools)
        .enumerate()
        .map(|(at, ((index, outgoing), spool))| {
            // Spread over destinations and processes, so that not all relays knock at the same time.
            let seed =
                (u64::from(std::process::id()) << 32 | index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let destination = Destination::with_spool(outgoing.limits, spool, now, seed);
            let token = Token(OUTLETS + at);
            Outlet::new(
                DestinationIndex::new(index),
                token,
                outgoing.address.clone(),
                outgoing.transport,
                destination,
            )
        })
        .collect()
}

fn touch(touched: &mut Vec<usize>, outlet: &mut Outlet, at: usize) {
    if !outlet.is_listed {
        outlet.is_listed = true;
        touched.push(at);
    }
}
