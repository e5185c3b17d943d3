//! The signals that a relay handles. They are caught from the start on, and wake the thread that waits for the
//! engine.
//!
//! No signal ends a relay without its ledger, except `SIGKILL` and those that the system sends for a fault
//! (`SIGSEGV` and the like). docs/reliability.md describes each signal, and a test sends all of them to a
//! running relay.

use mio::event::Source;
use signal_hook::{
    consts::{
        SIGALRM, SIGHUP, SIGINT, SIGPROF, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGVTALRM, SIGXCPU, SIGXFSZ,
    },
    low_level::signal_name,
};
use signal_hook_mio::v1_0::Signals as Caught;
use std::{cell::RefCell, ffi::c_int, io};

/// Caught only to prevent that they end the relay, which is their default.
const UNUSED: [c_int; 5] = [SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGXFSZ];

/// Signals that only Linux has. `SIGPWR` stops the relay, because LXC stops containers with it.
#[cfg(target_os = "linux")]
const POWER: c_int = rustix::process::Signal::POWER.as_raw();
#[cfg(target_os = "linux")]
const UNUSED_OF_SYSTEM: [c_int; 2] =
    [rustix::process::Signal::IO.as_raw(), rustix::process::Signal::STKFLT.as_raw()];
#[cfg(not(target_os = "linux"))]
const POWER: c_int = SIGTERM;
#[cfg(not(target_os = "linux"))]
const UNUSED_OF_SYSTEM: [c_int; 0] = [];

/// Real-time signals. The C library reserves some of the first ones for itself.
const REAL_TIME: std::ops::RangeInclusive<c_int> = 34..=64;

/// Signals that were caught and are not handled yet.
pub(super) struct Signals(RefCell<Caught>);

/// The requests of signals since the last call.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Asked {
    /// To print the ledger.
    pub(super) ledger: bool,
    /// To reopen the files of the log.
    pub(super) reopen: bool,
    /// To stop in good order.
    pub(super) stop: bool,
    /// To stop at once.
    pub(super) stop_now: bool,
}

impl Signals {
    pub(super) fn catch() -> io::Result<Self> {
        let caught = Caught::new([SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGHUP, SIGXCPU, POWER])?;
        for signal in UNUSED.into_iter().chain(UNUSED_OF_SYSTEM) {
            caught.add_signal(signal)?;
        }
        for signal in REAL_TIME {
            // A signal that the C library reserves cannot come from outside either.
            let _ = caught.add_signal(signal);
        }
        Ok(Self(RefCell::new(caught)))
    }

    /// Becomes readable when a signal was caught.
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
                _ => {
                    tracing::info!(signal = %name(signal), "ignored a signal without meaning");
                }
            }
        }
        asked
    }
}

fn name(signal: c_int) -> String {
    signal_name(signal).map_or_else(|| signal.to_string(), str::to_owned)
}
