//! Writes the routes to one endpoint: Grafana Cloud, Kafka, Pub/Sub, `CloudWatch`.
//!
//! Their sizes and times are always written, because their defaults belong to the front end.

use super::document::Document;
use crate::table::{CloudWatch, GrafanaNet, KafkaMdm, Late, Partitioning, PubSub, Template};

/// A default that no plan has, so that every value is written.
const UNSET: Late<u64> = Late::Known(0);

pub(super) fn grafana_net(document: &mut Document, route: &GrafanaNet) {
    let GrafanaNet {
        address,
        api_key,
        schemas_file,
        aggregation_file,
        ssl_verify,
        spool,
        blocking,
        concurrency,
        buffer_metrics,
        flush_metrics_max,
        flush_wait_ms,
        timeout_ms,
        org_id,
        backoff_min_ms,
        backoff_factor,
    } = route;
    document.text("addr", address);
    document.text("apiKey", api_key);
    document.text("schemasFile", schemas_file);
    document.optional("aggregationFile", aggregation_file.as_ref());
    document.value_unless("sslverify", ssl_verify, &true);
    document.flag("spool", *spool);
    document.flag("blocking", *blocking);
    document.late("concurrency", concurrency, &UNSET);
    document.late("bufSize", buffer_metrics, &UNSET);
    document.late("flushMaxNum", flush_metrics_max, &UNSET);
    document.late("flushMaxWait", flush_wait_ms, &UNSET);
    document.late("timeout", timeout_ms, &UNSET);
    document.late("orgId", org_id, &UNSET);
    document.late("errBackoffMin", backoff_min_ms, &UNSET);
    document.value("errBackoffFactor", *backoff_factor);
}

pub(super) fn kafka_mdm(document: &mut Document, route: &KafkaMdm) {
    let KafkaMdm {
        brokers,
        topic,
        codec,
        partitioning,
        schemas_file,
        org_id,
        buffer_metrics,
        flush_metrics_max,
        flush_wait_ms,
        timeout_ms,
        blocking,
        tls,
        tls_skip_verify,
        tls_client_cert,
        tls_client_key,
        sasl_mechanism,
        sasl_username,
        sasl_password,
    } = route;
    let brokers: Vec<_> = brokers.iter().map(|Template(broker)| broker).collect();
    document.value("brokers", brokers);
    document.text("topic", topic);
    document.value("codec", codec);
    document.value(
        "partitionBy",
        match partitioning {
            Partitioning::ByOrg => "byOrg",
            Partitioning::BySeries => "bySeries",
            Partitioning::BySeriesWithTags => "bySeriesWithTags",
            Partitioning::BySeriesWithTagsFnv => "bySeriesWithTagsFnv",
        },
    );
    document.text("schemasFile", schemas_file);
    document.late("orgId", org_id, &UNSET);
    document.late("bufSize", buffer_metrics, &UNSET);
    document.late("flushMaxNum", flush_metrics_max, &UNSET);
    document.late("flushMaxWait", flush_wait_ms, &UNSET);
    document.late("timeout", timeout_ms, &UNSET);
    document.flag("blocking", *blocking);
    document.flag("tlsEnabled", *tls);
    document.flag("tlsSkipVerify", *tls_skip_verify);
    document.optional("tlsClientCert", tls_client_cert.as_ref());
    document.optional("tlsClientKey", tls_client_key.as_ref());
    if let Some(mechanism) = sasl_mechanism {
        document.value("saslEnabled", true);
        document.value("saslMechanism", mechanism);
    }
    document.text("saslUsername", sasl_username);
    document.text("saslPassword", sasl_password);
}

pub(super) fn pub_sub(document: &mut Document, route: &PubSub) {
    let PubSub { project, topic, codec, format, buffer_metrics, flush_bytes_max, flush_wait_ms, blocking } =
        route;
    document.text("project", project);
    document.text("topic", topic);
    document.value("codec", codec);
    document.value("format", format);
    document.late("bufSize", buffer_metrics, &UNSET);
    document.late("flushMaxSize", flush_bytes_max, &UNSET);
    document.late("flushMaxWait", flush_wait_ms, &UNSET);
    document.flag("blocking", *blocking);
}

pub(super) fn cloud_watch(document: &mut Document, route: &CloudWatch) {
    let CloudWatch {
        region,
        namespace,
        profile,
        dimensions,
        storage_resolution,
        buffer_metrics,
        flush_metrics_max,
        flush_wait_ms,
        blocking,
    } = route;
    document.text("region", region);
    document.text("namespace", namespace);
    document.optional("profile", profile.as_ref());
    if !dimensions.is_empty() {
        let pairs: Vec<_> = dimensions.iter().map(|(name, value)| [name, value]).collect();
        document.value("dimensions", pairs);
    }
    document.late("storageResolution", storage_resolution, &UNSET);
    document.late("bufSize", buffer_metrics, &UNSET);
    document.late("flushMaxSize", flush_metrics_max, &UNSET);
    document.late("flushMaxWait", flush_wait_ms, &UNSET);
    document.flag("blocking", *blocking);
}
