//! From a checked plan to an artifact: writes the generated crate, runs cargo, leaves the relay and its
//! manifest. The only module of the pipeline that touches the file system and starts processes.
//!
//! Crates are written under a cache directory of the user with one target directory for all of them, so that
//! relay-runtime and what it depends on are compiled once on a machine and a changed configuration only costs
//! its own code; the runtime's sources are copied (`sources`) there, so that it does not matter where they came
//! from. The same configuration, version and target give the same bytes: no path, time or host gets into the
//! crate, and rustc is told to forget where it was.

use crate::{
    analyses::strategy::Force,
    codegen::{self, Door, Generated},
    config::Checked,
    digest::sha256,
    private::Private,
};
use cargo::{Job, tidy, write_alone};
use std::{
    fmt, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

mod bench;
mod cargo;
mod crates;
mod error;
mod manifest;
mod process;
mod profile;
mod sbom;
mod sources;
mod target;
mod vendor;
mod verify;

pub use bench::{BenchProgram, build_bench};
pub use crates::Crates;
pub use error::BuildError;
pub use manifest::Manifest;
pub(crate) use manifest::manifest;
pub use process::end_on_signals;
pub use profile::{Profile, tuned};
pub use vendor::vendor;
pub use verify::{INPUTS_FILE, Inputs, Verdict, verify};

use sources::Sources;
use target::Target;
use vendor::Vendor;

/// What a relay consists of, beside it.
pub const SBOM_FILE: &str = "sbom.cdx.json";

/// How to build.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Where `relay` and `manifest.json`, or the sources, go.
    pub out: PathBuf,
    /// What to leave there.
    pub emit: Emit,
    /// What it is tuned for.
    pub profile: Profile,
    /// The target triple; `None` for this machine's, or for an appliance for one that can be static.
    pub target: Option<String>,
    /// rustc's name of the oldest processor that it is to run on; `None` for the oldest that the target has.
    pub cpu: Option<String>,
    /// A directory that [`vendor`] left; `None` for that of `RELAY_BUILD_VENDOR`, or for the network.
    pub vendor: Option<PathBuf>,
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
            target: None,
            cpu: None,
            vendor: None,
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

/// How far a build is.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// A stage begins.
    Stage(Stage),
    /// Another process compiles a relay in the same cache, and has to end first.
    Waiting,
    /// Crates are fetched.
    Fetching,
    /// Crates are compiled. Said many times a second.
    Compiling(&'a Crates),
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
    /// The crates that had to be compiled, by name.
    pub compiled: Vec<String>,
}

/// Builds. `progress` hears of each stage when it begins, and while it compiles.
pub fn build(
    checked: &Checked,
    options: &BuildOptions,
    mut progress: impl FnMut(Progress<'_>),
) -> Result<Artifact, BuildError> {
    if checked.has_errors() {
        return Err(BuildError::BadConfiguration);
    }
    let _private = Private::of(checked);
    let checked = &tuned(checked, options.profile);
    let mut stages = Vec::new();
    let mut clock = Instant::now();
    let mut finish = |stage, stages: &mut Vec<_>| {
        stages.push((stage, clock.elapsed()));
        clock = Instant::now();
    };

    progress(Progress::Stage(Stage::Generate));
    let target = Target::new(options.target.as_deref(), options.cpu.as_deref(), options.profile)?;
    let mut manifest = manifest(checked);
    manifest.rustc.clone_from(&target.rustc);
    manifest.target.clone_from(&target.triple);
    manifest.cpu = target.cpu.clone().unwrap_or(manifest.cpu);
    options.profile.name().clone_into(&mut manifest.profile);
    manifest.features = options.profile.features(&checked.plan);
    let generated = generate(checked, options.force, Door::Program, &manifest)?;
    finish(Stage::Generate, &mut stages);

    progress(Progress::Stage(Stage::Write));
    let sources = Sources::get()?;
    let files: Vec<_> = generated.files().into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    if options.emit == Emit::Source {
        write_alone(&options.out, "relay", &manifest.features, &files, &sources)?;
        tidy(&options.out);
        finish(Stage::Write, &mut stages);
        let path = options.out.join("src/main.rs");
        return Ok(Artifact { path, manifest: None, stages, compiled: Vec::new() });
    }
    let (cache, vendor) =
        (cache_directory(options.cache.as_deref()), Vendor::find(options.vendor.as_deref())?);
    // Cargo leaves the executables of all crates in one place, and does not put one there again that is up to date: a
    // name of its own keeps one configuration's relay from being taken for another's.
    let name = format!("relay-{}", &manifest.plan_sha256[..16]);
    let _lock = lock(&cache, &mut progress)?;
    let profile = options.profile;
    let (features, vendor) = (manifest.features.as_slice(), vendor.as_ref());
    let job = Job { name: &name, features, profile, target: &target, cache: &cache, vendor };
    job.write(&files, &sources)?;
    finish(Stage::Write, &mut stages);

    progress(Progress::Stage(Stage::Compile));
    let (built, compiled) = job.compile(&mut progress)?;
    finish(Stage::Compile, &mut stages);

    progress(Progress::Stage(Stage::Copy));
    let bytes = read(&built)?;
    manifest.binary_sha256 = Some(sha256(&bytes));
    manifest.binary_bytes = Some(bytes.len() as u64);
    let lock_file = String::from_utf8_lossy(&read(&cache.join("Cargo.lock"))?).into_owned();
    let path = leave(&options.out, &built)?;
    write_json(&options.out.join("manifest.json"), &manifest)?;
    write_json(&options.out.join(SBOM_FILE), &sbom::sbom(&manifest, &lock_file, &job.linked()?, &name))?;
    write_json(&options.out.join(INPUTS_FILE), &Inputs::of(checked))?;
    finish(Stage::Copy, &mut stages);
    Ok(Artifact { path, manifest: Some(manifest), stages, compiled })
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
fn lock(cache: &Path, progress: &mut dyn FnMut(Progress<'_>)) -> Result<fs::File, BuildError> {
    create(cache)?;
    let path = cache.join("lock");
    let mut lock = || {
        let file = fs::File::create(&path)?;
        if file.try_lock().is_err() {
            progress(Progress::Waiting);
            file.lock()?;
        }
        Ok(file)
    };
    lock().map_err(|error| BuildError::File(path, error))
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
    // A new file in place of the old one: it is whole, and its mode is that of today.
    let fresh = path.with_extension("new");
    fs::write(&fresh, bytes)
        .and_then(|()| fs::rename(&fresh, path))
        .map_err(|error| BuildError::File(path.to_owned(), error))
}
