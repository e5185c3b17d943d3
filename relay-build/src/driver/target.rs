//! What a relay is compiled for: the target triple, the oldest processor, the linker. Everything is checked
//! against the installed compiler before a build. Everything is checked against the installed compiler before
//! a build.

use super::{BuildError, Profile};
use std::{
    path::Path,
    process::{Command, Output},
};

/// What a relay is compiled for, checked against the installed compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// As `rustc -V` prints it.
    pub(super) rustc: String,
    pub(super) triple: String,
    /// rustc's name of the processor; `None` for the oldest that the target has.
    pub(super) cpu: Option<String>,
    /// Whether the executable needs no shared library.
    is_static: bool,
    is_cross: bool,
}

/// The word in manifests for the oldest processor of a target.
pub(super) const PORTABLE: &str = "portable";

impl Target {
    /// Checks `triple` and `cpu`. Without a triple it is this machine's or, for an appliance, the one for the
    /// same processors whose libc can be linked statically.
    pub(super) fn new(triple: Option<&str>, cpu: Option<&str>, profile: Profile) -> Result<Self, BuildError> {
        let said = text(&rustc(&["-vV"])?);
        let host = said.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default().to_owned();
        let is_appliance = profile == Profile::Appliance;
        let usual = if is_appliance { host.replace("-linux-gnu", "-linux-musl") } else { host.clone() };
        let triple = triple.map_or(usual, str::to_owned);
        let is_cross = architecture(&triple) != architecture(&host);
        check_installed(&triple)?;
        let cpu = match cpu.filter(|cpu| *cpu != PORTABLE) {
            Some(cpu) => Some(check_cpu(&triple, cpu, is_cross)?),
            None => None,
        };
        Ok(Self {
            rustc: said.lines().next().unwrap_or_default().to_owned(),
            is_static: is_appliance || triple.contains("-musl"),
            triple,
            cpu,
            is_cross,
        })
    }

    /// The options for rustc.
    pub(super) fn flags(&self) -> Vec<String> {
        let mut flags = Vec::new();
        if let Some(cpu) = &self.cpu {
            flags.push(format!("-Ctarget-cpu={cpu}"));
        }
        if self.is_static {
            flags.push("-Ctarget-feature=+crt-static".to_owned());
        }
        flags
    }

    /// The linker to name in cargo's environment. It is the one that comes with Rust if the target has other
    /// processors than this machine, whose own linker cannot be used, and if Rust also has musl's parts.
    pub(super) fn linker(&self) -> Option<(String, &'static str)> {
        let name = format!("CARGO_TARGET_{}_LINKER", self.triple.replace('-', "_").to_uppercase());
        let is_chosen = std::env::var_os(&name).is_some();
        (self.is_cross && self.triple.contains("-musl") && !is_chosen).then_some((name, "rust-lld"))
    }
}

fn architecture(triple: &str) -> &str {
    triple.split('-').next().unwrap_or_default()
}

fn check_installed(triple: &str) -> Result<(), BuildError> {
    let output = rustc(&["--print", "target-libdir", "--target", triple])?;
    if !output.status.success() {
        let known = text(&rustc(&["--print", "target-list"])?);
        return Err(BuildError::NoSuchTarget {
            triple: triple.to_owned(),
            like: like(triple, known.lines()),
        });
    }
    if Path::new(text(&output).trim()).is_dir() {
        return Ok(());
    }
    Err(BuildError::TargetNotInstalled { triple: triple.to_owned() })
}

/// The name of the processor. `native` becomes the name of this machine's.
fn check_cpu(triple: &str, cpu: &str, is_cross: bool) -> Result<String, BuildError> {
    // Each line is a name; the first line also says what `native` means.
    let known = text(&rustc(&["--print", "target-cpus", "--target", triple])?);
    if cpu == "native" {
        let current = known.lines().find_map(|line| line.split_once("(currently ")?.1.split(')').next());
        return match current {
            Some(current) if !is_cross => Ok(current.to_owned()),
            _ => Err(BuildError::NotNative { triple: triple.to_owned() }),
        };
    }
    let names = || known.lines().skip(1).filter_map(|line| line.split_whitespace().next());
    if names().any(|name| name == cpu) {
        return Ok(cpu.to_owned());
    }
    Err(BuildError::NoSuchCpu { triple: triple.to_owned(), cpu: cpu.to_owned(), like: like(cpu, names()) })
}

/// The most similar name, if any is similar.
fn like<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = known.map(|name| (strsim::jaro_winkler(word, name), name));
    let best = near.max_by(|one, other| one.0.total_cmp(&other.0));
    best.filter(|(likeness, _)| *likeness > 0.8).map(|(_, name)| name.to_owned())
}

fn rustc(arguments: &[&str]) -> Result<Output, BuildError> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(&rustc).args(arguments).output().map_err(|error| BuildError::Start(rustc, error))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(triple: Option<&str>, cpu: Option<&str>, profile: Profile) -> Result<Target, String> {
        Target::new(triple, cpu, profile).map_err(|error| error.to_string())
    }

    #[test]
    fn without_a_word_it_is_this_machine() {
        let here = of(None, None, Profile::Server).expect("rustc is there");
        assert!(!here.is_cross && here.cpu.is_none());
        assert_eq!(here.linker(), None);
        assert_eq!(of(Some(&here.triple), Some(PORTABLE), Profile::Server), Ok(here));
    }

    #[test]
    fn what_there_is_not_is_an_error_that_helps() {
        let error = of(Some("x86_64-unknown-linux-gnuu"), None, Profile::Server).unwrap_err();
        assert!(error.contains("did you mean `x86_64-unknown-linux-gnu`"), "{error}");
        let here = of(None, None, Profile::Server).expect("rustc is there").triple;
        let error = of(Some(&here), Some("x86-64-v33"), Profile::Server).unwrap_err();
        assert!(error.contains("x86-64-v33"), "{error}");
        let error = of(Some("riscv64gc-unknown-linux-musl"), None, Profile::Server).unwrap_err();
        assert!(error.contains("rustup target add riscv64gc-unknown-linux-musl"), "{error}");
    }

    #[test]
    fn native_is_named() {
        if let Ok(target) = of(None, Some("native"), Profile::Server) {
            let cpu = target.cpu.clone().expect("a name");
            assert_ne!(cpu, "native");
            assert!(target.flags().contains(&format!("-Ctarget-cpu={cpu}")));
        }
    }
}
