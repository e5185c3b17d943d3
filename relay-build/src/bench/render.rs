//! A bench report as text for people.
//!
//! Prints every part of the report that was measured; JSON for programs is the report itself, serialised.

use super::{Figures, Report};
use std::fmt::Write as _;

/// The report as text.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let from = match &report.corpus.file {
        Some(file) => format!("of {file}"),
        None => "made from the rules".to_owned(),
    };
    writeln!(out, "{}: {} lines {from}, {} bytes", report.config, report.lines, report.corpus.bytes)?;
    let what = report.outcomes;
    writeln!(
        out,
        "{} routed, {} unroutable, {} blocked, {} aggregated away, {} invalid\n",
        what.routed, what.unroutable, what.blocked, what.aggregated_away, what.invalid
    )?;
    writeln!(
        out,
        "{:<14} {:>11} {:>9} {:>9} {:>14} {:>13}",
        "", "ns_per_line", "min", "max", "lines_per_second", "instructions"
    )?;
    row(out, "compiled", &report.compiled)?;
    row(out, "interpreted", &report.interpreted)?;
    if let Some(steered) = &report.steered {
        row(out, "steered", steered)?;
    }
    if let Some(against) = &report.against {
        row(out, "against", &against.compiled)?;
        writeln!(out, "against is {}, compiled", against.config)?;
    }
    let rounds = report.compiled.rounds;
    writeln!(out, "\nns_per_line is the median of {rounds} rounds; compare figures of one run only")?;
    writeln!(
        out,
        "the relay has {} bytes and took {:.1} s to build, {:.1} s of it compiling",
        report.build.binary_bytes,
        report.build.seconds,
        report.build.stages.get("compile").copied().unwrap_or_default()
    )?;
    if !report.strategies.is_empty() {
        writeln!(out, "\nstrategies")?;
        for sentence in &report.strategies {
            writeln!(out, "  {sentence}")?;
        }
    }
    if !report.rules.is_empty() {
        writeln!(out, "\nwhat the table would save per line without a rule")?;
        writeln!(out, "  {:>12} {:>9}", "instructions", "ns")?;
        for rule in &report.rules {
            let instructions = rule.instructions.map_or("-".to_owned(), |count| format!("{count:.1}"));
            writeln!(out, "  {instructions:>12} {:>9.1}  {}: {}", rule.ns, rule.place, rule.rules)?;
        }
    }
    Ok(())
}

fn row(out: &mut String, name: &str, figures: &Figures) -> std::fmt::Result {
    let instructions = figures.instructions_per_line.map_or("-".to_owned(), |count| format!("{count:.0}"));
    writeln!(
        out,
        "{name:<14} {:>11.1} {:>9.1} {:>9.1} {:>16.0} {instructions:>13}",
        figures.ns_per_line, figures.ns_per_line_min, figures.ns_per_line_max, figures.lines_per_second
    )
}
