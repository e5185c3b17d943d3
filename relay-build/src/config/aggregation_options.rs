//! The options of `[[aggregation]]` that carbon-relay-ng does not have: several functions, bucket times, lateness, number
//! formats, percentiles and bounds.
//!
//! An option with a wrong value is reported and gets its default, so that one run reports all problems.

use super::{
    check::Check,
    fields::{Fields, unknown_value, wrong_type},
    keys,
    raw::{Node, Text, Value},
};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::table::{
    AggregatorOptions, BucketTime, Function, Lateness, NumberFormat, Percentile, PercentileMethod,
};

/// How many intervals a bucket is kept for corrections, if the configuration does not set `lateness_max`.
const KEPT_INTERVALS: u32 = 10;

/// The functions of `function` or of the list `functions`; `None` if none of them exists.
pub(super) fn functions(check: &mut Check<'_>, fields: &Fields<'_>) -> Vec<Function> {
    let list = fields.texts(check, "functions");
    if fields.node("functions").is_some() && fields.node("function").is_some() {
        let span = fields.span_of("functions");
        check.report(
            Diagnostic::error(codes::DUPLICATE_KEY, span, "`function` and `functions` say the same")
                .label("a rule has only one of the two")
                .help("put all functions into the list, and remove `function`"),
        );
    }
    if !list.is_empty() {
        let texts: Vec<_> = list.into_iter().map(|text| check.fix(text)).collect();
        return texts.iter().filter_map(|text| named(check, text)).collect();
    }
    let Some(text) = fields.fixed(check, "function") else {
        fields.missing(check, "function", "\"sum\"");
        return Vec::new();
    };
    named(check, &text).into_iter().collect()
}

fn named(check: &mut Check<'_>, text: &Text) -> Option<Function> {
    let function = Function::named(&text.text);
    if function.is_none() {
        let names = Function::ALL.map(Function::name);
        let near = keys::nearest(&text.text, names.iter().map(|name| &**name));
        let help = match near {
            Some(near) => format!("write `function = \"{near}\"`"),
            None => "write one of these, such as `function = \"sum\"`".to_owned(),
        };
        let list = names.each_ref().map(|name| format!("`{name}`")).join(", ");
        check.report(
            Diagnostic::error(
                codes::UNKNOWN_FUNCTION,
                text.span,
                format!("unknown function `{}`", text.text),
            )
            .label(format!("expected one of {list}, or a percentile such as `p99.9`"))
            .help(help),
        );
    }
    function
}

/// Reads all other options of ours.
pub(super) fn options(check: &mut Check<'_>, fields: &Fields<'_>, interval: u32) -> AggregatorOptions {
    let defaults = AggregatorOptions::default();
    let mut number = |key, default: u32, min: i64| {
        let number = fields.integer(check, key, min..=i64::from(u32::MAX));
        number.and_then(|number| u32::try_from(number).ok()).unwrap_or(default)
    };
    let keep_s = number("lateness_max", interval.saturating_mul(KEPT_INTERVALS), 0);
    let future_max_s = number("max_future", defaults.future_max_s, 0);
    let buckets_max = number("max_buckets", defaults.buckets_max, 1);
    let series_max = number("max_series", defaults.series_max, 1);
    let values_max = number("max_values", defaults.values_max, 1);
    let bucket_time = match fields.choice(check, "bucket_time", &["start", "middle", "end"]) {
        Some("middle") => BucketTime::Middle,
        Some("end") => BucketTime::End,
        _ => BucketTime::Start,
    };
    let lateness = match fields.choice(check, "lateness", &["drop", "reemit"]) {
        Some("reemit") => Lateness::Reemit { keep_s },
        _ => Lateness::Drop,
    };
    let number_format = match fields.choice(check, "number_format", &["shortest", "fixed6"]) {
        Some("fixed6") => NumberFormat::Fixed6,
        _ => NumberFormat::Shortest,
    };
    let method = fields.choice(check, "percentile_method", &["nist", "linear", "nearest"]);
    let percentile_method = match method {
        Some("linear") => PercentileMethod::Linear,
        Some("nearest") => PercentileMethod::Nearest,
        _ => PercentileMethod::Nist,
    };
    let percentiles = percentiles(check, fields).unwrap_or(defaults.percentiles);
    AggregatorOptions {
        bucket_time,
        lateness,
        number_format,
        percentiles,
        percentile_method,
        future_max_s,
        buckets_max,
        series_max,
        values_max,
    }
}

fn percentiles(check: &mut Check<'_>, fields: &Fields<'_>) -> Option<Vec<Percentile>> {
    fields.node("percentiles")?;
    let nodes = fields.array(check, "percentiles");
    let percentiles: Vec<_> = nodes.iter().filter_map(|node| percentile(check, node)).collect();
    Some(percentiles).filter(|list| !list.is_empty())
}

fn percentile(check: &mut Check<'_>, node: &Node) -> Option<Percentile> {
    let text = match &node.value {
        Value::Integer(Some(number)) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Text(text) => check.fix(text).text,
        other => {
            wrong_type(check, node, "percentiles", "numbers from 0 to 100", other);
            return None;
        }
    };
    let percentile = Percentile::parse(&text);
    if percentile.is_none() {
        let text = Text { text, span: node.span, ..Text::default() };
        unknown_value(check, &text, "percentiles", &["50", "99", "99.9"]);
    }
    percentile
}
