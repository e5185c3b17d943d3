//! From a checked plan to an artifact: writes the generated crate, runs cargo, leaves the relay and its
//! manifest. The only module of the pipeline that touches the file system and starts processes.
//!
//! Crates are written under a cache directory of the user with one target directory for all of them, so that
//! relay-runtime and what it depends on are compiled once on a machine and a changed configuration only costs
//! its own code; the runtime's sources are [copied](runtime) there, so that it does not matter where they came
//! from. The same configuration, version and target give the same bytes: no path, time or host gets into the
//! crate, and rustc is told to forget where it was.

use crate::{
    analyses::strategy::{BadRegex, Force},
    codegen::{self, Door, Generated},
    config::Checked,
};
use cargo::{Workspace, compile, tidy, write_crate};
use sha2::{Digest, Sha256};
use std::{
    ffi::OsString,
    fmt::{self, Write as _},
    fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

mod bench;
mod cargo;
mod manifest;
mod runtime;
mod sbom;
mod verify;

pub use bench::{BenchProgram, build_bench};
pub use manifest::Manifest;
pub(crate) use manifest::manifest;
pub use verify::{INPUTS_FILE, Inputs, Verdict, verify};

/// What a relay consists of, beside it.
pub const SBOM_FILE: &str = "sbom.cdx.json";

/// How to build.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Where `relay` and `manifest.json`, or the sources, go.
    pub out: PathBuf,
    /// What to leave there.
    pub emit: Emit,
    /// Cargo's profile.
    pub profile: Profile,
    /// Where crates and compiled dependencies are kept; `None` for the usual place.
    pub cache: Option<PathBuf>,
    /// Choices to be made otherwise.
    pub force: Force,
}

impl BuildOptions {
    /// A tuned relay in `out`.
    #[must_use]
    pub fn new(out: impl Into<PathBuf>) -> Self {
        Self {
            out: out.into(),
            emit: Emit::default(),
            profile: Profile::default(),
            cache: None,
            force: Force::default(),
        }
    }
}

/// Where the relay of a configuration goes when nobody says where: a directory of the configuration's own under
/// the cache.
#[must_use]
pub fn default_out(checked: &Checked) -> PathBuf {
    let plan = sha256(&serde_json::to_vec(&checked.plan).unwrap_or_default());
    cache_directory(None).join("out").join(&plan[..16])
}

/// What a build leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Emit {
    /// The relay.
    #[default]
    Binary,
    /// The generated crate's sources.
    Source,
}

/// How much the compiler tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// All it can.
    #[default]
    Release,
    /// As little as possible.
    Dev,
}

/// The stages of a build, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Choosing strategies and generating code.
    Generate,
    /// Writing the crate.
    Write,
    /// Compiling and linking it.
    Compile,
    /// Copying the relay to its place.
    Copy,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Generate => "generate",
            Self::Write => "write",
            Self::Compile => "compile",
            Self::Copy => "copy",
        })
    }
}

/// What a build left.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The relay; the root of the source with [`Emit::Source`].
    pub path: PathBuf,
    /// What it was built from; `None` with [`Emit::Source`].
    pub manifest: Option<Manifest>,
    /// How long each stage took.
    pub stages: Vec<(Stage, Duration)>,
}

/// Why a build failed.
#[derive(Debug)]
pub enum BuildError {
    /// The configuration has errors.
    BadConfiguration,
    /// A regex cannot be compiled.
    BadRegex(BadRegex),
    /// A file or directory cannot be read or written.
    File(PathBuf, io::Error),
    /// A program cannot be started.
    Start(OsString, io::Error),
    /// Cargo failed.
    Cargo {
        /// The generated crate.
        package: PathBuf,
        /// What cargo said.
        said: String,
    },
    /// The sources of relay-runtime are not where they were when relay-build was compiled.
    NoRuntime(PathBuf),
}

/// Builds. `progress` hears of each stage when it starts.
pub fn build(
    checked: &Checked,
    options: &BuildOptions,
    mut progress: impl FnMut(Stage),
) -> Result<Artifact, BuildError> {
    if checked.has_errors() {
        return Err(BuildError::BadConfiguration);
    }
    let mut stages = Vec::new();
    let mut clock = Instant::now();
    let mut finish = |stage, stages: &mut Vec<_>| {
        stages.push((stage, clock.elapsed()));
        clock = Instant::now();
    };

    progress(Stage::Generate);
    let mut manifest = manifest(checked, &rustc_facts()?);
    let generated = generate(checked, options.force, Door::Program, &manifest)?;
    finish(Stage::Generate, &mut stages);

    progress(Stage::Write);
    let runtime = runtime_directory()?;
    let source = options.emit == Emit::Source;
    let cache = if source { options.out.clone() } else { cache_directory(options.cache.as_deref()) };
    // Cargo leaves the executables of all crates in one place, and does not put one there again that is up to date: a
    // name of its own keeps one configuration's relay from being taken for another's.
    let name = if source { "relay".to_owned() } else { format!("relay-{}", &manifest.plan_sha256[..16]) };
    let package = if source { options.out.clone() } else { cache.join("crate").join(&name) };
    let _lock = if source { None } else { Some(lock(&cache)?) };
    let workspace = if source {
        Workspace::Own(&runtime)
    } else {
        runtime::copy(&runtime, &cache, &name)?;
        Workspace::Cache
    };
    let files: Vec<_> = generated.files().into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    write_crate(&package, &name, &files, &workspace, &runtime.join("../Cargo.lock"))?;
    finish(Stage::Write, &mut stages);
    if source {
        tidy(&package);
        return Ok(Artifact { path: package.join("src/main.rs"), manifest: None, stages });
    }

    progress(Stage::Compile);
    let built = compile(&package, &name, options.profile, &cache)?;
    finish(Stage::Compile, &mut stages);

    progress(Stage::Copy);
    let bytes = read(&built)?;
    manifest.binary_sha256 = Some(sha256(&bytes));
    manifest.binary_bytes = Some(bytes.len() as u64);
    let lock_file = String::from_utf8_lossy(&read(&cache.join("Cargo.lock"))?).into_owned();
    let path = leave(&options.out, &built)?;
    write_json(&options.out.join("manifest.json"), &manifest)?;
    write_json(&options.out.join(SBOM_FILE), &sbom::sbom(&manifest, &lock_file, &name))?;
    write_json(&options.out.join(INPUTS_FILE), &Inputs::of(checked))?;
    finish(Stage::Copy, &mut stages);
    Ok(Artifact { path, manifest: Some(manifest), stages })
}

/// Puts the relay into its place.
fn leave(out: &Path, built: &Path) -> Result<PathBuf, BuildError> {
    let path = out.join("relay");
    create(out)?;
    // Not written in place: the old relay may be running.
    let fresh = out.join(".relay.new");
    fs::copy(built, &fresh).map_err(|error| BuildError::File(fresh.clone(), error))?;
    fs::rename(&fresh, &path).map_err(|error| BuildError::File(path.clone(), error))?;
    Ok(path)
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), BuildError> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    write(path, text.as_bytes())
}

/// Generates code with the manifest in it.
pub(crate) fn generate(
    checked: &Checked,
    force: Force,
    door: Door,
    manifest: &Manifest,
) -> Result<Generated, BuildError> {
    let options = codegen::Options {
        door,
        force,
        manifest: serde_json::to_string(manifest).unwrap_or_default(),
        config_sha256: manifest.config_sha256.clone(),
    };
    codegen::generate(checked, &options).map_err(BuildError::BadRegex)
}

fn rustc_facts() -> Result<(String, String), BuildError> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output =
        Command::new(&rustc).arg("-vV").output().map_err(|error| BuildError::Start(rustc.clone(), error))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = text.lines().next().unwrap_or_default().to_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
    Ok((version, host))
}

/// The sources that generated crates depend on.
fn runtime_directory() -> Result<PathBuf, BuildError> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../relay-runtime");
    let directory = std::env::var_os("RELAY_RUNTIME_DIR").map_or_else(beside, PathBuf::from);
    directory.canonicalize().map_err(|_| BuildError::NoRuntime(directory))
}

fn cache_directory(given: Option<&Path>) -> PathBuf {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let user = || {
        named("XDG_CACHE_HOME")
            .or_else(|| named("HOME").map(|home| home.join(".cache")))
            .unwrap_or_else(std::env::temp_dir)
            .join("static-relay")
            .join(env!("CARGO_PKG_VERSION"))
    };
    given.map(Path::to_owned).or_else(|| named("RELAY_BUILD_CACHE")).unwrap_or_else(user)
}

/// All relays of a cache are written and compiled in one place, and copied from there: one after the other.
fn lock(cache: &Path) -> Result<fs::File, BuildError> {
    create(cache)?;
    let path = cache.join("lock");
    let locked = fs::File::create(&path).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|error| BuildError::File(path, error))
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let written = write!(text, "{byte:02x}");
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    text
}

fn create(directory: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(directory).map_err(|error| BuildError::File(directory.to_owned(), error))
}

fn read(path: &Path) -> Result<Vec<u8>, BuildError> {
    fs::read(path).map_err(|error| BuildError::File(path.to_owned(), error))
}

/// Leaves a file alone that already has this content, so that cargo need not look twice.
fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    fs::write(path, bytes).map_err(|error| BuildError::File(path.to_owned(), error))
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadConfiguration => f.write_str("the configuration has errors"),
            Self::BadRegex(error) => error.fmt(f),
            Self::File(path, error) => write!(f, "`{}`: {error}", path.display()),
            Self::Start(program, error) => {
                let program = program.display();
                write!(
                    f,
                    "cannot start `{program}`: {error}; relays are compiled with Rust, see https://rustup.rs"
                )
            }
            Self::Cargo { package, said } => {
                let package = package.display();
                write!(f, "cargo could not compile the relay in `{package}`:\n{said}\n{}", advice(said))
            }
            Self::NoRuntime(path) => {
                write!(
                    f,
                    "the sources of relay-runtime are not at `{}`; set RELAY_RUNTIME_DIR",
                    path.display()
                )
            }
        }
    }
}

/// What to do about what cargo said.
fn advice(said: &str) -> &'static str {
    const NO_NETWORK: [&str; 4] =
        ["failed to download", "Could not resolve host", "spurious network error", "failed to get"];
    if NO_NETWORK.iter().any(|sign| said.contains(sign)) {
        "help: the first build on a machine fetches what relays consist of from crates.io; connect it once, or name a \
         mirror in cargo's configuration"
    } else if said.contains("No space left on device") {
        "help: make room, or set RELAY_BUILD_CACHE to a directory on another disk"
    } else if said.contains("requires rustc") {
        "help: this Rust toolchain is too old for the relay; `rustup update`"
    } else {
        "help: generated code should always compile: please report this with the directory above"
    }
}

impl std::error::Error for BuildError {}
