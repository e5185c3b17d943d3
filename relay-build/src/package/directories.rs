//! The directories in which a relay writes: spools, open buckets, its pid file.
//!
//! A package creates them and gives them to the relay's user; a path that a package cannot create is an error.

use super::PackageError;
use relay_runtime::{plan::Plan, table::Template};
use serde::Serialize;

/// A directory outside of `home` whose contents must outlive the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Mount {
    /// The name of its volume.
    pub(super) volume: &'static str,
    pub(super) path: String,
}

/// A directory that must outlive the process.
pub(super) struct Storage<'p> {
    key: &'static str,
    pub(super) volume: &'static str,
    path: &'p Template,
}

impl Storage<'_> {
    /// The variable, if the path consists of one and nothing else.
    pub(super) fn variable(&self) -> Option<&str> {
        let name = self.path.variables().next()?;
        (self.path.0 == format!("${{{name}}}") || self.path.0 == format!("${name}")).then_some(name)
    }

    /// The directory to mount for it; `None` if it is inside `home`.
    pub(super) fn mount(&self, home: &str) -> Result<Option<Mount>, PackageError> {
        let path = self.path.0.as_str();
        if self.variable().is_some() || !path.starts_with(['/', '$']) {
            return Ok(None);
        }
        let open = || PackageError::OpenDirectory { key: self.key, path: path.to_owned() };
        let literal = path.split('$').next().unwrap_or_default();
        let literal = if literal.len() == path.len() {
            path.trim_end_matches('/')
        } else {
            literal.rsplit_once('/').map_or("", |(front, _)| front)
        };
        // Other characters would mean something in units, Dockerfiles or manifests.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        if literal.is_empty() || !literal.chars().all(is_plain) {
            return Err(open());
        }
        let is_in_home =
            literal == home || literal.strip_prefix(home).is_some_and(|rest| rest.starts_with('/'));
        Ok((!is_in_home).then(|| Mount { volume: self.volume, path: literal.to_owned() }))
    }
}

/// The directories whose contents must outlive the process.
pub(super) fn storage(plan: &Plan) -> Vec<Storage<'_>> {
    let spools = plan.table.destinations.iter().any(|destination| destination.options.spool);
    let spool =
        spools.then_some(Storage { key: "spool_dir", volume: "spool", path: &plan.settings.spool_dir });
    let state = plan.settings.state_dir.as_ref().filter(|_| !plan.table.aggregators.is_empty());
    let state = state.map(|path| Storage { key: "state_dir", volume: "state", path });
    spool.into_iter().chain(state).collect()
}

/// The directory below `/run` for the pid file, if one is configured. Anywhere else only root may write, which
/// is an error.
pub(super) fn runtime_directory(plan: &Plan) -> Result<Option<String>, PackageError> {
    let Some(path) = &plan.settings.pid_file else { return Ok(None) };
    let directory = ["/run/", "/var/run/"]
        .iter()
        .find_map(|run| path.0.strip_prefix(run))
        .and_then(|rest| rest.rsplit_once('/'))
        .map(|(directory, _)| directory.to_owned());
    match directory {
        Some(directory) if path.is_closed() => Ok(Some(directory)),
        _ => Err(PackageError::PidFile { path: path.0.clone() }),
    }
}
