//! Front ends: from what was written to what it means.
//!
//! Two types, one fallible step apart: `raw` is the file as written, every value with its place; the checks turn it
//! into a [`Plan`] and report everything they find on the way, in one run. Read in this order: `unquoted` and
//! `raw` (text to tree), `check` and `fields` (what all checks share), then one module per section, in the
//! order in which carbon-relay-ng builds its table: [`commands`], `blocklist`, `aggregations`, `rewriters`,
//! `routes` with [`destinations`], and `tests`, of which nothing gets into a relay. [`unsupported`] says what of a good configuration this version cannot build.
//!
//! Nothing here reads a clock or the environment; [`load`] alone touches a file.

pub mod commands;
pub mod destinations;

mod aggregation_options;
mod aggregations;
mod blocklist;
mod braces;
mod check;
mod durations;
mod fields;
mod keys;
mod matchers;
mod options;
mod origins;
mod overlay;
mod placeholders;
mod raw;
mod regexes;
mod rewriters;
mod routeless;
mod routes;
mod schema;
mod secrets;
mod settings;
mod tests;
mod unquoted;
mod unsupported;
mod variables;

use crate::{
    analyses::Traffic,
    diagnostics::{Diagnostic, Severity, Span, codes},
};
use check::Check;
use fields::Fields;
use overlay::Environment;
use relay_runtime::{memory::Readable, plan::Plan, serve::StartError};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::{Path, PathBuf},
};

pub use options::{Options, VariablesFileError, is_variable_name, parse_variables_file};
pub use origins::Origins;
pub use overlay::OverlayStep;
pub use regexes::MalformedRegex;
pub use routeless::routeless;
pub use routes::RouteType;
pub use schema::schema;
pub use secrets::is_secret;
pub use tests::{Test, TestFile, Wanted, WantedRoute, check_tests};
pub use unsupported::unsupported;

/// A configuration file as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The path as given, for messages.
    pub path: PathBuf,
    /// The file's text, exactly.
    pub text: String,
}

/// A file that belongs to a configuration, with its problems.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reported {
    /// What was read.
    pub source: Source,
    /// Every problem, in order of place.
    pub diagnostics: Vec<Diagnostic>,
}

/// What checking a configuration returns: as much of a plan as could be made, and every problem found.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What was read.
    pub source: Source,
    /// What it means. Of no use when a diagnostic is an error.
    pub plan: Plan,
    /// Where each rule was written.
    pub origins: Origins,
    /// Every problem, in order of place.
    pub diagnostics: Vec<Diagnostic>,
    /// The problems of other files that belong to the configuration.
    pub files: Vec<Reported>,
    /// What the named environment changed, in the order in which it was laid over the rest.
    pub overlay: Vec<OverlayStep>,
    /// The variables that were fixed now, by name, with their values.
    pub variables: BTreeMap<String, String>,
    /// Where each of them got its value, for people.
    pub variable_origins: BTreeMap<String, &'static str>,
    /// Of these, the ones whose values came from the environment of the building process.
    pub from_environment: BTreeSet<String>,
    /// The environment that was named.
    pub environment: Option<String>,
    /// What real traffic looks like, if there was a corpus: steers how the plan runs. No part of what it means.
    pub traffic: Option<Traffic>,
    /// `[[test]]`, in order of place. No part of the plan.
    pub tests: Vec<Test>,
    /// `[run] show`: where `relay-build run` listens to print what arrives. No part of the plan.
    pub show: Vec<SocketAddr>,
}

/// Reads and checks a file.
pub fn load(path: &Path, options: &Options) -> std::io::Result<Checked> {
    let bytes = std::fs::read(path)?;
    let path = path.to_owned();
    match String::from_utf8(bytes) {
        Ok(text) => Ok(check_text(Source { path, text }, options)),
        Err(error) => Ok(not_utf8(path, &error)),
    }
}

/// Checks a text.
#[must_use]
pub fn check_text(source: Source, options: &Options) -> Checked {
    let environment = Environment::read(&source.text, options);
    let options = &environment.options.clone();
    let mut check = Check::new(options);
    let expanded = unquoted::expand(&source.text, options);
    for (name, value) in &expanded.fixed {
        check.note_fixed(name, value);
    }
    for (name, span) in &expanded.missing {
        check.report_missing(name, *span);
    }
    let document = raw::parse(&expanded, &mut check.diagnostics);
    let mut overlay = Vec::new();
    let mut files = Vec::new();
    // After a syntax error half of the file may be missing; what the checks would say of that is noise.
    if check.diagnostics.is_empty() {
        let (document, steps) = overlay::apply(&mut check, document);
        overlay = steps;
        secrets::check(&mut check, &document);
        placeholders::check(&mut check, &document);
        check_document(&mut check, &document);
        files = environment.finish(&mut check);
    }
    Checked { files, overlay, ..finish(check, source) }
}

/// Every section, in the order in which carbon-relay-ng builds its table (spec §1.2).
fn check_document(check: &mut Check<'_>, document: &raw::Table) {
    let fields = Fields::read(check, document, "the configuration", &[keys::GLOBAL, keys::SECTIONS]);
    settings::check(check, &fields);
    for (slot, key) in ["admin_addr", "http_addr"].into_iter().enumerate() {
        check.origins.listeners[slot] = fields.key_span(key);
    }
    check.origins.memory = fields.key_span("memory");
    if let Some(table) = fields.table(check, "amqp") {
        settings::amqp(check, table);
    }
    if let Some(table) = fields.table(check, "instrumentation") {
        settings::instrumentation(check, table);
    }
    if !commands::check_old(check, &fields)
        && let Some(table) = fields.table(check, "init")
    {
        let init = Fields::read(check, table, "`[init]`", &[keys::INIT]);
        for text in init.texts(check, "cmds") {
            commands::check_text(check, text);
        }
    }
    if let Some(table) = fields.table(check, "run") {
        settings::run(check, table);
    }
    for key in ["blocklist", "blacklist"] {
        let entries = fields.texts(check, key);
        blocklist::check(check, &entries);
    }
    for table in fields.tables(check, "aggregation") {
        aggregations::check(check, table);
    }
    for table in fields.tables(check, "rewriter") {
        rewriters::check(check, table);
    }
    for table in fields.tables(check, "route") {
        routes::check(check, table);
    }
    for table in fields.tables(check, "test") {
        tests::check(check, table);
    }
}

fn finish(mut check: Check<'_>, source: Source) -> Checked {
    let tests = std::mem::take(&mut check.tests);
    let routes: Vec<String> = check.plan.table.routes.iter().map(|route| route.key.clone()).collect();
    tests::check_routes(&mut check, &tests, &routes);
    for name in check.options.variables.keys().filter(|name| !check.used.contains(*name)) {
        let message = format!("the variable `{name}` was given, but nothing uses it");
        let near = keys::nearest(name, check.used.iter().map(String::as_str));
        let help = match near {
            Some(near) => format!("a variable with a similar name is used: `{near}`"),
            None => format!("remove `--var {name}=…`, or write `${{{name}}}` where its value belongs"),
        };
        check.diagnostics.push(Diagnostic {
            code: codes::UNUSED_VARIABLE,
            severity: if check.options.environment_name.is_some() {
                Severity::Error
            } else {
                Severity::Warning
            },
            message,
            place: None,
            related: Vec::new(),
            help: Some(help),
        });
    }
    let destinations = check.plan.table.destinations.iter();
    let place = |wanted| check.destinations.iter().find(|(known, _)| known == wanted).map(|(_, span)| *span);
    check.origins.destinations = destinations.map(|one| place(one).unwrap_or_default()).collect();
    // Of a plan with an error in it no more can be said than what is there twice.
    if check.diagnostics.iter().all(|one| one.severity < Severity::Error) {
        let more = crate::analyses::findings(&check.plan.table, &check.plan.settings, &check.origins);
        check.diagnostics.extend(more);
        check.diagnostics.extend(too_little_memory(&check.plan, &check.origins));
    } else {
        check.diagnostics.extend(crate::analyses::repetitions(&check.plan.table, &check.origins));
    }
    check.diagnostics.sort_by_key(|one| one.place.as_ref().map_or(usize::MAX, |(span, _)| span.start));
    let Check { options, plan, origins, diagnostics, fixed: variables, show, .. } = check;
    let origin = |name: &String| Some((name.clone(), options.origin(name)?));
    let variable_origins = variables.keys().filter_map(origin).collect();
    let from_environment = variables.keys().filter(|name| options.given(name).is_none()).cloned().collect();
    let environment = options.environment_name.clone();
    Checked {
        source,
        plan,
        origins,
        diagnostics,
        variables,
        variable_origins,
        from_environment,
        environment,
        tests,
        show,
        ..Checked::default()
    }
}

/// A ceiling that cannot be kept. One that depends on the environment is looked at when the relay starts.
fn too_little_memory(plan: &Plan, origins: &Origins) -> Option<Diagnostic> {
    let Err(StartError::Memory(error)) = relay_runtime::serve::memory(plan) else { return None };
    let needed = Readable(error.needed.next_multiple_of(1 << 20));
    Some(
        Diagnostic::error(codes::MEMORY_TOO_SMALL, origins.memory.unwrap_or_default(), error.to_string())
            .label("too little")
            .help(format!("write `memory = \"{needed}\"` or more, or lower `max_procs`, `max_connections`, `pickle_frame_max`, or the bounds of aggregations")),
    )
}

fn not_utf8(path: PathBuf, error: &std::string::FromUtf8Error) -> Checked {
    let start = error.utf8_error().valid_up_to();
    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
    let span = Span { start, end: start + char::REPLACEMENT_CHARACTER.len_utf8() };
    let diagnostic = Diagnostic::error(codes::NOT_UTF8, span, "the file is not UTF-8")
        .label("these bytes are not a character")
        .help("save the file as UTF-8");
    Checked { source: Source { path, text }, diagnostics: vec![diagnostic], ..Checked::default() }
}

impl Checked {
    /// Whether a problem was found that no relay can be built with.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.all_diagnostics().any(|one| one.severity == Severity::Error)
    }

    /// Every problem, of the configuration and of the files that belong to it.
    pub fn all_diagnostics(&self) -> impl Iterator<Item = &Diagnostic> {
        self.diagnostics.iter().chain(self.files.iter().flat_map(|file| &file.diagnostics))
    }
}

impl Source {
    /// Line and column, both from 1, of a byte; the column counts characters.
    #[must_use]
    pub fn line_column(&self, at: usize) -> (usize, usize) {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[start..].chars().count() + 1)
    }
}
