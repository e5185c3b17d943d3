//! Reads and checks routes with `type = "cloudWatch"`. This version does not build them.

use crate::config::{
    check::Check,
    fields::{self, Fields},
    raw::{Node, Value},
};
use relay_runtime::table::CloudWatch;

/// Reads the keys of the route.
pub(super) fn check(check: &mut Check<'_>, fields: &Fields<'_>) -> CloudWatch {
    CloudWatch {
        region: fields.open_required(check, "region", "\"eu-west-1\""),
        namespace: fields.open_required(check, "namespace", "\"<namespace>\""),
        profile: fields.open(check, "profile"),
        dimensions: dimensions(check, fields),
        storage_resolution: fields.late_or(check, "storageResolution", 60),
        buffer_metrics: fields.late_or(check, "bufSize", 10_000_000),
        flush_metrics_max: fields.late_or(check, "flushMaxSize", 20),
        flush_wait_ms: fields.late_or(check, "flushMaxWait", 10_000),
        blocking: fields.boolean(check, "blocking").unwrap_or(false),
    }
}

fn dimensions(check: &mut Check<'_>, fields: &Fields<'_>) -> Vec<(String, String)> {
    let mut dimensions = Vec::new();
    for item in fields.array(check, "dimensions") {
        if let Value::Array(pair) = &item.value
            && let [Node { value: Value::Text(name), .. }, Node { value: Value::Text(value), .. }] =
                pair.as_slice()
        {
            dimensions.push((check.fix(name).text, check.fix(value).text));
        } else {
            fields::wrong_type(
                check,
                item,
                "dimensions",
                "a name and a value, `[\"<name>\", \"<value>\"]`",
                &item.value,
            );
        }
    }
    dimensions
}
