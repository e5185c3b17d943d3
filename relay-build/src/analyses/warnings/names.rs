//! Rewriters that produce a name which cannot be sent: an empty one, or one with white space.
//!
//! The analysis searches for an example and runs the rewriters on it, so every reported problem really
//! occurs. Names that occur only as results of earlier rewriters are not searched.

use super::{
    Facts,
    cover::{Cover, cover},
    place,
    produced::{pieces, taken_by},
};
use crate::{
    analyses::language::{FUEL, Languages},
    diagnostics::{Diagnostic, codes},
};
use relay_runtime::{
    rewriter::{self, is_usable},
    table::{Matcher, Pattern, Rewriter},
    template::Piece,
};

/// Go's limit on counted repetitions.
const REPEAT_MAX: u32 = 1_000;

/// The fuel that each rewriter costs when all rewriters of a table run on one name.
const RUN_PRICE: u64 = 20;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut languages = Languages::new(FUEL);
    let mut ready = None;
    for (at, rewriter) in facts.table.rewriters.iter().enumerate() {
        let Some(suspicion) = suspicion(rewriter) else { continue };
        let taken = taken_by(rewriter);
        let mut all = vec![&taken];
        all.extend(suspicion.only.as_ref());
        let Cover::Leaves(name) = cover(&mut languages, &all, &facts.blocklist, facts.blocklist.len()) else {
            continue;
        };
        let rewriters = ready.get_or_insert_with(|| make_ready(&facts.table.rewriters));
        let Some(fuel) = languages.fuel.checked_sub(RUN_PRICE * rewriters.len() as u64) else { return };
        languages.fuel = fuel;
        if let Some((culprit, result)) = run(rewriters, &name)
            && culprit == at
        {
            found.push(report(facts, at, &name, &result, &suspicion));
        }
    }
}

/// What a rewriter may do to some of the names that it changes.
struct Suspicion {
    /// The names for which this happens.
    only: Option<Matcher>,
    /// A pattern of all names that it makes empty, where one is known.
    emptied: Option<String>,
}

fn suspicion(rewriter: &Rewriter) -> Option<Suspicion> {
    let is_spaced = |text: &str| text.contains(char::is_whitespace);
    let (spaced, says_something, old) = match &rewriter.old {
        Pattern::Text(_) if rewriter.max == Some(0) => return None,
        Pattern::Text(old) => (is_spaced(&rewriter.new), !rewriter.new.is_empty(), regex_syntax::escape(old)),
        Pattern::Regex(old) => {
            let pieces = pieces(&rewriter.new, old)?;
            let literal =
                |piece: &Piece| if let Piece::Literal(text) = piece { Some(text.clone()) } else { None };
            let literals: Vec<_> = pieces.iter().filter_map(literal).collect();
            (literals.iter().any(|text| is_spaced(text)), !literals.is_empty(), old.clone())
        }
    };
    if spaced {
        return Some(Suspicion { only: None, emptied: None });
    }
    if says_something {
        return None;
    }
    let times = match rewriter.max {
        Some(max) if max <= REPEAT_MAX => format!("{{1,{max}}}"),
        _ => "+".to_owned(),
    };
    let all_of_it = format!("^(?:{old}){times}$");
    let only = Some(Matcher { regex: Some(all_of_it.clone()), ..Matcher::default() });
    Some(Suspicion { only, emptied: rewriter.new.is_empty().then_some(all_of_it) })
}

fn make_ready(rewriters: &[Rewriter]) -> Vec<Option<rewriter::Rewriter>> {
    rewriters.iter().map(|one| rewriter::Rewriter::new(one).ok()).collect()
}

/// Runs all rewriters on the name. If the result cannot be sent, returns the rewriter that first made it
/// invalid, and its result.
fn run(rewriters: &[Option<rewriter::Rewriter>], name: &str) -> Option<(usize, Vec<u8>)> {
    let mut current = name.as_bytes().to_vec();
    let mut next = Vec::new();
    let mut culprit = None;
    for (at, rewriter) in rewriters.iter().enumerate() {
        if rewriter.as_ref()?.apply(&current, &mut next) {
            std::mem::swap(&mut current, &mut next);
        }
        if is_usable(&current) {
            culprit = None;
        } else if culprit.is_none() {
            culprit = Some((at, current.clone()));
        }
    }
    culprit
}

fn report(facts: &Facts<'_>, at: usize, name: &str, result: &[u8], suspicion: &Suspicion) -> Diagnostic {
    let rewriter = &facts.table.rewriters[at];
    let here = place(&facts.origins.rewriters, at);
    let result = String::from_utf8_lossy(result);
    let message = if result.is_empty() {
        format!("this rewriter leaves nothing of the name `{name}`")
    } else {
        format!("this rewriter makes `{result}` of the name `{name}`")
    };
    let diagnostic = Diagnostic::warning(codes::UNUSABLE_NAME, here, message);
    if !result.is_empty() {
        return diagnostic
            .label("a name that contains white space cannot be sent, so the line is dropped")
            .help(format!("write `new = {}`", quoted(&rewriter.new.replace(char::is_whitespace, "_"))));
    }
    let excluded = suspicion.emptied.clone().unwrap_or_else(|| format!("^{}$", regex_syntax::escape(name)));
    let help = match rewriter.not {
        None => format!("exclude such names with `not = {}`", quoted(&format!("/{excluded}/"))),
        Some(_) => format!("block such names with {} in `blocklist`", quoted(&format!("regex {excluded}"))),
    };
    diagnostic.label("a name must not be empty, so the line is dropped").help(help)
}

/// The text as a TOML string.
fn quoted(text: &str) -> String {
    if text.contains(['\'', '\n', '\r']) { format!("{text:?}") } else { format!("'{text}'") }
}
