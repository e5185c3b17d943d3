//! Packages of a relay: the forms in which it is installed. Each is a template of `templates/`, filled with
//! `facts` of the plan, beside the executable as it was built.
//!
//! The same relay always gives the same bytes: files are sorted, owned by root, and have the time that the
//! request says. No other program is run to make packages, so they can be made on any machine.

mod archive;
mod deb;
mod directories;
mod error;
mod executable;
mod facts;
mod kubernetes;
mod names;
mod systemd;
mod template;

use crate::{
    config::Checked,
    driver::{Manifest, SBOM_FILE},
    private::Private,
};
use archive::{Entry, tar_gz};
use executable::Executable;
use facts::{Facts, Names};
use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};
use template::render;

pub use error::PackageError;

const README: &str = include_str!("../../packed/templates/tar/README.in");
const DOCKERFILE: &str = include_str!("../../packed/templates/docker/Dockerfile.in");

/// The directory of packages, inside the relay's directory.
pub const DIRECTORY: &str = "package";

/// A kind of package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Units for systemd.
    Systemd,
    /// A Debian package.
    Deb,
    /// A directory from which an image is built.
    Docker,
    /// A compressed tar archive.
    Tar,
    /// Manifests for Kubernetes.
    Kubernetes,
}

/// What to package, and under which names.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The configuration.
    pub checked: &'a Checked,
    /// The manifest of the relay that was built.
    pub manifest: &'a Manifest,
    /// The directory with the relay, its manifest and its list of components.
    pub directory: &'a Path,
    /// The kinds of packages to make.
    pub kinds: Vec<Kind>,
    /// The names that the packages get.
    pub naming: Naming,
    /// The time of all files, in seconds since 1970.
    pub time_s: u64,
}

/// Names and versions of packages.
#[derive(Clone, Debug)]
pub struct Naming {
    /// The name; `None` for one made of the names of configuration and environment.
    pub name: Option<String>,
    /// The version; `None` for the version of relay-build with a part of the plan's digest.
    pub version: Option<String>,
    /// The person responsible for them: `Name <address>`.
    pub maintainer: String,
    /// The image that Kubernetes pulls; `None` for name and version of the package.
    pub image: Option<String>,
}

/// A package that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Its kind.
    pub kind: Kind,
    /// The file, or the directory that contains its files.
    pub path: PathBuf,
    /// The size of all its files in bytes.
    pub bytes: u64,
}

/// The packages that were made, and notes for the user.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// In the order of their kinds.
    pub packages: Vec<Package>,
    /// Assumptions to check, one sentence each.
    pub notes: Vec<String>,
}

/// The contents that packages share.
struct Contents {
    facts: Facts,
    executable: Executable,
    relay: Vec<u8>,
    /// Descriptions of what the relay was built from and consists of.
    documents: Vec<Entry>,
}

impl Kind {
    /// The name of the directory for packages of this kind.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Systemd => "systemd",
            Self::Deb => "deb",
            Self::Docker => "docker",
            Self::Tar => "tar",
            Self::Kubernetes => "k8s",
        }
    }
}

/// Checks whether packages of these kinds can be made for this configuration, as far as that is known before
/// the build.
pub fn check(checked: &Checked, kinds: &[Kind], naming: &Naming) -> Result<(), PackageError> {
    let facts = facts(checked, naming, env!("CARGO_PKG_VERSION"), "")?;
    if kinds.contains(&Kind::Kubernetes) { facts.check_ports(&checked.plan) } else { Ok(()) }
}

/// Makes packages in `package/KIND` beside the relay and replaces those that were there before.
pub fn package(request: &Request<'_>) -> Result<Outcome, PackageError> {
    let _private = Private::of(request.checked);
    let contents = contents(request)?;
    let mut kinds = request.kinds.clone();
    kinds.sort_unstable();
    kinds.dedup();
    let is_reached_from_elsewhere = kinds.iter().any(|kind| matches!(kind, Kind::Docker | Kind::Kubernetes));
    let mut outcome = Outcome { notes: contents.facts.notes.clone(), ..Outcome::default() };
    if is_reached_from_elsewhere {
        let say = |address: &str| format!("`{address}` cannot be reached from outside of the container");
        outcome.notes.extend(Facts::loopback(&request.checked.plan).map(say));
    }
    // All packages are made before the first is written, so that an error leaves the old ones.
    let made = kinds.iter().map(|kind| files(*kind, request, &contents)).collect::<Result<Vec<_>, _>>()?;
    for (kind, files) in kinds.into_iter().zip(made) {
        let directory = request.directory.join(DIRECTORY).join(kind.name());
        write(&directory, &files)?;
        let path = match files.as_slice() {
            [file] => directory.join(&file.path),
            _ => directory,
        };
        let bytes = files.iter().map(|file| file.bytes.len() as u64).sum();
        outcome.packages.push(Package { kind, path, bytes });
    }
    Ok(outcome)
}

fn contents(request: &Request<'_>) -> Result<Contents, PackageError> {
    let read = |name: &str| {
        let path = request.directory.join(name);
        fs::read(&path).map_err(|error| PackageError::File(path, error))
    };
    let relay = read("relay")?;
    let documents = ["manifest.json", SBOM_FILE].map(|name| Ok(Entry::text(name, read(name)?)));
    let manifest = request.manifest;
    Ok(Contents {
        facts: facts(request.checked, &request.naming, &manifest.version, &manifest.plan_sha256)?,
        executable: Executable::read(&request.directory.join("relay"), &relay)?,
        relay,
        documents: documents.into_iter().collect::<Result<_, PackageError>>()?,
    })
}

fn facts(checked: &Checked, naming: &Naming, tool: &str, plan_sha256: &str) -> Result<Facts, PackageError> {
    let digest = plan_sha256.get(..12).unwrap_or(plan_sha256);
    let name = naming.name.clone().unwrap_or_else(|| names::default_name(checked));
    let version = naming.version.clone().unwrap_or_else(|| format!("{tool}+{digest}"));
    names::check_name(&name)?;
    names::check_version(&version)?;
    names::check_maintainer(&naming.maintainer)?;
    let chosen = Names { name, version, maintainer: naming.maintainer.clone(), image: naming.image.clone() };
    Facts::of(checked, chosen, plan_sha256)
}

fn files(kind: Kind, request: &Request<'_>, contents: &Contents) -> Result<Vec<Entry>, PackageError> {
    let facts = &contents.facts;
    match kind {
        Kind::Systemd => {
            let mut files = systemd::units(facts)?;
            files.extend(systemd::defaults(facts)?);
            Ok(files)
        }
        Kind::Deb => Ok(vec![deb::deb(request, contents)?]),
        Kind::Docker => docker(contents),
        Kind::Tar => Ok(vec![tar(request, contents)?]),
        Kind::Kubernetes => kubernetes::manifests(request, facts),
    }
}

/// An image contains nothing but the relay, so the relay must be statically linked.
fn docker(contents: &Contents) -> Result<Vec<Entry>, PackageError> {
    let facts = &contents.facts;
    if !contents.executable.is_static {
        return Err(PackageError::NotStatic);
    }
    let mut files = vec![
        Entry::text("Dockerfile", render("docker/Dockerfile", DOCKERFILE, facts)?),
        Entry::program("relay", contents.relay.clone()),
    ];
    if facts.has_storage {
        // An image has a directory, owned by the relay's user, only if there is a file in it.
        let keep = |path: &str| Entry::text(format!("root{path}/.keep"), "");
        files.push(keep(&facts.home));
        files.extend(facts.mounts.iter().map(|mount| keep(&mount.path)));
    }
    Ok(files)
}

fn tar(request: &Request<'_>, contents: &Contents) -> Result<Entry, PackageError> {
    let facts = &contents.facts;
    let mut files = vec![
        Entry::program(facts.name.clone(), contents.relay.clone()),
        Entry::text("README", render("tar/README", README, facts)?),
    ];
    files.extend(systemd::units(facts)?);
    files.extend(systemd::defaults(facts)?);
    files.extend(contents.documents.iter().cloned());
    files.sort_by(|one, other| one.path.cmp(&other.path));
    let root = format!("{}-{}", facts.name, facts.version);
    let bytes = tar_gz(&format!("{root}/"), &files, request.time_s)?;
    Ok(Entry::text(format!("{root}-{}.tar.gz", request.manifest.target), bytes))
}

fn write(directory: &Path, files: &[Entry]) -> Result<(), PackageError> {
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |error| PackageError::File(path, error)
    };
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(directory)(error)),
        _ => {}
    }
    for file in files {
        let path = directory.join(&file.path);
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent).map_err(fail(parent))?;
        fs::write(&path, &file.bytes).map_err(fail(&path))?;
        if file.is_executable {
            // Who can read it can run it.
            let mode = fs::metadata(&path).map_err(fail(&path))?.permissions().mode();
            let mode = fs::Permissions::from_mode(mode | (mode & 0o444) >> 2);
            fs::set_permissions(&path, mode).map_err(fail(&path))?;
        }
    }
    Ok(())
}
