//! What was read in this turn, on its way through the table.
//!
//! It belongs to one worker; both its buffer and what it gathered are reused.

use crate::{gather::Gathered, pipeline::LinePipeline};

/// The most bytes of one read.
const READ_BYTES: usize = 256 * 1024;

/// How many bytes are read before chunks are handed over and written within a turn. This limits what is
/// gathered and keeps it in the cache.
pub(super) const HAND_OVER_BYTES: usize = 1024 * 1024;

/// The pipeline of a worker, and what it has gathered.
pub(super) struct Intake {
    pub(super) pipeline: Box<dyn LinePipeline>,
    pub(super) gathered: Gathered,
    /// The buffer for one read.
    pub(super) buffer: Vec<u8>,
    /// Bytes of work since chunks were last handed over.
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
