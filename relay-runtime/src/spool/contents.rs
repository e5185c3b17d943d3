//! Reads everything in a spool, for callers that examine it and send nothing.
//!
//! Opens the spool as a relay does, so it must not be in use.

use super::{Budget, Recovery, Spool, SpoolLimits, Store};
use crate::gather::Chunk;
use std::io;

/// The size of one read in bytes.
const READ_BYTES: usize = 128 * 1024;

/// The contents of a spool.
#[derive(Debug)]
pub struct Contents {
    /// What was found when it was opened.
    pub recovery: Recovery,
    /// The lines, in order.
    pub chunks: Vec<Chunk>,
    /// The number of lines that should be there and cannot be read.
    pub damaged: u64,
}

/// Reads all of it, as a relay does that starts: a torn end is cut, damage is set aside.
pub fn read_out(store: Box<dyn Store>) -> io::Result<Contents> {
    let (mut spool, recovery) = Spool::open(store, SpoolLimits::UNBOUNDED, Budget::new(u64::MAX))?;
    let mut chunks = Vec::new();
    while spool.has_unread() {
        if let Some(piece) = spool.read(READ_BYTES, 0) {
            chunks.push(piece.chunk);
        } else if let Some(trouble) = spool.take_trouble() {
            return Err(trouble.error);
        }
    }
    Ok(Contents { recovery, chunks, damaged: spool.take_losses().damaged })
}
