//! The six conditions of a matcher, under the names that sections, destinations and commands share.
//!
//! The meaning of the conditions is in relay-runtime; here they are only read and checked.

use super::{check::Check, fields::Fields, raw::Text, regexes};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::table::{Condition, Matcher};

/// Returns the condition with exactly this name.
#[must_use]
pub(super) fn condition(name: &str) -> Option<Condition> {
    Condition::ALL.into_iter().find(|condition| condition.name() == name)
}

/// Whether the condition's text is a regex.
pub(super) fn is_regex(condition: Condition) -> bool {
    matches!(condition, Condition::Regex | Condition::NotRegex)
}

/// Reads the matcher keys of a table. `substr` is an alias of `sub`; if both are given, `sub` counts.
pub(super) fn read(check: &mut Check<'_>, fields: &Fields<'_>) -> Matcher {
    let mut matcher = Matcher::default();
    let alias = fields.fixed(check, "substr");
    for condition in Condition::ALL {
        let Some(text) = fields.fixed(check, condition.name()) else { continue };
        add(check, &mut matcher, condition, &text);
    }
    match (&matcher.sub, alias) {
        (None, Some(alias)) => matcher.sub = Some(alias.text),
        (Some(_), Some(alias)) => {
            let place = fields.key_span("sub").unwrap_or_default();
            check.report(
                Diagnostic::warning(
                    codes::TWO_SUBSTRINGS,
                    alias.span,
                    "`sub` and `substr` are the same condition",
                )
                .label("this one is not used")
                .related(place, "this one is")
                .help("remove `substr`"),
            );
        }
        (_, None) => {}
    }
    matcher
}

/// Adds one condition; a regex is checked first.
pub(super) fn add(check: &mut Check<'_>, matcher: &mut Matcher, condition: Condition, text: &Text) {
    if is_regex(condition) {
        regexes::check(check, text);
    }
    matcher.set(condition, text.text.clone());
}
