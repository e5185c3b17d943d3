//! What a worker shares with its surroundings apart from its sockets: the clocks, the poll, the other workers,
//! the log.
//!
//! Both sides of a worker, [`Inlets`](super::inlets::Inlets) and [`Outlets`](super::outlets::Outlets), get it
//! with each call, so neither knows the other.

use super::{mailbox::Mailbox, token::Source};
use crate::{logging::Throttle, select::Liveness};
use mio::{Interest, Poll, event};
use std::{
    io,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// The surroundings of one worker.
#[derive(Debug)]
pub(super) struct Edge {
    /// The worker's number.
    pub(super) worker: usize,
    pub(super) poll: Poll,
    /// The mailboxes of all workers, by number.
    pub(super) mailboxes: Vec<Mailbox>,
    /// Which destinations are up.
    pub(super) liveness: Liveness,
    pub(super) throttle: Throttle,
    pub(super) now: Instant,
    /// Seconds since 1970.
    pub(super) now_s: u64,
}

impl Edge {
    pub(super) fn new(worker: usize, poll: Poll, mailboxes: Vec<Mailbox>, liveness: Liveness) -> Self {
        let now = Instant::now();
        Self { worker, poll, mailboxes, liveness, throttle: Throttle::new(now), now, now_s: 0 }
    }

    /// Reads the clocks. Called once per turn, so that everything in a turn happens at one moment.
    pub(super) fn read_clocks(&mut self) {
        self.now = Instant::now();
        self.now_s = seconds_now();
    }

    /// Requests events when there is something to read.
    pub(super) fn register<S: event::Source + ?Sized>(
        &self,
        socket: &mut S,
        source: Source,
    ) -> io::Result<()> {
        self.poll.registry().register(socket, source.token(), Interest::READABLE)
    }

    /// The worker's own mailbox.
    pub(super) fn mailbox(&self) -> &Mailbox {
        &self.mailboxes[self.worker]
    }

    /// Whether to log a message of a kind that peers cause: `Some` with the number of messages left out since
    /// the last.
    pub(super) fn admit(&mut self) -> Option<u64> {
        self.throttle.admit(self.now)
    }
}

/// Seconds since 1970.
#[must_use]
pub fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
