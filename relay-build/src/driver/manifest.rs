//! What an artifact was built from, as `manifest.json` and in the relay itself.
//!
//! Its form is a promise to programs: docs/manifest.schema.json says what is in it. No path, host or time is.

use super::{Profile, sha256, target::PORTABLE};
use crate::config::Checked;
use serde::{Deserialize, Serialize};

/// What an artifact was built from. What is known before the build is also embedded in the relay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// What built it.
    pub tool: String,
    /// relay-build's.
    pub version: String,
    /// The configuration's file name, without directories.
    #[serde(default)]
    pub config: String,
    /// The environment that it is for, if one was named.
    pub environment: Option<String>,
    /// Of the configuration's text.
    pub config_sha256: String,
    /// Of the plan as JSON.
    pub plan_sha256: String,
    /// Of the corpus that the strategies were chosen for, if there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub corpus_sha256: Option<String>,
    /// The names of the variables that were fixed.
    pub variables: Vec<String>,
    /// `rustc --version`.
    pub rustc: String,
    /// The target triple.
    pub target: String,
    /// The oldest processors that it runs on; vector code is chosen when it runs.
    pub cpu: String,
    /// What it was tuned for.
    pub profile: String,
    /// Cargo features of relay-runtime.
    pub features: Vec<String>,
    /// Of the relay; not in the embedded form.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub binary_sha256: Option<String>,
    /// Its size; not in the embedded form.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub binary_bytes: Option<u64>,
}

/// What is known of a plan, whatever it is compiled for.
pub(crate) fn manifest(checked: &Checked) -> Manifest {
    Manifest {
        tool: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config: checked
            .source
            .path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        environment: checked.environment.clone(),
        config_sha256: sha256(checked.source.text.as_bytes()),
        plan_sha256: sha256(&serde_json::to_vec(&checked.plan).unwrap_or_default()),
        corpus_sha256: checked.traffic.as_ref().map(|traffic| traffic.corpus_sha256.clone()),
        variables: checked.variables.keys().cloned().collect(),
        cpu: PORTABLE.to_owned(),
        profile: Profile::Server.name().to_owned(),
        ..Manifest::default()
    }
}
