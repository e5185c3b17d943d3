//! The signals that a relay obeys. They are caught from the first moment on, and wake whoever waits for the engine.
//!
//! Guarantees that no signal ends a relay without its books, but those that the system itself sends for a fault (`SIGSEGV`
//! and the like) and `SIGKILL`. What each one means is in docs/reliability.md, which a test sends to a running relay.

use mio::event::Source;
use signal_hook::{
    consts::{
        SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
    },
    low_level::signal_name,
};
use signal_hook_mio::v1_0::Signals as Caught;
use std::{cell::RefCell, ffi::c_int, io};

/// Caught, so that they do not end the relay as they would by default. For nothing else.
const UNUSED: [c_int; 5] = [SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXFSZ];

/// What only Linux has: `SIGPWR` stops, as containers of the LXC kind are stopped with it.
#[cfg(target_os = "linux")]
const POWER: c_int = rustix::process::Signal::POWER.as_raw();
#[cfg(target_os = "linux")]
const UNUSED_OF_SYSTEM: [c_int; 2] =
    [rustix::process::Signal::IO.as_raw(), rustix::process::Signal::STKFLT.as_raw()];
#[cfg(not(target_os = "linux"))]
const POWER: c_int = SIGTERM;
#[cfg(not(target_os = "linux"))]
const UNUSED_OF_SYSTEM: [c_int; 0] = [];

/// Real-time signals. The C library keeps some of the first ones for itself, and gives them to nobody.
const REAL_TIME: std::ops::RangeInclusive<c_int> = 34..=64;

/// What was caught and is not yet obeyed.
pub(super) struct Signals(RefCell<Caught>);

/// What has been asked for since the last look.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    /// The books.
    pub(super) ledger: bool,
    /// Files of the log by their names anew.
    pub(super) reopen: bool,
    /// The end, in good order.
    pub(super) stop: bool,
    /// The end, at once.
    pub(super) stop_now: bool,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        let caught = Caught::new([SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGHUP, SIGXCPU, POWER])?;
        for signal in UNUSED.into_iter().chain(UNUSED_OF_SYSTEM) {
            caught.add_signal(signal)?;
        }
        for signal in REAL_TIME {
            // One that the C library keeps cannot come from outside either.
            let _ = caught.add_signal(signal);
        }
        Ok(Self(RefCell::new(caught)))
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
                SIGHUP => asked.reopen = true,
                SIGQUIT => asked.stop_now = true,
                SIGTERM | SIGINT | SIGXCPU => asked.stop = true,
                _ if signal == POWER => asked.stop = true,
                _ => tracing::info!(signal = %name(signal), "a signal that means nothing to a relay"),
            }
        }
        asked
    }
}

fn name(signal: c_int) -> String {
    signal_name(signal).map_or_else(|| signal.to_string(), str::to_owned)
}
