//! What every command that reads a configuration takes, and how its problems are reported.

use super::style;
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use relay_build::{
    config::{self, Checked},
    diagnostics::{self, Severity},
};
use std::{collections::BTreeMap, path::PathBuf};

/// The configuration and what completes it.
#[derive(Args)]
pub(crate) struct Input {
    /// The configuration, in carbon-relay-ng's TOML
    #[arg(value_name = "CONFIG")]
    pub(crate) config: PathBuf,
    /// Give a `${NAME}` its value now (may be repeated; wins over --vars and the environment)
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = name_and_value)]
    variables: Vec<(String, String)>,
    /// Read values for `${NAME}`s from a TOML file of `NAME = "value"` lines
    #[arg(long = "vars", value_name = "FILE")]
    variables_file: Option<PathBuf>,
    /// Treat these as errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// How to print diagnostics
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// A configuration with a warning is refused, as CI wants it
    Warnings,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For machines: one JSON document on stdout
    Json,
}

/// Whether the command needs a relay that this version can build.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Only the table is asked, so that parts without an engine do no harm.
    Ask,
    /// A relay is to run.
    Serve,
}

impl Input {
    /// Reads, checks and analyses. Prints every problem; `None` when the configuration is refused.
    pub(crate) fn load(&self, purpose: Purpose) -> anyhow::Result<Option<Checked>> {
        let checked = self.check(purpose)?;
        let refused = self.refuses(&checked);
        if !checked.diagnostics.is_empty() {
            self.print(&checked);
        }
        Ok((!refused).then_some(checked))
    }

    /// Reads, checks and analyses, without a word.
    pub(crate) fn check(&self, purpose: Purpose) -> anyhow::Result<Checked> {
        let options = self.options()?;
        let mut checked = config::load(&self.config, &options)
            .with_context(|| format!("cannot read {}", self.config.display()))?;
        if !checked.has_errors() && purpose == Purpose::Serve {
            let unsupported = config::unsupported(&checked);
            checked.diagnostics.extend(unsupported);
            checked.diagnostics.sort_by_key(|one| (one.place.as_ref().map(|(span, _)| *span), one.code));
        }
        Ok(checked)
    }

    /// Where variables get their values from.
    fn options(&self) -> anyhow::Result<config::Options> {
        let file = match &self.variables_file {
            None => BTreeMap::new(),
            Some(path) => {
                let name = path.display();
                let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
                config::parse_variables_file(&text).with_context(|| name.to_string())?
            }
        };
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let variables = self.variables.iter().cloned().collect();
        Ok(config::Options { variables, file, environment })
    }

    /// Whether the findings forbid a relay.
    pub(crate) fn refuses(&self, checked: &Checked) -> bool {
        checked.has_errors() || (self.deny == Some(Deny::Warnings) && !checked.diagnostics.is_empty())
    }

    /// Prints the findings: text on stderr with a closing count, JSON on stdout.
    pub(crate) fn print(&self, checked: &Checked) {
        match self.format {
            Format::Json => println!("{}", diagnostics::to_json(&checked.diagnostics, &checked.source)),
            Format::Text => {
                anstream::eprint!("{}", diagnostics::render(&checked.diagnostics, &checked.source, true));
                anstream::eprintln!("{}", summary(checked));
            }
        }
    }
}

fn summary(checked: &Checked) -> String {
    let count = |severity| checked.diagnostics.iter().filter(|one| one.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let plural = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let style = if errors > 0 { style::ERROR } else { style::WARNING };
    let (errors, warnings) = (plural(errors, "error"), plural(warnings, "warning"));
    let more = checked
        .diagnostics
        .first()
        .map_or(String::new(), |first| format!("; `relay-build explain-code {}` tells more", first.code));
    format!("{style}{}: {errors}, {warnings}{}{more}", checked.source.path.display(), style::RESET)
}

fn name_and_value(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
