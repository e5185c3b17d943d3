//! Checks `[[aggregation]]` sections (spec §2.8, §9) and adds their rules to the plan.
//!
//! The options that carbon-relay-ng does not have are in `aggregation_options`.

use super::{
    aggregation_options, braces,
    check::Check,
    fields::Fields,
    keys, matchers, placeholders,
    raw::{Table, Text},
    regexes, rewriters,
};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::table::{Aggregator, Matcher};

/// Adds one section to the plan.
pub(super) fn check(check: &mut Check<'_>, table: &Table) {
    let fields = Fields::read(check, table, "an aggregation", &[keys::AGGREGATION, keys::MATCHER]);
    let functions = aggregation_options::functions(check, &fields);
    let matcher = matchers::read(check, &fields);
    report_missing_regex(check, &fields, &matcher);
    let format = format(check, &fields, &matcher);
    let interval = interval(check, &fields);
    let wait = fields.integer(check, "wait", 0..=i64::from(u32::MAX)).unwrap_or(0);
    let cache = fields.boolean(check, "cache").unwrap_or(false);
    let drop_raw = fields.boolean(check, "dropRaw").unwrap_or(false);
    let options = aggregation_options::options(check, &fields, interval.unwrap_or(1));
    let Some(interval) = interval.filter(|_| !functions.is_empty()) else { return };
    let wait = u32::try_from(wait).unwrap_or(0);
    check.plan.table.aggregators.push(Aggregator {
        functions,
        matcher,
        format,
        interval,
        wait,
        cache,
        drop_raw,
        options,
    });
    check.origins.aggregators.push(table.span);
}

/// Upstream crashes on the first metric (BUG-20); ours matches every metric that meets the other conditions.
fn report_missing_regex(check: &mut Check<'_>, fields: &Fields<'_>, matcher: &Matcher) {
    if matcher.regex.is_none()
        && fields.node("regex").is_none_or(|node| matches!(node.value, super::raw::Value::Text(_)))
    {
        check.report(
            Diagnostic::warning(
                codes::MISSING_REGEX,
                fields.span_of("regex"),
                "the aggregation has no regex",
            )
            .label("it matches every metric that meets its other conditions")
            .help("write the regex of the metrics to aggregate, or `regex = \".*\"` for all of them"),
        );
    }
}

fn format(check: &mut Check<'_>, fields: &Fields<'_>, matcher: &Matcher) -> String {
    let groups = regexes::parse(matcher.regex.as_deref().unwrap_or_default()).ok();
    let is_group =
        |name: &str| groups.as_ref().is_some_and(|groups| groups.iter().flatten().any(|group| group == name));
    let text = fields.text(check, "format").map(|text| check.fix_except(text, is_group)).unwrap_or_default();
    let text = braces::undouble(check, text);
    report_unusable(check, &text);
    if text.text.is_empty() && fields.text(check, "format").is_some() == fields.node("format").is_some() {
        check.report(
            Diagnostic::error(
                codes::EMPTY_FORMAT,
                fields.span_of("format"),
                "the aggregation has no output metric",
            )
            .help("write `format = \"<metric>\"`; `$1` stands for the first group of the regex"),
        );
    }
    if let Some(groups) = groups {
        rewriters::report_unknown_groups(check, &text, &groups);
    }
    text.text
}

/// Reports an output metric that contains white space, because it cannot be sent. Placeholders are reported
/// elsewhere.
fn report_unusable(check: &mut Check<'_>, format: &Text) {
    let text = format.text.as_str();
    let Some((at, c)) = text.char_indices().find(|(_, c)| c.is_whitespace()) else { return };
    if placeholders::find(text).is_some() {
        return;
    }
    let place = format.part(at..at + c.len_utf8());
    check.report(
        Diagnostic::error(codes::UNUSABLE_OUTPUT, place, "the output metric contains white space")
            .label("a name that contains white space cannot be sent")
            .help(format!("write `format = \"{}\"`", text.replace(char::is_whitespace, "_"))),
    );
}

fn interval(check: &mut Check<'_>, fields: &Fields<'_>) -> Option<u32> {
    let interval = match fields.node("interval") {
        None => 0,
        Some(_) => fields.integer(check, "interval", i64::MIN..=i64::from(u32::MAX))?,
    };
    if interval < 1 {
        check.report(
            Diagnostic::error(
                codes::ZERO_INTERVAL,
                fields.span_of("interval"),
                "an aggregation needs an interval",
            )
            .label("expected at least 1 second")
            .help("write `interval = 60`"),
        );
        return None;
    }
    u32::try_from(interval).ok()
}
