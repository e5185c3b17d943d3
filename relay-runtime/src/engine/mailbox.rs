//! What threads send to a worker: chunks for its destinations, accepted connections, resolved names, orders.
//!
//! There is one lock and one vector per kind, swapped as a whole by the receiver. So the steady state allocates
//! nothing, and a worker is woken once, however much is sent before it reads its mail. Nothing is dropped here, and
//! what one worker sends to another keeps its order. A sender of chunks checks [`Mailbox::is_full`] first and
//! reads no more input while it is.

use super::{listener::Client, resolve::Resolution};
use crate::{gather::Chunk, table::DestinationIndex};
use mio::Waker;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

/// If this many bytes are on their way to one worker, the others stop reading. One turn of each worker may come
/// in addition.
const FULL_BYTES: usize = 16 * 1024 * 1024;

/// An order to a worker from the thread that runs the engine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    /// Report the ledger with this number: see [`super::cut`].
    Report(u64),
    /// Accept the clients that wait, then close the listener and report.
    CloseListener,
    /// Read what connections have sent, then close them and report. Reading ends at the deadline.
    CloseInputs(Instant),
    /// After the last input: send what is due of aggregators, and report.
    FlushAggregates,
    /// Deliver until the deadline, then end.
    Finish(Instant),
}

/// Everything that came since the mail was last taken.
#[derive(Debug, Default)]
pub(super) struct Mail {
    pub(super) parcels: Vec<Parcel>,
    pub(super) clients: Vec<Client>,
    pub(super) resolutions: Vec<(DestinationIndex, Resolution)>,
    /// Destinations whose disk has answered.
    pub(super) disks: Vec<DestinationIndex>,
    pub(super) orders: Vec<Order>,
}

/// What another worker sends.
#[derive(Debug)]
pub(super) enum Parcel {
    /// Lines for a destination of the receiver.
    Lines { from: usize, destination: DestinationIndex, chunk: Chunk },
    /// The sender has noted its books of this number.
    Marker { from: usize, number: u64 },
}

/// The mailbox of one worker. All clones are the same mailbox.
#[derive(Clone, Debug)]
pub(super) struct Mailbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    mail: Mutex<Mail>,
    chunk_bytes: AtomicUsize,
    waker: Waker,
}

impl Mailbox {
    pub(super) fn new(waker: Waker) -> Self {
        Self(Arc::new(Shared { mail: Mutex::default(), chunk_bytes: AtomicUsize::new(0), waker }))
    }

    /// Sends all of `parcels` and leaves the vector empty.
    pub(super) fn send_parcels(&self, parcels: &mut Vec<Parcel>) {
        let bytes = parcels.iter().map(Parcel::bytes).sum();
        self.send(|mail| {
            self.0.chunk_bytes.fetch_add(bytes, Ordering::Relaxed);
            mail.parcels.append(parcels);
        });
    }

    pub(super) fn send_marker(&self, from: usize, number: u64) {
        self.send(|mail| mail.parcels.push(Parcel::Marker { from, number }));
    }

    pub(super) fn send_client(&self, client: Client) {
        self.send(|mail| mail.clients.push(client));
    }

    pub(super) fn send_resolution(&self, destination: DestinationIndex, resolution: Resolution) {
        self.send(|mail| mail.resolutions.push((destination, resolution)));
    }

    pub(super) fn send_disk_answer(&self, destination: DestinationIndex) {
        self.send(|mail| mail.disks.push(destination));
    }

    pub(super) fn send_order(&self, order: Order) {
        self.send(|mail| mail.orders.push(order));
    }

    /// Whether senders of chunks should pause.
    pub(super) fn is_full(&self) -> bool {
        self.0.chunk_bytes.load(Ordering::Relaxed) >= FULL_BYTES
    }

    /// Swaps what has come with `empty`.
    pub(super) fn take(&self, empty: &mut Mail) {
        let mut mail = self.lock();
        std::mem::swap(&mut *mail, empty);
        self.0.chunk_bytes.store(0, Ordering::Relaxed);
    }

    fn send(&self, put: impl FnOnce(&mut Mail)) {
        let mut mail = self.lock();
        let was_empty = mail.is_empty();
        put(&mut mail);
        drop(mail);
        if was_empty && let Err(error) = self.0.waker.wake() {
            tracing::error!(%error, "cannot wake a worker");
        }
    }

    /// Locks the mail. It is consistent even after a panic elsewhere, because no code panics while it is
    /// locked.
    fn lock(&self) -> MutexGuard<'_, Mail> {
        self.0.mail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Parcel {
    fn bytes(&self) -> usize {
        match self {
            Self::Lines { chunk, .. } => chunk.bytes().len(),
            Self::Marker { .. } => 0,
        }
    }
}

impl Mail {
    fn is_empty(&self) -> bool {
        self.parcels.is_empty()
            && self.clients.is_empty()
            && self.resolutions.is_empty()
            && self.disks.is_empty()
            && self.orders.is_empty()
    }
}
