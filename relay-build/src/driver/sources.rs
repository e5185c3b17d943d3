//! The sources from which relays are compiled, apart from their own crate: relay-runtime, the versions of its
//! dependencies, and the lock file.
//!
//! relay-build contains them; if `RELAY_RUNTIME_DIR` is set, they are read from that directory instead. Each
//! cache has a copy of them, because cargo compares paths, and the origin of relay-build must not matter.
//! Only files that differ are written, because cargo compares their times.

use super::{BuildError, create, read, write};
use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// The directory of the runtime, in the copy and in the packed sources.
pub(super) const RUNTIME: &str = "relay-runtime";

static PACKED: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// Files by their paths within a workspace.
#[derive(Debug)]
pub(super) struct Sources(BTreeMap<PathBuf, Cow<'static, [u8]>>);

impl Sources {
    /// Returns the sources from which relays are compiled.
    pub(super) fn get() -> Result<Self, BuildError> {
        match std::env::var_os("RELAY_RUNTIME_DIR").map(PathBuf::from) {
            None => {
                Ok(Self(PACKED.iter().map(|(path, bytes)| (path.into(), Cow::Borrowed(*bytes))).collect()))
            }
            Some(directory) => match directory.canonicalize() {
                Ok(directory) => Self::read(&directory),
                Err(_) => Err(BuildError::NoRuntime(directory)),
            },
        }
    }

    /// Reads the sources of a checkout; `runtime` is the directory of relay-runtime in it.
    fn read(runtime: &Path) -> Result<Self, BuildError> {
        let mut files = BTreeMap::new();
        for name in ["Cargo.toml", "Cargo.lock"] {
            files.insert(name.into(), Cow::Owned(read(&runtime.join("..").join(name))?));
        }
        let to = Path::new(RUNTIME);
        files.insert(to.join("Cargo.toml"), Cow::Owned(read(&runtime.join("Cargo.toml"))?));
        for path in all_files(&runtime.join("src"))? {
            let name = path.strip_prefix(runtime).unwrap_or(&path);
            files.insert(to.join(name), Cow::Owned(read(&path)?));
        }
        Ok(Self(files))
    }

    /// Writes the runtime and the lock file to a directory, and removes other files of the runtime there.
    pub(super) fn copy(&self, to: &Path) -> Result<(), BuildError> {
        let files = || self.0.iter().filter(|(path, _)| *path != Path::new("Cargo.toml"));
        for (path, bytes) in files() {
            let path = to.join(path);
            path.parent().map_or(Ok(()), create)?;
            write(&path, bytes)?;
        }
        let wanted: BTreeSet<PathBuf> = files().map(|(path, _)| to.join(path)).collect();
        for old in all_files(&to.join(RUNTIME).join("src"))? {
            if !wanted.contains(&old) {
                fs::remove_file(&old).map_err(|error| BuildError::File(old, error))?;
            }
        }
        Ok(())
    }

    /// The lock file.
    pub(super) fn lock_file(&self) -> Option<&[u8]> {
        self.0.get(Path::new("Cargo.lock")).map(AsRef::as_ref)
    }

    /// The `[workspace]` of the copy, with these members.
    pub(super) fn workspace(&self, members: &[&str]) -> Result<toml::Table, BuildError> {
        let fail = |error: String| BuildError::File("Cargo.toml".into(), io::Error::other(error));
        let text = self.0.get(Path::new("Cargo.toml")).map(|bytes| String::from_utf8_lossy(bytes));
        let mut manifest: toml::Table =
            text.unwrap_or_default().parse().map_err(|error: toml::de::Error| fail(error.to_string()))?;
        let workspace = manifest.get_mut("workspace").and_then(toml::Value::as_table_mut);
        let workspace = workspace.ok_or_else(|| fail("no workspace".to_owned()))?;
        workspace.insert("members".to_owned(), members.to_vec().into());
        Ok(std::mem::take(workspace))
    }
}

/// All files under a directory, which need not exist.
fn all_files(directory: &Path) -> Result<Vec<PathBuf>, BuildError> {
    let fail = |error| BuildError::File(directory.to_owned(), error);
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(fail)?,
    };
    let mut files = Vec::new();
    for path in entries.into_iter().map(|entry| entry.path()) {
        if path.is_dir() {
            files.extend(all_files(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_what_lies_there() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../relay-runtime").canonicalize().unwrap();
        let there = Sources::read(&here).unwrap().0;
        let packed: BTreeMap<_, _> =
            PACKED.iter().map(|(path, bytes)| (PathBuf::from(path), *bytes)).collect();
        assert!(there.keys().eq(packed.keys()));
        let differ = there.iter().filter(|(path, bytes)| bytes.as_ref() != packed[*path]);
        let differ: Vec<_> = differ.map(|(path, _)| path).collect();
        assert!(differ.is_empty(), "{differ:?}");
    }

    #[test]
    fn the_copy_is_complete_and_leaves_equal_files_alone() {
        let (from, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let runtime = from.path().join(RUNTIME);
        fs::create_dir_all(runtime.join("src/inner")).unwrap();
        let manifest = "[workspace]\nmembers = [\"a\", \"b\"]\n[workspace.dependencies]\nx = \"1\"\n";
        fs::write(from.path().join("Cargo.toml"), manifest).unwrap();
        fs::write(from.path().join("Cargo.lock"), "version = 4\n").unwrap();
        for file in ["Cargo.toml", "src/lib.rs", "src/old.rs", "src/inner/mod.rs"] {
            fs::write(runtime.join(file), file).unwrap();
        }
        let copy = || {
            let sources = Sources::read(&runtime).unwrap();
            sources.copy(cache.path()).unwrap();
            sources.workspace(&[RUNTIME, "crate/relay-0"]).unwrap()
        };
        let workspace = copy();
        assert_eq!(workspace["members"], vec![RUNTIME, "crate/relay-0"].into());
        assert_eq!(workspace["dependencies"]["x"].as_str(), Some("1"));
        let copied = cache.path().join(RUNTIME);
        let kept = ["Cargo.toml", "src/lib.rs", "src/inner/mod.rs"];
        let times = || kept.map(|file| fs::metadata(copied.join(file)).unwrap().modified().unwrap());
        let before = times();
        fs::remove_file(runtime.join("src/old.rs")).unwrap();
        fs::write(runtime.join("src/lib.rs"), "src/lib.rs").unwrap();
        copy();
        assert_eq!(times(), before);
        assert!(!copied.join("src/old.rs").exists());
        fs::write(runtime.join("src/lib.rs"), "changed").unwrap();
        copy();
        assert_eq!(fs::read_to_string(copied.join("src/lib.rs")).unwrap(), "changed");
    }
}
