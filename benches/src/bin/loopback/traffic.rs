//! Sends lines and counts what arrives.
//!
//! The counts decide whether a run is valid, so they are exact: lines and bytes for each destination.

use crate::{process::Started, scenario::LINE_BYTES};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// If a relay delivers nothing for this long, the missing lines are lost.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// A run that takes longer is stopped and counts as invalid.
const RUN_MAX: Duration = Duration::from_mins(3);
/// How long a relay may take before it listens.
const START_MAX: Duration = Duration::from_secs(10);
const WRITE_BYTES: usize = 64 * 1024;
const READ_BYTES: usize = 256 * 1024;

/// What has arrived, in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Delivered {
    pub(crate) lines: u64,
    pub(crate) bytes: u64,
    /// The lines that arrived at each destination.
    pub(crate) by_sink: Vec<u64>,
}

impl Delivered {
    /// What must arrive if `lines` lines are sent.
    pub(crate) const fn of(lines: u64) -> Self {
        Self { lines, bytes: lines * LINE_BYTES, by_sink: Vec::new() }
    }
}

/// The destinations, which count what arrives.
#[derive(Debug)]
pub(crate) struct Sinks {
    counts: Vec<Arc<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    lines: AtomicU64,
    bytes: AtomicU64,
}

impl Sinks {
    /// Listens at each address until the program ends.
    pub(crate) fn listen(addresses: &[SocketAddr]) -> Result<Self, String> {
        let counts = addresses.iter().map(|&address| listen(address)).collect::<Result<_, _>>()?;
        Ok(Self { counts })
    }

    /// Sets all counts to zero.
    pub(crate) fn reset(&self) {
        for counts in &self.counts {
            counts.lines.store(0, Ordering::Relaxed);
            counts.bytes.store(0, Ordering::Relaxed);
        }
    }

    /// Waits until exactly `want` has arrived. The error says what is missing or too much.
    pub(crate) fn wait_for(&self, want: &Delivered, relay: &Started) -> Result<Delivered, String> {
        let start = Instant::now();
        let mut last = (0, Instant::now());
        loop {
            let got = self.delivered();
            if got.lines >= want.lines && got.bytes >= want.bytes {
                return if (got.lines, got.bytes) == (want.lines, want.bytes) {
                    Ok(got)
                } else {
                    Err(difference(want, &got))
                };
            }
            if got.bytes != last.0 {
                last = (got.bytes, Instant::now());
            }
            if last.1.elapsed() > SILENCE_MAX || start.elapsed() > RUN_MAX {
                return Err(format!("{}; {}", difference(want, &got), relay.last_words()));
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn delivered(&self) -> Delivered {
        let by_sink: Vec<u64> = self.counts.iter().map(|one| one.lines.load(Ordering::Relaxed)).collect();
        let bytes = self.counts.iter().map(|one| one.bytes.load(Ordering::Relaxed)).sum();
        Delivered { lines: by_sink.iter().sum(), bytes, by_sink }
    }
}

fn difference(want: &Delivered, got: &Delivered) -> String {
    format!(
        "sent {} lines ({} bytes), delivered {} lines ({} bytes), by destination {:?}",
        want.lines, want.bytes, got.lines, got.bytes, got.by_sink
    )
}

fn listen(address: SocketAddr) -> Result<Arc<Counts>, String> {
    let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}; try --port"))?;
    let counts = Arc::new(Counts::default());
    let counted = Arc::clone(&counts);
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let counts = Arc::clone(&counted);
            thread::spawn(move || count(connection, &counts));
        }
    });
    Ok(counts)
}

fn count(mut connection: TcpStream, counts: &Counts) {
    let mut buffer = vec![0; READ_BYTES];
    while let Ok(bytes @ 1..) = connection.read(&mut buffer) {
        // Counted in bytes, which the compiler vectorises; the sum over 255 bytes fits into one.
        let lines: u64 = buffer[..bytes]
            .chunks(255)
            .map(|chunk| u64::from(chunk.iter().map(|&byte| u8::from(byte == b'\n')).sum::<u8>()))
            .sum();
        counts.lines.fetch_add(lines, Ordering::Relaxed);
        counts.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

/// The connections over which lines are sent.
#[derive(Debug)]
pub(crate) struct Sender {
    connections: Vec<TcpStream>,
}

impl Sender {
    /// Connects as soon as the relay listens.
    pub(crate) fn connect(address: SocketAddr, connections: usize) -> Result<Self, String> {
        let start = Instant::now();
        let connect = || loop {
            match TcpStream::connect(address) {
                Ok(connection) => return Ok(connection),
                Err(error) if start.elapsed() > START_MAX => return Err(format!("{address}: {error}")),
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        };
        let connections = (0..connections).map(|_| connect()).collect::<Result<_, _>>()?;
        Ok(Self { connections })
    }

    /// Sends the buffer's lines over and over, `lines` in all, an equal share over each connection.
    pub(crate) fn send(&mut self, buffer: &[u8], lines: u64) -> Result<(), String> {
        let count = self.connections.len() as u64;
        thread::scope(|scope| {
            let threads: Vec<_> = (0..count)
                .zip(&mut self.connections)
                .map(|(number, connection)| {
                    let share = lines / count + u64::from(number < lines % count);
                    scope.spawn(move || send(connection, buffer, share * LINE_BYTES))
                })
                .collect();
            let results = threads.into_iter().map(|thread| thread.join().map_err(|_| "a sender died")?);
            results.collect::<Result<(), String>>()
        })
    }
}

fn send(connection: &mut TcpStream, buffer: &[u8], bytes: u64) -> Result<(), String> {
    connection.set_write_timeout(Some(SILENCE_MAX)).map_err(|error| error.to_string())?;
    let mut left = usize::try_from(bytes).map_err(|error| error.to_string())?;
    while left > 0 {
        for chunk in buffer[..buffer.len().min(left)].chunks(WRITE_BYTES) {
            connection.write_all(chunk).map_err(|error| format!("the relay takes no more: {error}"))?;
            left -= chunk.len();
        }
    }
    Ok(())
}
