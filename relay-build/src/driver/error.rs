//! Why a build failed, and what to do about it.

use crate::analyses::strategy::BadRegex;
use std::{ffi::OsString, fmt, io, path::PathBuf};

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
    /// A signal ended the build, and cargo with it.
    Ended {
        /// Its number.
        signal: i32,
    },
    /// There is no relay-runtime where `RELAY_RUNTIME_DIR` says.
    NoRuntime(PathBuf),
    /// This is no directory that `vendor` left.
    NoVendor(PathBuf),
    /// It was left by another version.
    OldVendor(PathBuf),
    /// rustc knows no such target.
    NoSuchTarget {
        /// What was asked for.
        triple: String,
        /// What was probably meant.
        like: Option<String>,
    },
    /// The target's standard library is not installed.
    TargetNotInstalled {
        /// The target.
        triple: String,
    },
    /// The target has no such processor.
    NoSuchCpu {
        /// The target.
        triple: String,
        /// What was asked for.
        cpu: String,
        /// What was probably meant.
        like: Option<String>,
    },
    /// This machine's processor says nothing about a target of others.
    NotNative {
        /// The target.
        triple: String,
    },
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
            Self::Ended { signal } => write!(f, "the build was ended by signal {signal}, and cargo with it"),
            Self::NoRuntime(path) => {
                write!(f, "`RELAY_RUNTIME_DIR` is `{}`, where no relay-runtime is", path.display())
            }
            Self::NoVendor(path) => write!(
                f,
                "`{}` is no directory that `relay-build vendor` left: make one where there is a network",
                path.display()
            ),
            Self::OldVendor(path) => write!(
                f,
                "`{}` has the crates of another version of relay-build: `relay-build vendor` makes it anew",
                path.display()
            ),
            Self::NoSuchTarget { triple, like } => {
                write!(f, "rustc knows no target `{triple}`{}; see `rustc --print target-list`", Meant(like))
            }
            Self::TargetNotInstalled { triple } => {
                write!(
                    f,
                    "the standard library for `{triple}` is not installed: `rustup target add {triple}`"
                )
            }
            Self::NoSuchCpu { triple, cpu, like } => write!(
                f,
                "`{triple}` has no processor `{cpu}`{}; see `rustc --print target-cpus --target {triple}`",
                Meant(like)
            ),
            Self::NotNative { triple } => write!(
                f,
                "`native` is this machine's processor, of which rustc knows none for `{triple}`: name one"
            ),
        }
    }
}

/// A suggestion, if there is one.
struct Meant<'a>(&'a Option<String>);

impl fmt::Display for Meant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |like| write!(f, " (did you mean `{like}`?)"))
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
