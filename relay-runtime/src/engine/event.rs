//! What workers report to the thread that runs the engine.
//!
//! The answers to the orders of a stop, so each of them ends one of its steps.

use crate::ledger::WorkerLedger;

/// A report of a worker.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) worker: usize,
    pub(super) event: Event,
}

/// What the worker has done.
#[derive(Debug)]
pub(super) enum Event {
    /// Its ledger with this number, as requested.
    Report(u64, Box<WorkerLedger>),
    /// It accepts no clients any more.
    ListenerClosed,
    /// No line will come in any more.
    InputsClosed,
    /// It sent all outputs of aggregators that were due through the routes.
    AggregatesFlushed,
    /// Everything is delivered or dropped. These are its last counters.
    Finished(Box<WorkerLedger>),
}
