//! What every command that reads a configuration takes, and how its problems are reported.

use super::{output, style};
use anyhow::Context as _;
use clap::{Args, ValueEnum};
use relay_build::{
    config::{self, Checked, Source},
    diagnostics::{self, Severity},
};
use relay_runtime::counted;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The configuration and what completes it.
#[derive(Args, Clone)]
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
    /// Lay `[env.NAME]` over the configuration and take its variables from vars.NAME.toml beside it
    #[arg(long = "env", value_name = "NAME")]
    environment: Option<String>,
    /// Treat these as errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// Let these pass with a warning
    #[arg(long, value_name = "WHAT")]
    allow: Option<Allow>,
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
enum Allow {
    /// Keys that a rule does not have, which carbon-relay-ng ignores
    UnknownKeys,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For machines: one JSON document on stdout
    Json,
    /// For CI, `test` only: the outcome of tests, as XML
    Junit,
    /// For the comment of a merge request, `diff` only: the outcome of a comparison
    Markdown,
}

impl Format {
    /// As it is written after `--format`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Junit => "junit",
            Self::Markdown => "markdown",
        }
    }
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
    /// Another configuration, completed in the same way.
    pub(crate) fn of(&self, config: &Path) -> Self {
        Self { config: config.to_owned(), ..self.clone() }
    }

    /// Reads, checks and analyses. Prints every problem; returns `None` if the configuration is refused. Otherwise
    /// stdout is the command's own, so that warnings are text on stderr in every format.
    pub(crate) fn load(&self, purpose: Purpose) -> anyhow::Result<Option<Checked>> {
        let checked = self.check(purpose)?;
        if self.refuses(&checked) {
            self.print(&checked)?;
            return Ok(None);
        }
        if checked.all_diagnostics().next().is_some() {
            self.print_to_stderr(&checked);
        }
        Ok(Some(checked))
    }

    /// Reads, checks and analyses, without a word.
    pub(crate) fn check(&self, purpose: Purpose) -> anyhow::Result<Checked> {
        let options = self.options()?;
        let mut checked = config::load(&self.config, &options)
            .with_context(|| format!("cannot read {}", self.config.display()))?;
        if purpose == Purpose::Serve {
            let unsupported = config::unsupported(&checked);
            checked.diagnostics.extend(unsupported);
            checked.diagnostics.extend(config::routeless(&checked));
            checked.diagnostics.sort_by_key(|one| (one.place.as_ref().map(|(span, _)| *span), one.code));
        }
        Ok(checked)
    }

    /// Where variables get their values from.
    pub(crate) fn options(&self) -> anyhow::Result<config::Options> {
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
        let environment_name = self.environment.clone();
        let environment_file = match &environment_name {
            Some(name) => self.environment_file(name)?,
            None => None,
        };
        Ok(config::Options {
            variables,
            file,
            environment,
            environment_name,
            environment_file,
            allow_unknown_keys: self.allow == Some(Allow::UnknownKeys),
            ..config::Options::default()
        })
    }

    /// `vars.NAME.toml` beside the configuration, if it is there.
    fn environment_file(&self, name: &str) -> anyhow::Result<Option<Source>> {
        let path = self.config.with_file_name(format!("vars.{name}.toml"));
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Source { path, text })),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Whether the findings forbid a relay.
    pub(crate) fn refuses(&self, checked: &Checked) -> bool {
        checked.has_errors() || self.denies(checked)
    }

    /// Returns whether `--deny warnings` is given and there is a warning.
    fn denies(&self, checked: &Checked) -> bool {
        self.deny == Some(Deny::Warnings)
            && checked.all_diagnostics().any(|one| one.severity >= Severity::Warning)
    }

    /// Prints the findings that refuse a configuration: text on stderr with a closing count, JSON on stdout.
    pub(crate) fn print(&self, checked: &Checked) -> anyhow::Result<()> {
        let files = || checked.files.iter().map(|file| (&file.diagnostics, &file.source));
        let all = || std::iter::once((&checked.diagnostics, &checked.source)).chain(files());
        match self.format {
            Format::Json => {
                let lists = all().map(|(found, source)| diagnostics::to_json(found, source));
                let flat = lists.flat_map(|list| list.as_array().cloned().unwrap_or_default());
                output::answer_line(serde_json::Value::Array(flat.collect()))
            }
            Format::Text | Format::Junit | Format::Markdown => {
                self.print_to_stderr(checked);
                Ok(())
            }
        }
    }

    /// Prints the findings as text on stderr, for commands with something else to say on stdout.
    pub(crate) fn print_to_stderr(&self, checked: &Checked) {
        let files = checked.files.iter().map(|file| (&file.diagnostics, &file.source));
        let all = std::iter::once((&checked.diagnostics, &checked.source)).chain(files);
        for (found, source) in all.filter(|(found, _)| !found.is_empty()) {
            output::remark(diagnostics::render(found, source, true).trim_end());
        }
        output::remark(self.summary(checked));
    }

    /// How many findings there are, whether they refuse the configuration, and where to read more.
    fn summary(&self, checked: &Checked) -> String {
        let count = |severity| checked.all_diagnostics().filter(|one| one.severity == severity).count();
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let refused = self.refuses(checked);
        let style = if refused { style::ERROR } else { style::WARNING };
        let why = if errors == 0 && refused { "; refused because of `--deny warnings`" } else { "" };
        let more = checked
            .all_diagnostics()
            .next()
            .map_or(String::new(), |first| format!("; `relay-build explain-code {}` tells more", first.code));
        format!(
            "{style}{}: {}, {}{}{why}{more}",
            checked.source.path.display(),
            counted(errors, "error"),
            counted(warnings, "warning"),
            style::RESET
        )
    }
}

/// A problem that is none of a configuration's text, such as a file that is missing, in the form of a finding.
pub(super) fn to_json(error: &anyhow::Error, config: &Path) -> serde_json::Value {
    serde_json::json!([{
        "code": null,
        "severity": "error",
        "message": format!("{error:#}"),
        "file": config.display().to_string(),
        "place": null,
        "related": [],
        "help": null,
    }])
}

fn name_and_value(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}
