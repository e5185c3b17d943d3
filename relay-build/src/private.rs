//! Makes files that only their owner can read, for a configuration that contains a secret.
//!
//! A diagnostic has reported the secret ([`codes::LITERAL_SECRET`]). The secret is in the relay, in
//! `inputs.json`, in generated code and in packages. So the process sets a file mask for everything that a
//! build writes, cargo's files included.

use crate::{config::Checked, diagnostics::codes};
use rustix::{fs::Mode, process::umask};

/// While this value exists, only the owner can read new files.
#[derive(Debug)]
pub(crate) struct Private(Option<Mode>);

impl Private {
    /// Does nothing for a configuration without secrets.
    pub(crate) fn of(checked: &Checked) -> Self {
        let has_secret = checked.all_diagnostics().any(|one| one.code == codes::LITERAL_SECRET);
        Self(has_secret.then(|| umask(Mode::RWXG | Mode::RWXO)))
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Some(mode) = self.0 {
            umask(mode);
        }
    }
}
