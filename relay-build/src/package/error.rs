//! Why a package cannot be made, and what to do about it.
//!
//! Each variant names one condition; its message says what to change, if the user can change it.

use std::{fmt, io, path::PathBuf};

/// Why a package cannot be made.
#[derive(Debug)]
pub enum PackageError {
    /// A file cannot be read or written.
    File(PathBuf, io::Error),
    /// An archive cannot be made.
    Archive(io::Error),
    /// A template uses a placeholder that has no value.
    Template {
        /// The name of the template.
        name: &'static str,
        /// The line, and what is wrong there.
        error: Box<minijinja::Error>,
    },
    /// The name is not valid for every kind of package.
    BadName {
        /// The name as given.
        name: String,
    },
    /// The version is not valid in Debian.
    BadVersion {
        /// The version as given.
        version: String,
    },
    /// The maintainer has no mail address.
    BadMaintainer {
        /// The maintainer as given.
        maintainer: String,
    },
    /// The relay is not a Linux executable.
    NotElf {
        /// The path of the executable.
        path: PathBuf,
        /// Why it could not be read as one.
        why: String,
    },
    /// The relay needs a shared library, which an empty image does not contain.
    NotStatic,
    /// It is not known which Debian package contains this library.
    UnknownLibrary {
        /// The name of the library in the executable.
        library: String,
    },
    /// Debian has no name for this processor.
    UnknownProcessor {
        /// The target for which the relay was built.
        target: String,
    },
    /// A package cannot create this directory and make it writable.
    OpenDirectory {
        /// The key in the configuration.
        key: &'static str,
        /// The path as configured.
        path: String,
    },
    /// The relay's user may not write its pid file there.
    PidFile {
        /// The path as configured.
        path: String,
    },
    /// The memory limit is known only when the relay starts.
    Memory {
        /// What it depends on.
        why: String,
    },
    /// A port is known only when the relay starts.
    OpenPort {
        /// The address as configured.
        address: String,
    },
    /// The relay listens on no port, so a service in front of it is impossible.
    NothingListens,
}

impl From<io::Error> for PackageError {
    fn from(error: io::Error) -> Self {
        Self::Archive(error)
    }
}

impl fmt::Display for PackageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "`{}`: {error}", path.display()),
            Self::Archive(error) => write!(f, "cannot make an archive: {error}"),
            Self::Template { name, error } => write!(f, "the template `{name}` cannot be filled: {error}"),
            Self::BadName { name } => write!(
                f,
                "`{name}` cannot be a package's name: use 2 to 63 of a-z, 0-9 and `-`, with a letter first and no `-` last; \
                 give another with --package-name"
            ),
            Self::BadVersion { version } => write!(
                f,
                "`{version}` cannot be a package's version: use letters, digits and `.+~-`, with a digit first"
            ),
            Self::BadMaintainer { maintainer } => {
                write!(f, "`{maintainer}` is not a maintainer: expected `Name <name@example.org>`")
            }
            Self::NotElf { path, why } => {
                write!(f, "`{}` is not a Linux executable, and packages are for Linux: {why}", path.display())
            }
            Self::NotStatic => f.write_str(
                "an image contains only the relay, and this relay needs shared libraries; build a static one with \
                 --profile appliance or --target x86_64-unknown-linux-musl",
            ),
            Self::UnknownLibrary { library } => write!(
                f,
                "the relay needs `{library}`, and no Debian package is known to contain it; build a static one with \
                 --profile appliance"
            ),
            Self::UnknownProcessor { target } => {
                write!(f, "Debian has no name for the processor of `{target}`; use --package tar")
            }
            Self::OpenDirectory { key, path } => write!(
                f,
                "`{key}` is `{path}`, which a package cannot make writable: write an absolute path, or only a variable"
            ),
            Self::PidFile { path } => write!(
                f,
                "`pid_file` is `{path}`, where the relay's own user may not write: remove it (service managers do not need \
                 it), or put it into a directory below /run"
            ),
            Self::Memory { why } => write!(
                f,
                "the memory limit of the relay is not known yet: {why}; set `memory`, or give the value with --var"
            ),
            Self::OpenPort { address } => write!(
                f,
                "`{address}` has no port yet, and Kubernetes needs one: write the port, or give the value with --var"
            ),
            Self::NothingListens => {
                f.write_str("the relay listens on no port: set `listen_addr` or `pickle_addr`, or leave k8s out")
            }
        }
    }
}

impl std::error::Error for PackageError {}
