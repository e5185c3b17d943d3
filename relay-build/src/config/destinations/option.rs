//! The options of a destination: names, types, defaults.
//!
//! Strings and tables both use this list, so they have the same options.

use crate::config::keys;
use relay_runtime::table::{Destination, DestinationOptions, FullPolicy, Late, Replay, Transport};

/// The type of an option's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole number.
    Number,
    /// `true` or `false`.
    Flag,
    /// One of a few words.
    Word(&'static [&'static str]),
}

/// The type of an option.
pub(super) fn kind(name: &str) -> Option<Kind> {
    match name {
        "pickle" => Some(Kind::Flag),
        "spool" => Some(Kind::Word(&["true", "false", WRITE_AHEAD])),
        "protocol" => Some(Kind::Word(&["tcp", "udp"])),
        "replay" => Some(Kind::Word(&["in-order", "live-first"])),
        "when_full" => Some(Kind::Word(&["drop-newest", "drop-oldest", "block"])),
        _ => keys::OPTIONS.contains(&name).then_some(Kind::Number),
    }
}

/// `spool = "write-ahead"`.
const WRITE_AHEAD: &str = "write-ahead";

/// Sets an option whose value is one of a few words; returns false for another word.
pub(super) fn set_word(destination: &mut Destination, name: &str, word: &str) {
    let options = &mut destination.options;
    match (name, word) {
        ("spool", _) => (options.spool, options.spool_write_ahead) = (word != "false", word == WRITE_AHEAD),
        ("protocol", "udp") => destination.transport = Transport::Udp,
        ("protocol", _) => destination.transport = Transport::Tcp,
        ("replay", "live-first") => options.replay = Replay::LiveFirst,
        ("replay", _) => options.replay = Replay::InOrder,
        ("when_full", "drop-oldest") => options.when_full = FullPolicy::DropOldest,
        ("when_full", "block") => options.when_full = FullPolicy::Block,
        ("when_full", _) => options.when_full = FullPolicy::DropNewest,
        _ => {}
    }
}

/// Whether a word `name=value` is a size or a time, whose variables may stay open.
pub(super) fn may_stay_open(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| kind(name) == Some(Kind::Number))
}

/// `redo` of a destination with a spool.
const REDO_MS: u64 = 1_000;

/// The field of a numeric option. Calling this for `redo` sets it to its default first.
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
        "spool_after" => &mut options.spool_after_ms,
        "spool_max_bytes" => &mut options.spool_bytes_max,
        "spool_max_age" => &mut options.spool_age_max_s,
        "replay_rate" => &mut options.replay_rate,
        "redo" => options.redo_ms.get_or_insert(REDO_MS.into()),
        "redo_bytes" => &mut options.redo_bytes,
        "block_max" => &mut options.block_max_ms,
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

/// Returns the options that are 0 and must not be (BUG-17).
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
