//! Writes blocklist, rewriters and aggregators, and the matchers of all rules.
//!
//! The order of the rules is that of the plan.

use super::document::Document;
use crate::table::{
    Aggregator, AggregatorOptions, BucketTime, Function, Lateness, Matcher, NumberFormat, PercentileMethod,
    Rewriter,
};

/// Writes `blocklist`; an entry is `<method> <pattern>`.
pub(super) fn blocklist(document: &mut Document, entries: &[Matcher]) {
    let entry = |matcher: &Matcher| -> Vec<_> {
        matcher.conditions().map(|(condition, text)| format!("{} {text}", condition.name())).collect()
    };
    let entries: Vec<_> = entries.iter().flat_map(entry).collect();
    if !entries.is_empty() {
        document.value("blocklist", entries);
    }
}

/// Writes every `[[rewriter]]`.
pub(super) fn rewriters(document: &mut Document, rewriters: &[Rewriter]) {
    for Rewriter { old, new, not, max } in rewriters {
        document.element("rewriter");
        document.value("old", old.written());
        document.value("new", new);
        if let Some(not) = not {
            document.value("not", not.written());
        }
        document.value("max", max.map_or(-1, i64::from));
    }
}

/// Writes every `[[aggregation]]`.
pub(super) fn aggregators(document: &mut Document, aggregators: &[Aggregator]) {
    for Aggregator { functions, matcher, format, interval, wait, cache, drop_raw, options } in aggregators {
        document.element("aggregation");
        match functions.as_slice() {
            [function] => document.value("function", function.name()),
            functions => {
                let names: Vec<_> = functions.iter().copied().map(Function::name).collect();
                document.value("functions", names);
            }
        }
        self::matcher(document, matcher);
        document.value("format", format);
        document.value("interval", *interval);
        document.value("wait", *wait);
        document.flag("cache", *cache);
        document.flag("dropRaw", *drop_raw);
        self::options(document, options);
    }
}

fn options(document: &mut Document, options: &AggregatorOptions) {
    let defaults = AggregatorOptions::default();
    let AggregatorOptions {
        bucket_time,
        lateness,
        number_format,
        percentiles,
        percentile_method,
        future_max_s,
        buckets_max,
        series_max,
        values_max,
    } = options;
    match bucket_time {
        BucketTime::Start => {}
        BucketTime::Middle => document.value("bucket_time", "middle"),
        BucketTime::End => document.value("bucket_time", "end"),
    }
    match lateness {
        Lateness::Drop => {}
        Lateness::Reemit { keep_s } => {
            document.value("lateness", "reemit");
            document.value("lateness_max", *keep_s);
        }
    }
    match number_format {
        NumberFormat::Shortest => {}
        NumberFormat::Fixed6 => document.value("number_format", "fixed6"),
    }
    if *percentiles != defaults.percentiles {
        let percents: Vec<_> = percentiles.iter().map(|percentile| percentile.percent()).collect();
        document.value("percentiles", percents);
    }
    match percentile_method {
        PercentileMethod::Nist => {}
        PercentileMethod::Linear => document.value("percentile_method", "linear"),
        PercentileMethod::Nearest => document.value("percentile_method", "nearest"),
    }
    document.value_unless("max_future", future_max_s, &defaults.future_max_s);
    document.value_unless("max_buckets", buckets_max, &defaults.buckets_max);
    document.value_unless("max_series", series_max, &defaults.series_max);
    document.value_unless("max_values", values_max, &defaults.values_max);
}

/// Writes the conditions of a rule.
pub(super) fn matcher(document: &mut Document, matcher: &Matcher) {
    for (condition, text) in matcher.conditions() {
        document.value(condition.name(), text);
    }
}
