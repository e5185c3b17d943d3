//! The number of files that the system lets a process have open: every connection is one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Asks the system for as many open files as it allows this process at all, since the usual soft limit of 1,024 is
/// below the usual number of connections. Gives the limit that is in force then; `None` for no limit.
pub fn raise_open_files_max() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        // Nothing is lost by it: the connections that do not fit are refused one by one, with a log line.
        Err(_) => limit.current,
    }
}
