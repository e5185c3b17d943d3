//! The runtime's sources as generated crates see them: a copy at a place of its own in the cache.
//!
//! Where relay-build was checked out must not matter: paths are part of what cargo compares and of what rustc is told to
//! forget, so each other checkout would compile everything again. Only files that differ are written, since cargo goes
//! by their times.

use super::{BuildError, cargo::profiles, create, read, write};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

const NAME: &str = "relay-runtime";

/// Brings the copy in `cache` up to date, makes the cache a workspace of it and the generated crate `member`, and returns
/// the copy's directory.
pub(super) fn copy(from: &Path, cache: &Path, member: &str) -> Result<PathBuf, BuildError> {
    let to = cache.join(NAME);
    let workspace = from.join("../Cargo.toml");
    let alone = alone(&String::from_utf8_lossy(&read(&workspace)?), member);
    let alone = alone.map_err(|error| BuildError::File(workspace, io::Error::other(error)))?;
    copy_directory(&from.join("src"), &to.join("src"))?;
    write(&to.join("Cargo.toml"), &read(&from.join("Cargo.toml"))?)?;
    write(&cache.join("Cargo.toml"), alone.as_bytes())?;
    Ok(to)
}

/// A workspace's manifest with the runtime and a generated crate as its only members.
fn alone(manifest: &str, member: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut manifest: toml::Table = manifest.parse()?;
    manifest.retain(|key, _| key == "workspace");
    let workspace =
        manifest.get_mut("workspace").and_then(toml::Value::as_table_mut).ok_or("no workspace")?;
    workspace.insert("members".to_owned(), vec![NAME.to_owned(), format!("crate/{member}")].into());
    if let Some(profiles) = profiles(member) {
        manifest.insert("profile".to_owned(), profiles);
    }
    Ok(toml::to_string(&manifest)?)
}

/// Makes `to` equal to `from`.
fn copy_directory(from: &Path, to: &Path) -> Result<(), BuildError> {
    create(to)?;
    let entries = |directory: &Path| -> Result<Vec<fs::DirEntry>, BuildError> {
        let entries = fs::read_dir(directory).and_then(Iterator::collect);
        entries.map_err(|error| BuildError::File(directory.to_owned(), error))
    };
    for entry in entries(from)? {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy_directory(&path, &copy)?;
        } else {
            write(&copy, &read(&path)?)?;
        }
    }
    for entry in entries(to)? {
        let path = entry.path();
        if !from.join(entry.file_name()).exists() {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.map_err(|error| BuildError::File(path, error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn the_copy_is_complete_and_leaves_equal_files_alone() {
        let (from, cache) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let runtime = from.path().join(NAME);
        fs::create_dir_all(runtime.join("src/inner")).unwrap();
        fs::write(
            from.path().join("Cargo.toml"),
            "[workspace]\nmembers = [\"a\", \"b\"]\n[workspace.dependencies]\nx = \"1\"\n[profile.dev]\ndebug = 1\n",
        )
        .unwrap();
        for file in ["Cargo.toml", "src/lib.rs", "src/old.rs", "src/inner/mod.rs"] {
            fs::write(runtime.join(file), file).unwrap();
        }
        let copied = copy(&runtime, cache.path(), "relay-0").unwrap();
        let manifest: toml::Table =
            fs::read_to_string(cache.path().join("Cargo.toml")).unwrap().parse().unwrap();
        assert_eq!(manifest["workspace"]["members"], vec![NAME, "crate/relay-0"].into());
        assert!(manifest["profile"]["release"]["package"].get("relay-0").is_some());
        assert_eq!(manifest["workspace"]["dependencies"]["x"].as_str(), Some("1"));
        let times = |files: &[&str]| -> BTreeMap<String, std::time::SystemTime> {
            let time = |file: &&str| {
                ((*file).to_owned(), fs::metadata(copied.join(file)).unwrap().modified().unwrap())
            };
            files.iter().map(time).collect()
        };
        let kept = ["Cargo.toml", "src/lib.rs", "src/inner/mod.rs"];
        let before = times(&kept);
        fs::remove_file(runtime.join("src/old.rs")).unwrap();
        fs::write(runtime.join("src/lib.rs"), "src/lib.rs").unwrap();
        copy(&runtime, cache.path(), "relay-0").unwrap();
        assert_eq!(times(&kept), before);
        assert!(!copied.join("src/old.rs").exists());
        fs::write(runtime.join("src/lib.rs"), "changed").unwrap();
        copy(&runtime, cache.path(), "relay-0").unwrap();
        assert_eq!(fs::read_to_string(copied.join("src/lib.rs")).unwrap(), "changed");
    }
}
