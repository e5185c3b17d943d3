//! Everything that lies in a spool, for whoever wants to look and not to send.

use super::{Budget, Recovery, Spool, SpoolLimits, Store};
use crate::gather::Chunk;
use std::io;

/// Bytes of one read.
const READ_BYTES: usize = 128 * 1024;

/// What lies in a spool.
#[derive(Debug)]
pub struct Contents {
    /// What was found when it was opened.
    pub recovery: Recovery,
    /// The lines, in order.
    pub chunks: Vec<Chunk>,
    /// Lines that should be there and cannot be read.
    pub damaged: u64,
}

/// Reads all of it, as a relay would that starts: a torn end is cut, damage is set aside.
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
