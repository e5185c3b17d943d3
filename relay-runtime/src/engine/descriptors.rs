//! File descriptors: how many clients may take, and how many are set aside for everything else.
//!
//! The kernel gives each new descriptor the lowest free number. So a client whose number is one of the last ones shows
//! that no more may be accepted, and a duplicate of any descriptor shows whether there is room again. Guarantees that,
//! however many clients come, every destination can connect, every spool can be written, read and flushed, and state
//! and logs can be written: clients wait in the listen backlog meanwhile. It opens nothing except that duplicate.

use super::Setup;
use rustix::{
    io::fcntl_dupfd_cloexec,
    process::{Resource, getrlimit},
};
use std::{
    fmt,
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd},
};

/// Files of a spool that are open all the time: both of its locks.
const HELD_PER_SPOOL: u64 = 2;

/// Files of a spool that come and go: the one that is written, the one that is read, one that is listed or cut.
const USED_PER_SPOOL: u64 = 3;

/// Files per spool that may wait to be flushed.
pub(super) const FLUSHED_PER_SPOOL: usize = 4;

/// A destination's socket; while its name is resolved, what the resolver opens instead.
const PER_DESTINATION: u64 = 1;
const PER_NAMED_DESTINATION: u64 = 2;

/// The poll and the waker of a worker.
const PER_WORKER: u64 = 2;

/// The two sockets of an input.
const PER_INPUT: u64 = 2;

/// Files of the state of aggregations: its locks, and those that are written.
const HELD_BY_STATE: u64 = 2;
const USED_BY_STATE: u64 = 3;

/// For logs that are reopened, recorders, the service manager, the file being flushed, and what else comes and goes.
const OTHERS: u64 = 16;

/// How many descriptors clients leave alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct Descriptors {
    limit: u64,
    set_aside: u64,
}

/// The limit of open files is too small for the configuration, whatever clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFewDescriptors {
    /// The limit of this process.
    pub limit: u64,
    /// The least that the configuration needs.
    pub needed: u64,
    /// How many of them are open before the relay opens its own.
    pub open: u64,
}

impl Descriptors {
    /// Those of a relay with this setup, unless the limit is too small for it. Must be called before it opens anything.
    pub(super) fn of(setup: &Setup) -> Result<Self, TooFewDescriptors> {
        Self::with(setup, limit(), lowest_free(rustix::stdio::stderr()).unwrap_or(0))
    }

    fn with(setup: &Setup, limit: u64, open: u64) -> Result<Self, TooFewDescriptors> {
        let spools = setup.destinations.iter().filter(|outgoing| outgoing.spool.is_some()).count() as u64;
        let (state_held, state_used) =
            if setup.state.is_some() { (HELD_BY_STATE, USED_BY_STATE) } else { (0, 0) };
        let per_destination = setup.destinations.iter().map(|outgoing| match outgoing.address.parse() {
            Ok::<SocketAddr, _>(_) => PER_DESTINATION,
            Err(_) => PER_NAMED_DESTINATION,
        });
        let set_aside = per_destination.sum::<u64>()
            + spools * (USED_PER_SPOOL + FLUSHED_PER_SPOOL as u64)
            + state_used
            + OTHERS;
        let inputs = setup.inputs.len() as u64;
        let held = open
            + inputs * PER_INPUT
            + setup.workers as u64 * PER_WORKER
            + spools * HELD_PER_SPOOL
            + state_held;
        let needed = held + set_aside + inputs.min(1);
        if needed > limit {
            Err(TooFewDescriptors { limit, needed, open })
        } else {
            Ok(Self { limit, set_aside })
        }
    }

    /// Whether `client` is the last one that may be accepted for now.
    pub(super) fn is_last(self, client: &impl AsRawFd) -> bool {
        u64::try_from(client.as_raw_fd()).is_ok_and(|number| number + 1 >= self.limit - self.set_aside)
    }

    /// Whether there is room for another client. The limit may have been raised meanwhile.
    pub(super) fn has_room(&mut self, any: &impl AsFd) -> bool {
        self.limit = limit().max(self.set_aside);
        lowest_free(any).is_some_and(|number| number < self.limit - self.set_aside)
    }

    pub(super) const fn limit(self) -> u64 {
        self.limit
    }

    pub(super) const fn set_aside(self) -> u64 {
        self.set_aside
    }
}

/// The number that the next descriptor gets; `None` if there is none left.
fn lowest_free(any: impl AsFd) -> Option<u64> {
    let duplicate = fcntl_dupfd_cloexec(any, 0).ok()?;
    u64::try_from(duplicate.as_raw_fd()).ok()
}

fn limit() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

impl fmt::Display for TooFewDescriptors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, needed, open } = self;
        write!(
            f,
            "this process may open {limit} files, and the destinations, spools and inputs of this configuration need at least {needed} ({open} are open already), and one more for each client: raise the limit (`ulimit -n`, `LimitNOFILE=` of a service)"
        )
    }
}

impl std::error::Error for TooFewDescriptors {}
