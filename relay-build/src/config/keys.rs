//! The keys of every structure of a configuration. `docs/configuration.md` describes each with type, default and unit; a test fails if one is missing there.

/// The sections.
pub(super) const SECTIONS: &[&str] =
    &["amqp", "init", "instrumentation", "aggregation", "rewriter", "route", "run", "test", "env"];

/// Keys before the first section.
pub(super) const GLOBAL: &[&str] = &[
    "instance",
    "log_level",
    "bad_metrics_max_age",
    "listen_addr",
    "plain_read_timeout",
    "pickle_addr",
    "pickle_read_timeout",
    "admin_addr",
    "http_addr",
    "spool_dir",
    "spool_dir_max_bytes",
    "max_procs",
    "first_only",
    "pid_file",
    "validation_level_legacy",
    "validation_level_m20",
    "validate_order",
    "blocklist",
    "blacklist",
    "max_connections",
    "line_length_max",
    "pickle_frame_max",
    "shutdown_timeout",
    "aggregation_rate",
    "aggregation_checkpoint",
    "state_dir",
    "memory",
    "reject_nan",
    "timestamps",
];

/// `[amqp]`
pub(super) const AMQP: &[&str] = &[
    "amqp_enabled",
    "amqp_host",
    "amqp_port",
    "amqp_vhost",
    "amqp_user",
    "amqp_password",
    "amqp_exchange",
    "amqp_queue",
    "amqp_key",
    "amqp_durable",
    "amqp_exclusive",
    "amqp_heartbeat",
    "amqp_retry",
    "amqp_retrydelay",
];

/// `[init]`
pub(super) const INIT: &[&str] = &["cmds"];

/// `[run]`, which only `relay-build run` reads.
pub(super) const RUN: &[&str] = &["show"];

/// `[[test]]`, which relays do not contain.
pub(super) const TEST: &[&str] = &[
    "name",
    "line",
    "metric",
    "accepted",
    "reason",
    "blocked",
    "blocked_by",
    "rewritten",
    "aggregators",
    "dropped_raw",
    "routes",
    "destinations",
];

/// A table in `routes` of a `[[test]]`.
pub(super) const TEST_ROUTE: &[&str] = &["key", "destinations"];

/// `[instrumentation]`
pub(super) const INSTRUMENTATION: &[&str] = &["graphite_addr", "graphite_interval"];

/// The conditions of a matcher, with the alias.
pub(super) const MATCHER: &[&str] = &["prefix", "notPrefix", "sub", "notSub", "regex", "notRegex", "substr"];

/// `[[aggregation]]`, beside the matcher.
pub(super) const AGGREGATION: &[&str] = &[
    "function",
    "functions",
    "format",
    "interval",
    "wait",
    "cache",
    "dropRaw",
    "bucket_time",
    "lateness",
    "lateness_max",
    "number_format",
    "percentiles",
    "percentile_method",
    "max_future",
    "max_buckets",
    "max_series",
    "max_values",
];

/// `[[rewriter]]`
pub(super) const REWRITER: &[&str] = &["old", "new", "not", "max"];

/// `[[route]]` of every type, beside the matcher.
pub(super) const ROUTE: &[&str] = &["key", "type", "stop"];

/// `[[route]]` of the types with destinations.
pub(super) const CARBON: &[&str] = &["destinations", "destination"];

/// `[[route]]` of the hash types.
pub(super) const HASH: &[&str] = &["hash", "replicas", "diverse"];

/// `[[route]]` of type `grafanaNet`.
pub(super) const GRAFANA_NET: &[&str] = &[
    "addr",
    "apiKey",
    "schemasFile",
    "aggregationFile",
    "sslverify",
    "spool",
    "blocking",
    "concurrency",
    "bufSize",
    "flushMaxNum",
    "flushMaxWait",
    "timeout",
    "orgId",
    "errBackoffMin",
    "errBackoffFactor",
];

/// `[[route]]` of type `kafkaMdm`.
pub(super) const KAFKA_MDM: &[&str] = &[
    "brokers",
    "topic",
    "codec",
    "partitionBy",
    "schemasFile",
    "orgId",
    "bufSize",
    "flushMaxNum",
    "flushMaxWait",
    "timeout",
    "blocking",
    "tlsEnabled",
    "tlsSkipVerify",
    "tlsClientCert",
    "tlsClientKey",
    "saslEnabled",
    "saslMechanism",
    "saslUsername",
    "saslPassword",
];

/// `[[route]]` of type `pubsub`.
pub(super) const PUBSUB: &[&str] =
    &["project", "topic", "codec", "format", "bufSize", "flushMaxSize", "flushMaxWait", "blocking"];

/// `[[route]]` of type `cloudWatch`.
pub(super) const CLOUD_WATCH: &[&str] = &[
    "region",
    "namespace",
    "profile",
    "dimensions",
    "storageResolution",
    "bufSize",
    "flushMaxSize",
    "flushMaxWait",
    "blocking",
];

/// `[[route.destination]]`, beside the matcher and the options.
pub(super) const DESTINATION: &[&str] = &["address", "instance"];

/// The options of a destination, in both forms.
pub(super) const OPTIONS: &[&str] = &[
    "flush",
    "reconn",
    "pickle",
    "spool",
    "connbuf",
    "iobuf",
    "spoolbuf",
    "spoolmaxbytesperfile",
    "spoolsyncevery",
    "spoolsyncperiod",
    "spoolsleep",
    "unspoolsleep",
    "write_timeout",
    "spool_after",
    "spool_max_bytes",
    "spool_max_age",
    "replay",
    "replay_rate",
    "redo",
    "redo_bytes",
    "when_full",
    "block_max",
    "protocol",
];

/// Words of other programs, each with the word used here.
const SYNONYMS: &[(&str, &str)] = &[
    ("notice", "info"),
    ("information", "info"),
    ("verbose", "debug"),
    ("critical", "fatal"),
    ("crit", "fatal"),
    ("alert", "fatal"),
    ("emergency", "panic"),
    ("mean", "avg"),
    ("average", "avg"),
    ("total", "sum"),
    ("add", "sum"),
    ("cnt", "count"),
    ("stddev", "stdev"),
    ("std", "stdev"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("derivative", "derive"),
    ("startswith", "prefix"),
    ("contains", "sub"),
    ("match", "regex"),
    ("forward", "sendAllMatch"),
    ("any_of", "ccr_any_of"),
    ("null", "blackhole"),
    ("hash", "carbon_ch"),
    ("off", "none"),
    ("low", "medium"),
    ("high", "strict"),
];

/// Returns the known word that means the same as an unknown one, or else the most similar one, if any is
/// similar.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let known: Vec<_> = known.into_iter().collect();
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == lower);
    if let Some(name) = synonym.and_then(|(_, name)| known.iter().find(|known| **known == *name)) {
        return Some(name);
    }
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .min_by_key(|(distance, _)| *distance)
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_found_and_far_ones_are_not() {
        assert_eq!(nearest("listen_adr", GLOBAL.iter().copied()), Some("listen_addr"));
        assert_eq!(nearest("Prefx", MATCHER.iter().copied()), Some("prefix"));
        assert_eq!(nearest("zzz", GLOBAL.iter().copied()), None);
        assert_eq!(nearest("notice", ["trace", "debug", "info"]), Some("info"));
        assert_eq!(nearest("notice", ["trace", "debug"]), None);
    }

    #[test]
    fn every_key_is_documented() {
        // The documentation is beside the crate in the repository; an installed crate runs no tests.
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
        let text = std::fs::read_to_string(path).unwrap();
        let lists = [
            SECTIONS,
            GLOBAL,
            AMQP,
            INIT,
            RUN,
            TEST,
            TEST_ROUTE,
            INSTRUMENTATION,
            MATCHER,
            AGGREGATION,
            REWRITER,
            ROUTE,
            CARBON,
            HASH,
            GRAFANA_NET,
            KAFKA_MDM,
            PUBSUB,
            CLOUD_WATCH,
            DESTINATION,
            OPTIONS,
        ];
        for key in lists.into_iter().flatten() {
            let found =
                [format!("`{key}`"), format!("[{key}]")].iter().any(|form| text.contains(form.as_str()));
            assert!(found, "`{key}` is not in docs/configuration.md");
        }
    }
}
