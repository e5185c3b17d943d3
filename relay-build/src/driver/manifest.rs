//! The manifest: what an artifact was built from. It is in `manifest.json` and in the relay itself.
//!
//! Programs rely on its form, which docs/manifest.schema.json describes. It contains no path, host or time.

use super::{Profile, sha256, target::PORTABLE};
use crate::config::Checked;
use serde::{Deserialize, Serialize};

/// What an artifact was built from. The part that is known before the build is also embedded in the relay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The name of the program that built it.
    pub tool: String,
    /// The version of relay-build.
    pub version: String,
    /// The configuration's file name, without directories.
    #[serde(default)]
    pub config: String,
    /// The environment, if one was named.
    pub environment: Option<String>,
    /// The digest of the configuration's text.
    pub config_sha256: String,
    /// The digest of the plan as JSON.
    pub plan_sha256: String,
    /// The digest of the corpus for which strategies were chosen, if there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub corpus_sha256: Option<String>,
    /// The names of the variables that got their value in the build.
    pub variables: Vec<String>,
    /// `rustc --version`.
    pub rustc: String,
    /// The target triple.
    pub target: String,
    /// The oldest processor on which it runs; wider vector code is chosen at run time.
    pub cpu: String,
    /// The profile of the build.
    pub profile: String,
    /// Cargo features of relay-runtime.
    pub features: Vec<String>,
    /// The digest of the relay; not in the embedded form.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub binary_sha256: Option<String>,
    /// Its size; not in the embedded form.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub binary_bytes: Option<u64>,
}

/// The part that follows from the plan, whatever it is compiled for.
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
