//! The pid file: written before a relay serves, removed when it has ended in any way but a kill.
//!
//! It is left alone if another process has put its own number there meanwhile.

use std::{fs, io, path::PathBuf, process};

/// A pid file with this process' number; dropping it removes the file.
#[derive(Debug)]
pub(super) struct PidFile(PathBuf);

impl PidFile {
    /// Writes the number of this process to `path`, over what is there.
    pub(super) fn write(path: PathBuf) -> io::Result<Self> {
        fs::write(&path, format!("{}\n", process::id()))?;
        Ok(Self(path))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        let Self(path) = self;
        let is_ours = fs::read_to_string(&*path).is_ok_and(|text| text.trim() == process::id().to_string());
        if is_ours && let Err(error) = fs::remove_file(&*path) {
            tracing::warn!(path = %path.display(), %error, "cannot remove the pid file");
        }
    }
}
