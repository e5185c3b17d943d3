//! Checks `[[rewriter]]` sections (spec §2.9, §8) and adds their rules to the plan.
//!
//! Reports rewriters that cannot have any effect and references to groups that do not exist.

use super::{
    braces,
    check::Check,
    fields::Fields,
    keys,
    raw::{Table, Text},
    regexes::{self, Groups},
};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::table::{Pattern, Rewriter};

/// Adds one section to the plan.
pub(super) fn check(check: &mut Check<'_>, table: &Table) {
    let fields = Fields::read(check, table, "a rewriter", &[keys::REWRITER]);
    let Some(old) = fields.fixed(check, "old") else {
        if fields.text(check, "old").is_some() || fields.node("old").is_none() {
            check.report(
                Diagnostic::error(
                    codes::EMPTY_OLD,
                    fields.span_of("old"),
                    "a rewriter needs `old`, the text that it replaces",
                )
                .help("write `old = \"<text>\"` or `old = \"/<regex>/\"`"),
            );
        }
        return;
    };
    let (old_pattern, groups) = pattern(check, &old);
    let new =
        fields.text(check, "new").map(|text| new_text(check, text, groups.as_ref())).unwrap_or_default();
    let not = fields.fixed(check, "not").map(|text| pattern(check, &text).0);
    let max = limit(check, &fields, &old_pattern);
    report_plain_regex(check, &old, &old_pattern);
    check.plan.table.rewriters.push(Rewriter { old: old_pattern, new, not, max });
    check.origins.rewriters.push(table.span);
}

fn pattern(check: &mut Check<'_>, text: &Text) -> (Pattern, Option<Groups>) {
    let pattern = Pattern::parse(&text.text);
    let groups = match &pattern {
        Pattern::Regex(regex) => regexes::check(check, &text.slice(1..1 + regex.len())),
        Pattern::Text(_) => None,
    };
    (pattern, groups)
}

/// Completes the replacement's variables; the name of a group of the rule's regex is not a variable.
fn new_text(check: &mut Check<'_>, text: &Text, groups: Option<&Groups>) -> String {
    let is_group =
        |name: &str| groups.is_some_and(|groups| groups.iter().flatten().any(|group| group == name));
    let text = check.fix_except(text, is_group);
    let text = braces::undouble(check, text);
    if let Some(groups) = groups {
        report_unknown_groups(check, &text, groups);
    }
    text.text
}

/// Warns about references to groups that the regex does not have: they insert nothing.
pub(super) fn report_unknown_groups(check: &mut Check<'_>, text: &Text, groups: &Groups) {
    for (range, name) in regexes::unknown_references(&text.text, groups) {
        let digits = name.len() - name.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let group = name[..digits].parse::<usize>().ok().filter(|group| *group < groups.len());
        let help = match group {
            Some(group) if digits < name.len() => format!("write `${{{group}}}{}`", &name[digits..]),
            _ => "refer to a group that exists, or write `$$` for a dollar sign".to_owned(),
        };
        check.report(
            Diagnostic::warning(
                codes::UNKNOWN_GROUP,
                text.part(range),
                format!("the regex has no group `{name}`"),
            )
            .label("this inserts nothing")
            .help(help),
        );
    }
}

/// Warns about a plain text that looks like a regex.
fn report_plain_regex(check: &mut Check<'_>, old: &Text, pattern: &Pattern) {
    let Pattern::Text(text) = pattern else { return };
    // No metric begins with `^`, ends with `$`, or contains these.
    let is_anchored = text.starts_with('^') || text.ends_with('$');
    let is_regex =
        is_anchored || ["(.*)", ".*", ".+", "[^", "\\.", "(?"].iter().any(|sign| text.contains(sign));
    if is_regex && regexes::parse(text).is_ok() {
        check.report(
            Diagnostic::warning(codes::PLAIN_REGEX, old.span, format!("`old` is a plain text: `{text}`"))
                .label("the relay searches for it character by character")
                .help(format!("write `old = '/{text}/'`, with `max = -1`, to make it a regex")),
        );
    }
}

/// `max`: -1 for all. A rule without it does nothing in carbon-relay-ng (BUG-10); ours replaces all
/// occurrences and warns.
fn limit(check: &mut Check<'_>, fields: &Fields<'_>, old: &Pattern) -> Option<u32> {
    let is_regex = matches!(old, Pattern::Regex(_));
    let span = fields.span_of("max");
    if fields.node("max").is_none() {
        check.report(
            Diagnostic::warning(codes::MISSING_MAX, span, "the rewriter has no `max`")
                .label("the default is -1: every occurrence is replaced")
                .help("write `max = -1`"),
        );
        return None;
    }
    let max = fields.integer(check, "max", i64::MIN..=i64::from(u32::MAX))?;
    if is_regex && max != -1 {
        check.report(
            Diagnostic::error(codes::REGEX_MAX, span, "a regex rewriter replaces every match")
                .label("only -1 is possible here")
                .help("write `max = -1`"),
        );
    } else if max < -1 {
        check.report(
            Diagnostic::error(codes::MALFORMED_MAX, span, "`max` is below -1")
                .label("expected the number of occurrences to replace, or -1 for all")
                .help("write `max = -1`"),
        );
    } else if max == 0 {
        check.report(
            Diagnostic::warning(codes::DEAD_REWRITER, span, "this rewriter never changes anything")
                .label("0 means that nothing is replaced")
                .help("write `max = -1` to replace every occurrence, or remove the rewriter"),
        );
    }
    u32::try_from(max).ok()
}
