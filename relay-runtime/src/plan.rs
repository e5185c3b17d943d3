//! The plan: a checked configuration as plain data. Only the plan defines what a relay does.
//!
//! relay-build makes it from a configuration and embeds it in every relay as JSON. The interpreter, the
//! compiled dispatch, `trace`, `explain` and the admin views read it.

use crate::{settings::Settings, table::Table};
use serde::{Deserialize, Serialize};

/// A checked configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The settings of the process.
    pub settings: Settings,
    /// What happens to a line.
    pub table: Table,
}

impl Plan {
    /// Parses the JSON that relay-build of the same version has embedded.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}
