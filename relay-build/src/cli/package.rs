//! `build --package`: the packages of a relay that was just built.

use super::{output, style};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use relay_build::{
    config::Checked,
    driver::Manifest,
    package::{self, Kind, Naming, Outcome, Request},
};
use serde_json::{Value, json};
use std::path::Path;

/// Which packages, and how they are called.
#[derive(Args)]
#[command(next_help_heading = "Packages")]
pub(super) struct Packages {
    /// Also make packages, in DIR/package/KIND (several with commas)
    #[arg(long = "package", value_name = "KIND", value_delimiter = ',')]
    kinds: Vec<KindArgument>,
    /// Their name [default: static-relay, with the configuration's name unless it is `relay`, and the environment]
    #[arg(long, value_name = "NAME")]
    package_name: Option<String>,
    /// Their version; Debian upgrades to what is greater [default: relay-build's, `+` and part of the plan's digest]
    #[arg(long, value_name = "VERSION")]
    package_version: Option<String>,
    /// Who answers for a Debian package
    #[arg(long, value_name = "NAME <ADDRESS>", default_value = "root <root@localhost>")]
    package_maintainer: String,
    /// The image that Kubernetes fetches [default: NAME:VERSION]
    #[arg(long, value_name = "REFERENCE")]
    image: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KindArgument {
    /// A hardened service and its sockets
    Systemd,
    /// A Debian package that installs and starts it
    Deb,
    /// A Dockerfile FROM scratch with what it copies; needs a static relay
    Docker,
    /// A compressed archive with the relay and its units
    Tar,
    /// Manifests: a workload with probes, a service, a disruption budget
    K8s,
}

impl Packages {
    /// Whether any is wanted.
    pub(super) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// Refuses what cannot be packaged, before anything is compiled.
    pub(super) fn check(&self, checked: &Checked) -> anyhow::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        time_s()?;
        Ok(package::check(checked, &self.kinds(), &self.naming())?)
    }

    /// Makes those that were asked for, of the relay in `directory`.
    pub(super) fn make(
        &self,
        checked: &Checked,
        manifest: &Manifest,
        directory: &Path,
    ) -> anyhow::Result<Outcome> {
        if self.is_empty() {
            return Ok(Outcome::default());
        }
        let (kinds, naming, time_s) = (self.kinds(), self.naming(), time_s()?);
        package::package(&Request { checked, manifest, directory, kinds, naming, time_s })
            .context("the relay is built, but not packaged")
    }

    fn kinds(&self) -> Vec<Kind> {
        self.kinds.iter().map(|kind| kind.kind()).collect()
    }

    fn naming(&self) -> Naming {
        Naming {
            name: self.package_name.clone(),
            version: self.package_version.clone(),
            maintainer: self.package_maintainer.clone(),
            image: self.image.clone(),
        }
    }
}

/// What was made, for people.
pub(super) fn print(outcome: &Outcome) {
    for note in &outcome.notes {
        output::remark(format_args!("{}note{}: {note}", style::WARNING, style::RESET));
    }
    for package in &outcome.packages {
        let (path, kib) = (package.path.display(), package.bytes.div_ceil(1024));
        output::remark(format_args!("{}packaged{} {path} ({kib} KiB)", style::GOOD, style::RESET));
    }
}

/// What was made, for programs.
pub(super) fn to_json(outcome: &Outcome) -> Value {
    let packages = outcome
        .packages
        .iter()
        .map(|package| json!({ "kind": package.kind.name(), "path": package.path, "bytes": package.bytes }));
    json!({ "packages": packages.collect::<Vec<_>>(), "notes": outcome.notes })
}

impl KindArgument {
    const fn kind(self) -> Kind {
        match self {
            Self::Systemd => Kind::Systemd,
            Self::Deb => Kind::Deb,
            Self::Docker => Kind::Docker,
            Self::Tar => Kind::Tar,
            Self::K8s => Kind::Kubernetes,
        }
    }
}

/// The time of packaged files: <https://reproducible-builds.org/specs/source-date-epoch/>, or the beginning of 1970.
fn time_s() -> anyhow::Result<u64> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => {
            text.parse().with_context(|| format!("SOURCE_DATE_EPOCH is `{text}`, not seconds since 1970"))
        }
        Err(_) => Ok(0),
    }
}
