//! Rewriters that change no name: because of their own `not`, of the blocklist, or of earlier rewriters.
//!
//! Whether earlier rewriters leave nothing to replace is decided only for rewriters of literals, not for
//! regexes.

use super::{
    Facts,
    cover::{Cover, cover},
    place, produced, related_entries,
    removal::{keeps_absent, leaves_none_of_old, removes_old},
    these,
};
use crate::{
    analyses::language::{Answer, FUEL, Languages, Names},
    diagnostics::{Diagnostic, codes},
};
use relay_runtime::table::{Matcher, Pattern, Rewriter};

/// How many texts that names no longer contain are remembered.
const ABSENT_MAX: usize = 100;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut languages = Languages::new(FUEL);
    let mut so_far = SoFar::default();
    for (at, rewriter) in facts.table.rewriters.iter().enumerate() {
        if rewriter.max == Some(0) {
            // The checks of the configuration have reported this already.
            continue;
        }
        let effect = effect(facts, &mut languages, &so_far, at);
        found.extend(report(facts, at, &effect));
        so_far.pass(facts, at, &mut languages.fuel);
    }
}

/// What earlier rewriters do to names.
#[derive(Default)]
struct SoFar<'t> {
    /// Matches every name that one of them has changed.
    made: Vec<Matcher>,
    /// Texts that no name contains any more, each with the rewriter that removes it.
    absent: Vec<(&'t str, usize)>,
}

/// Why a rewriter changes nothing.
enum Effect {
    /// It changes something, or that is unknown.
    Some,
    Itself,
    NothingFound,
    Excluded,
    Blocked(Vec<usize>),
    Removed(usize),
    Repeats(usize),
}

fn effect(facts: &Facts<'_>, languages: &mut Languages, so_far: &SoFar<'_>, at: usize) -> Effect {
    let rewriter = &facts.table.rewriters[at];
    if matches!(&rewriter.old, Pattern::Text(old) if *old == rewriter.new) {
        return Effect::Itself;
    }
    if let Some(effect) = removed(facts, languages, so_far, at) {
        return effect;
    }
    let taken = produced::taken_by(rewriter);
    let names = if so_far.made.is_empty() { Names::OfLines } else { Names::BetweenRewriters };
    match cover(languages, &[&taken], &facts.blocklist, facts.blocklist.len()) {
        Cover::Leaves(_) | Cover::Unknown => Effect::Some,
        Cover::Nothing if languages.find(names, &[&taken], &[]) != Answer::Empty => Effect::Some,
        Cover::Nothing if rewriter.not.is_some() => {
            let alone = produced::taken_by(&Rewriter { not: None, ..rewriter.clone() });
            match languages.find(names, &[&alone], &[]) {
                Answer::Empty => Effect::NothingFound,
                _ => Effect::Excluded,
            }
        }
        Cover::Nothing => Effect::NothingFound,
        Cover::TakenBy(by) => {
            let mut is_made =
                |one: &Matcher| languages.find(Names::BetweenRewriters, &[&taken, one], &[]) != Answer::Empty;
            if so_far.made.iter().any(&mut is_made) { Effect::Some } else { Effect::Blocked(by) }
        }
    }
}

/// Why earlier rewriters leave nothing for this one to change, if that is so.
fn removed(facts: &Facts<'_>, languages: &mut Languages, so_far: &SoFar<'_>, at: usize) -> Option<Effect> {
    let rewriter = &facts.table.rewriters[at];
    let effect = |earlier: usize| {
        let same = facts.table.rewriters[earlier] == *rewriter;
        if same { Effect::Repeats(earlier) } else { Effect::Removed(earlier) }
    };
    match &rewriter.old {
        Pattern::Text(old) => {
            let before = at.checked_sub(1).filter(|&before| facts.table.rewriters[before] == *rewriter);
            // If `not` finds nothing, the earlier rewriter has replaced everything; otherwise neither changes
            // the name.
            if let Some(before) = before
                && rewriter.max.is_none()
                && leaves_none_of_old(rewriter, old, &mut languages.fuel)
            {
                return Some(Effect::Repeats(before));
            }
            so_far.absent.iter().find(|(text, _)| old.contains(text)).map(|(_, earlier)| effect(*earlier))
        }
        Pattern::Regex(_) => {
            let taken = produced::taken_by(rewriter);
            // Otherwise the earlier rewriter is not the reason.
            let finds = |languages: &mut Languages, none: &[&Matcher]| {
                languages.find(Names::BetweenRewriters, &[&taken], none)
            };
            if so_far.absent.is_empty() || finds(languages, &[]) == Answer::Empty {
                return None;
            }
            let text = |text: &str| Matcher { sub: Some(text.to_owned()), ..Matcher::default() };
            let mut absent = so_far.absent.iter();
            let cause = absent.find(|(absent, _)| finds(languages, &[&text(absent)]) == Answer::Empty);
            cause.map(|(_, earlier)| effect(*earlier))
        }
    }
}

impl<'t> SoFar<'t> {
    /// Records what this rewriter does to names, for the rewriters after it.
    fn pass(&mut self, facts: &Facts<'t>, at: usize, fuel: &mut u64) {
        let rewriter = &facts.table.rewriters[at];
        self.made.extend(produced::by_rewriter(rewriter));
        self.absent.retain(|(text, _)| keeps_absent(rewriter, text, fuel));
        if let Pattern::Text(old) = &rewriter.old
            && self.absent.len() < ABSENT_MAX
            && !self.absent.iter().any(|(text, _)| text == old)
            && removes_old(rewriter, fuel)
        {
            self.absent.push((old, at));
        }
    }
}

fn report(facts: &Facts<'_>, at: usize, effect: &Effect) -> Option<Diagnostic> {
    let rewriter = &facts.table.rewriters[at];
    let here = place(&facts.origins.rewriters, at);
    let old = rewriter.old.written();
    let dead = Diagnostic::warning(
        codes::REWRITER_WITHOUT_EFFECT,
        here,
        format!("the rewriter of `{old}` never changes a name"),
    );
    Some(match effect {
        Effect::Some => return None,
        Effect::Itself => dead.label("`old` and `new` are the same").help("remove this rewriter"),
        Effect::NothingFound => dead.label("no name contains `old`").help("remove this rewriter"),
        Effect::Excluded => {
            dead.label("`not` excludes every name that contains `old`").help("remove `not`, or this rewriter")
        }
        Effect::Blocked(by) => {
            let help = format!("remove this rewriter, or {}", these(by));
            related_entries(dead.label("every metric whose name contains `old` is blocked"), facts, by)
                .help(help)
        }
        Effect::Removed(earlier) => dead
            .label("no name contains `old` any more")
            .related(place(&facts.origins.rewriters, *earlier), "this rewriter has replaced it everywhere")
            .help("remove this rewriter, or move it before the earlier one"),
        Effect::Repeats(earlier) => Diagnostic::warning(
            codes::DUPLICATE_REWRITER,
            here,
            format!("the configuration has the rewriter of `{old}` twice"),
        )
        .label("nothing is left to be replaced")
        .related(place(&facts.origins.rewriters, *earlier), "first here")
        .help("remove this rewriter"),
    })
}
