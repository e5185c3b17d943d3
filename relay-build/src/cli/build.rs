//! `build`: a relay and its manifest in a directory.

use super::{
    compiling::Compiling,
    corpus::Steering,
    input::{Format, Input, Purpose},
    output,
    package::{self, Packages},
    progress::Progress,
    style,
};
use anyhow::anyhow;
use clap::{Args, ValueEnum};
use relay_build::{driver, package::Outcome};
use std::{path::PathBuf, process::ExitCode};

/// Build a relay: DIR/relay, the executable, and DIR/manifest.json, what it was made of
///
/// The tests of the configuration run first; when one fails, nothing is built. DIR/sbom.cdx.json lists what the relay
/// consists of, and DIR/inputs.json has what `verify` needs to build it again. With --package, packages are in DIR/package.
///
/// The first build on a machine compiles the runtime as well and takes a few minutes; later ones take seconds.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) input: Input,
    #[command(flatten)]
    steering: Steering,
    #[command(flatten)]
    compiling: Compiling,
    /// Where to put the relay
    #[arg(long, value_name = "DIR", default_value = "dist")]
    out: PathBuf,
    /// What to leave in DIR
    #[arg(long, value_name = "WHAT", default_value = "relay")]
    emit: Emit,
    /// Print nothing but problems
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    packages: Packages,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Emit {
    /// The executable and its manifest
    Relay,
    /// The generated crate's source, formatted, without compiling it
    Source,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    if arguments.emit == Emit::Source && !arguments.packages.is_empty() {
        super::print_error(&anyhow!("--package packages a relay, and --emit source builds none"));
        return Ok(ExitCode::from(2));
    }
    let Some(mut checked) = arguments.input.load(Purpose::Serve)? else { return Ok(ExitCode::FAILURE) };
    if !super::test::pass(&arguments.input, &checked)? {
        return Ok(ExitCode::FAILURE);
    }
    arguments.steering.steer(&mut checked)?;
    let mut options = arguments.compiling.options(&arguments.out);
    let checked = driver::tuned(&checked, options.profile);
    arguments.packages.check(&checked)?;
    let mut progress = Progress::new(arguments.quiet || arguments.input.format == Format::Json);
    if arguments.emit == Emit::Source {
        options.emit = driver::Emit::Source;
    }
    let built = driver::build(&checked, &options, |heard| progress.hear(heard));
    progress.finish();
    let artifact = built?;
    let outcome = match &artifact.manifest {
        Some(manifest) => arguments.packages.make(&checked, manifest, &arguments.out)?,
        None => Outcome::default(),
    };
    match arguments.input.format {
        Format::Json => {
            let mut said = serde_json::to_value(&artifact.manifest)?;
            if !arguments.packages.is_empty() {
                said["packaging"] = package::to_json(&outcome);
            }
            output::answer_line(serde_json::to_string_pretty(&said)?)?;
        }
        _ if arguments.quiet => {}
        _ => {
            output::remark(format_args!(
                "{}built{} {} ({} KiB)",
                style::GOOD,
                style::RESET,
                artifact.path.display(),
                std::fs::metadata(&artifact.path)?.len().div_ceil(1024)
            ));
            package::print(&outcome);
        }
    }
    Ok(ExitCode::SUCCESS)
}
