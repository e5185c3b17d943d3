//! Ledgers on stdout: one line of JSON each, with the time, the instance and the version.
//!
//! Nobody who does not read them holds up the relay: a bounded number waits, and further ones are left out with a warning.

use crate::{
    ledger::{Ledger, names},
    logging,
    stream::Stream,
};
use std::time::{Duration, SystemTime};

/// How many ledgers may wait for their reader.
const LEDGERS: usize = 16;

static STDOUT: Stream = Stream::new(rustix::stdio::stdout, LEDGERS);

/// Whose ledgers they are.
pub(super) struct Books {
    /// The relay's instance, as configured.
    pub(super) instance: String,
}

impl Books {
    /// Prints the ledger after those that still wait, and waits at most `patience` for the reader. If there is no room, it
    /// is left out.
    pub(super) fn print(&self, ledger: &Ledger, patience: Duration) {
        let is_read = STDOUT.write(patience);
        if !STDOUT.keep(format!("{}\n", self.text(ledger)).into_bytes()) {
            tracing::warn!(
                "a ledger is left out: {LEDGERS} wait on stdout and nobody reads it; read it, or send it to a file"
            );
        } else if is_read {
            STDOUT.write(patience);
        }
    }

    /// Prints the last ledger like [`Self::print`], and warns if it cannot be written.
    pub(super) fn print_last(&self, ledger: &Ledger, patience: Duration) {
        self.print(ledger, patience);
        if STDOUT.is_waiting() {
            tracing::warn!(
                "the last ledger is not written: nobody reads stdout; read it, or send it to a file"
            );
            logging::flush();
        }
    }

    /// Writes ledgers that wait, as far as their reader reads. Waits for nobody.
    pub(super) fn write_waiting() {
        if STDOUT.is_waiting() {
            STDOUT.write(Duration::ZERO);
        }
    }

    fn text(&self, ledger: &Ledger) -> String {
        let mut value = ledger.to_json();
        let since_1970 = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        value[names::TIME] = since_1970.as_secs_f64().into();
        value[names::INSTANCE] = self.instance.as_str().into();
        value[names::VERSION] = env!("CARGO_PKG_VERSION").into();
        value.to_string()
    }
}
