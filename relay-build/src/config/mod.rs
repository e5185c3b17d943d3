//! Front ends: from what was written to what it means.

mod origins;

use crate::diagnostics::Diagnostic;
use relay_runtime::plan::Plan;
use std::{collections::BTreeMap, path::PathBuf};

pub use origins::Origins;

/// A configuration file as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The path as given, for messages.
    pub path: PathBuf,
    /// The file's text, exactly.
    pub text: String,
}

/// What checking a configuration returns: as much of a plan as could be made, and every problem found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What was read.
    pub source: Source,
    /// What it means. Of no use when a diagnostic is an error.
    pub plan: Plan,
    /// Where each rule was written.
    pub origins: Origins,
    /// Every problem, in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// The variables that were fixed now, by name, with their values.
    pub variables: BTreeMap<String, String>,
}

impl Source {
    /// Line and column, both from 1, of a byte; the column counts characters.
    #[must_use]
    pub fn line_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }
}
