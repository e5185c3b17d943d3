//! Writes the keys before the first section, `[amqp]` and `[instrumentation]`.
//!
//! A setting at its default is left out.

use super::document::{Document, duration};
use crate::{
    settings::{Amqp, Instrumentation, Settings},
    table::{LegacyLevel, Metrics20Level, Timestamps, Validation},
};

/// Writes everything before the first section except the blocklist.
pub(super) fn globals(document: &mut Document, settings: &Settings, validation: Validation) {
    let defaults = Settings::default();
    let Settings {
        instance,
        log_level,
        listen,
        listen_idle_ms,
        pickle,
        pickle_idle_ms,
        admin,
        http,
        spool_dir,
        spool_bytes_max,
        memory,
        pid_file,
        workers,
        bad_metrics_max_age_ms,
        connections_max,
        line_bytes_max,
        pickle_frame_bytes_max,
        shutdown_ms,
        aggregation_rate,
        state_dir,
        aggregation_checkpoint_ms,
        amqp: _,
        instrumentation: _,
    } = settings;
    document.value("instance", &instance.0);
    document.value("log_level", log_level);
    document.value("bad_metrics_max_age", duration(*bad_metrics_max_age_ms));
    document.optional("listen_addr", listen.as_ref());
    document.duration("plain_read_timeout", listen_idle_ms, &defaults.listen_idle_ms);
    document.optional("pickle_addr", pickle.as_ref());
    document.duration("pickle_read_timeout", pickle_idle_ms, &defaults.pickle_idle_ms);
    document.optional("admin_addr", admin.as_ref());
    document.optional("http_addr", http.as_ref());
    document.text("spool_dir", spool_dir);
    document.late("spool_dir_max_bytes", spool_bytes_max, &defaults.spool_bytes_max);
    document.size("memory", memory, &defaults.memory);
    document.optional("pid_file", pid_file.as_ref());
    document.late("max_procs", workers, &defaults.workers);
    document.late("max_connections", connections_max, &defaults.connections_max);
    document.late("line_length_max", line_bytes_max, &defaults.line_bytes_max);
    document.late("pickle_frame_max", pickle_frame_bytes_max, &defaults.pickle_frame_bytes_max);
    document.duration("shutdown_timeout", shutdown_ms, &defaults.shutdown_ms);
    document.late("aggregation_rate", aggregation_rate, &defaults.aggregation_rate);
    document.optional("state_dir", state_dir.as_ref());
    document.duration(
        "aggregation_checkpoint",
        aggregation_checkpoint_ms,
        &defaults.aggregation_checkpoint_ms,
    );
    self::validation(document, validation);
}

fn validation(document: &mut Document, validation: Validation) {
    let Validation { legacy, metrics20, order, finite, timestamps } = validation;
    match legacy {
        LegacyLevel::None => document.value("validation_level_legacy", "none"),
        LegacyLevel::Medium => {}
        LegacyLevel::Strict => document.value("validation_level_legacy", "strict"),
    }
    match metrics20 {
        Metrics20Level::None => document.value("validation_level_m20", "none"),
        Metrics20Level::Medium => {}
    }
    document.flag("validate_order", order);
    document.flag("reject_nan", finite);
    match timestamps {
        Timestamps::Seconds => {}
        Timestamps::Auto => document.value("timestamps", "auto"),
    }
}

/// Writes `[amqp]` and `[instrumentation]`, if they are on.
pub(super) fn sections(document: &mut Document, settings: &Settings) {
    if let Some(amqp) = &settings.amqp {
        self::amqp(document, amqp);
    }
    if let Some(Instrumentation { address, interval_ms }) = &settings.instrumentation {
        document.table("instrumentation");
        document.value("graphite_addr", &address.0);
        document.value("graphite_interval", *interval_ms);
    }
}

fn amqp(document: &mut Document, amqp: &Amqp) {
    let Amqp {
        host,
        port,
        vhost,
        user,
        password,
        exchange,
        queue,
        key,
        durable,
        exclusive,
        heartbeat_s,
        retry,
        retry_delay_s,
    } = amqp;
    document.table("amqp");
    document.value("amqp_enabled", true);
    document.text("amqp_host", host);
    document.value_unless("amqp_port", port, &0);
    document.text("amqp_vhost", vhost);
    document.text("amqp_user", user);
    document.text("amqp_password", password);
    document.text("amqp_exchange", exchange);
    document.text("amqp_queue", queue);
    document.text("amqp_key", key);
    document.flag("amqp_durable", *durable);
    document.flag("amqp_exclusive", *exclusive);
    document.value_unless("amqp_heartbeat", heartbeat_s, &0);
    document.flag("amqp_retry", *retry);
    document.value_unless("amqp_retrydelay", retry_delay_s, &0);
}
