//! Reads and checks routes with `type = "pubsub"`, codec and format included (BUG-13). This version does not
//! build them.

use crate::config::{check::Check, fields::Fields};
use relay_runtime::table::PubSub;

/// How `codec` is written.
pub(in crate::config) const CODECS: &[&str] = &["gzip", "none"];
/// How `format` is written.
pub(in crate::config) const FORMATS: &[&str] = &["plain", "pickle"];

/// Reads the keys of the route.
pub(super) fn check(check: &mut Check<'_>, fields: &Fields<'_>) -> PubSub {
    PubSub {
        project: fields.open_required(check, "project", "\"<project>\""),
        topic: fields.open_required(check, "topic", "\"<topic>\""),
        codec: fields.choice(check, "codec", CODECS).unwrap_or("gzip").to_owned(),
        format: fields.choice(check, "format", FORMATS).unwrap_or("plain").to_owned(),
        buffer_metrics: fields.late_or(check, "bufSize", 10_000_000),
        flush_bytes_max: fields.late_or(check, "flushMaxSize", 9_995_904),
        flush_wait_ms: fields.late_or(check, "flushMaxWait", 1_000),
        blocking: fields.boolean(check, "blocking").unwrap_or(false),
    }
}
