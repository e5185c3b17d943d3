//! The generated crate on disk, and cargo's run over it.
//!
//! In the cache, the crate and the copy of the runtime are members of one workspace whose root is the cache. Cargo then
//! names both by their places in it, and rustc is told to call the cache and cargo's own directory by fixed names, so
//! that nothing in a relay depends on where it was built. With the sources wanted, the crate stands by itself.

use super::{BuildError, Profile, create, write};
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Cargo's manifest of a generated crate that stands by itself.
const TEMPLATE: &str = include_str!("../../../templates/program/Cargo.toml.in");

/// Where a generated crate finds its dependencies.
pub(super) enum Workspace<'a> {
    /// The crate is its own: the runtime lies in this directory.
    Own(&'a Path),
    /// The crate and the runtime are members of the cache's workspace.
    Cache,
}

/// Writes a crate of these files. `lock` is the lock file to start from.
pub(super) fn write_crate(
    package: &Path,
    name: &str,
    files: &[(String, String)],
    workspace: &Workspace<'_>,
    lock: &Path,
) -> Result<(), BuildError> {
    create(&package.join("src"))?;
    let manifest = match workspace {
        Workspace::Own(runtime) => cargo_toml(name, &runtime.to_string_lossy()),
        Workspace::Cache => {
            let mut manifest: toml::Table =
                cargo_toml(name, "../../relay-runtime").parse().unwrap_or_default();
            manifest.retain(|key, _| key != "workspace" && key != "profile");
            manifest.to_string()
        }
    };
    write(&package.join("Cargo.toml"), manifest.as_bytes())?;
    let root = if matches!(workspace, Workspace::Cache) { package.join("../..") } else { package.to_owned() };
    if let Ok(text) = fs::read(lock) {
        // Cargo drops what the crate does not need and keeps the versions of what it does.
        write(&root.join("Cargo.lock"), &text)?;
    }
    for (name, text) in files {
        write(&package.join("src").join(name), text.as_bytes())?;
    }
    Ok(())
}

/// Leaves the sources as rustfmt would, under the settings that hold there. They are for people; without rustfmt they
/// are readable too, and mean the same.
pub(super) fn tidy(package: &Path) {
    let done = Command::new("rustfmt").args(["--edition", "2024"]).arg(package.join("src/main.rs")).output();
    drop(done);
}

/// The profiles that a crate is compiled with, for the root of its workspace.
pub(super) fn profiles(name: &str) -> Option<toml::Value> {
    cargo_toml(name, "").parse::<toml::Table>().ok()?.remove("profile")
}

fn cargo_toml(name: &str, runtime: &str) -> String {
    let path = serde_json::to_string(runtime).unwrap_or_default();
    TEMPLATE.replace("@NAME@", name).replace("@RUNTIME@", &path)
}

/// Compiles a crate of the cache and says where the executable is.
pub(super) fn compile(
    package: &Path,
    name: &str,
    profile: Profile,
    cache: &Path,
) -> Result<PathBuf, BuildError> {
    let target = cache.join("target");
    let offline = cargo(package, &target, profile, cache, true)?;
    let output =
        if offline.status.success() { offline } else { cargo(package, &target, profile, cache, false)? };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(BuildError::Cargo { package: package.to_owned(), said });
    }
    Ok(target.join(if profile == Profile::Release { "release" } else { "debug" }).join(name))
}

fn cargo(
    package: &Path,
    target: &Path,
    profile: Profile,
    cache: &Path,
    offline: bool,
) -> Result<Output, BuildError> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(&program);
    command.arg("build").arg("--manifest-path").arg(package.join("Cargo.toml"));
    command.arg("--target-dir").arg(target);
    if profile == Profile::Release {
        command.arg("--release");
    }
    if offline {
        command.arg("--offline");
    }
    // The separator is the unit separator, since paths may have spaces.
    let home = std::env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    let remap = [(cache, "relay"), (home.as_path(), "cargo")];
    let mut flags = String::new();
    for (from, to) in remap {
        let separator = if flags.is_empty() { "" } else { "\u{1f}" };
        let written = write!(flags, "{separator}--remap-path-prefix={}={to}", from.display());
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    command.env("CARGO_ENCODED_RUSTFLAGS", flags).env_remove("RUSTFLAGS");
    command.output().map_err(|error| BuildError::Start(program, error))
}
