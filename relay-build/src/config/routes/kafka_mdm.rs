//! Reads and checks routes with `type = "kafkaMdm"`. This version does not build them.

use crate::config::{check::Check, fields::Fields};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::table::{KafkaMdm, Partitioning, Template};

/// How `partitionBy` is written.
pub(in crate::config) const PARTITIONINGS: &[&str] =
    &["byOrg", "bySeries", "bySeriesWithTags", "bySeriesWithTagsFnv"];
/// How `codec` is written.
pub(in crate::config) const CODECS: &[&str] = &["none", "gzip", "snappy"];

/// Reads the keys of the route.
pub(super) fn check(check: &mut Check<'_>, fields: &Fields<'_>) -> KafkaMdm {
    let client_cert = fields.open(check, "tlsClientCert");
    let client_key = fields.open(check, "tlsClientKey");
    report_lonely(check, fields, client_cert.is_some(), client_key.is_some());
    let codec = fields.choice_required(check, "codec", CODECS);
    let partitioning =
        fields.choice_required(check, "partitionBy", PARTITIONINGS).and_then(partitioning_named);
    KafkaMdm {
        brokers: brokers(check, fields),
        topic: fields.open_required(check, "topic", "\"mdm\""),
        codec: codec.unwrap_or("none").to_owned(),
        partitioning: partitioning.unwrap_or(Partitioning::ByOrg),
        schemas_file: fields.open_required(check, "schemasFile", "\"storage-schemas.conf\""),
        org_id: fields.late_or(check, "orgId", 1),
        buffer_metrics: fields.late_or(check, "bufSize", 10_000_000),
        flush_metrics_max: fields.late_or(check, "flushMaxNum", 10_000),
        flush_wait_ms: fields.late_or(check, "flushMaxWait", 500),
        timeout_ms: fields.late_or(check, "timeout", 2_000),
        blocking: fields.boolean(check, "blocking").unwrap_or(false),
        tls: fields.boolean(check, "tlsEnabled").unwrap_or(false),
        tls_skip_verify: fields.boolean(check, "tlsSkipVerify").unwrap_or(false),
        tls_client_cert: client_cert,
        tls_client_key: client_key,
        sasl_mechanism: sasl_mechanism(check, fields),
        sasl_username: fields.open(check, "saslUsername").unwrap_or_default(),
        sasl_password: fields.open(check, "saslPassword").unwrap_or_default(),
    }
}

/// The partitioning of a name.
pub(in crate::config) fn partitioning_named(name: &str) -> Option<Partitioning> {
    match name {
        "byOrg" => Some(Partitioning::ByOrg),
        "bySeries" => Some(Partitioning::BySeries),
        "bySeriesWithTags" => Some(Partitioning::BySeriesWithTags),
        "bySeriesWithTagsFnv" => Some(Partitioning::BySeriesWithTagsFnv),
        _ => None,
    }
}

fn brokers(check: &mut Check<'_>, fields: &Fields<'_>) -> Vec<Template> {
    let before = check.diagnostics.len();
    let brokers: Vec<_> = fields
        .texts(check, "brokers")
        .into_iter()
        .map(|text| check.open(text))
        .filter(|broker| !broker.0.is_empty())
        .collect();
    if brokers.is_empty() && check.diagnostics.len() == before {
        fields.missing(check, "brokers", "[\"<host>:9092\"]");
    }
    brokers
}

fn sasl_mechanism(check: &mut Check<'_>, fields: &Fields<'_>) -> Option<String> {
    let enabled = fields.boolean(check, "saslEnabled").unwrap_or(false);
    let mechanism = fields.choice(check, "saslMechanism", &["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]);
    enabled.then(|| mechanism.unwrap_or("PLAIN").to_owned())
}

fn report_lonely(check: &mut Check<'_>, fields: &Fields<'_>, cert: bool, key: bool) {
    let (present, absent) = match (cert, key) {
        (true, false) => ("tlsClientCert", "tlsClientKey"),
        (false, true) => ("tlsClientKey", "tlsClientCert"),
        _ => return,
    };
    let span = fields.key_span(present).unwrap_or_default();
    check.report(
        Diagnostic::warning(
            codes::TLS_PAIR,
            span,
            format!("`{present}` is used only together with `{absent}`"),
        )
        .help(format!("add `{absent}`, or remove `{present}`")),
    );
}
