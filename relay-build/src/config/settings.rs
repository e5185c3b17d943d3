//! Checks the global keys, `[run]`, `[amqp]` and `[instrumentation]`. Each mandatory key that is missing is
//! reported.

use super::{check::Check, durations, fields::Fields, keys, raw::Table};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::{
    settings::{Amqp, Instrumentation, Settings},
    table::{LegacyLevel, Metrics20Level, Template, Timestamps, Validation},
};
use std::net::Ipv6Addr;

const LEVELS: &[&str] = &["trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"];

/// Reads the global keys into the plan.
pub(super) fn check(check: &mut Check<'_>, fields: &Fields<'_>) {
    let defaults = Settings::default();
    let settings = Settings {
        instance: fields.open_required(check, "instance", "\"${HOST}\""),
        log_level: log_level(check, fields),
        bad_metrics_max_age_ms: max_age(check, fields),
        listen: address(check, fields, "listen_addr"),
        listen_idle_ms: timeout(check, fields, "plain_read_timeout", 120_000).into(),
        pickle: address(check, fields, "pickle_addr"),
        pickle_idle_ms: timeout(check, fields, "pickle_read_timeout", 120_000).into(),
        admin: address(check, fields, "admin_addr"),
        http: address(check, fields, "http_addr"),
        spool_dir: fields.open(check, "spool_dir").unwrap_or_default(),
        spool_bytes_max: fields
            .late(check, "spool_dir_max_bytes", 0..=i64::MAX)
            .unwrap_or(defaults.spool_bytes_max),
        memory: fields.size(check, "memory").unwrap_or(defaults.memory),
        pid_file: fields.open(check, "pid_file"),
        workers: fields.late(check, "max_procs", i64::MIN..=i64::MAX).unwrap_or(defaults.workers),
        connections_max: fields
            .late(check, "max_connections", 1..=1_000_000)
            .unwrap_or(defaults.connections_max),
        line_bytes_max: fields
            .late(check, "line_length_max", 32..=16_777_216)
            .unwrap_or(defaults.line_bytes_max),
        pickle_frame_bytes_max: fields
            .late(check, "pickle_frame_max", 1_024..=524_288_000)
            .unwrap_or(defaults.pickle_frame_bytes_max),
        shutdown_ms: timeout(check, fields, "shutdown_timeout", 30_000).into(),
        aggregation_rate: fields.late_or(check, "aggregation_rate", 200_000),
        state_dir: fields.open(check, "state_dir"),
        aggregation_checkpoint_ms: timeout(check, fields, "aggregation_checkpoint", 60_000).into(),
        amqp: None,
        instrumentation: None,
    };
    check.plan.settings = settings;
    check.plan.table.validation = validation(check, fields);
    if fields.boolean(check, "first_only").is_some() {
        check.report(
            Diagnostic::warning(
                codes::NO_EFFECT,
                fields.key_span("first_only").unwrap_or_default(),
                "`first_only` changes nothing",
            )
            .label("carbon-relay-ng reads it and never uses it")
            .help(
                "remove `first_only`; a route of type `sendFirstMatch` sends to the first destination only",
            ),
        );
    }
}

/// Reads `[run]`, which relays do not contain.
pub(super) fn run(check: &mut Check<'_>, table: &Table) {
    let fields = Fields::read(check, table, "`[run]`", &[keys::RUN]);
    for text in fields.texts(check, "show") {
        match text.text.parse() {
            Ok(address) => check.show.push(address),
            Err(_) => check.report(
                Diagnostic::error(codes::LISTEN_ADDRESS, text.span, "`show` needs addresses to listen on")
                    .label("expected an IP address and a port")
                    .help("write an address such as `\"127.0.0.1:2103\"`"),
            ),
        }
    }
}

fn log_level(check: &mut Check<'_>, fields: &Fields<'_>) -> String {
    let Some(text) = fields.fixed(check, "log_level") else {
        if fields.node("log_level").is_none_or(|node| matches!(node.value, super::raw::Value::Text(_))) {
            fields.missing(check, "log_level", "\"info\"");
        }
        return "info".to_owned();
    };
    let lower = text.text.to_lowercase();
    if !LEVELS.contains(&lower.as_str()) {
        super::fields::unknown_value(check, &text, "log_level", LEVELS);
    }
    if lower == "warning" { "warn".to_owned() } else { lower }
}

fn max_age(check: &mut Check<'_>, fields: &Fields<'_>) -> u64 {
    let empty = match fields.node("bad_metrics_max_age").map(|node| &node.value) {
        None => true,
        Some(super::raw::Value::Text(text)) => text.text.is_empty(),
        Some(_) => false,
    };
    if empty {
        fields.missing(check, "bad_metrics_max_age", "\"24h\"");
        return 0;
    }
    let Some(age) = fields.duration(check, "bad_metrics_max_age") else { return 0 };
    if age < 10 {
        check.report(
            Diagnostic::error(
                codes::MAX_AGE_TOO_SHORT,
                fields.span_of("bad_metrics_max_age"),
                "`bad_metrics_max_age` is too short",
            )
            .label("expected at least `10ns`")
            .help("write `bad_metrics_max_age = \"24h\"`"),
        );
    }
    durations::milliseconds(age).unwrap_or(0)
}

/// A duration that may be 0, in milliseconds.
fn timeout(check: &mut Check<'_>, fields: &Fields<'_>, key: &str, default: u64) -> u64 {
    let Some(duration) = fields.duration(check, key) else { return default };
    durations::milliseconds(duration).unwrap_or_else(|| {
        check.report(
            Diagnostic::error(codes::OUT_OF_RANGE, fields.span_of(key), format!("`{key}` is negative"))
                .label("expected `\"0\"` or more")
                .help(format!("write `{key} = \"{}s\"`", default / 1000)),
        );
        default
    })
}

/// An address to listen on: `host:port`, `[ipv6]:port` or `:port`.
fn address(check: &mut Check<'_>, fields: &Fields<'_>, key: &str) -> Option<Template> {
    let address = fields.open(check, key)?;
    if let Some(problem) = listen_problem(&address) {
        let (message, example) = match problem {
            ListenProblem::NoPort { example } => (format!("`{key}` has no port number"), example),
            ListenProblem::BadPort { port, example } => (format!("`{port}` is not a port"), example),
            ListenProblem::Malformed { example } => {
                (format!("`{key}` is not an address: `{address}`"), example)
            }
        };
        check.report(
            Diagnostic::error(codes::LISTEN_ADDRESS, fields.span_of(key), message)
                .label(
                    "expected `<host>:<port>`, `[<ipv6>]:<port>` or `:<port>`, with a port from 0 to 65535",
                )
                .help(format!("write `{key} = \"{example}\"`")),
        );
    }
    Some(address)
}

/// Returns why an address to listen on is not valid, and what to write instead.
enum ListenProblem {
    NoPort { example: String },
    BadPort { port: String, example: String },
    Malformed { example: String },
}

fn listen_problem(address: &Template) -> Option<ListenProblem> {
    let text = address.0.as_str();
    if !address.is_closed() {
        return None;
    }
    if text.parse::<u16>().is_ok() {
        return Some(ListenProblem::NoPort { example: format!(":{text}") });
    }
    if let Ok(ip) = text.parse::<Ipv6Addr>() {
        return Some(ListenProblem::Malformed { example: format!("[{ip}]:2003") });
    }
    let is_bare = text.starts_with('[') && text.ends_with(']');
    let Some((host, port)) = text.rsplit_once(':').filter(|_| !is_bare) else {
        return Some(ListenProblem::NoPort { example: format!("{text}:2003") });
    };
    let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = inside.map_or(!host.contains(':'), |ip| ip.parse::<Ipv6Addr>().is_ok());
    let good = if is_host {
        host
    } else {
        host.split(':').next().filter(|host| !host.starts_with('[')).unwrap_or("")
    };
    let example = format!("{good}:2003");
    match (is_host, port.parse::<u16>()) {
        (true, Ok(_)) => None,
        (true, Err(_)) if port.is_empty() => Some(ListenProblem::NoPort { example }),
        (true, Err(_)) => Some(ListenProblem::BadPort { port: port.to_owned(), example }),
        (false, _) => Some(ListenProblem::Malformed { example }),
    }
}

fn validation(check: &mut Check<'_>, fields: &Fields<'_>) -> Validation {
    let legacy = match fields.choice(check, "validation_level_legacy", &["none", "medium", "strict"]) {
        Some("none") => LegacyLevel::None,
        Some("strict") => LegacyLevel::Strict,
        _ => LegacyLevel::Medium,
    };
    let metrics20 = match fields.choice(check, "validation_level_m20", &["none", "medium"]) {
        Some("none") => Metrics20Level::None,
        _ => Metrics20Level::Medium,
    };
    let order = fields.boolean(check, "validate_order").unwrap_or(false);
    let finite = fields.boolean(check, "reject_nan").unwrap_or(false);
    let timestamps = match fields.choice(check, "timestamps", &["seconds", "auto"]) {
        Some("auto") => Timestamps::Auto,
        _ => Timestamps::Seconds,
    };
    Validation { legacy, metrics20, order, finite, timestamps }
}

/// Reads `[amqp]`. Without `amqp_enabled = true` it is checked but not added to the plan.
pub(super) fn amqp(check: &mut Check<'_>, table: &Table) {
    let fields = Fields::read(check, table, "`[amqp]`", &[keys::AMQP]);
    let text = |check: &mut Check<'_>, key: &str| fields.open(check, key).unwrap_or_default();
    let seconds = |check: &mut Check<'_>, key: &str| {
        fields.integer(check, key, 0..=i64::from(u32::MAX)).and_then(|s| u64::try_from(s).ok()).unwrap_or(0)
    };
    let flag = |check: &mut Check<'_>, key: &str| fields.boolean(check, key).unwrap_or(false);
    let port = fields.integer(check, "amqp_port", 0..=65_535).unwrap_or(0);
    let amqp = Amqp {
        host: text(check, "amqp_host"),
        port: u16::try_from(port).unwrap_or(0),
        vhost: text(check, "amqp_vhost"),
        user: text(check, "amqp_user"),
        password: text(check, "amqp_password"),
        exchange: text(check, "amqp_exchange"),
        queue: text(check, "amqp_queue"),
        key: text(check, "amqp_key"),
        durable: flag(check, "amqp_durable"),
        exclusive: flag(check, "amqp_exclusive"),
        heartbeat_s: seconds(check, "amqp_heartbeat"),
        retry: flag(check, "amqp_retry"),
        retry_delay_s: seconds(check, "amqp_retrydelay"),
    };
    if flag(check, "amqp_enabled") {
        check.origins.amqp = Some(table.span);
        check.plan.settings.amqp = Some(amqp);
    }
}

/// Reads `[instrumentation]`. Without an address it is off.
pub(super) fn instrumentation(check: &mut Check<'_>, table: &Table) {
    let fields = Fields::read(check, table, "`[instrumentation]`", &[keys::INSTRUMENTATION]);
    let address = fields.open(check, "graphite_addr");
    let interval = fields.integer(check, "graphite_interval", i64::MIN..=i64::from(u32::MAX));
    let Some(address) = address else { return };
    let interval = interval.or_else(|| fields.node("graphite_interval").is_none().then_some(0));
    let Some(interval) = interval else { return };
    if interval < 1000 {
        check.report(
            Diagnostic::error(
                codes::INTERVAL_TOO_SHORT,
                fields.span_of("graphite_interval"),
                "`graphite_interval` is below one second",
            )
            .label("expected at least 1000 milliseconds")
            .help("write `graphite_interval = 10000`"),
        );
        return;
    }
    check.origins.instrumentation = Some(table.span);
    let interval_ms = u64::try_from(interval).unwrap_or(10_000);
    check.plan.settings.instrumentation = Some(Instrumentation { address, interval_ms });
}
