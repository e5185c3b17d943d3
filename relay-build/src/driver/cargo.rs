//! The generated crate on disk, and cargo's run over it.
//!
//! In the cache, the crate and the copy of the runtime are members of one workspace whose root is the cache. Cargo then
//! names both by their places in it, and rustc is told to call the cache and the places of all other crates by fixed names,
//! so that nothing in a relay depends on where it was built. With the sources wanted, the crate is the root itself.

use super::{
    BuildError, Profile, Progress,
    crates::Watch,
    create,
    process::{self, Finished, Heard},
    sources::{RUNTIME, Sources},
    target::Target,
    vendor::Vendor,
    write,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Cargo's manifest of a generated crate that is the root of its workspace.
const TEMPLATE: &str = include_str!("../../packed/templates/program/Cargo.toml.in");

/// What the linker leaves out of an appliance's relay, for the root of the workspace: linkers are started there.
const LEFT_OUT: (&str, &str) = ("relay.ld", include_str!("../../packed/templates/program/relay.ld"));

/// A crate that is written and compiled.
pub(super) struct Job<'a> {
    pub(super) name: &'a str,
    /// Of relay-runtime.
    pub(super) features: &'a [String],
    pub(super) profile: Profile,
    pub(super) target: &'a Target,
    /// The root of the workspace that it is a member of.
    pub(super) cache: &'a Path,
    pub(super) vendor: Option<&'a Vendor>,
}

/// Writes a crate of these files that is the root of a workspace with the runtime in it.
pub(super) fn write_alone(
    package: &Path,
    name: &str,
    features: &[String],
    files: &[(String, String)],
    sources: &Sources,
) -> Result<(), BuildError> {
    sources.copy(package)?;
    let mut workspace = toml::Table::new();
    workspace.insert("workspace".to_owned(), sources.workspace(&[RUNTIME])?.into());
    let manifest = cargo_toml(name, RUNTIME, features, &workspace.to_string());
    write_package(package, &manifest, files)
}

impl Job<'_> {
    fn package(&self) -> PathBuf {
        self.cache.join("crate").join(self.name)
    }

    /// Writes the crate into the cache's workspace.
    pub(super) fn write(&self, files: &[(String, String)], sources: &Sources) -> Result<(), BuildError> {
        sources.copy(self.cache)?;
        let runtime = format!("../../{RUNTIME}");
        let mut package: toml::Table =
            cargo_toml(self.name, &runtime, self.features, "").parse().unwrap_or_default();
        let mut root = toml::Table::new();
        let member = format!("crate/{}", self.name);
        root.insert("workspace".to_owned(), sources.workspace(&[RUNTIME, &member])?.into());
        // Profiles are the root's to say.
        root.extend(package.remove("profile").map(|profiles| ("profile".to_owned(), profiles)));
        write(&self.cache.join("Cargo.toml"), root.to_string().as_bytes())?;
        write(&self.cache.join(LEFT_OUT.0), LEFT_OUT.1.as_bytes())?;
        write_package(&self.package(), &package.to_string(), files)
    }

    /// Compiles it. Returns where the executable is, and the names of the crates that were compiled.
    pub(super) fn compile(
        &self,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(PathBuf, Vec<String>), BuildError> {
        let tree = self.fetched(progress)?;
        let (target, profile) = (self.target.triple.as_str(), self.profile.cargo_name());
        let key = format!("{profile} {target} {}", self.target.cpu.as_deref().unwrap_or_default());
        let mut watch = Watch::new(self.name, &tree, self.cache, key);
        let build = ["build", "--target", target, "--profile", profile];
        let build = [&build[..], &["--message-format", "json-render-diagnostics"]].concat();
        let output = self.run(&build, true, |heard| progress(Progress::Compiling(watch.hear(&heard))))?;
        if !output.status.success() {
            return Err(BuildError::Cargo { package: self.package(), said: output.stderr });
        }
        let path = self.target_directory().join(target).join(self.profile.cargo_directory()).join(self.name);
        Ok((path, watch.finish()))
    }

    /// Sees to it that all crates are on this machine, and so that it is known where. Returns a line for each that is to be
    /// compiled, what only builds others included.
    fn fetched(&self, progress: &mut dyn FnMut(Progress<'_>)) -> Result<String, BuildError> {
        let target = self.target.triple.as_str();
        let tree = ["tree", "--target", target, "--prefix", "none", "--format", "{p}"];
        let tree = [&tree[..], &["--edges", "normal,build"]].concat();
        let offline = self.run(&tree, true, |_| {})?;
        if offline.status.success() {
            return Ok(offline.stdout);
        }
        if self.vendor.is_none() {
            progress(Progress::Fetching);
            let fetched = self.run(&["fetch", "--target", target], false, |_| {})?;
            let tree = self.run(&tree, true, |_| {})?;
            if tree.status.success() {
                return Ok(tree.stdout);
            }
            return Err(BuildError::Cargo { package: self.package(), said: fetched.stderr + &tree.stderr });
        }
        Err(BuildError::Cargo { package: self.package(), said: offline.stderr })
    }

    /// The packages whose code is in the executable, as `cargo tree` prints them: name, version, and what [`sbom`](super::sbom)
    /// asks for. Build scripts, macros, tests and other platforms' packages are not among them.
    pub(super) fn linked(&self) -> Result<String, BuildError> {
        let tree = ["tree", "--target", &self.target.triple, "--prefix", "none", "--format", "{p}\t{l}"];
        let edges = ["--edges", "normal,no-proc-macro", "--no-dedupe"];
        let output = self.run(&[&tree[..], &edges].concat(), true, |_| {})?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(BuildError::Cargo { package: self.package(), said: output.stderr })
    }

    fn target_directory(&self) -> PathBuf {
        self.cache.join("target")
    }

    fn run(
        &self,
        arguments: &[&str],
        offline: bool,
        hear: impl FnMut(Heard<'_>),
    ) -> Result<Finished, BuildError> {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.args(arguments).arg("--manifest-path").arg(self.package().join("Cargo.toml"));
        command.env("CARGO_TARGET_DIR", self.target_directory());
        if offline {
            command.arg("--offline");
        }
        if let Some(vendor) = self.vendor {
            command.args(vendor.cargo_options());
        }
        command.envs(self.target.linker());
        // The unit separator, since paths may have spaces.
        command.env("CARGO_ENCODED_RUSTFLAGS", self.flags().join("\u{1f}")).env_remove("RUSTFLAGS");
        process::run(command, hear)
    }

    fn flags(&self) -> Vec<String> {
        let mut flags = self.target.flags();
        if self.profile == Profile::Appliance && self.target.linker().is_none() {
            // What is to be moved where the system puts the executable, in a bit each instead of 24 bytes; and no path that
            // differs from cache to cache, for flags are part of what cargo calls crates.
            flags.push("-Clink-arg=-Wl,-z,pack-relative-relocs".to_owned());
            flags.push(format!("-Clink-arg=-Wl,-T,{}", LEFT_OUT.0));
        }
        let mut forget = |from: &Path, to| flags.push(format!("--remap-path-prefix={}={to}", from.display()));
        forget(self.cache, "relay");
        // Of two that fit, rustc takes the last.
        forget(&cargo_home(), "cargo");
        for registry in registries() {
            forget(&registry, "crates");
        }
        if let Some(vendor) = self.vendor {
            forget(&vendor.crates(), "crates");
        }
        flags
    }
}

fn write_package(package: &Path, manifest: &str, files: &[(String, String)]) -> Result<(), BuildError> {
    create(&package.join("src"))?;
    write(&package.join("Cargo.toml"), manifest.as_bytes())?;
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

fn cargo_toml(name: &str, runtime: &str, features: &[String], workspace: &str) -> String {
    let features = toml::Value::from(features.to_vec()).to_string();
    let text = TEMPLATE.replace("@NAME@", name).replace("@RUNTIME@", runtime);
    text.replace("@FEATURES@", &features).replace("@WORKSPACE@", workspace)
}

fn cargo_home() -> PathBuf {
    let usual = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".cargo");
    std::env::var_os("CARGO_HOME").map_or_else(usual, PathBuf::from)
}

/// Where the sources of registries lie: a directory each, whose name depends on how it is reached.
fn registries() -> Vec<PathBuf> {
    let entries = fs::read_dir(cargo_home().join("registry/src")).into_iter().flatten();
    let mut registries: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    registries.sort();
    registries
}
