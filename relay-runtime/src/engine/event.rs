//! What workers tell the thread that runs the engine.

use crate::ledger::WorkerLedger;

/// Something that a worker has done.
#[derive(Debug)]
pub(super) struct Notice {
    pub(super) worker: usize,
    pub(super) event: Event,
}

/// What it has done.
#[derive(Debug)]
pub(super) enum Event {
    /// Its books, as asked.
    Report(Box<WorkerLedger>),
    /// No client can connect any more.
    ListenerClosed,
    /// No line will come in any more.
    InputsClosed,
    /// What was due of the aggregators went through the routes.
    AggregatesFlushed,
    /// Everything is delivered or given up. These are its last books.
    Finished(Box<WorkerLedger>),
}
