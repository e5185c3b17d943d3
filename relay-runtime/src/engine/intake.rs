//! What was read in this turn, on its way through the table.

use crate::{gather::Gathered, pipeline::LinePipeline};

/// Bytes of one read.
const READ_BYTES: usize = 256 * 1024;

/// Bytes read before chunks are handed over and written within a turn: bounds what is gathered, and keeps it
/// warm in the cache.
pub(super) const HAND_OVER_BYTES: usize = 1024 * 1024;

/// The pipeline of a worker, and what it gathered.
pub(super) struct Intake {
    pub(super) pipeline: Box<dyn LinePipeline>,
    pub(super) gathered: Gathered,
    /// For one read at a time.
    pub(super) buffer: Vec<u8>,
    /// Bytes since the last time that chunks were handed over.
    pub(super) fed_bytes: usize,
}

impl Intake {
    pub(super) fn new(pipeline: Box<dyn LinePipeline>, destinations: usize) -> Self {
        Self { pipeline, gathered: Gathered::new(destinations), buffer: vec![0; READ_BYTES], fed_bytes: 0 }
    }

    /// Whether to hand over before reading on.
    pub(super) const fn is_much(&self) -> bool {
        self.fed_bytes >= HAND_OVER_BYTES
    }
}
