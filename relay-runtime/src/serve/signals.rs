//! The signals that a relay obeys. They are caught from the first moment on, and wake whoever waits for the engine.

use mio::event::Source;
use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook_mio::v1_0::Signals as Caught;
use std::{cell::RefCell, io};

/// What was caught and is not yet obeyed.
pub(super) struct Signals(RefCell<Caught>);

/// What has been asked for since the last look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    /// The books.
    pub(super) ledger: bool,
    /// The end.
    pub(super) stop: bool,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        Caught::new([SIGTERM, SIGINT, SIGUSR1]).map(RefCell::new).map(Self)
    }

    /// Becomes ready when one was caught.
    pub(super) fn source(&mut self) -> &mut dyn Source {
        self.0.get_mut()
    }

    pub(super) fn take(&self) -> Asked {
        let mut asked = Asked::default();
        for signal in self.0.borrow_mut().pending() {
            match signal {
                SIGUSR1 => asked.ledger = true,
                _ => asked.stop = true,
            }
        }
        asked
    }
}
