//! Reopens stdout and stderr if they are files, as in `relay 2>> relay.log`: SIGHUP opens them again under the
//! names that they had at the start, so that a log can be rotated. Pipes, terminals and the journal cannot be
//! reopened.
//!
//! If reopening fails, the old file stays in use.

use crate::shortage::Explained;
use rustix::{
    io::Result as OsResult,
    stdio::{dup2_stderr, dup2_stdout},
};
use std::{
    fs::{self, OpenOptions},
    os::{fd::OwnedFd, unix::fs::MetadataExt as _},
    path::{Path, PathBuf},
};

/// The streams that are files.
pub(super) struct OutputFiles(Vec<OutputFile>);

struct OutputFile {
    path: PathBuf,
    replace: Replace,
}

/// Replaces one of the two streams by a file.
type Replace = fn(OwnedFd) -> OsResult<()>;

impl OutputFiles {
    /// Records the names of the files. If the system does not tell a name, the stream counts as not a file.
    pub(super) fn find() -> Self {
        let both: [(&str, Replace); 2] = [("/proc/self/fd/1", dup2_stdout), ("/proc/self/fd/2", dup2_stderr)];
        let found = both.into_iter().filter_map(|(link, replace)| {
            path_of_file(Path::new(link)).map(|path| OutputFile { path, replace })
        });
        Self(found.collect())
    }

    /// Reopens the files, and logs it.
    pub(super) fn reopen(&self) {
        if self.0.is_empty() {
            tracing::info!(
                "SIGHUP: the log is not a file, so it cannot be reopened; a relay's routing is built in and changes only with a new build"
            );
        }
        for OutputFile { path, replace } in &self.0 {
            let opened = OpenOptions::new().append(true).create(true).open(path);
            let path = path.display();
            match opened.and_then(|file| Ok(replace(file.into())?)) {
                Ok(()) => tracing::info!(%path, "SIGHUP: reopened"),
                Err(error) => {
                    tracing::error!(%path, error = %Explained(&error), "SIGHUP: the log cannot be reopened, the old file stays in use");
                }
            }
        }
    }
}

/// The path of a regular file that is open, if the path still leads to it.
fn path_of_file(link: &Path) -> Option<PathBuf> {
    let path = fs::read_link(link).ok()?;
    let (open, named) = (fs::metadata(link).ok()?, fs::metadata(&path).ok()?);
    let is_same = (open.dev(), open.ino()) == (named.dev(), named.ino());
    (open.is_file() && is_same).then_some(path)
}
