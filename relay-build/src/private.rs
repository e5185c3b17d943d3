//! Files that only their owner can read: what is written of a configuration with a secret in it.
//!
//! The secret was warned of ([`codes::LITERAL_SECRET`]). It is in the relay itself, in `inputs.json`, in generated code and in
//! packages, so everything that a build makes, cargo's files included, is made under a mask of the process.

use crate::{config::Checked, diagnostics::codes};
use rustix::{fs::Mode, process::umask};

/// While it lives, new files are readable by their owner only.
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
