//! Writes a `[[route.destination]]` with its options.
//!
//! An option at its default is left out.

use super::{document::Document, rules};
use crate::table::{
    Destination, DestinationIndex, DestinationOptions, FullPolicy, Late, Matcher, Replay, Table, Transport,
};

/// Writes a destination with the matcher that one route has for it.
pub(super) fn write(document: &mut Document, table: &Table, at: DestinationIndex, matcher: &Matcher) {
    let Destination { address, instance, transport, options } = &table.destinations[at.get()];
    document.element("route.destination");
    document.value("address", &address.0);
    if let Some(instance) = instance {
        document.value("instance", instance);
    }
    rules::matcher(document, matcher);
    match transport {
        Transport::Tcp => {}
        Transport::Udp => document.value("protocol", "udp"),
    }
    self::options(document, options);
}

fn options(document: &mut Document, options: &DestinationOptions) {
    let defaults = DestinationOptions::default();
    let DestinationOptions {
        flush_ms,
        reconnect_ms,
        pickle,
        spool,
        spool_write_ahead,
        spool_after_ms,
        spool_bytes_max,
        spool_age_max_s,
        replay,
        replay_rate,
        redo_ms,
        redo_bytes,
        when_full,
        block_max_ms,
        connbuf_lines,
        iobuf_bytes,
        spoolbuf_lines,
        spool_file_bytes_max,
        spool_sync_every,
        spool_sync_period_ms,
        spool_sleep_us,
        unspool_sleep_us,
        write_timeout_ms,
    } = options;
    document.flag("pickle", *pickle);
    match (spool, spool_write_ahead) {
        (_, true) => document.value("spool", "write-ahead"),
        (spool, false) => document.flag("spool", *spool),
    }
    match replay {
        Replay::InOrder => {}
        Replay::LiveFirst => document.value("replay", "live-first"),
    }
    match when_full {
        FullPolicy::DropNewest => {}
        FullPolicy::DropOldest => document.value("when_full", "drop-oldest"),
        FullPolicy::Block => document.value("when_full", "block"),
    }
    match redo_ms {
        None => {}
        Some(Late::Known(milliseconds)) => document.value("redo", *milliseconds),
        Some(Late::AtStart(template)) => document.value("redo", &template.0),
    }
    let numbers = [
        ("flush", flush_ms, defaults.flush_ms),
        ("reconn", reconnect_ms, defaults.reconnect_ms),
        ("connbuf", connbuf_lines, defaults.connbuf_lines),
        ("iobuf", iobuf_bytes, defaults.iobuf_bytes),
        ("spoolbuf", spoolbuf_lines, defaults.spoolbuf_lines),
        ("spoolmaxbytesperfile", spool_file_bytes_max, defaults.spool_file_bytes_max),
        ("spoolsyncevery", spool_sync_every, defaults.spool_sync_every),
        ("spoolsyncperiod", spool_sync_period_ms, defaults.spool_sync_period_ms),
        ("spoolsleep", spool_sleep_us, defaults.spool_sleep_us),
        ("unspoolsleep", unspool_sleep_us, defaults.unspool_sleep_us),
        ("write_timeout", write_timeout_ms, defaults.write_timeout_ms),
        ("spool_after", spool_after_ms, defaults.spool_after_ms),
        ("spool_max_bytes", spool_bytes_max, defaults.spool_bytes_max),
        ("spool_max_age", spool_age_max_s, defaults.spool_age_max_s),
        ("replay_rate", replay_rate, defaults.replay_rate),
        ("redo_bytes", redo_bytes, defaults.redo_bytes),
        ("block_max", block_max_ms, defaults.block_max_ms),
    ];
    for (key, value, default) in numbers {
        document.late(key, value, &default);
    }
}
