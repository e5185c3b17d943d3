//! Reads and checks routes with `type = "grafanaNet"`. Booleans belong to the route, not to its key (BUG-12).
//! This version does not build them.

use crate::config::{check::Check, fields::Fields};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::table::GrafanaNet;

/// Reads the keys of the route. Files are read by the engine that needs them.
pub(super) fn check(check: &mut Check<'_>, fields: &Fields<'_>) -> GrafanaNet {
    let address = fields.open_required(check, "addr", "\"https://<host>/graphite/metrics\"");
    if address.is_closed() && !address.0.is_empty() && !is_metrics_url(&address.0) {
        check.report(
            Diagnostic::error(
                codes::MALFORMED_URL,
                fields.span_of("addr"),
                format!("`{address}` is no metrics endpoint"),
            )
            .label("expected a URL with a host whose path ends in `/metrics`")
            .help("write `addr = \"https://<host>/graphite/metrics\"`"),
        );
    }
    if fields.boolean(check, "spool") == Some(true) {
        check.report(
            Diagnostic::warning(
                codes::NO_EFFECT,
                fields.key_span("spool").unwrap_or_default(),
                "`spool` changes nothing on a route of type `grafanaNet`",
            )
            .label("carbon-relay-ng accepts it and never spools here")
            .help("remove `spool`"),
        );
    }
    GrafanaNet {
        address,
        api_key: fields.open_required(check, "apiKey", "\"<key>\""),
        schemas_file: fields.open_required(check, "schemasFile", "\"storage-schemas.conf\""),
        aggregation_file: fields.open(check, "aggregationFile"),
        ssl_verify: fields.boolean(check, "sslverify").unwrap_or(true),
        spool: fields.boolean(check, "spool").unwrap_or(false),
        blocking: fields.boolean(check, "blocking").unwrap_or(false),
        concurrency: fields.late_or(check, "concurrency", 100),
        buffer_metrics: fields.late_or(check, "bufSize", 10_000_000),
        flush_metrics_max: fields.late_or(check, "flushMaxNum", 5_000),
        flush_wait_ms: fields.late_or(check, "flushMaxWait", 500),
        timeout_ms: fields.late_or(check, "timeout", 10_000),
        org_id: fields.late_or(check, "orgId", 1),
        backoff_min_ms: fields.late_or(check, "errBackoffMin", 100),
        backoff_factor: backoff_factor(check, fields),
    }
}

fn backoff_factor(check: &mut Check<'_>, fields: &Fields<'_>) -> f64 {
    let factor = fields.float(check, "errBackoffFactor").unwrap_or(0.0);
    if factor == 0.0 {
        return 1.5;
    }
    if !factor.is_finite() || factor < 1.0 {
        check.report(
            Diagnostic::error(
                codes::OUT_OF_RANGE,
                fields.span_of("errBackoffFactor"),
                "`errBackoffFactor` is out of range",
            )
            .label("expected at least 1: waits must not shrink")
            .help("write `errBackoffFactor = 1.5`"),
        );
    }
    factor
}

/// An absolute URL with a host, whose path ends in `/metrics`.
pub(in crate::config) fn is_metrics_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let Some((host, path)) = rest.split_once('/') else { return false };
    let path = path.strip_suffix('/').unwrap_or(path);
    !scheme.is_empty() && !host.is_empty() && (path == "metrics" || path.ends_with("/metrics"))
}

#[cfg(test)]
mod tests {
    use super::is_metrics_url;

    #[test]
    fn a_metrics_endpoint_has_a_host_and_the_path() {
        assert!(is_metrics_url("https://graphite.example.com/metrics"));
        assert!(is_metrics_url("http://h:8080/graphite/metrics/"));
        assert!(!is_metrics_url("/metrics"));
        assert!(!is_metrics_url("127.0.0.1:22997/metrics"));
        assert!(!is_metrics_url("http:///metrics"));
        assert!(!is_metrics_url("http://h/xmetrics"));
        assert!(!is_metrics_url("http://h/"));
    }
}
