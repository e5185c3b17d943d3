//! One destination as a state machine: the lines that are not delivered yet, the life of its connection, its
//! counters.
//!
//! Guarantees, whatever the order of inputs: lines are sent whole, and in order unless `replay = "live-first"`;
//! `routed + recovered = sent + queued + spooled + dropped` at every step; what the peer's kernel did not
//! acknowledge is sent again; and while the destination is down, an attempt to connect is always in progress or
//! due.
//!
//! There are no sockets, names, clocks or files here. Time comes with each input, and
//! [`Destination::poll_output`] returns what is to be done. `engine::outlet` connects both with the real world;
//! `simulation` (tests) plays a malicious network and disk.

mod backlog;
mod backoff;
mod counts;
mod flight;
mod item;
mod limits;
mod pace;
mod progress;
mod queue;
mod share;
#[cfg(test)]
mod simulation;
mod stopping;

use crate::{
    gather::Chunk,
    spool::{Spool, Trouble, Wake},
};
use backlog::{Backlog, Now};
use backoff::Backoff;
use progress::Progress;
use std::{
    io::IoSlice,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use stopping::Stopping;

pub use counts::{DestinationCounts, DropReason};
pub use limits::{Limits, Redo, Replay, Room, Spooling, WhenFull};
pub use share::QueueMemory;

/// How long one address may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that lasted this long was good, so the next outage starts with a fast retry. A shorter one is
/// not: a peer that accepts and closes at once would be connected to ten times a second.
const STABLE_AFTER: Duration = Duration::from_secs(1);

/// How often the kernel is asked what was acknowledged, if nothing else happens.
const ASK_PERIOD: Duration = Duration::from_millis(20);

/// If more bytes than this are in flight, the kernel is asked before each write, so that memory becomes free
/// soon.
const ASK_BYTES: usize = 256 * 1024;

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// Lines to deliver.
    Lines(Chunk),
    /// The addresses of the host name, best first; empty if it could not be resolved.
    Resolved(Vec<SocketAddr>),
    /// The connection is established.
    Connected,
    /// The address does not answer, or refuses the connection.
    ConnectFailed,
    /// The socket accepts bytes again.
    Writable,
    /// The kernel accepted this number of bytes of what [`Destination::slices`] returned.
    Wrote(usize),
    /// The kernel accepts nothing at the moment.
    WriteBlocked,
    /// The line at the front can never be sent.
    Unsendable,
    /// The peer's kernel has not acknowledged this number of bytes of what was written.
    Outstanding(usize),
    /// The connection ended.
    Closed {
        /// How many bytes were not acknowledged, if that is known.
        outstanding: Option<usize>,
    },
    /// There are no more lines in this turn: what the socket did not accept must now fit into the limits.
    EndOfTurn,
    /// A stop has begun: lines on disk stay there.
    Stop,
    /// The deadline of a stop has passed.
    GiveUp,
}

/// What the engine must do before it polls again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Resolve the host name, then input `Resolved`.
    Resolve,
    /// Start to connect, then input `Connected` or `ConnectFailed`.
    Connect(SocketAddr),
    /// Write, then input `Wrote`, `WriteBlocked` or `Closed`.
    Send,
    /// Ask the kernel what was acknowledged, then input `Outstanding`.
    Ask,
    /// Close the socket, then input `ConnectFailed` or `Closed`.
    Disconnect(DisconnectReason),
}

/// Why the state machine closes a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The address did not answer in time.
    ConnectTimeout,
    /// The peer acknowledges nothing or, if nothing can be acknowledged, accepts nothing.
    WriteTimeout,
}

/// One destination.
#[derive(Debug)]
pub struct Destination {
    limits: Limits,
    backlog: Backlog,
    link: Link,
    backoff: Backoff,
    counts: DestinationCounts,
    /// Seconds since 1970, for the age of lines on disk.
    unix_s: u64,
    next_ask: Instant,
    /// Whether the kernel was asked since the last write.
    was_asked: bool,
    stopping: Option<Stopping>,
}

#[derive(Debug)]
enum Link {
    /// No attempt before this time.
    Waiting { until: Instant },
    /// The host name is being resolved.
    Resolving,
    /// The remaining `addresses` are to be tried.
    Trying { addresses: std::vec::IntoIter<SocketAddr> },
    /// One address is being tried.
    Connecting { deadline: Instant, addresses: std::vec::IntoIter<SocketAddr> },
    /// The destination is connected. `blocked` is since when the kernel accepts nothing.
    Up { since: Instant, blocked: Option<Instant>, progress: Progress },
}

impl Destination {
    /// A destination that is down, with an attempt to connect due at once. `seed` determines the jitter of the
    /// back-off.
    #[must_use]
    pub fn new(limits: Limits, now: Instant, seed: u64) -> Self {
        Self::with_parts(limits, None, QueueMemory::unlimited(), now, seed)
    }

    /// Like [`Self::new`], with a spool and its contents, and with memory that other destinations use too.
    pub(crate) fn with_parts(
        limits: Limits,
        spool: Option<Spool>,
        memory: Arc<QueueMemory>,
        now: Instant,
        seed: u64,
    ) -> Self {
        let recovered = spool.as_ref().map_or(0, Spool::lines);
        Self {
            limits,
            backlog: Backlog::new(limits, spool, memory, now),
            link: Link::Waiting { until: now },
            backoff: Backoff::new(limits.reconnect_max, seed),
            counts: DestinationCounts { recovered, ..DestinationCounts::default() },
            unix_s: 0,
            next_ask: now,
            was_asked: false,
            stopping: None,
        }
    }

    /// Sets the calendar time. Only the age of lines on disk depends on it.
    pub const fn set_unix_time(&mut self, seconds: u64) {
        self.unix_s = seconds;
    }

    /// Processes one input. `now` is the only clock that this type sees.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Lines(chunk) => self.take_lines(chunk),
            Input::Resolved(addresses) => {
                if matches!(self.link, Link::Resolving) {
                    self.link = Link::Trying { addresses: addresses.into_iter() };
                    self.give_up_if_untriable(now);
                }
            }
            Input::Connected => self.connected(now),
            Input::ConnectFailed => self.connect_failed(now),
            Input::Writable => self.set_blocked(None),
            Input::Wrote(bytes) => self.wrote(bytes, now),
            Input::WriteBlocked => self.blocked(now),
            Input::Unsendable => {
                let lines = self.backlog.skip_line();
                self.counts.drop_lines(DropReason::TooLong, lines);
            }
            Input::Outstanding(bytes) => {
                self.backlog.acknowledge(bytes, now, &mut self.counts);
                self.next_ask = now + ASK_PERIOD;
                if let Link::Up { progress, blocked, .. } = &mut self.link
                    && progress.heard(bytes, now)
                {
                    *blocked = blocked.map(|_| now);
                }
            }
            Input::Closed { outstanding } => self.closed(outstanding, now),
            Input::EndOfTurn => self.end_turn(now),
            Input::Stop => {
                self.backlog.stop();
                self.stopping = Some(Stopping::new(self.backlog.waiting_bytes(), now));
            }
            Input::GiveUp => self.backlog.give_up(self.at(now), &mut self.counts),
        }
    }

    /// Returns the next thing to do. `None` means that it need not be polled again before the next input or
    /// [`Self::poll_timeout`].
    pub fn poll_output(&mut self, now: Instant) -> Option<Output> {
        match &mut self.link {
            Link::Waiting { until } if *until <= now => {
                self.link = Link::Resolving;
                Some(Output::Resolve)
            }
            Link::Trying { addresses } => {
                let address = addresses.next()?;
                let addresses = std::mem::take(addresses);
                self.link = Link::Connecting { deadline: now + CONNECT_TIMEOUT, addresses };
                Some(Output::Connect(address))
            }
            Link::Connecting { deadline, .. } if *deadline <= now => {
                Some(Output::Disconnect(DisconnectReason::ConnectTimeout))
            }
            Link::Up { blocked, progress, .. } => {
                let is_taking = blocked.is_none();
                let in_flight = self.backlog.in_flight_bytes();
                let is_time = self.next_ask <= now && progress.stalled_since().is_some();
                let is_much = in_flight > ASK_BYTES && is_taking && !self.was_asked;
                let is_dead = self.dead_at().is_some_and(|at| at <= now);
                // Bytes may have arrived since the last answer, unless it is from this moment.
                let is_doubtful = is_dead && self.next_ask < now + ASK_PERIOD;
                if is_time || is_much || is_doubtful {
                    self.was_asked = true;
                    return Some(Output::Ask);
                }
                self.was_asked = false;
                if is_dead {
                    return Some(Output::Disconnect(DisconnectReason::WriteTimeout));
                }
                let at = Now { instant: now, unix_s: self.unix_s };
                let wants = is_taking && self.backlog.refill(at, &mut self.counts);
                wants.then_some(Output::Send)
            }
            _ => None,
        }
    }

    /// When to poll again and to input `EndOfTurn`, if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let (link, ask) = match self.link {
            Link::Waiting { until } => (Some(until), None),
            Link::Connecting { deadline, .. } => (Some(deadline), None),
            Link::Up { progress, .. } => (self.dead_at(), progress.stalled_since().map(|_| self.next_ask)),
            Link::Resolving | Link::Trying { .. } => (None, None),
        };
        let stop = self.stopping.map(|stopping| stopping.next_measure());
        [link, ask, stop, self.backlog.next_settle(now, self.is_up())].into_iter().flatten().min()
    }

    /// When the connection counts as dead, unless something is acknowledged before (or accepted, if nothing can
    /// be acknowledged).
    fn dead_at(&self) -> Option<Instant> {
        let Link::Up { blocked, progress, .. } = self.link else { return None };
        progress.stalled_since().or(blocked).map(|since| since + self.limits.write_timeout)
    }

    /// What to write now to a stream. Returns the number of slices used.
    pub fn slices<'a>(&'a mut self, slices: &mut [IoSlice<'a>]) -> usize {
        self.backlog.slices(slices)
    }

    /// What to send now as a datagram.
    pub fn datagram(&mut self, bytes_max: usize) -> Option<&[u8]> {
        self.backlog.datagram(bytes_max)
    }

    /// Whether the destination is connected.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.link, Link::Up { .. })
    }

    /// Whether a stop need not wait for it: nothing is left, or the destination is down or slow and the spool
    /// takes its lines.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let is_slow = self.stopping.is_some_and(|stopping| stopping.is_slow());
        self.backlog.is_settled(self.is_up() && !is_slow)
    }

    /// Whether inputs should be paused for it (`when_full = "block"`).
    #[must_use]
    pub fn is_holding(&self, now: Instant) -> bool {
        self.backlog.is_holding(now)
    }

    /// Bytes of lines that are held in memory.
    #[must_use]
    pub const fn memory_bytes(&self) -> usize {
        self.backlog.bytes()
    }

    /// The counters.
    #[must_use]
    pub fn counts(&self) -> DestinationCounts {
        let (spooled, spool_bytes, spool_errors) = self.backlog.spooled();
        DestinationCounts {
            queued: self.backlog.queued_lines(),
            in_flight: self.backlog.in_flight_lines(),
            spooled,
            spool_bytes,
            spool_errors,
            up: self.is_up(),
            ..self.counts.clone()
        }
    }

    /// The error of the disk since the last call, if there was one.
    pub(crate) fn take_trouble(&mut self) -> Option<Trouble> {
        self.backlog.take_trouble()
    }

    /// Has `wake` called when the disk of the spool has answered: the destination is to be driven then.
    pub(crate) fn on_disk_answer(&mut self, wake: Wake) {
        self.backlog.on_disk_answer(wake);
    }

    /// Whether the disk has yet to answer for lines that were given to it.
    pub(crate) fn is_writing(&self) -> bool {
        self.backlog.is_writing()
    }

    /// Waits at most this long until the disk has taken all lines that were given to it, or refused them. Returns whether it
    /// answered so.
    pub(crate) fn wait_for_disk(&mut self, patience: Duration) -> bool {
        self.backlog.wait_for_disk(patience)
    }

    /// Drops what the disk has not taken, at the end of a stop.
    pub(crate) fn abandon_disk(&mut self) {
        self.backlog.abandon_disk(&mut self.counts);
    }

    /// While the socket accepts bytes, the queue may exceed its limit until the end of the turn: otherwise a
    /// limit below the lines of one turn would drop lines of a healthy destination.
    fn take_lines(&mut self, chunk: Chunk) {
        self.counts.routed += u64::from(chunk.lines());
        let is_taking = matches!(self.link, Link::Up { blocked: None, .. });
        let refused = self.backlog.push(chunk, is_taking);
        self.counts.drop_lines(self.backlog.drop_reason(self.is_up()), refused);
    }

    const fn at(&self, now: Instant) -> Now {
        Now { instant: now, unix_s: self.unix_s }
    }

    fn connected(&mut self, now: Instant) {
        if matches!(self.link, Link::Connecting { .. }) {
            self.link = Link::Up { since: now, blocked: None, progress: Progress::default() };
            self.counts.connects += 1;
        }
    }

    fn connect_failed(&mut self, now: Instant) {
        if let Link::Connecting { addresses, .. } = &mut self.link {
            self.link = Link::Trying { addresses: std::mem::take(addresses) };
            self.give_up_if_untriable(now);
        }
    }

    fn give_up_if_untriable(&mut self, now: Instant) {
        if let Link::Trying { addresses } = &self.link
            && addresses.len() == 0
        {
            self.link = Link::Waiting { until: now + self.backoff.wait() };
        }
    }

    fn wrote(&mut self, bytes: usize, now: Instant) {
        self.backlog.wrote(bytes);
        if let Link::Up { blocked, progress, .. } = &mut self.link {
            *blocked = None;
            progress.wrote(bytes, now);
        }
    }

    fn end_turn(&mut self, now: Instant) {
        self.backlog.settle(self.at(now), self.is_up(), &mut self.counts);
        if let Some(stopping) = &mut self.stopping {
            stopping.measure(self.backlog.waiting_bytes(), now);
        }
    }

    fn set_blocked(&mut self, since: Option<Instant>) {
        if let Link::Up { blocked, .. } = &mut self.link {
            *blocked = since;
        }
    }

    /// The first refusal starts the write timeout; further ones without progress do not start it again.
    fn blocked(&mut self, now: Instant) {
        if let Link::Up { blocked, .. } = &mut self.link {
            blocked.get_or_insert(now);
        }
    }

    fn closed(&mut self, outstanding: Option<usize>, now: Instant) {
        if let Link::Up { since, progress, .. } = self.link {
            let outstanding = outstanding.unwrap_or(progress.unacknowledged());
            self.backlog.connection_lost(outstanding, now, &mut self.counts);
            if now.saturating_duration_since(since) >= STABLE_AFTER {
                self.backoff.reset();
            }
            self.link = Link::Waiting { until: now + self.backoff.wait() };
        } else {
            self.connect_failed(now);
        }
    }
}
