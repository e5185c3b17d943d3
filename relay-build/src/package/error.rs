//! Why a package cannot be made, and what to do about it.

use std::{fmt, io, path::PathBuf};

/// Why a package cannot be made.
#[derive(Debug)]
pub enum PackageError {
    /// A file cannot be read or written.
    File(PathBuf, io::Error),
    /// An archive cannot be made.
    Archive(io::Error),
    /// A template names what nobody gives.
    Template {
        /// Which.
        name: &'static str,
        /// Where, and what.
        error: Box<minijinja::Error>,
    },
    /// A name that not every kind of package takes.
    BadName {
        /// As given.
        name: String,
    },
    /// A version that Debian does not take.
    BadVersion {
        /// As given.
        version: String,
    },
    /// A maintainer that nobody can write to.
    BadMaintainer {
        /// As given.
        maintainer: String,
    },
    /// The relay is not a program of Linux.
    NotElf {
        /// Where.
        path: PathBuf,
        /// What its reader says.
        why: String,
    },
    /// The relay needs a library that an empty image does not have.
    NotStatic,
    /// Nobody knows which Debian package has this library.
    UnknownLibrary {
        /// As the relay calls it.
        library: String,
    },
    /// Debian does not have this processor.
    UnknownProcessor {
        /// The target of the build.
        target: String,
    },
    /// A directory cannot be made writable.
    OpenDirectory {
        /// The key of the configuration.
        key: &'static str,
        /// As configured.
        path: String,
    },
    /// The relay's user may not write there.
    PidFile {
        /// As configured.
        path: String,
    },
    /// The ceiling is not known before the relay starts.
    Memory {
        /// What it depends on.
        why: String,
    },
    /// A port that is not known before the relay starts.
    OpenPort {
        /// As configured.
        address: String,
    },
    /// There is no port for a service.
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
                write!(f, "`{maintainer}` is no maintainer: expected `Name <name@example.org>`")
            }
            Self::NotElf { path, why } => {
                write!(f, "`{}` is no program of Linux, which packages are for: {why}", path.display())
            }
            Self::NotStatic => f.write_str(
                "an image that has nothing but the relay needs a static one, and this one asks for shared libraries; build with \
                 --profile appliance or --target x86_64-unknown-linux-musl",
            ),
            Self::UnknownLibrary { library } => write!(
                f,
                "the relay needs `{library}`, and which Debian package has that is not known; build a static one with \
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
                "`pid_file` is `{path}`, where the relay's own user may not write: leave it out, service managers know the \
                 process, or put it into a directory below /run"
            ),
            Self::Memory { why } => write!(
                f,
                "the memory that the relay may take is not known yet: {why}; set `memory`, or give the value with --var"
            ),
            Self::OpenPort { address } => write!(
                f,
                "`{address}` has no port yet, and Kubernetes must know it: write it, or give the value with --var"
            ),
            Self::NothingListens => {
                f.write_str("nothing listens: set `listen_addr` or `pickle_addr`, or leave k8s out")
            }
        }
    }
}

impl std::error::Error for PackageError {}
