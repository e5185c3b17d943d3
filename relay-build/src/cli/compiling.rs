//! What a relay is compiled for, and from what: the flags that `build` and `run` share.

use clap::{Args, ValueEnum};
use relay_build::driver::{self, BuildOptions};
use std::path::PathBuf;

/// How to compile.
#[derive(Args, Clone)]
pub(crate) struct Compiling {
    /// What to tune the relay for
    #[arg(long, value_name = "PROFILE", default_value = "server")]
    profile: Profile,
    /// What to compile for, as rustc names it, such as aarch64-unknown-linux-musl
    ///
    /// [default: this machine; for an appliance, this machine with musl, which is linked statically]
    #[arg(long, value_name = "TRIPLE", verbatim_doc_comment)]
    target: Option<String>,
    /// The oldest processor that it is to run on, as rustc names it, such as x86-64-v3; `native` for this one
    ///
    /// By default any of the target's will do, and vector code is chosen when the relay runs.
    #[arg(long, value_name = "CPU", default_value = "portable")]
    cpu: String,
    /// Take crates from a directory that `relay-build vendor` left, and nothing from the network
    #[arg(long, value_name = "DIR", env = "RELAY_BUILD_VENDOR")]
    vendor: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Profile {
    /// Speed
    Server,
    /// Size: a single static executable with one worker, without commands such as trace
    Appliance,
    /// A short build
    Dev,
}

impl Compiling {
    /// These choices, for a relay in `out`.
    pub(crate) fn options(&self, out: impl Into<PathBuf>) -> BuildOptions {
        let mut options = BuildOptions::new(out);
        options.profile = match self.profile {
            Profile::Server => driver::Profile::Server,
            Profile::Appliance => driver::Profile::Appliance,
            Profile::Dev => driver::Profile::Dev,
        };
        options.target.clone_from(&self.target);
        options.cpu = Some(self.cpu.clone());
        options.vendor.clone_from(&self.vendor);
        options
    }
}
