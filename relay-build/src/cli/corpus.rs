//! The options with which commands read files of lines.
//!
//! Reading and decompressing the files is in `relay_build::corpus`.

use anyhow::Context as _;
use clap::Args;
use relay_build::{analyses::Traffic, config::Checked, corpus::Corpus};
use std::path::{Path, PathBuf};

/// What steers the strategies.
#[derive(Args, Clone)]
pub(crate) struct Steering {
    /// Lines that really came (as `relay record` takes them): steers what rules wait for and in which order they ask
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
}

impl Steering {
    /// Counts what the corpus answers the rules' questions, if there is one.
    pub(crate) fn steer(&self, checked: &mut Checked) -> anyhow::Result<()> {
        if let Some(path) = &self.corpus {
            let traffic = Traffic::of(&checked.plan, &read(path)?);
            checked.traffic = Some(traffic.with_context(|| format!("cannot use {}", path.display()))?);
        }
        Ok(())
    }
}

/// Reads lines, compressed or not.
pub(crate) fn read(path: &Path) -> anyhow::Result<Corpus> {
    Corpus::read(path).with_context(|| format!("cannot read {}", path.display()))
}
