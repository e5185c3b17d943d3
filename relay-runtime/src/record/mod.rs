//! Lines as they come in, copied to whoever records them: `relay record`, a process of its own, talks to the relay that runs.
//!
//! [`Tap`] is where workers leave copies while somebody records ([`Tapped`] stands before their pipelines), a thread hands
//! them over ([`offer`]), and [`command`] is the other side. What a recorder is too slow for passes it by, and is counted:
//! a recording never slows a relay down. They meet at an abstract Unix socket ([`socket`]), so nothing is on disk, and only
//! the relay's own user and root are let in.

mod command;
mod offer;
mod socket;
mod tap;
mod tapped;

pub use command::RecordError;

pub(crate) use command::{Limits, record};
pub(crate) use offer::offer;
pub(crate) use tap::Tap;
pub(crate) use tapped::Tapped;
