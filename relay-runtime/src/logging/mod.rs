//! Logs: one line per event on stderr, in the format of carbon-relay-ng (spec §1.4).
//!
//! Logging never slows the data path. Lines are kept in a `Stream` of limited size until a thread writes them
//! or, in a relay with one thread, until stderr has room between two turns. If stderr accepts no bytes, lines
//! are left out and counted, and the count is logged. Events whose rate depends on peers are limited by a
//! [`Throttle`] first.
//!
//! Times are UTC, because local time would need a time zone database in the binary.

mod line;
mod throttle;

pub use throttle::Throttle;

use crate::stream::Stream;
use line::line;
use std::{
    fmt, io,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};
use tracing::{Event, Metadata, Subscriber, level_filters::LevelFilter, span};

/// How many lines are kept for stderr.
const LINES: usize = 1024;

/// How long the end of the process waits until the last lines are written.
const FLUSH_MAX: Duration = Duration::from_secs(1);

/// How long the thread that writes waits at a time.
const LOOK: Duration = Duration::from_millis(100);

static STDERR: Stream = Stream::new(rustix::stdio::stderr, LINES);

/// The number of lines for which there was no room.
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

static LEVEL: OnceLock<LevelFilter> = OnceLock::new();

/// The `log_level` is not a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLevel {
    /// The level as configured.
    pub name: String,
}

/// Starts to log at `level`: from now on lines are kept for [`write_waiting`] or for a thread. A second call in
/// the same process changes nothing, because tests start several relays.
pub fn start(level: &str) -> Result<(), UnknownLevel> {
    let level = parse_level(level)?;
    if LEVEL.set(level).is_ok() {
        // A program that contains the relay may have its own subscriber; then that one is used.
        let _ = tracing::subscriber::set_global_default(Lines { level, keep });
    }
    Ok(())
}

/// Starts a thread that writes log lines, for relays whose `main` thread does not run a worker.
pub fn write_in_thread() -> io::Result<()> {
    let write = || {
        loop {
            STDERR.await_text(LOOK);
            write_for(LOOK);
        }
    };
    thread::Builder::new().name("log".to_owned()).spawn(write).map(drop)
}

/// Whether there are lines to write.
pub fn is_waiting() -> bool {
    STDERR.is_waiting()
}

/// Writes as many lines as stderr has room for.
pub fn write_waiting() {
    write_for(Duration::ZERO);
}

/// Waits until the lines are written, for a limited time.
pub fn flush() {
    write_for(FLUSH_MAX);
}

fn write_for(patience: Duration) {
    if STDERR.write(patience) && LEFT_OUT.load(Ordering::Relaxed) > 0 {
        let lines = LEFT_OUT.swap(0, Ordering::Relaxed);
        STDERR.keep(format!("{} [WARNING] {lines} log lines left out\n", line::now()).into_bytes());
        STDERR.write(patience);
    }
}

/// The levels of carbon-relay-ng. `fatal` and `panic` mean errors only, the highest level that is logged
/// here.
fn parse_level(name: &str) -> Result<LevelFilter, UnknownLevel> {
    match name.to_ascii_lowercase().as_str() {
        "trace" => Ok(LevelFilter::TRACE),
        "debug" => Ok(LevelFilter::DEBUG),
        "info" => Ok(LevelFilter::INFO),
        "warn" | "warning" => Ok(LevelFilter::WARN),
        "error" | "fatal" | "panic" => Ok(LevelFilter::ERROR),
        _ => Err(UnknownLevel { name: name.to_owned() }),
    }
}

/// Keeps a line for each event of `level` and above. A relay has no spans, so all spans are one.
struct Lines<K> {
    level: LevelFilter,
    keep: K,
}

/// Keeps a line for stderr, or counts it if too many wait.
fn keep(line: String) {
    if !STDERR.keep(line.into_bytes()) {
        LEFT_OUT.fetch_add(1, Ordering::Relaxed);
    }
}

impl<K: Fn(String) + Send + Sync + 'static> Subscriber for Lines<K> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        (self.keep)(line(event));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown log level `{}`: one of trace, debug, info, warn, error, fatal, panic", self.name)
    }
}

impl std::error::Error for UnknownLevel {}

/// What is logged while `say` runs, a line per event.
#[cfg(test)]
pub(crate) fn capture(say: impl FnOnce()) -> String {
    use std::sync::{Arc, Mutex};

    let text = Arc::new(Mutex::new(String::new()));
    let kept = Arc::clone(&text);
    let keep = move |line: String| kept.lock().unwrap().push_str(&line);
    let subscriber = Lines { level: LevelFilter::TRACE, keep };
    tracing::subscriber::with_default(subscriber, say);
    text.lock().unwrap().clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_are_those_of_carbon_relay_ng() {
        for (name, want) in
            [("Warning", LevelFilter::WARN), ("warn", LevelFilter::WARN), ("panic", LevelFilter::ERROR)]
        {
            assert_eq!(parse_level(name).unwrap(), want);
        }
        let error = parse_level("notice").unwrap_err();
        assert!(error.to_string().contains("`notice`"));
    }
}
