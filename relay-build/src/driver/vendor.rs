//! All that building relays needs beside Rust itself, in a directory: then no network is needed.

use super::{
    BuildError, create, process,
    sources::{RUNTIME, Sources},
    write,
};
use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// A directory that [`vendor`] left.
#[derive(Clone, Debug)]
pub(super) struct Vendor(PathBuf);

impl Vendor {
    /// The directory that was named, or the one of `RELAY_BUILD_VENDOR`.
    pub(super) fn find(given: Option<&Path>) -> Result<Option<Self>, BuildError> {
        let named =
            || std::env::var_os("RELAY_BUILD_VENDOR").filter(|name| !name.is_empty()).map(PathBuf::from);
        let Some(directory) = given.map(Path::to_owned).or_else(named) else { return Ok(None) };
        let vendor =
            directory.canonicalize().map(Self).map_err(|_| BuildError::NoVendor(directory.clone()))?;
        // What it was made from must be what relays are compiled from.
        let lock =
            fs::read(vendor.0.join("Cargo.lock")).map_err(|_| BuildError::NoVendor(directory.clone()))?;
        if Some(lock.as_slice()) == Sources::get()?.lock_file() {
            Ok(Some(vendor))
        } else {
            Err(BuildError::OldVendor(directory))
        }
    }

    /// Where the crates lie.
    pub(super) fn crates(&self) -> PathBuf {
        self.0.join("crates")
    }

    /// Makes cargo look there and nowhere else.
    pub(super) fn cargo_options(&self) -> [OsString; 4] {
        let crates = toml::Value::from(self.crates().to_string_lossy().into_owned());
        [
            "--config".into(),
            "source.crates-io.replace-with=\"relay-vendor\"".into(),
            "--config".into(),
            format!("source.relay-vendor.directory={crates}").into(),
        ]
    }
}

/// Puts every crate that a relay of any configuration may need into `directory`, with the lock file that names them.
/// Returns how many there are.
pub fn vendor(directory: &Path) -> Result<usize, BuildError> {
    let fail = |error| BuildError::File(directory.to_owned(), error);
    create(directory)?;
    let sources = Sources::get()?;
    // A workspace of the runtime alone, so that nothing is there which only relay-build needs.
    let work = tempfile::tempdir().map_err(fail)?;
    sources.copy(work.path())?;
    let mut root = toml::Table::new();
    root.insert("workspace".to_owned(), sources.workspace(&[RUNTIME])?.into());
    write(&work.path().join("Cargo.toml"), root.to_string().as_bytes())?;
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&program);
    command.args(["vendor", "--versioned-dirs", "--manifest-path"]);
    command.arg(work.path().join("Cargo.toml")).arg(directory.join("crates"));
    let output = process::run(command, |_| {})?;
    if !output.status.success() {
        return Err(BuildError::Cargo { package: directory.to_owned(), said: output.stderr });
    }
    write(&directory.join("Cargo.lock"), sources.lock_file().unwrap_or_default())?;
    let crates = fs::read_dir(directory.join("crates")).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    Ok(crates.map_err(fail)?.len())
}
