//! The options of a destination: names, types, defaults.

use crate::config::keys;
use relay_runtime::table::{DestinationOptions, Late};

/// The type of an option's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// `tcp` or `udp`.
    Protocol,
}

/// The type of an option.
pub(super) fn kind(name: &str) -> Option<Kind> {
    match name {
        "pickle" | "spool" => Some(Kind::Flag),
        "protocol" => Some(Kind::Protocol),
        _ => keys::OPTIONS.contains(&name).then_some(Kind::Number),
    }
}

/// Whether a word `name=value` is a size or a time, which need not be known now.
pub(super) fn may_stay_open(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| kind(name) == Some(Kind::Number))
}

/// The place of a numeric option.
pub(super) fn number_mut<'a>(options: &'a mut DestinationOptions, name: &str) -> Option<&'a mut Late<u64>> {
    Some(match name {
        "flush" => &mut options.flush_ms,
        "reconn" => &mut options.reconnect_ms,
        "connbuf" => &mut options.connbuf_lines,
        "iobuf" => &mut options.iobuf_bytes,
        "spoolbuf" => &mut options.spoolbuf_lines,
        "spoolmaxbytesperfile" => &mut options.spool_file_bytes_max,
        "spoolsyncevery" => &mut options.spool_sync_every,
        "spoolsyncperiod" => &mut options.spool_sync_period_ms,
        "spoolsleep" => &mut options.spool_sleep_us,
        "unspoolsleep" => &mut options.unspool_sleep_us,
        "write_timeout" => &mut options.write_timeout_ms,
        _ => return None,
    })
}

/// The default of a numeric option, for messages.
pub(super) fn default_text(name: &str) -> String {
    match number_mut(&mut DestinationOptions::default(), name) {
        Some(Late::Known(number)) => number.to_string(),
        _ => "1".to_owned(),
    }
}

/// The options that are 0 and must not be (BUG-17).
pub(super) fn zeros(options: &DestinationOptions) -> Vec<&'static str> {
    let mut checked = vec![
        ("flush", &options.flush_ms),
        ("reconn", &options.reconnect_ms),
        ("iobuf", &options.iobuf_bytes),
        ("write_timeout", &options.write_timeout_ms),
    ];
    if options.spool {
        checked.push(("spoolsyncperiod", &options.spool_sync_period_ms));
    }
    checked.into_iter().filter(|(_, value)| **value == Late::Known(0)).map(|(name, _)| name).collect()
}
