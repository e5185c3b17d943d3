//! What bounds a destination, and what it does at its bounds.

pub use super::{flight::Redo, queue::Room};
pub use crate::table::Replay;
use std::time::Duration;

/// What bounds a destination.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// What may wait in memory.
    pub room: Room,
    /// Lines go as pickles.
    pub is_pickle: bool,
    /// What goes when there is no room.
    pub when_full: WhenFull,
    /// What goes again after a connection broke although it was acknowledged.
    pub redo: Redo,
    /// How the spool is used, if there is one.
    pub spooling: Spooling,
    /// Bytes of one write.
    pub write_bytes_max: usize,
    /// Without progress for so long, a connection that has something to take is dead.
    pub write_timeout: Duration,
    /// The longest wait between two attempts to connect.
    pub reconnect_max: Duration,
}

/// What happens to lines when neither memory nor spool has room for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// The newest are dropped.
    #[default]
    DropNewest,
    /// The oldest are dropped.
    DropOldest,
    /// Nothing is read from any input for at most so long; then the newest are dropped, until half the room is free.
    Block(Duration),
}

/// How a spool is used.
#[derive(Clone, Copy, Debug)]
pub struct Spooling {
    /// A destination that has not taken everything for so long is behind, and its lines go to disk.
    pub after: Duration,
    /// Lines go to disk always.
    pub is_write_ahead: bool,
    /// What waits for what.
    pub replay: Replay,
    /// Lines per second that are read back from disk at most.
    pub replay_rate: Option<u32>,
    /// How often the disk is asked to keep what it has.
    pub sync_period: Duration,
}

impl Default for Spooling {
    fn default() -> Self {
        Self {
            after: Duration::from_millis(5),
            is_write_ahead: false,
            replay: Replay::InOrder,
            replay_rate: None,
            sync_period: Duration::from_secs(1),
        }
    }
}
