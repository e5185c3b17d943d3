//! The gate for clients: closed while the descriptors that are left are set aside for destinations, spools and logs.
//!
//! Clients wait in the listen backlog meanwhile, and none is refused. The log has a warning when that begins, at most one
//! a minute, and a line when it is over; the ledger counts how often it began (`held_back`).

use super::descriptors::Descriptors;
use mio::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How often a closed gate checks whether there is room.
pub(super) const RETRY: Duration = Duration::from_millis(100);

/// Between two warnings.
const PERIOD: Duration = Duration::from_mins(1);

/// The gate of one worker.
#[derive(Debug)]
pub(super) struct Gate {
    descriptors: Descriptors,
    closed_since: Option<Instant>,
    /// When the last warning was logged, and whether the line that it is over has to follow.
    warned: Option<Instant>,
    is_warned: bool,
    /// How often it closed.
    closings: u64,
}

impl Gate {
    pub(super) const fn new(descriptors: Descriptors) -> Self {
        Self { descriptors, closed_since: None, warned: None, is_warned: false, closings: 0 }
    }

    pub(super) const fn closings(&self) -> u64 {
        self.closings
    }

    /// Whether the gate has to be checked before more clients are accepted than this one.
    pub(super) fn is_last(&self, client: &TcpStream) -> bool {
        self.descriptors.is_last(client)
    }

    /// Whether clients may be accepted. An open gate is not checked.
    pub(super) fn is_open(&mut self, listener: &TcpListener, clients: usize, now: Instant) -> bool {
        self.closed_since.is_none() || self.check(listener, clients, now)
    }

    /// Opens or closes the gate, by the descriptors that are free. `clients` is the number of open connections. Returns
    /// whether it is open.
    pub(super) fn check(&mut self, listener: &TcpListener, clients: usize, now: Instant) -> bool {
        let has_room = self.descriptors.has_room(listener);
        match (has_room, self.closed_since) {
            (true, Some(since)) => {
                self.closed_since = None;
                if std::mem::take(&mut self.is_warned) {
                    let seconds = now.saturating_duration_since(since).as_secs();
                    tracing::info!(seconds, "clients are accepted again");
                }
            }
            (false, None) => {
                self.closed_since = Some(now);
                self.closings += 1;
                self.warn(clients, now);
            }
            (false, Some(_)) => self.warn(clients, now),
            (true, None) => {}
        }
        has_room
    }

    fn warn(&mut self, clients: usize, now: Instant) {
        if self.warned.is_some_and(|warned| now.saturating_duration_since(warned) < PERIOD) {
            return;
        }
        self.warned = Some(now);
        self.is_warned = true;
        let (limit, set_aside) = (self.descriptors.limit(), self.descriptors.set_aside());
        tracing::warn!(
            clients,
            limit,
            set_aside,
            closings = self.closings,
            "clients wait to be accepted: the file descriptors that are left are set aside for destinations, spools and logs; raise the limit (`ulimit -n`, `LimitNOFILE=` of a service), close idle clients (`plain_read_timeout`, `pickle_read_timeout`), or lower `max_connections` to refuse them"
        );
    }
}
