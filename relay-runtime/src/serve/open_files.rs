//! Raises the number of files that the process may have open: every connection is one.
//!
//! A limit that cannot be raised is not an error.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the limit to the maximum that the system allows this process, because the usual soft limit of 1,024
/// is below the usual number of connections.
pub fn raise_open_files_max() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    // Without it nothing is lost: connections above the limit are refused one by one, with a log line.
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => tracing::debug!(limit = ?limit.maximum, "open files"),
        Err(error) => tracing::debug!(%error, limit = ?limit.current, "cannot raise the limit of open files"),
    }
}
