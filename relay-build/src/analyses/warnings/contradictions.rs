//! Conditions of one rule that contradict each other, so that no name meets all of them.
//!
//! Finds the one or two conditions that contradict, to say which of them to remove.

use crate::{
    analyses::language::{Answer, Languages, Names},
    diagnostics::{Diagnostic, Span, codes},
};
use relay_runtime::table::{Condition, Matcher};

/// The diagnostic for a matcher of which [`Languages::find`] has found that it matches no name. `rule` is the
/// word for it in the help.
pub(super) fn report(
    languages: &mut Languages,
    here: Span,
    subject: &str,
    matcher: &Matcher,
    rule: &str,
) -> Diagnostic {
    let diagnostic =
        Diagnostic::warning(codes::CONTRADICTION, here, format!("no metric can match {subject}"));
    match culprits(languages, matcher).as_slice() {
        [one] => diagnostic
            .label(format!("`{}` alone is met by no name", one.name()))
            .help(format!("change `{}`, or remove this {rule}", one.name())),
        [first, second] => diagnostic
            .label(format!("no name meets both `{}` and `{}`", first.name(), second.name()))
            .help(format!("remove `{}` or `{}`, or this {rule}", first.name(), second.name())),
        _ => diagnostic
            .label("no name meets all of its conditions")
            .help(format!("remove one of the conditions, or this {rule}")),
    }
}

/// One or two conditions that contradict by themselves; empty if more than two are needed.
fn culprits(languages: &mut Languages, matcher: &Matcher) -> Vec<Condition> {
    let conditions: Vec<_> = matcher.conditions().collect();
    let mut is_empty = |chosen: &[(Condition, &str)]| {
        let mut part = Matcher::default();
        for (condition, text) in chosen {
            part.set(*condition, *text);
        }
        languages.find(Names::OfLines, &[&part], &[]) == Answer::Empty
    };
    if let Some((one, _)) = conditions.iter().find(|one| is_empty(&[**one])) {
        return vec![*one];
    }
    for (at, first) in conditions.iter().enumerate() {
        for second in &conditions[at + 1..] {
            if is_empty(&[*first, *second]) {
                return vec![first.0, second.0];
            }
        }
    }
    Vec::new()
}
