//! The settings of the process beside its routing table (spec §2.4 to §2.7): where it listens, its name, its
//! limits.
//!
//! A table decides what happens to a line; settings never change that.

use crate::table::{Late, Size, Template};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The settings of the process. An address that is `None` is off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// `instance`: the relay's name in its own metrics.
    pub instance: Template,
    /// `log_level`: `trace` `debug` `info` `warn` `error` `fatal` `panic`, lower case.
    pub log_level: String,
    /// `listen_addr`: the plaintext input, over TCP and UDP.
    pub listen: Option<Template>,
    /// `plain_read_timeout`: milliseconds without data after which an inbound connection is closed; 0 means
    /// never.
    pub listen_idle_ms: Late<u64>,
    /// `pickle_addr`: the pickle input, over TCP and UDP.
    pub pickle: Option<Template>,
    /// `pickle_read_timeout`: the same for pickle connections, in milliseconds; 0 means never.
    pub pickle_idle_ms: Late<u64>,
    /// `admin_addr`: the telnet admin interface.
    pub admin: Option<Template>,
    /// `http_addr`: the HTTP admin interface.
    pub http: Option<Template>,
    /// `spool_dir`: the directory of the spools; see [`Settings::spool_path`].
    pub spool_dir: Template,
    /// `spool_dir_max_bytes` (ours): the largest size of all spools together, in bytes; 0 means no limit.
    pub spool_bytes_max: Late<u64>,
    /// `memory` (ours): the most bytes that the process may use; 0 means the sum of all other limits.
    pub memory: Late<Size>,
    /// `pid_file`.
    pub pid_file: Option<Template>,
    /// `max_procs`: the number of worker threads; 0 means one for each core that it may use.
    pub workers: Late<u64>,
    /// `bad_metrics_max_age`, milliseconds.
    pub bad_metrics_max_age_ms: u64,
    /// `max_connections` (ours): the most inbound connections; a further one is closed at once and counted.
    pub connections_max: Late<u64>,
    /// `line_length_max` (ours): the longest line that is accepted, in bytes without its LF.
    pub line_bytes_max: Late<u64>,
    /// `pickle_frame_max` (ours): the longest pickle that is accepted, in bytes without its length.
    pub pickle_frame_bytes_max: Late<u64>,
    /// `shutdown_timeout` (ours): milliseconds that a stop may take to deliver what is queued.
    pub shutdown_ms: Late<u64>,
    /// `aggregation_rate` (ours): the most lines per second that aggregators emit.
    pub aggregation_rate: Late<u64>,
    /// `state_dir` (ours): the directory in which open buckets of aggregations are saved.
    pub state_dir: Option<Template>,
    /// `aggregation_checkpoint` (ours): milliseconds between two saves of open buckets; 0 means only at the
    /// stop.
    pub aggregation_checkpoint_ms: Late<u64>,
    /// `[amqp]`, if it is enabled.
    pub amqp: Option<Amqp>,
    /// `[instrumentation]`, if it has an address.
    pub instrumentation: Option<Instrumentation>,
}

/// `[amqp]` (spec §2.5).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Amqp {
    /// `amqp_host`.
    pub host: Template,
    /// `amqp_port`.
    pub port: u16,
    /// `amqp_vhost`.
    pub vhost: Template,
    /// `amqp_user`.
    pub user: Template,
    /// `amqp_password`.
    pub password: Template,
    /// `amqp_exchange`.
    pub exchange: Template,
    /// `amqp_queue`; with an empty name the server chooses one.
    pub queue: Template,
    /// `amqp_key`.
    pub key: Template,
    /// `amqp_durable`.
    pub durable: bool,
    /// `amqp_exclusive`.
    pub exclusive: bool,
    /// `amqp_heartbeat` in seconds; 0 means the server's.
    pub heartbeat_s: u64,
    /// `amqp_retry`.
    pub retry: bool,
    /// `amqp_retrydelay`, seconds.
    pub retry_delay_s: u64,
}

/// `[instrumentation]` (spec §2.7).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Instrumentation {
    /// `graphite_addr`.
    pub address: Template,
    /// `graphite_interval`, milliseconds, at least 1000 (BUG-08).
    pub interval_ms: u64,
}

impl Settings {
    /// The directory that spools are in: without a name, the current one.
    #[must_use]
    pub fn spool_path(&self) -> &Path {
        let path = self.spool_dir.0.as_str();
        Path::new(if path.is_empty() { "." } else { path })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            instance: Template::default(),
            log_level: "info".to_owned(),
            listen: None,
            listen_idle_ms: 120_000.into(),
            pickle: None,
            pickle_idle_ms: 120_000.into(),
            admin: None,
            http: None,
            spool_dir: Template::default(),
            spool_bytes_max: 0.into(),
            memory: Size(0).into(),
            pid_file: None,
            workers: 0.into(),
            bad_metrics_max_age_ms: 24 * 3_600_000,
            connections_max: 10_000.into(),
            line_bytes_max: 65_535.into(),
            // The default of carbon's own `PICKLE_RECEIVER_MAX_LENGTH`; with upstream's 500 MiB any client
            // could occupy that much memory.
            pickle_frame_bytes_max: 1_048_576.into(),
            shutdown_ms: 30_000.into(),
            aggregation_rate: 200_000.into(),
            state_dir: None,
            aggregation_checkpoint_ms: 60_000.into(),
            amqp: None,
            instrumentation: None,
        }
    }
}
