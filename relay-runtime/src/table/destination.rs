//! Destinations as data: an address with its queue, connection and spool (spec §3.2).
//!
//! What happens to lines there is in [`destination`](crate::destination).

use super::{Late, Template};
use serde::{Deserialize, Serialize};

/// One distinct destination of the table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// `host:port` or `[ipv6]:port`, without the instance.
    pub address: Template,
    /// Carbon's third address part; only hash rings use it.
    pub instance: Option<String>,
    /// How lines travel; TCP by default.
    pub transport: Transport,
    /// The options that can be tuned.
    pub options: DestinationOptions,
}

/// How lines travel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// A stream, with reconnects.
    #[default]
    Tcp,
    /// Datagrams of whole lines, whose arrival is not confirmed.
    Udp,
}

/// The order between spooled lines and new ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Replay {
    /// New lines are sent after those on disk, so the order is kept.
    #[default]
    InOrder,
    /// New lines are sent first, and those from disk when there is time: fresh data arrives sooner, out of
    /// order.
    LiveFirst,
}

/// What happens to lines when neither memory nor spool has room for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FullPolicy {
    /// New lines are dropped.
    #[default]
    DropNewest,
    /// The oldest lines are dropped.
    DropOldest,
    /// No input is read for a while; after that, new lines are dropped.
    Block,
}

/// The options of a destination: carbon-relay-ng's, with their names and defaults (spec §3.2), and ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct DestinationOptions {
    /// `flush`: milliseconds after which an incomplete output buffer is written.
    pub flush_ms: Late<u64>,
    /// `reconn`: the longest pause between two attempts to connect, in milliseconds.
    pub reconnect_ms: Late<u64>,
    /// `pickle`: whether pickle frames are sent instead of lines.
    pub pickle: bool,
    /// `spool`: whether lines that the destination cannot take are stored on disk.
    pub spool: bool,
    /// `spool = "write-ahead"` (ours): every line is stored on disk until it is known to have arrived.
    pub spool_write_ahead: bool,
    /// `spool_after` (ours): milliseconds for which a destination may be behind before its lines go to disk.
    pub spool_after_ms: Late<u64>,
    /// `spool_max_bytes` (ours): the largest size of its spool in bytes; 0 means no limit of its own.
    pub spool_bytes_max: Late<u64>,
    /// `spool_max_age` (ours): seconds after which a spooled line is dropped; 0 means never.
    pub spool_age_max_s: Late<u64>,
    /// `replay` (ours): the order between spooled lines and new ones.
    pub replay: Replay,
    /// `replay_rate` (ours): the most lines per second that are read from the spool; 0 means no limit.
    pub replay_rate: Late<u64>,
    /// `redo` (ours): milliseconds for which acknowledged lines are kept, to be sent again if the connection
    /// breaks. Unless set, 1000 with a spool and 0 without.
    pub redo_ms: Option<Late<u64>>,
    /// `redo_bytes` (ours): the most bytes of such lines.
    pub redo_bytes: Late<u64>,
    /// `when_full` (ours): what happens if neither memory nor spool has room.
    pub when_full: FullPolicy,
    /// `block_max` (ours): the most milliseconds for which `when_full = "block"` may stop the inputs.
    pub block_max_ms: Late<u64>,
    /// `connbuf`: the most lines that are queued in memory.
    pub connbuf_lines: Late<u64>,
    /// `iobuf`: how many bytes are written at a time.
    pub iobuf_bytes: Late<u64>,
    /// `spoolbuf`: the most lines that are queued for the spool.
    pub spoolbuf_lines: Late<u64>,
    /// `spoolmaxbytesperfile`: the size of one spool file in bytes.
    pub spool_file_bytes_max: Late<u64>,
    /// `spoolsyncevery`: the number of operations between two fsyncs.
    pub spool_sync_every: Late<u64>,
    /// `spoolsyncperiod`: milliseconds between two fsyncs.
    pub spool_sync_period_ms: Late<u64>,
    /// `spoolsleep`: microseconds between two bulk ingests.
    pub spool_sleep_us: Late<u64>,
    /// `unspoolsleep`: microseconds between two reads from the spool.
    pub unspool_sleep_us: Late<u64>,
    /// `write_timeout` (ours): milliseconds without progress after which a connection counts as broken.
    pub write_timeout_ms: Late<u64>,
}

impl Default for DestinationOptions {
    fn default() -> Self {
        Self {
            flush_ms: 1_000.into(),
            reconnect_ms: 10_000.into(),
            pickle: false,
            spool: false,
            spool_write_ahead: false,
            spool_after_ms: 5.into(),
            spool_bytes_max: 0.into(),
            spool_age_max_s: 0.into(),
            replay: Replay::InOrder,
            replay_rate: 0.into(),
            redo_ms: None,
            redo_bytes: 8_388_608.into(),
            when_full: FullPolicy::DropNewest,
            block_max_ms: 1_000.into(),
            connbuf_lines: 30_000.into(),
            iobuf_bytes: 2_000_000.into(),
            spoolbuf_lines: 10_000.into(),
            spool_file_bytes_max: 209_715_200.into(),
            spool_sync_every: 10_000.into(),
            spool_sync_period_ms: 1_000.into(),
            spool_sleep_us: 500.into(),
            unspool_sleep_us: 10.into(),
            write_timeout_ms: 30_000.into(),
        }
    }
}

impl Destination {
    /// A TCP destination with default options.
    #[must_use]
    pub fn new(address: impl Into<Template>) -> Self {
        Self {
            address: address.into(),
            instance: None,
            transport: Transport::Tcp,
            options: DestinationOptions::default(),
        }
    }

    /// `host:port` or `host:port:instance`, as views and `trace` print it.
    #[must_use]
    pub fn written(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{}:{instance}", self.address),
            None => self.address.0.clone(),
        }
    }

    /// The part of the address before the port, without brackets: what hash rings call the server.
    #[must_use]
    pub fn host(&self) -> &str {
        let address = self.address.0.as_str();
        match address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, _)) => host,
            None => address.rsplit_once(':').map_or(address, |(host, _)| host),
        }
    }
}
