//! One worker: an event loop that owns some inbound connections and some destinations. [`super::crew`] runs it.
//!
//! A turn: wait, record what is ready, read the mail, read from sockets, hand the gathered chunks to the owners
//! of their destinations, write. [`Inlets`] and [`Outlets`] limit each step, so no connection, listener or
//! destination delays others.
//!
//! [`super::Engine`] decides the order of the steps of a stop; a worker follows its orders.

use super::{
    Setup,
    aggregation::Ticker,
    cut::Cut,
    descriptors::Descriptors,
    edge::Edge,
    event::{Event, Notice},
    farewell::{self, Farewell},
    inlets::Inlets,
    intake::Intake,
    listener::Listening,
    mailbox::{Mail, Mailbox, Order, Parcel},
    outlets::Outlets,
    refused::Refused,
    stuck::Stuck,
    token::Source,
};
use crate::{
    destination::WhenFull, ledger::WorkerLedger, pipeline::LinePipeline, spool::Spool,
    table::DestinationIndex,
};
use mio::{Events, Poll, event};
use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::Sender,
    },
    time::{Duration, Instant},
};

/// How many connections are read in one turn.
const READS_PER_TURN: usize = 256;

/// How often, at a stop, waiting clients and datagrams are checked for.
const TURNS_AT_STOP: usize = 64;

/// How long a stop waits for destinations that are down: long enough for one more attempt at each. Those that
/// are up have time until the deadline.
const DOWN_GRACE: Duration = Duration::from_secs(1);

/// How long to wait if only time and other workers can change anything.
const PAUSED: Duration = Duration::from_millis(1);

/// One event loop.
pub(super) struct Worker {
    edge: Edge,
    inlets: Inlets,
    intake: Intake,
    outlets: Outlets,
    /// For each worker, chunks for the destinations that it owns.
    outboxes: Vec<Vec<Parcel>>,
    /// The number of lines handed over, by destination.
    handed: Vec<u64>,
    mail: Mail,
    cut: Cut,
    notices: Sender<Notice>,
    /// For each worker, whether one of its destinations wants inputs to be paused.
    holds: Arc<[AtomicBool]>,
    can_hold: bool,
    /// Which destinations wait for a disk that does not answer, and how often one had stopped waiting when
    /// inputs were last released.
    stuck: Stuck,
    freed: usize,
    /// Only for the worker that ticks.
    ticker: Option<Ticker>,
    stop: Stop,
    farewell: Farewell,
}

/// The progress of a stop.
#[derive(Clone, Copy, Debug)]
enum Stop {
    No,
    /// Connections are read for the last time.
    Inputs {
        deadline: Instant,
    },
    /// Only mail and destinations are left.
    Idle,
    /// Delivers until the deadline, and not quite as long to destinations that are down.
    Finish {
        deadline: Instant,
        down_until: Instant,
    },
}

/// The result of a turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// Whether [`Source::Bell`] is ready.
    pub(super) has_rung: bool,
    /// Whether an order to finish was carried out.
    pub(super) is_last: bool,
}

/// What all workers share.
pub(super) struct Company {
    pub(super) setup: Arc<Setup>,
    pub(super) mailboxes: Vec<Mailbox>,
    pub(super) notices: Sender<Notice>,
    pub(super) loads: Arc<[AtomicUsize]>,
    pub(super) holds: Arc<[AtomicBool]>,
    pub(super) stuck: Stuck,
    pub(super) descriptors: Descriptors,
    /// Those of the inputs.
    pub(super) addresses: Vec<SocketAddr>,
}

impl Worker {
    pub(super) fn new(
        index: usize,
        poll: Poll,
        company: Company,
        listening: Vec<Listening>,
        spools: Vec<Option<Spool>>,
        pipeline: Box<dyn LinePipeline>,
        ticker: Option<Ticker>,
    ) -> io::Result<Self> {
        let Company { setup, mailboxes, notices, loads, holds, stuck, descriptors, addresses } = company;
        let destinations = setup.destinations.len();
        let outboxes = mailboxes.iter().map(|_| Vec::new()).collect();
        let edge = Edge::new(index, poll, mailboxes, setup.liveness.clone());
        let inputs = setup.inputs.iter().map(|input| input.protocol).zip(addresses).collect();
        let mut intake = Intake::new(pipeline, destinations);
        intake.gathered.refusals.watch(Refused::watch());
        Ok(Self {
            outlets: Outlets::new(&setup, spools, stuck.clone(), &edge),
            can_hold: setup.destinations.iter().any(|one| matches!(one.limits.when_full, WhenFull::Block(_))),
            inlets: Inlets::new(setup, listening, loads, descriptors, Refused::new(inputs), &edge)?,
            intake,
            edge,
            outboxes,
            handed: vec![0; destinations],
            mail: Mail::default(),
            cut: Cut::default(),
            notices,
            holds,
            stuck,
            freed: 0,
            ticker,
            stop: Stop::No,
            farewell: Farewell::default(),
        })
    }

    /// Space for the events of one turn.
    pub(super) fn events() -> Events {
        Events::with_capacity(1024)
    }

    /// Requests events of a source that is not the worker's own.
    pub(super) fn register<S: event::Source + ?Sized>(&self, source: &mut S, name: Source) -> io::Result<()> {
        self.edge.register(source, name)
    }

    /// Runs until an order to finish was carried out.
    pub(super) fn run(mut self) {
        let mut events = Self::events();
        loop {
            match self.turn(&mut events, None) {
                Ok(Turn { is_last: true, .. }) => return,
                Ok(_) => {}
                Err(error) => return tracing::error!(%error, "an event loop ended"),
            }
        }
    }

    /// Waits, but not longer than `longest`, and does what there is to do.
    pub(super) fn turn(&mut self, events: &mut Events, longest: Option<Duration>) -> io::Result<Turn> {
        let wait_max = [self.wait_max(), longest].into_iter().flatten().min();
        if let Err(error) = self.edge.poll.poll(events, wait_max)
            && error.kind() != io::ErrorKind::Interrupted
        {
            return Err(error);
        }
        self.edge.read_clocks();
        let has_rung = self.note_events(events);
        events.clear();
        self.take_mail();
        self.wait_for_disks();
        if !self.is_paused() {
            self.read();
            self.tick();
        }
        self.hand_over();
        self.outlets.drive_due(&mut self.edge);
        self.note_hold();
        self.inlets.sweep_idle(&mut self.intake, &mut self.edge);
        self.say_what_a_stop_waits_for();
        Ok(Turn { has_rung, is_last: self.is_finished() })
    }

    fn wait_max(&self) -> Option<Duration> {
        let is_paused = self.is_paused();
        let is_stopping = matches!(self.stop, Stop::Inputs { .. });
        if is_stopping || self.inlets.is_ready() {
            return Some(if is_paused || is_stopping { PAUSED } else { Duration::ZERO });
        }
        let finish_at = match self.stop {
            Stop::Finish { deadline, down_until } => {
                Some(if self.edge.now < down_until { down_until } else { deadline })
            }
            _ => None,
        };
        let inlets = self.inlets.next_due(self.edge.now);
        let tick = self.ticker.as_ref().map(|ticker| ticker.next_due(self.edge.now));
        let next = [self.outlets.next_due(), inlets, finish_at, tick, self.farewell.next()]
            .into_iter()
            .flatten()
            .min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// Records what is ready. Returns whether the bell rang.
    fn note_events(&mut self, events: &Events) -> bool {
        let mut has_rung = false;
        for event in events {
            match Source::from(event.token()) {
                Source::Waker => {}
                Source::Bell => has_rung = true,
                Source::Clients(input) => self.inlets.note_clients(input),
                Source::Datagrams(input) => self.inlets.note_datagrams(input),
                Source::Connection(slot) => {
                    self.inlets.note_connection(slot, event.is_read_closed() || event.is_error());
                }
                Source::Outlet(at) => {
                    self.outlets.note_event(at, event, &mut self.intake.buffer, &mut self.edge);
                }
            }
        }
        has_rung
    }

    fn take_mail(&mut self) {
        let mut mail = std::mem::take(&mut self.mail);
        self.edge.mailbox().take(&mut mail);
        for parcel in mail.parcels.drain(..) {
            match parcel {
                Parcel::Lines { from, destination, chunk } => {
                    self.cut.note_lines(from, destination, chunk.lines());
                    self.outlets.take(destination, chunk, self.edge.now);
                }
                Parcel::Marker { from, number } => {
                    self.note_books(number);
                    self.cut.note_marker(from, number);
                }
            }
        }
        for (destination, resolution) in mail.resolutions.drain(..) {
            self.outlets.resolved(destination, resolution, &mut self.edge);
        }
        for destination in mail.disks.drain(..) {
            self.outlets.note_disk_answer(destination);
        }
        for client in mail.clients.drain(..) {
            self.inlets.add(client, &mut self.edge);
        }
        for order in mail.orders.drain(..) {
            self.obey(order);
        }
        self.mail = mail;
        if let Some((number, ledger)) = self.cut.take_complete() {
            self.report(Event::Report(number, Box::new(ledger)));
        }
    }

    /// Copies the ledger for this number, if that was not done yet. Called between turns, when all gathered lines have been
    /// handed over.
    fn note_books(&mut self, number: u64) {
        if !self.cut.is_new(number) {
            return;
        }
        self.outlets.ask(self.edge.now);
        let is_other = |worker: usize| worker != self.edge.worker;
        let is_awaited = (0..self.edge.mailboxes.len()).map(is_other).collect();
        let ledger = self.ledger();
        self.cut.begin(number, ledger, is_awaited);
        for (worker, mailbox) in self.edge.mailboxes.iter().enumerate() {
            if worker != self.edge.worker {
                mailbox.send_marker(self.edge.worker, number);
            }
        }
    }

    fn obey(&mut self, order: Order) {
        let now = self.edge.now;
        match order {
            Order::Report(number) => self.note_books(number),
            Order::CloseListener => {
                self.close_listeners();
                self.report(Event::ListenerClosed);
            }
            Order::CloseInputs(deadline) => {
                self.farewell.begin(now);
                self.stop = Stop::Inputs { deadline };
                self.inlets.stop(now);
            }
            Order::FlushAggregates => {
                self.flush_aggregates();
                self.report(Event::AggregatesFlushed);
            }
            Order::Finish(deadline) => {
                self.farewell.begin(now);
                if !matches!(self.stop, Stop::Idle | Stop::Finish { .. }) {
                    self.conclude_inputs(now);
                }
                self.stop = Stop::Finish { deadline, down_until: deadline.min(now + DOWN_GRACE) };
                self.outlets.stop(now);
            }
        }
    }

    fn report(&self, event: Event) {
        // There is no receiver any more if the engine was dropped.
        let _ = self.notices.send(Notice { worker: self.edge.worker, event });
    }

    /// Sends what is due of aggregators.
    fn tick(&mut self) {
        if let Some(ticker) = &mut self.ticker {
            ticker.turn(&self.edge, &mut self.intake);
        }
    }

    /// Sends all that is due, because the relay stops.
    fn flush_aggregates(&mut self) {
        let Some(mut ticker) = self.ticker.take() else { return };
        while !ticker.finish(&self.edge, &mut self.intake) {
            self.hand_over_much();
        }
        self.hand_over();
    }

    /// Reads from everything that lines come from, once.
    fn read(&mut self) {
        for input in 0..self.inlets.inputs() {
            self.inlets.accept(input, &mut self.edge);
        }
        for _ in 0..self.inlets.ready().min(READS_PER_TURN) {
            self.inlets.read_next(&mut self.intake, &mut self.edge);
            if self.stuck.is_any() {
                self.hold_if_stuck();
            }
            self.hand_over_much();
        }
        if let Stop::Inputs { deadline, .. } = self.stop {
            self.conclude_inputs(deadline);
        }
        for input in 0..self.inlets.inputs() {
            self.inlets.read_datagrams(input, &mut self.intake, &self.edge);
            self.hand_over_much();
        }
    }

    /// Closes the listeners. Clients that wait to be accepted may have sent lines, and so may datagrams: they
    /// are read first.
    fn close_listeners(&mut self) {
        for input in 0..self.inlets.inputs() {
            self.inlets.note_clients(input);
            self.inlets.note_datagrams(input);
            for _ in 0..TURNS_AT_STOP {
                let has_clients = self.inlets.accept(input, &mut self.edge);
                let has_datagrams = self.inlets.read_datagrams(input, &mut self.intake, &self.edge);
                self.hand_over_much();
                if !has_clients && !has_datagrams {
                    break;
                }
            }
        }
        self.inlets.close_listeners();
        self.hand_over();
    }

    /// Ends what is left when the deadline for inputs has passed, and reports when nothing is left.
    fn conclude_inputs(&mut self, deadline: Instant) {
        if self.edge.now >= deadline {
            self.inlets.end_all(&mut self.intake, &mut self.edge);
        }
        if self.inlets.is_empty() {
            self.stop = Stop::Idle;
            self.hand_over();
            self.report(Event::InputsClosed);
        }
    }

    /// Waits until lines for a disk are in its files, before the inputs that brought them are read again.
    fn wait_for_disks(&mut self) {
        self.outlets.wait_for_disks(&mut self.edge);
        let freed = self.stuck.freed();
        if freed != std::mem::replace(&mut self.freed, freed) {
            self.inlets.release();
        }
    }

    /// While a disk does not answer, each connection is checked: if it brought lines for that disk, it is
    /// paused.
    fn hold_if_stuck(&mut self) {
        let before = self.stuck_lines();
        self.hand_over();
        if self.stuck_lines() > before {
            self.inlets.hold_last();
        }
    }

    /// The number of lines handed over so far for destinations whose disk does not answer.
    fn stuck_lines(&self) -> u64 {
        let destinations = self.handed.iter().enumerate();
        destinations
            .filter(|(at, _)| self.stuck.has(DestinationIndex::new(*at)))
            .map(|(_, lines)| lines)
            .sum()
    }

    fn hand_over_much(&mut self) {
        if self.intake.is_much() {
            self.hand_over();
        }
    }

    /// Hands what was gathered to the owners of its destinations, and writes.
    fn hand_over(&mut self) {
        let Self { intake, outlets, outboxes, handed, edge, .. } = self;
        intake.fed_bytes = 0;
        intake.gathered.drain(|destinations, chunk| {
            for destination in destinations {
                handed[destination.get()] += u64::from(chunk.lines());
                let owner = outlets.owner(*destination);
                if owner == edge.worker {
                    outlets.take(*destination, chunk.clone(), edge.now);
                } else {
                    let (from, destination) = (edge.worker, *destination);
                    outboxes[owner].push(Parcel::Lines { from, destination, chunk: chunk.clone() });
                }
            }
        });
        for (mailbox, outbox) in edge.mailboxes.iter().zip(outboxes) {
            if !outbox.is_empty() {
                mailbox.send_parcels(outbox);
            }
        }
        outlets.drive_touched(edge);
    }

    /// Whether nothing is to be read: another worker is too slow, or a destination with `when_full = "block"`
    /// has no room.
    fn is_paused(&self) -> bool {
        self.edge.mailboxes.iter().any(Mailbox::is_full)
            || (self.can_hold && self.holds.iter().any(|hold| hold.load(Ordering::Relaxed)))
    }

    fn note_hold(&self) {
        if self.can_hold {
            let is_holding = self.outlets.is_holding(self.edge.now);
            self.holds[self.edge.worker].store(is_holding, Ordering::Relaxed);
        }
    }

    fn say_what_a_stop_waits_for(&mut self) {
        let now = self.edge.now;
        if !self.farewell.is_due(now) {
            return;
        }
        match self.stop {
            Stop::No | Stop::Idle => {}
            Stop::Inputs { deadline } => {
                let left = deadline.saturating_duration_since(now);
                let reason = if self.stuck.is_any() {
                    "the disk of a spool does not answer"
                } else if self.is_paused() {
                    "a destination with `when_full = \"block\"` has no room, or a worker is behind"
                } else {
                    "they send"
                };
                farewell::say_clients(self.inlets.counts().open, reason, left);
            }
            Stop::Finish { deadline, down_until } => {
                let awaited: Vec<_> = self.outlets.awaited(deadline, down_until, now).collect();
                if !awaited.is_empty() {
                    farewell::say_destinations(&awaited, deadline.saturating_duration_since(now));
                }
            }
        }
    }

    fn is_finished(&mut self) -> bool {
        let Stop::Finish { deadline, down_until } = self.stop else { return false };
        if !self.outlets.is_settled(deadline, down_until, self.edge.now) {
            return false;
        }
        self.outlets.close(&mut self.intake.buffer, self.edge.now);
        let ledger = Box::new(self.ledger());
        self.report(Event::Finished(ledger));
        true
    }

    fn ledger(&mut self) -> WorkerLedger {
        WorkerLedger {
            counts: self.intake.gathered.counts.clone(),
            connections: self.inlets.counts(),
            kernel_drops: self.inlets.kernel_drops(),
            handed: self.handed.clone(),
            destinations: self.outlets.counts(),
        }
    }
}
