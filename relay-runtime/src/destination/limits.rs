//! The limits of a destination, and what it does when they are reached.
//!
//! They are plain values, completed and checked by `serve::setup`.

pub use super::{flight::Redo, queue::Room};
pub use crate::table::Replay;
use std::time::Duration;

/// The limits of a destination.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How much may be held in memory.
    pub room: Room,
    /// Whether lines are sent as pickles.
    pub is_pickle: bool,
    /// What is dropped if there is no room.
    pub when_full: WhenFull,
    /// Which acknowledged lines are sent again after a connection broke.
    pub redo: Redo,
    /// How the spool is used, if there is one.
    pub spooling: Spooling,
    /// The most bytes of one write.
    pub write_bytes_max: usize,
    /// If nothing is written or acknowledged for this time although there is something to send, the connection
    /// counts as dead.
    pub write_timeout: Duration,
    /// The longest pause between two attempts to connect.
    pub reconnect_max: Duration,
}

/// What happens to lines if neither memory nor spool has room for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// New lines are dropped.
    #[default]
    DropNewest,
    /// The oldest lines are dropped.
    DropOldest,
    /// No input is read for at most this time; then new lines are dropped, until half the room is free.
    Block(Duration),
}

/// How a spool is used.
#[derive(Clone, Copy, Debug)]
pub struct Spooling {
    /// A destination that was not empty for this time is behind, and its lines go to disk.
    pub after: Duration,
    /// Whether all lines go to disk, always.
    pub is_write_ahead: bool,
    /// The order between spooled lines and new ones.
    pub replay: Replay,
    /// The most lines per second that are read from disk.
    pub replay_rate: Option<u32>,
    /// How often the disk is asked to flush.
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
