//! Recording: copies of lines as they come in. `relay record`, a process of its own, connects to a running
//! relay.
//!
//! [`Tap`] receives copies from the workers while a recorder is connected ([`Tapped`] is in front of their
//! pipelines), a thread sends them to the recorder ([`offer`]), and [`command`] is the recorder. If the
//! recorder is too slow, lines are skipped and counted: a recording never slows a relay down. The two connect
//! over an abstract Unix socket ([`socket`]), so there is no file for it, and only the relay's own user and
//! root are accepted.

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
