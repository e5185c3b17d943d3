//! The plan: the one thing with meaning. `relay-build` makes it from a configuration and embeds it in every
//! relay, as JSON; the interpreter, the compiled dispatch, `trace`, `explain` and the admin views read it.

use crate::{settings::Settings, table::Table};
use serde::{Deserialize, Serialize};

/// A checked configuration.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// What the process is told.
    pub settings: Settings,
    /// What happens to a line.
    pub table: Table,
}

impl Plan {
    /// Reads what `relay-build` of the same version embedded.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}
