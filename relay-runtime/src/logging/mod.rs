//! Logs: one line per event on stderr, as carbon-relay-ng prints them (spec §1.4).
//!
//! Guarantees that logging never slows the data path: lines go through a bounded channel to a thread that
//! writes them; when stderr takes no bytes, lines are left out, counted, and the count is logged. What happens
//! at the rate of peers is limited before that, by a [`Throttle`].
//! Times are UTC: no local time without a time zone database in the binary.

mod line;
mod throttle;

pub use throttle::Throttle;

use line::LineFormat;
use std::{
    fmt,
    io::{self, Write},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait for stderr.
const LINES: usize = 1024;

/// How long the end of the process waits for the last lines.
const FLUSH_MAX: Duration = Duration::from_secs(1);

static WRITER: OnceLock<Writer> = OnceLock::new();

/// A `log_level` that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLevel {
    /// As configured.
    pub name: String,
}

/// Starts to log at `level`. A second call in the same process changes nothing: tests start many relays.
pub fn start(level: &str) -> Result<(), UnknownLevel> {
    let level = parse_level(level)?;
    if WRITER.get().is_some() {
        return Ok(());
    }
    let (sender, lines) = sync_channel(LINES);
    let writer = Writer { sender, left_out: Arc::default() };
    let left_out = Arc::clone(&writer.left_out);
    let write = move || write_lines(&lines, &left_out);
    if thread::Builder::new().name("log".to_owned()).spawn(write).is_ok()
        && WRITER.set(writer.clone()).is_ok()
    {
        let subscriber = tracing_subscriber::fmt()
            .event_format(LineFormat)
            .with_max_level(level)
            .with_writer(writer)
            .finish();
        // A program that the relay is part of may have its own: then that one is used.
        let _ = tracing::subscriber::set_global_default(subscriber);
    }
    Ok(())
}

/// Waits until what was logged is written, but not for long.
pub fn flush() {
    if let Some(writer) = WRITER.get() {
        let (done, written) = sync_channel(1);
        if writer.sender.try_send(Message::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_MAX);
        }
    }
}

/// The levels of spec §1.4. `fatal` and `panic` only let errors through: nothing is logged above that here.
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

enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

/// The near end of the channel.
#[derive(Clone)]
struct Writer {
    sender: SyncSender<Message>,
    left_out: Arc<AtomicU64>,
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// The subscriber writes each line in one call.
impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.sender.try_send(Message::Line(line.to_vec())).is_err() {
            self.left_out.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_lines(messages: &Receiver<Message>, left_out: &AtomicU64) {
    loop {
        match messages.recv_timeout(FLUSH_MAX) {
            Ok(Message::Line(line)) => {
                // Without a stderr there is nobody to tell.
                let _ = io::stderr().write_all(&line);
            }
            Ok(Message::Flush(done)) => {
                let _ = done.try_send(());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let lines = left_out.swap(0, Ordering::Relaxed);
        if lines > 0 {
            let _ = writeln!(io::stderr(), "{} [WARNING] {lines} log lines left out", line::now());
        }
    }
}

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown log level `{}`: one of trace, debug, info, warn, error, fatal, panic", self.name)
    }
}

impl std::error::Error for UnknownLevel {}

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
