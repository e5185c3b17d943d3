//! The door for build scripts.

use crate::{
    codegen::Door,
    config::{Checked, Options, load},
    diagnostics::{Diagnostic, Severity, render},
    driver::{BuildError, Manifest, generate, manifest},
    runtime_dependency, testing,
};
use std::{
    env, fmt, fs, io,
    path::{Path, PathBuf},
};

/// Why a build script cannot go on.
#[derive(Debug)]
pub enum CompileError {
    /// A file cannot be read or written.
    File(PathBuf, io::Error),
    /// The configuration has errors, or tests of it failed: a report of each, with place, quote and help.
    Bad(Vec<String>),
    /// Generating failed.
    Build(BuildError),
    /// `OUT_DIR` is not set: this is no build script.
    NoOutDir,
    /// The crate that the code is for does not depend on relay-runtime.
    NoRuntime,
}

/// Compiles a configuration into `$OUT_DIR/relay.rs`, from a build script:
///
/// ```no_run
/// relay_build::compile("relay.toml").unwrap();
/// ```
///
/// and in the program, which depends on relay-runtime:
///
/// ```ignore
/// mod relay {
///     include!(concat!(env!("OUT_DIR"), "/relay.rs"));
/// }
/// ```
///
/// The module has the type `Table`, which implements `relay_runtime::dispatch::Dispatch`, the plan as `PLAN`, and a `main`
/// that runs the relay. Warnings become warnings of cargo. A crate without relay-runtime is told so before anything is
/// generated.
pub fn compile(config: impl AsRef<Path>) -> Result<(), CompileError> {
    let config = config.as_ref();
    println!("cargo::rerun-if-changed={}", config.display());
    let out = env::var_os("OUT_DIR").map(PathBuf::from).ok_or(CompileError::NoOutDir)?;
    let (text, warnings) = compile_text(config, Door::Module)?;
    for line in warnings.iter().flat_map(|warning| warning.lines()) {
        println!("cargo::warning={line}");
    }
    let path = out.join("relay.rs");
    fs::write(&path, text).map_err(|error| CompileError::File(path, error))
}

/// The code for a configuration as one text, and the warnings, each as a report with its place, the quoted line and a help.
pub fn compile_text(config: &Path, door: Door) -> Result<(String, Vec<String>), CompileError> {
    if env::var_os("CARGO_MANIFEST_DIR")
        .is_some_and(|crate_| runtime_dependency::is_missing(Path::new(&crate_)))
    {
        return Err(CompileError::NoRuntime);
    }
    let text = |value: std::ffi::OsString| value.into_string().ok();
    let environment = env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
    let options = Options { environment, ..Options::default() };
    let checked = load(config, &options).map_err(|error| CompileError::File(config.to_owned(), error))?;
    let report = |one: &Diagnostic| render(std::slice::from_ref(one), &checked.source, false);
    let (errors, warnings): (Vec<_>, Vec<_>) =
        checked.diagnostics.iter().partition(|one| one.severity == Severity::Error);
    if !errors.is_empty() {
        return Err(CompileError::Bad(errors.into_iter().map(report).collect()));
    }
    let failures = failed_tests(&checked)?;
    if !failures.is_empty() {
        return Err(CompileError::Bad(failures));
    }
    let manifest = Manifest { target: env::var("TARGET").unwrap_or_default(), ..manifest(&checked) };
    let generated = generate(&checked, crate::analyses::Force::default(), door, &manifest)
        .map_err(CompileError::Build)?;
    Ok((generated.text(), warnings.into_iter().map(report).collect()))
}

/// The failures of the configuration's own tests, a sentence each.
fn failed_tests(checked: &Checked) -> Result<Vec<String>, CompileError> {
    let report = testing::run(checked, &[])
        .map_err(|error| CompileError::Bad(vec![format!("{}: {error}", checked.source.path.display())]))?;
    let failed = report.cases.iter().filter(|case| !case.failures.is_empty());
    let sentence = |case: &testing::Case| {
        let place = format!("{}:{}", case.file.display(), case.place.0);
        let all =
            case.failures.iter().map(|one| format!("{}: wanted {}, got {}", one.what, one.wanted, one.got));
        format!("{place}: the test `{}` failed: {}", case.name, all.collect::<Vec<_>>().join("; "))
    };
    Ok(failed.map(sentence).collect())
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "`{}`: {error}", path.display()),
            Self::Bad(errors) => f.write_str(&errors.join("\n")),
            Self::Build(error) => error.fmt(f),
            Self::NoOutDir => f.write_str("`OUT_DIR` is not set; call this from a build script"),
            Self::NoRuntime => f.write_str(
                "this crate does not depend on relay-runtime, which the generated code uses: add it to `[dependencies]` in \
                 Cargo.toml, from where relay-build and relay-macros come",
            ),
        }
    }
}

impl std::error::Error for CompileError {}
