//! The number of files that the system lets a process have open: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Asks the system for as many open files as it allows this process at all, since the usual soft limit of 1,024 is
/// below the usual number of connections.
pub fn raise_open_files_max() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    // Without it nothing is lost: the connections that do not fit are refused one by one, with a log line.
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => tracing::debug!(limit = ?limit.maximum, "open files"),
        Err(error) => tracing::debug!(%error, limit = ?limit.current, "cannot raise the limit of open files"),
    }
}
