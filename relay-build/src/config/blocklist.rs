//! Blocklist entries: `"<method> <pattern>"` (spec §7.2).
//!
//! Entries of `blocklist` come first and those of `blacklist`, the old name, after them.

use super::{check::Check, keys, matchers, raw::Text};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::table::{Condition, Matcher};

/// Adds the entries of one list to the plan.
pub(super) fn check(check: &mut Check<'_>, entries: &[&Text]) {
    for written in entries {
        let text = check.fix(written);
        if let Some(matcher) = entry(check, &text) {
            check.plan.table.blocklist.push(matcher);
            check.origins.blocklist.push(text.span);
        }
    }
}

fn entry(check: &mut Check<'_>, text: &Text) -> Option<Matcher> {
    let Some((method, pattern)) = text.text.split_once(' ') else {
        let message = format!("`{}` is not a method and a pattern", text.text);
        check.report(
            Diagnostic::error(codes::MALFORMED_BLOCKLIST_ENTRY, text.span, message)
                .label("expected `<method> <pattern>`")
                .help(if matchers::condition(&text.text).is_some() {
                    format!("write what to block after the method, as in `\"{} <text>\"`", text.text)
                } else {
                    format!("write `\"prefix {}\"`, or another method before the pattern", text.text)
                }),
        );
        return None;
    };
    let Some(condition) = matchers::condition(method) else {
        let names = Condition::ALL.map(Condition::name);
        let near = keys::nearest(method, names).unwrap_or("prefix");
        check.report(
            Diagnostic::error(
                codes::UNKNOWN_METHOD,
                text.part(0..method.len()),
                format!("unknown blocklist method `{method}`"),
            )
            .label("expected `prefix`, `notPrefix`, `sub`, `notSub`, `regex` or `notRegex`")
            .help(format!("write `{near}`")),
        );
        return None;
    };
    if pattern.is_empty() {
        check.report(
            Diagnostic::error(codes::EMPTY_PATTERN, text.span, "an empty pattern would block every metric")
                .label(format!("there is no pattern after `{method} `"))
                .help("write what to block after the method, or remove the entry"),
        );
        return None;
    }
    let mut matcher = Matcher::default();
    matchers::add(check, &mut matcher, condition, &text.slice(method.len() + 1..text.text.len()));
    Some(matcher)
}
