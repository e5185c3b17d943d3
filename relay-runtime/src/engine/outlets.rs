//! Where the lines of one worker go: the destinations that it owns.
//!
//! The owner of a destination is its index modulo the number of workers. A destination to which something
//! happened is driven before the turn ends; the others when they are due. All of them are checked only when the
//! earliest is due.

use super::{
    Outgoing, Setup, edge::Edge, farewell::Awaited, outlet::Outlet, resolve::Resolution, stuck::Stuck,
};
use crate::{
    destination::{Destination, DestinationCounts, Input},
    gather::Chunk,
    spool::Spool,
    table::DestinationIndex,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How long a turn waits for a disk before it continues to read inputs; a working disk needs less.
const DISK_PATIENCE: Duration = Duration::from_millis(5);

/// How long a stop waits for disks if nothing else is left.
const DISK_PATIENCE_AT_END: Duration = Duration::from_secs(1);

/// The destinations of one worker.
#[derive(Debug)]
pub(super) struct Outlets {
    worker: usize,
    workers: usize,
    owned: Vec<Outlet>,
    /// Destinations to which something happened.
    touched: Vec<usize>,
    /// Destinations with lines on their way to a disk.
    writing: Vec<usize>,
    /// Which destinations wait for a disk that does not answer.
    stuck: Stuck,
    /// The earliest time at which one wants to be driven.
    next_due: Option<Instant>,
}

impl Outlets {
    pub(super) fn new(setup: &Setup, spools: Vec<Option<Spool>>, stuck: Stuck, edge: &Edge) -> Self {
        let (worker, workers) = (edge.worker, edge.mailboxes.len());
        let dealt = setup.destinations.iter().enumerate().skip(worker).step_by(workers).zip(spools);
        let open = |(at, ((index, outgoing), spool)): (usize, ((usize, &Outgoing), Option<Spool>))| {
            // Different for every destination and process, so that not all relays connect at the same time.
            let seed =
                (u64::from(std::process::id()) << 32 | index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            let memory = Arc::clone(&setup.queue_memory);
            let (mailbox, index) = (edge.mailbox().clone(), DestinationIndex::new(index));
            let mut destination = Destination::with_parts(outgoing.limits, spool, memory, edge.now, seed);
            destination.on_disk_answer(Box::new(move || mailbox.send_disk_answer(index)));
            Outlet::new(index, at, outgoing, destination)
        };
        let owned = dealt.enumerate().map(open).collect();
        let (touched, writing) = (Vec::new(), Vec::new());
        Self { worker, workers, owned, touched, writing, stuck, next_due: Some(edge.now) }
    }

    /// When to drive them, if nothing happens before.
    pub(super) const fn next_due(&self) -> Option<Instant> {
        self.next_due
    }

    /// The number of the worker that owns a destination.
    pub(super) const fn owner(&self, destination: DestinationIndex) -> usize {
        destination.get() % self.workers
    }

    /// Adds lines for a destination of this worker.
    pub(super) fn take(&mut self, destination: DestinationIndex, chunk: Chunk, now: Instant) {
        debug_assert_eq!(self.owner(destination), self.worker);
        let at = destination.get() / self.workers;
        self.owned[at].destination.handle(now, Input::Lines(chunk));
        self.touch(at);
    }

    /// Passes on the addresses of a destination of this worker.
    pub(super) fn resolved(
        &mut self,
        destination: DestinationIndex,
        resolution: Resolution,
        edge: &mut Edge,
    ) {
        let at = destination.get() / self.workers;
        self.owned[at].resolved(resolution, edge);
        self.touch(at);
    }

    /// Records that the disk of a destination of this worker has answered.
    pub(super) fn note_disk_answer(&mut self, destination: DestinationIndex) {
        self.touch(destination.get() / self.workers);
    }

    /// Waits a moment for the disks that have not taken everything, and notes which ones do not answer. Called before inputs
    /// are read on.
    pub(super) fn wait_for_disks(&mut self, edge: &mut Edge) {
        let Self { writing, owned, stuck, .. } = self;
        writing.retain(|&at| {
            let outlet = &mut owned[at];
            let patience = if stuck.has(outlet.index) { Duration::ZERO } else { DISK_PATIENCE };
            let is_answered = outlet.destination.wait_for_disk(patience);
            if stuck.set(outlet.index, !is_answered) {
                outlet.note_disk(is_answered, edge);
            }
            !is_answered
        });
    }

    /// Passes on an event of a socket.
    pub(super) fn note_event(
        &mut self,
        at: usize,
        event: &mio::event::Event,
        buffer: &mut [u8],
        edge: &mut Edge,
    ) {
        if let Some(outlet) = self.owned.get_mut(at) {
            outlet.handle_event(event, buffer, edge);
            self.touch(at);
        }
    }

    /// Drives the destinations to which something happened.
    pub(super) fn drive_touched(&mut self, edge: &mut Edge) {
        let mut touched = std::mem::take(&mut self.touched);
        for at in touched.drain(..) {
            self.owned[at].is_listed = false;
            self.drive(at, edge);
        }
        self.touched = touched;
    }

    /// Drives the destinations that are due.
    pub(super) fn drive_due(&mut self, edge: &mut Edge) {
        if self.next_due.is_none_or(|due| edge.now < due) {
            return;
        }
        self.next_due = None;
        for at in 0..self.owned.len() {
            self.drive(at, edge);
        }
    }

    /// Asks the kernel what was acknowledged meanwhile, so that the counters are current.
    pub(super) fn ask(&mut self, now: Instant) {
        for outlet in &mut self.owned {
            outlet.ask(now);
        }
    }

    /// Whether a destination with `when_full = "block"` has no room.
    pub(super) fn is_holding(&self, now: Instant) -> bool {
        self.owned.iter().any(|outlet| outlet.destination.is_holding(now))
    }

    /// Begins a stop.
    pub(super) fn stop(&mut self, now: Instant) {
        for outlet in &mut self.owned {
            outlet.destination.handle(now, Input::Stop);
        }
    }

    /// Whether all lines have arrived or are on disk. Destinations that are up are waited for until `up_until`,
    /// others until `down_until`.
    pub(super) fn is_settled(&self, up_until: Instant, down_until: Instant, now: Instant) -> bool {
        self.awaited(up_until, down_until, now).next().is_none()
    }

    /// The destinations for which a stop waits.
    pub(super) fn awaited(
        &self,
        up_until: Instant,
        down_until: Instant,
        now: Instant,
    ) -> impl Iterator<Item = Awaited<'_>> {
        let is_awaited = move |destination: &Destination| {
            let is_waited_for = destination.is_up() || destination.is_writing();
            !destination.is_settled() && now < if is_waited_for { up_until } else { down_until }
        };
        let awaited = self.owned.iter().filter(move |outlet| is_awaited(&outlet.destination));
        awaited.map(|outlet| Awaited {
            destination: outlet.address(),
            lines: outlet.waiting(),
            state: if outlet.destination.is_writing() {
                ", some on their way to the disk"
            } else if outlet.destination.is_up() {
                ""
            } else {
                ", down"
            },
        })
    }

    /// Closes all connections. Lines that a disk has not accepted after a last wait are dropped.
    pub(super) fn close(&mut self, buffer: &mut [u8], now: Instant) {
        for outlet in &mut self.owned {
            outlet.destination.handle(now, Input::GiveUp);
            outlet.close(buffer);
        }
        let deadline = Instant::now() + DISK_PATIENCE_AT_END;
        for Outlet { destination, .. } in &mut self.owned {
            destination.wait_for_disk(deadline.saturating_duration_since(Instant::now()));
            destination.abandon_disk();
        }
    }

    pub(super) fn counts(&self) -> Vec<(DestinationIndex, DestinationCounts)> {
        self.owned.iter().map(|outlet| (outlet.index, outlet.destination.counts())).collect()
    }

    fn drive(&mut self, at: usize, edge: &mut Edge) {
        let outlet = &mut self.owned[at];
        outlet.drive(edge);
        let due = outlet.destination.poll_timeout(edge.now);
        self.next_due = self.next_due.into_iter().chain(due).min();
        if outlet.destination.is_writing() && !self.writing.contains(&at) {
            self.writing.push(at);
        }
    }

    fn touch(&mut self, at: usize) {
        let outlet = &mut self.owned[at];
        if !outlet.is_listed {
            outlet.is_listed = true;
            self.touched.push(at);
        }
    }
}
