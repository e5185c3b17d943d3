//! Where the lines of one worker come from: listeners, datagrams, connections.
//!
//! Each step is limited, so that no listener or connection delays others: a connection is read once per turn,
//! and what is not finished continues in the next turn, which then does not wait. Events are edge-triggered: a
//! socket that became ready stays in a list until it is drained. The unfinished lines of all connections
//! together are limited: above the limit, the connection with the most is closed.
//!
//! Handing over what was gathered is left to the worker, whenever [`Intake::is_much`] returns true.

use super::{
    Setup,
    connection::{Connection, End, Progress},
    descriptors::Descriptors,
    edge::Edge,
    gate::{self, Gate},
    intake::{HAND_OVER_BYTES, Intake},
    kernel_drops::KernelDrops,
    listener::{Accepted, Client, Listening, accept},
    refused::{Refused, Sender},
    token::Source,
};
use crate::{ledger::ConnectionCounts, protocol::Violation, shortage::Explained};
use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How many connections are accepted, and datagrams read, in one turn.
const ACCEPTS_PER_TURN: usize = 64;
const DATAGRAMS_PER_TURN: usize = 256;

/// How often a connection is read at a stop: enough for what the kernel holds, but not for an endless sender.
const READS_AT_STOP: u32 = 64;

/// At a stop, a connection is read until it sent nothing for this time: what a client has sent may still be on
/// its way through the kernel, even on loopback. One that never pauses gets the longer time.
const SILENCE_AT_STOP: Duration = Duration::from_millis(50);
const LISTEN_AT_STOP: Duration = Duration::from_millis(250);

/// Everything that one worker reads from.
#[derive(Debug)]
pub(super) struct Inlets {
    setup: Arc<Setup>,
    /// In the order of the inputs; empty for all workers except the first.
    listening: Vec<Listening>,
    /// The number of open connections of each worker, visible to all workers.
    loads: Arc<[AtomicUsize]>,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Connections to read, in turn.
    ready: VecDeque<usize>,
    /// The connection that was read last.
    last_read: Option<usize>,
    /// Connections that are paused, because a disk must accept their lines first. They count as listed.
    held: Vec<usize>,
    /// Bytes that connections store between reads.
    held_bytes: usize,
    counts: ConnectionCounts,
    drops: KernelDrops,
    refused: Refused,
    gate: Gate,
    next_sweep: Option<Instant>,
    /// Since when connections are read for the last time.
    stopping_since: Option<Instant>,
}

impl Inlets {
    pub(super) fn new(
        setup: Arc<Setup>,
        mut listening: Vec<Listening>,
        loads: Arc<[AtomicUsize]>,
        descriptors: Descriptors,
        refused: Refused,
        edge: &Edge,
    ) -> io::Result<Self> {
        for (input, Listening { tcp, udp, .. }) in listening.iter_mut().enumerate() {
            edge.register(tcp, Source::Clients(input))?;
            edge.register(udp, Source::Datagrams(input))?;
        }
        let drops = KernelDrops::of(&listening);
        let next_sweep = sweep_interval(&setup).map(|interval| edge.now + interval);
        Ok(Self {
            setup,
            listening,
            loads,
            connections: Vec::new(),
            free: Vec::new(),
            ready: VecDeque::new(),
            last_read: None,
            held: Vec::new(),
            held_bytes: 0,
            counts: ConnectionCounts::default(),
            drops,
            refused,
            gate: Gate::new(descriptors),
            next_sweep,
            stopping_since: None,
        })
    }

    /// Whether something can be read without waiting for an event.
    pub(super) fn is_ready(&self) -> bool {
        !self.ready.is_empty() || self.listening.iter().any(|listening| listening.has_datagrams)
    }

    /// When to check again, if nothing happens before.
    pub(super) fn next_due(&self, now: Instant) -> Option<Instant> {
        let accept_at = self.listening.iter().filter_map(|listening| listening.accept_at(now)).min();
        self.next_sweep.into_iter().chain(accept_at).min()
    }

    /// The number of inputs on which it listens.
    pub(super) const fn inputs(&self) -> usize {
        self.listening.len()
    }

    /// The number of connections to read.
    pub(super) fn ready(&self) -> usize {
        self.ready.len()
    }

    pub(super) fn note_clients(&mut self, input: usize) {
        // A listener that is being closed may still have an event.
        if let Some(listening) = self.listening.get_mut(input) {
            listening.has_clients = true;
        }
    }

    pub(super) fn note_datagrams(&mut self, input: usize) {
        if let Some(listening) = self.listening.get_mut(input) {
            listening.has_datagrams = true;
        }
    }

    pub(super) fn note_connection(&mut self, slot: usize, is_ending: bool) {
        if let Some(Some(connection)) = self.connections.get_mut(slot) {
            connection.is_ending |= is_ending;
        }
        self.list_ready(slot);
    }

    /// Accepts clients. Returns whether more may be waiting.
    pub(super) fn accept(&mut self, input: usize, edge: &mut Edge) -> bool {
        if !self.listening[input].has_clients || !self.listening[input].pause.is_over(edge.now) {
            return false;
        }
        let open = self.open();
        let listening = &mut self.listening[input];
        if !self.gate.is_open(&listening.tcp, open, edge.now) {
            listening.pause.hold(edge.now, gate::RETRY);
            return false;
        }
        for _ in 0..ACCEPTS_PER_TURN {
            let listening = &mut self.listening[input];
            match accept(&listening.tcp) {
                Accepted::Connection(socket, peer) => {
                    listening.pause.succeeded();
                    let is_last = self.gate.is_last(&socket);
                    self.place(Client { socket, peer, input }, edge);
                    let (open, listening) = (self.open(), &mut self.listening[input]);
                    if is_last && !self.gate.check(&listening.tcp, open, edge.now) {
                        listening.pause.hold(edge.now, gate::RETRY);
                        return false;
                    }
                }
                Accepted::Nobody => {
                    listening.has_clients = false;
                    return false;
                }
                Accepted::Failed(error) => {
                    listening.pause.failed(edge.now);
                    if let Some(suppressed) = edge.admit() {
                        let error = Explained(&error);
                        tracing::error!(%error, suppressed, "cannot accept connections, trying again");
                    }
                    return false;
                }
            }
        }
        true
    }

    /// Passes the client to the worker with the fewest connections; to this one if several have the same
    /// number.
    fn place(&mut self, client: Client, edge: &mut Edge) {
        let load = |worker: usize| self.loads[worker].load(Ordering::Relaxed);
        let open = self.open();
        if open >= self.setup.connections_max {
            self.counts.refused += 1;
            if let Some(suppressed) = edge.admit() {
                let peer = client.peer;
                tracing::warn!(%peer, open, suppressed, "too many connections, refused one");
            }
            return;
        }
        self.counts.accepted += 1;
        let least = (0..self.loads.len()).min_by_key(|&worker| (load(worker), worker != edge.worker));
        let worker = least.unwrap_or(edge.worker);
        self.loads[worker].fetch_add(1, Ordering::Relaxed);
        if worker == edge.worker {
            self.add(client, edge);
        } else {
            edge.mailboxes[worker].send_client(client);
        }
    }

    /// The number of open connections of all workers.
    fn open(&self) -> usize {
        self.loads.iter().map(|load| load.load(Ordering::Relaxed)).sum()
    }

    /// Adds a client that was accepted.
    pub(super) fn add(&mut self, client: Client, edge: &mut Edge) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        let (peer, input) = (client.peer, &self.setup.inputs[client.input]);
        let mut connection = Connection::new(client, input, self.setup.input_limits, edge.now);
        match edge.register(&mut connection.socket, Source::Connection(slot)) {
            Ok(()) => {
                self.connections[slot] = Some(connection);
                tracing::debug!(%peer, "connection up");
            }
            Err(error) => {
                self.free.push(slot);
                self.note_end(peer, &End::Broken(error), edge);
            }
        }
    }

    /// Reads the next connection, once.
    pub(super) fn read_next(&mut self, intake: &mut Intake, edge: &mut Edge) {
        let Some(slot) = self.ready.pop_front() else { return };
        self.last_read = Some(slot);
        let Some(Some(connection)) = self.connections.get_mut(slot) else { return };
        connection.is_listed = false;
        let held_before = connection.held_bytes();
        let progress = connection.read(edge.now, edge.now_s, intake);
        self.held_bytes = self.held_bytes + connection.held_bytes() - held_before;
        let (last_read, sender) = (connection.last_read, connection.sender);
        self.refused.say(sender, &mut intake.gathered, edge.now);
        match progress {
            Progress::More(bytes) => {
                intake.fed_bytes += bytes;
                let reads_left = connection.reads_left.get_or_insert(READS_AT_STOP);
                if self.stopping_since.is_some() {
                    *reads_left -= 1;
                }
                if *reads_left == 0 {
                    self.end(slot, &End::Stopping, intake, edge);
                } else {
                    self.list_ready(slot);
                }
            }
            Progress::Drained(bytes) => {
                intake.fed_bytes += bytes;
                if let Some(since) = self.stopping_since {
                    let is_silent = edge.now >= last_read.max(since) + SILENCE_AT_STOP;
                    if is_silent || edge.now >= since + LISTEN_AT_STOP {
                        self.end(slot, &End::Stopping, intake, edge);
                    } else {
                        self.list_ready(slot);
                    }
                }
            }
            Progress::Ended(end) => {
                self.end(slot, &end, intake, edge);
                if matches!(end, End::Violation(_)) {
                    // It is not known how much was gathered before the error.
                    intake.fed_bytes = HAND_OVER_BYTES;
                }
            }
        }
        self.bound_held(intake, edge);
    }

    /// Pauses the connection that was read last, until [`Self::release`].
    pub(super) fn hold_last(&mut self) {
        let Some(slot) = self.last_read.take() else { return };
        let Some(Some(connection)) = self.connections.get_mut(slot) else { return };
        if self.stopping_since.is_none() {
            if connection.is_listed {
                self.ready.retain(|ready| *ready != slot);
            }
            connection.is_listed = true;
            self.held.push(slot);
        }
    }

    /// Continues to read the paused connections.
    pub(super) fn release(&mut self) {
        for slot in std::mem::take(&mut self.held) {
            if let Some(Some(connection)) = self.connections.get_mut(slot) {
                connection.is_listed = true;
                self.ready.push_back(slot);
            }
        }
    }

    /// Closes the connection that stores most while all together store too much.
    fn bound_held(&mut self, intake: &mut Intake, edge: &mut Edge) {
        while self.held_bytes > self.setup.unfinished_bytes_max {
            let held = |slot: &usize| self.connections[*slot].as_ref().map_or(0, Connection::held_bytes);
            let Some(slot) = (0..self.connections.len()).max_by_key(held).filter(|slot| held(slot) > 0)
            else {
                return;
            };
            self.end(slot, &End::Memory, intake, edge);
        }
    }

    /// Reads datagrams. Returns whether there may be more.
    pub(super) fn read_datagrams(&mut self, input: usize, intake: &mut Intake, edge: &Edge) -> bool {
        let listening = &mut self.listening[input];
        let (protocol, limits) = (self.setup.inputs[input].protocol, self.setup.input_limits);
        for _ in 0..DATAGRAMS_PER_TURN {
            if !listening.has_datagrams || intake.is_much() {
                break;
            }
            let Intake { pipeline, gathered, buffer, fed_bytes } = intake;
            match listening.udp.recv_from(buffer) {
                Ok((bytes, peer)) => {
                    self.drops.note();
                    let bytes = &buffer[..bytes];
                    *fed_bytes +=
                        protocol.take_datagram(bytes, limits, edge.now_s, &mut **pipeline, gathered);
                    self.refused.say(Sender { peer, input }, gathered, edge.now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => listening.has_datagrams = false,
                // An error of an earlier send, or a signal: the next datagram is not affected.
                Err(_) => {}
            }
        }
        listening.has_datagrams
    }

    /// Checks all connections for idleness, a few times per idle limit.
    pub(super) fn sweep_idle(&mut self, intake: &mut Intake, edge: &mut Edge) {
        let (Some(at), Some(interval)) = (self.next_sweep, sweep_interval(&self.setup)) else { return };
        if edge.now < at {
            return;
        }
        self.next_sweep = Some(edge.now + interval);
        for slot in 0..self.connections.len() {
            let is_idle = |connection: &Connection| !connection.is_listed && connection.is_idle(edge.now);
            if self.connections[slot].as_ref().is_some_and(is_idle) {
                self.end(slot, &End::Idle, intake, edge);
            }
        }
    }

    /// Stops listening.
    pub(super) fn close_listeners(&mut self) {
        self.drops.read();
        self.listening.clear();
    }

    /// From now on, connections are read until they send nothing, and then closed.
    pub(super) fn stop(&mut self, now: Instant) {
        self.stopping_since = Some(now);
        self.release();
        for slot in 0..self.connections.len() {
            self.list_ready(slot);
        }
    }

    /// Ends every connection.
    pub(super) fn end_all(&mut self, intake: &mut Intake, edge: &mut Edge) {
        for slot in 0..self.connections.len() {
            self.end(slot, &End::Stopping, intake, edge);
        }
        self.ready.clear();
    }

    /// Whether no connection is left.
    pub(super) fn is_empty(&self) -> bool {
        self.connections.iter().all(Option::is_none)
    }

    /// The address of each input, with the number of datagrams that the kernel dropped there.
    pub(super) fn kernel_drops(&mut self) -> Vec<(String, u64)> {
        self.drops.read();
        self.drops.counts()
    }

    pub(super) fn counts(&self) -> ConnectionCounts {
        let open = self.connections.iter().flatten().count() as u64;
        ConnectionCounts { open, held_back: self.gate.closings(), ..self.counts }
    }

    fn list_ready(&mut self, slot: usize) {
        if let Some(Some(connection)) = self.connections.get_mut(slot)
            && !connection.is_listed
        {
            connection.is_listed = true;
            self.ready.push_back(slot);
        }
    }

    fn end(&mut self, slot: usize, end: &End, intake: &mut Intake, edge: &mut Edge) {
        let Some(connection) = self.connections[slot].take() else { return };
        self.free.push(slot);
        self.held_bytes -= connection.held_bytes();
        let sender = connection.sender;
        self.note_end(sender.peer, end, edge);
        connection.finish(end, edge.now_s, intake);
        self.refused.say(sender, &mut intake.gathered, edge.now);
        if let End::Violation(violation) = end {
            self.refused.say_violation(sender, violation, edge.now);
        }
    }

    fn note_end(&mut self, peer: SocketAddr, end: &End, edge: &mut Edge) {
        self.loads[edge.worker].fetch_sub(1, Ordering::Relaxed);
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
            End::Memory => {
                let reason = "uses most of the memory for unfinished lines, which is used up";
                (&mut self.counts.memory_closed, reason.to_owned())
            }
        };
        *counter += 1;
        if let Some(suppressed) = edge.admit() {
            tracing::warn!(%peer, reason, suppressed, "connection down");
        }
    }
}

fn sweep_interval(setup: &Setup) -> Option<Duration> {
    let idle = setup.inputs.iter().filter_map(|input| input.idle_max).min()?;
    Some((idle / 8).clamp(Duration::from_millis(10), Duration::from_secs(5)))
}
