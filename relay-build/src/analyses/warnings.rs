//! Warnings about a plan that the author can hardly have intended: rules that nothing reaches, rules that are
//! repeated, names that cannot be sent.
//!
//! Every warning states a fact, never a guess: [`language`](super::language) decides what matches, the
//! runtime's own ring decides what a ring does, and a rewriter is judged by running it. Where deciding would
//! take too long, there is no warning. Each analysis has its own fuel, so a table that is hard for one analysis
//! does not silence the others.

mod aggregators;
mod blocklist;
mod contradictions;
mod cover;
mod destinations;
mod duplicates;
mod names;
mod own_input;
mod produced;
mod reach;
mod removal;
mod rewriters;
mod rings;
mod rule_set;
mod stopped;

use crate::{
    config::Origins,
    diagnostics::{Diagnostic, Span},
};
use relay_runtime::{
    settings::Settings,
    table::{Matcher, Table},
};
use rule_set::RuleSet;

/// All warnings about a table in which no error was found.
#[must_use]
pub fn warnings(table: &Table, origins: &Origins) -> Vec<Diagnostic> {
    findings(table, &Settings::default(), origins)
}

/// All warnings about a table and its settings together.
#[must_use]
pub fn findings(table: &Table, settings: &Settings, origins: &Origins) -> Vec<Diagnostic> {
    let facts = Facts { table, settings, origins, blocklist: RuleSet::new(&table.blocklist) };
    let analyses = [
        blocklist::check,
        reach::check,
        stopped::check,
        destinations::check,
        rewriters::check,
        names::check,
        duplicates::check,
        rings::check,
        own_input::check,
        aggregators::check,
    ];
    let mut found = Vec::new();
    for analysis in analyses {
        analysis(&facts, &mut found);
    }
    found
}

/// The warnings about a table in which an error was found: only duplicates.
pub(crate) fn repetitions(table: &Table, origins: &Origins) -> Vec<Diagnostic> {
    let settings = Settings::default();
    let facts = Facts { table, settings: &settings, origins, blocklist: RuleSet::new(&table.blocklist) };
    let mut found = Vec::new();
    duplicates::check(&facts, &mut found);
    found
}

/// The input of all analyses.
struct Facts<'t> {
    table: &'t Table,
    settings: &'t Settings,
    origins: &'t Origins,
    blocklist: RuleSet<'t>,
}

impl Facts<'_> {
    /// How messages name a route.
    fn route_name(&self, route: usize) -> String {
        match self.table.routes.get(route) {
            Some(route) if !route.key.is_empty() => format!("the route `{}`", route.key),
            _ => "this route".to_owned(),
        }
    }

    /// The place of a route's destination in the configuration.
    fn destination_place(&self, route: usize, at: usize) -> Span {
        let places = self.origins.route_destinations.get(route);
        places.map_or_else(|| place(&self.origins.routes, route), |places| place(places, at))
    }
}

fn place(places: &[Span], at: usize) -> Span {
    places.get(at).copied().unwrap_or_default()
}

/// A matcher in the notation of a blocklist entry.
fn written(matcher: &Matcher) -> String {
    let conditions: Vec<_> =
        matcher.conditions().map(|(condition, text)| format!("{} {text}", condition.name())).collect();
    conditions.join(", ")
}

/// Adds a label at each of the blocklist entries that together block something.
fn related_entries(mut diagnostic: Diagnostic, facts: &Facts<'_>, entries: &[usize]) -> Diagnostic {
    let label = if entries.len() == 1 { "this entry blocks all of it" } else { "blocks part of it" };
    for &entry in entries {
        diagnostic = diagnostic.related(place(&facts.origins.blocklist, entry), label);
    }
    diagnostic
}

/// "the entry that blocks it", or its plural.
fn these(entries: &[usize]) -> &'static str {
    if entries.len() == 1 { "the entry that blocks it" } else { "the entries that block it" }
}
