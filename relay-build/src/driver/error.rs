//! Why a build failed, and what to do about it.
//!
//! Each variant is one condition, and its message says what to do.

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
        /// The output of cargo.
        said: String,
    },
    /// A signal ended the build, and cargo with it.
    Ended {
        /// Its number.
        signal: i32,
    },
    /// `RELAY_RUNTIME_DIR` does not contain relay-runtime.
    NoRuntime(PathBuf),
    /// The directory was not made by `vendor`.
    NoVendor(PathBuf),
    /// It was made by another version.
    OldVendor(PathBuf),
    /// rustc has no such target.
    NoSuchTarget {
        /// The name as given.
        triple: String,
        /// The most similar name, if any is similar.
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
        /// The name as given.
        cpu: String,
        /// The most similar name, if any is similar.
        like: Option<String>,
    },
    /// `native` is this machine's processor, which is not one of the target's.
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
                write!(f, "`RELAY_RUNTIME_DIR` is `{}`, which does not contain relay-runtime", path.display())
            }
            Self::NoVendor(path) => write!(
                f,
                "`{}` was not made by `relay-build vendor`: run it on a machine with a network",
                path.display()
            ),
            Self::OldVendor(path) => write!(
                f,
                "`{}` has the crates of another version of relay-build: run `relay-build vendor` again",
                path.display()
            ),
            Self::NoSuchTarget { triple, like } => {
                write!(f, "rustc has no target `{triple}`{}; see `rustc --print target-list`", Meant(like))
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
                "`native` means this machine's processor, which is not one of `{triple}`: name a processor"
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

/// Returns advice for the output of cargo.
fn advice(said: &str) -> &'static str {
    const NO_NETWORK: [&str; 4] =
        ["failed to download", "Could not resolve host", "spurious network error", "failed to get"];
    if NO_NETWORK.iter().any(|sign| said.contains(sign)) {
        "help: the first build on a machine fetches crates from crates.io; connect it to the network once, or set a mirror in cargo's configuration"
    } else if said.contains("No space left on device") {
        "help: make room, or set RELAY_BUILD_CACHE to a directory on another disk"
    } else if said.contains("requires rustc") {
        "help: this Rust toolchain is too old for the relay; `rustup update`"
    } else {
        "help: generated code should always compile: please report this with the directory above"
    }
}

impl std::error::Error for BuildError {}
