//! A comparison of two configurations as text for people and as Markdown for the comment of a merge request.
//!
//! Lists are cut after [`SHOWN`] entries; the JSON form, the report itself, has all of them.

use super::{Report, RingMoves};
use std::fmt::Write as _;

/// How many entries of a list are shown.
const SHOWN: usize = 20;

/// The report as text.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    for kind in &report.kinds {
        let words = kind.kind.words();
        let _ = match (&kind.witness, kind.is_proven) {
            (Some(witness), true) => writeln!(out, "{words}: {witness} (no shorter metric shows it)"),
            (Some(witness), false) => {
                writeln!(out, "{words}: {witness} (found by search; there may be shorter ones)")
            }
            (None, true) => writeln!(out, "{words}: no metric"),
            (None, false) => writeln!(out, "{words}: none found by search (the rules do not allow a proof)"),
        };
        let of_kind: Vec<_> = report.differences.iter().filter(|one| one.kind == kind.kind).collect();
        for one in of_kind.iter().take(SHOWN) {
            let _ = writeln!(out, "  {}: {}", one.subject, one.witness);
        }
        if of_kind.len() > SHOWN {
            let _ = writeln!(out, "  and {} more", of_kind.len() - SHOWN);
        }
    }
    for ring in &report.rings {
        let _ = writeln!(out, "{}", ring_sentence(ring));
        for one in ring.moves.iter().take(SHOWN) {
            let _ = writeln!(out, "  {} → {}: {}", one.from, one.to, one.positions);
        }
    }
    for sentence in &report.choices {
        let _ = writeln!(out, "{sentence}");
    }
    for change in &report.settings {
        let _ = writeln!(out, "{}: {} became {}", change.path, change.old, change.new);
    }
    if let Some(corpus) = &report.corpus {
        let _ = writeln!(out, "{} of {} names are treated differently", corpus.different, corpus.names);
        for (kind, count) in &corpus.counts {
            let _ = writeln!(out, "  {}: {count}", kind.words());
        }
        for (name, kinds) in corpus.list.iter().take(SHOWN) {
            let words: Vec<_> = kinds.iter().map(|kind| kind.words()).collect();
            let _ = writeln!(out, "  {name}: {}", words.join(", "));
        }
    }
    let _ = writeln!(out, "{}", verdict(report));
    out
}

/// The report as Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = format!("### Routing: {}\n\n", verdict(report));
    out.push_str("| difference | shortest metric | proof |\n|:--|:--|:--|\n");
    for kind in &report.kinds {
        let witness = kind.witness.as_ref().map_or("none".to_owned(), |witness| code(witness));
        let proof = if kind.is_proven { "by automata" } else { "by search only" };
        let _ = writeln!(out, "| {} | {witness} | {proof} |", kind.kind.words());
    }
    if !report.differences.is_empty() {
        out.push_str("\n| what | where | metric |\n|:--|:--|:--|\n");
        for one in report.differences.iter().take(SHOWN) {
            let _ =
                writeln!(out, "| {} | {} | {} |", one.kind.words(), cell(&one.subject), code(&one.witness));
        }
        if report.differences.len() > SHOWN {
            let _ = writeln!(out, "\nAnd {} more.", report.differences.len() - SHOWN);
        }
    }
    for ring in &report.rings {
        let _ = writeln!(out, "\n{}\n\n| from | to | positions |\n|:--|:--|--:|", ring_sentence(ring));
        for one in ring.moves.iter().take(SHOWN) {
            let _ = writeln!(out, "| {} | {} | {} |", cell(&one.from), cell(&one.to), one.positions);
        }
    }
    if !report.choices.is_empty() || !report.settings.is_empty() {
        out.push('\n');
    }
    for sentence in &report.choices {
        let _ = writeln!(out, "* {}", cell(sentence));
    }
    for change in &report.settings {
        let (old, new) = (code(&change.old.to_string()), code(&change.new.to_string()));
        let _ = writeln!(out, "* {}: {old} became {new}", cell(&change.path));
    }
    if let Some(corpus) = &report.corpus {
        let _ =
            writeln!(out, "\n{} of {} names in use are treated differently.", corpus.different, corpus.names);
        if !corpus.counts.is_empty() {
            out.push_str("\n| difference | names |\n|:--|--:|\n");
        }
        for (kind, count) in &corpus.counts {
            let _ = writeln!(out, "| {} | {count} |", kind.words());
        }
    }
    out
}

fn verdict(report: &Report) -> &'static str {
    match (report.equal, report.exact) {
        (true, true) => "equal: no metric is treated differently",
        (true, false) => "no difference found (not everything could be proven)",
        (false, _) => "different",
    }
}

fn ring_sentence(ring: &RingMoves) -> String {
    let how = if ring.exact { "of all positions" } else { "of the names tried" };
    let share = ring.share * 100.0;
    format!("route `{}`: {share:.2}% {how} move ({} of {})", ring.route, ring.moved, ring.positions)
}

/// Escapes a text for a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// Makes a text code in a cell of a Markdown table.
fn code(text: &str) -> String {
    format!("`{}`", cell(text).replace('`', "'"))
}
