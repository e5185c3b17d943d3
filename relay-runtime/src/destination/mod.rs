//! One destination as a state machine: its queue, the life of its connection, its counts.
//!
//! Guarantees, whatever the order of inputs: lines leave whole and in order, `routed = sent + queued +
//! dropped` at every step, and while the connection is down an attempt to connect is always under way or due.
//! Absent: sockets, names, clocks. Time comes with each input; what is to be done comes out of
//! [`Destination::poll_output`]. `engine::outlet` translates, `simulation` (tests) plays a malicious network.

mod backoff;
mod counts;
mod queue;
#[cfg(test)]
mod simulation;

use crate::gather::Chunk;
use backoff::Backoff;
use queue::Queue;
use std::{
    io::IoSlice,
    net::SocketAddr,
    time::{Duration, Instant},
};

pub use counts::{DestinationCounts, DropReason};
pub use queue::Room;

/// How long one address may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that stood so long was a good one: the next outage starts with a fast retry. Shorter ones do
/// not count, for a peer that accepts and closes at once would be called ten times a second.
const STABLE_AFTER: Duration = Duration::from_secs(1);

/// What bounds a destination.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What may wait.
    pub room: Room,
    /// Bytes of one write.
    pub write_bytes_max: usize,
    /// Without progress for so long, a connection that has something to take is dead.
    pub write_timeout: Duration,
    /// The longest wait between two attempts to connect.
    pub reconnect_max: Duration,
}

/// Something that happened.
#[derive(Debug)]
pub enum Input {
    /// Lines to deliver.
    Lines(Chunk),
    /// The name has these addresses, best first; none when it could not be resolved.
    Resolved(Vec<SocketAddr>),
    /// The connection stands.
    Connected,
    /// The address does not answer, or refuses.
    ConnectFailed,
    /// The socket takes bytes again.
    Writable,
    /// The kernel took so many bytes of what [`Destination::slices`] showed.
    Wrote(usize),
    /// The kernel takes nothing at the moment.
    WriteBlocked,
    /// The line at the front can never be sent.
    Unsendable,
    /// The connection ended.
    Closed,
    /// No more lines for the moment: whatever the socket did not take must fit in the limits now.
    EndOfTurn,
    /// The deadline of a stop has passed.
    GiveUp,
}

/// Something to do. The engine does it before it polls again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Find the addresses, then give `Resolved`.
    Resolve,
    /// Start to connect, then give `Connected` or `ConnectFailed`.
    Connect(SocketAddr),
    /// Write, then give `Wrote`, `WriteBlocked` or `Closed`.
    Send,
    /// Close the socket. No input is expected for it any more.
    Disconnect(DisconnectReason),
}

/// Why the state machine gives up a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisconnectReason {
    /// The address did not answer in time.
    ConnectTimeout,
    /// The peer stopped reading.
    WriteTimeout,
}

/// One destination.
#[derive(Debug)]
pub struct Destination {
    limits: Limits,
    queue: Queue,
    link: Link,
    backoff: Backoff,
    counts: DestinationCounts,
}

#[derive(Debug)]
enum Link {
    /// No attempt until then.
    Waiting { until: Instant },
    /// Somebody is asking for the addresses.
    Resolving,
    /// `addresses` are left to be tried.
    Trying { addresses: std::vec::IntoIter<SocketAddr> },
    /// One address is being tried.
    Connecting { deadline: Instant, addresses: std::vec::IntoIter<SocketAddr> },
    /// The connection stands. `blocked` since when the kernel takes nothing.
    Up { since: Instant, blocked: Option<Instant> },
}

impl Destination {
    /// Starts down, with an attempt to connect due at once. `seed` decides the jitter of the back-off.
    #[must_use]
    pub fn new(limits: Limits, now: Instant, seed: u64) -> Self {
        Self {
            limits,
            queue: Queue::default(),
            link: Link::Waiting { until: now },
            backoff: Backoff::new(limits.reconnect_max, seed),
            counts: DestinationCounts::default(),
        }
    }

    /// Takes in one thing that happened. `now` is the only clock this type ever sees.
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
            Input::Wrote(bytes) => {
                self.counts.sent += self.queue.wrote(bytes);
                self.set_blocked(None);
            }
            Input::WriteBlocked => self.blocked(now),
            Input::Unsendable => self.skip_line(),
            Input::Closed => self.closed(now),
            Input::EndOfTurn => {
                let dropped = self.queue.trim(self.limits.room);
                self.drop_lines(dropped);
            }
            Input::GiveUp => {
                let dropped = self.queue.clear();
                self.counts.drop_lines(DropReason::Shutdown, dropped);
            }
        }
    }

    /// Hands out the next thing to do; `None` means it need not be polled again before the next input or
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
                self.connect_failed(now);
                Some(Output::Disconnect(DisconnectReason::ConnectTimeout))
            }
            Link::Up { blocked: Some(since), .. } if *since + self.limits.write_timeout <= now => {
                self.closed(now);
                Some(Output::Disconnect(DisconnectReason::WriteTimeout))
            }
            Link::Up { blocked: None, .. } if !self.queue.is_empty() => Some(Output::Send),
            _ => None,
        }
    }

    /// When to poll again although nothing happened.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.link {
            Link::Waiting { until } => Some(until),
            Link::Connecting { deadline, .. } => Some(deadline),
            Link::Up { blocked: Some(since), .. } => Some(since + self.limits.write_timeout),
            Link::Resolving | Link::Trying { .. } | Link::Up { .. } => None,
        }
    }

    /// What to write now, over a stream; gives the number of slices used.
    pub fn slices<'a>(&'a mut self, slices: &mut [IoSlice<'a>]) -> usize {
        self.queue.slices(slices, self.limits.write_bytes_max)
    }

    /// What to write now, over datagrams.
    pub fn datagram(&mut self, bytes_max: usize) -> Option<&[u8]> {
        self.queue.datagram(bytes_max)
    }

    /// Whether the connection stands.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.link, Link::Up { .. })
    }

    /// Whether nothing waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Bytes that wait.
    #[must_use]
    pub const fn queued_bytes(&self) -> usize {
        self.queue.bytes()
    }

    /// The books.
    #[must_use]
    pub fn counts(&self) -> DestinationCounts {
        DestinationCounts { queued: self.queue.lines(), up: self.is_up(), ..self.counts.clone() }
    }

    /// While the socket takes bytes the queue may be longer than its limit until the end of the turn:
    /// otherwise a limit below a turn's worth of lines would drop lines of a healthy destination.
    fn take_lines(&mut self, chunk: Chunk) {
        self.counts.routed += u64::from(chunk.lines());
        if matches!(self.link, Link::Up { blocked: None, .. }) {
            self.queue.push(chunk);
        } else {
            let dropped = self.queue.push_within(chunk, self.limits.room);
            self.drop_lines(dropped);
        }
    }

    const fn drop_lines(&mut self, lines: u64) {
        let reason = if self.is_up() { DropReason::SlowConn } else { DropReason::ConnDownNoSpool };
        self.counts.drop_lines(reason, lines);
    }

    fn connected(&mut self, now: Instant) {
        if matches!(self.link, Link::Connecting { .. }) {
            self.link = Link::Up { since: now, blocked: None };
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

    fn set_blocked(&mut self, since: Option<Instant>) {
        if let Link::Up { blocked, .. } = &mut self.link {
            *blocked = since;
        }
    }

    /// The first refusal starts the write timeout; later ones without progress do not start it again.
    fn blocked(&mut self, now: Instant) {
        if let Link::Up { blocked, .. } = &mut self.link {
            blocked.get_or_insert(now);
        }
    }

    /// Leaves out the line at the front. Only datagrams need it, and they never leave a line half written.
    fn skip_line(&mut self) {
        if let Some(line) = self.queue.datagram(1) {
            let bytes = line.len();
            let lines = self.queue.wrote(bytes);
            self.counts.drop_lines(DropReason::TooLong, lines);
        }
    }

    fn closed(&mut self, now: Instant) {
        if let Link::Up { since, .. } = self.link {
            if self.queue.rewind() {
                self.counts.restarted_lines += 1;
            }
            if now.saturating_duration_since(since) >= STABLE_AFTER {
                self.backoff.reset();
            }
            self.link = Link::Waiting { until: now + self.backoff.wait() };
        } else {
            self.connect_failed(now);
        }
    }
}
