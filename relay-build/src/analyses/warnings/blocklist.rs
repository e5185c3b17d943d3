//! Blocklist entries that block nothing: repeated ones, ones that earlier entries cover, ones that no name can
//! match.
//!
//! An entry is reported once, for the first of these reasons.

use super::{
    Facts, contradictions,
    cover::{Cover, cover},
    place, related_entries, written,
};
use crate::{
    analyses::language::{FUEL, Languages},
    diagnostics::{Diagnostic, codes},
};
use std::collections::HashMap;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut languages = Languages::new(FUEL);
    let mut first = HashMap::new();
    for (entry, matcher) in facts.table.blocklist.iter().enumerate() {
        let here = place(&facts.origins.blocklist, entry);
        let text = written(matcher);
        if let Some(&first) = first.get(matcher) {
            let message = format!("the blocklist has `{text}` twice");
            found.push(
                Diagnostic::warning(codes::DUPLICATE_BLOCKLIST_ENTRY, here, message)
                    .related(place(&facts.origins.blocklist, first), "first here")
                    .help("remove this entry"),
            );
            continue;
        }
        first.insert(matcher, entry);
        match cover(&mut languages, &[matcher], &facts.blocklist, entry) {
            Cover::TakenBy(by) => {
                let message = format!("the blocklist entry `{text}` blocks nothing");
                let diagnostic = Diagnostic::warning(codes::UNREACHED_BLOCKLIST_ENTRY, here, message)
                    .label("every metric that it matches is blocked already");
                found.push(related_entries(diagnostic, facts, &by).help("remove this entry"));
            }
            Cover::Nothing => {
                let subject = format!("the blocklist entry `{text}`");
                found.push(contradictions::report(&mut languages, here, &subject, matcher, "entry"));
            }
            Cover::Leaves(_) | Cover::Unknown => {}
        }
    }
}
