//! `relay spool`: looks at what lies on disk, and gets rid of it.
//!
//! A destination that was taken out of the configuration leaves its spool behind, for nobody can know whether its lines are
//! still wanted. Whoever runs the relay decides: send them somewhere, or drop them. A spool of a running relay is locked.

use crate::spool::{Budget, FileStore, Spool, SpoolLimits, Syncer, destination_of, directory_name};
use serde_json::json;
use std::{
    collections::BTreeSet,
    fmt, fs,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Bytes of one write.
const WRITE_BYTES: usize = 128 * 1024;

/// How long a destination may take for one write, and to close the connection after the last.
const PEER_MAX: Duration = Duration::from_secs(30);

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SpoolCommand {
    /// Say what there is.
    List {
        /// For programs.
        is_json: bool,
    },
    /// Send everything to the destination, or to another address, and remove it.
    Drain {
        /// Whose spool.
        destination: String,
        /// Where to, if not to itself.
        to: Option<String>,
    },
    /// Remove everything.
    Drop {
        /// Whose spool.
        destination: String,
    },
}

/// Why that did not work.
#[derive(Debug)]
pub enum SpoolError {
    /// There is no such spool.
    Unknown {
        /// As given.
        destination: String,
    },
    /// The files cannot be read or written.
    Files {
        /// Whose.
        destination: String,
        /// What the system says.
        error: io::Error,
    },
    /// The lines cannot be sent; they are still there.
    Peer {
        /// Where to.
        to: String,
        /// What the system says.
        error: io::Error,
    },
}

/// Carries it out, and prints what it did. `configured` are the destinations of this relay.
pub(super) fn run(
    command: &SpoolCommand,
    directory: &Path,
    configured: &BTreeSet<String>,
    out: &mut dyn Write,
) -> Result<(), SpoolError> {
    match command {
        SpoolCommand::List { is_json } => list(directory, configured, *is_json, out),
        SpoolCommand::Drain { destination, to } => {
            let mut spool = open(directory, destination)?;
            let lines = drain(&mut spool, to.as_ref().unwrap_or(destination))?;
            let _ = writeln!(out, "sent {lines} lines");
            Ok(())
        }
        SpoolCommand::Drop { destination } => {
            let mut spool = open(directory, destination)?;
            let lines = spool.lines();
            spool.forget();
            let _ = writeln!(out, "dropped {lines} lines");
            Ok(())
        }
    }
}

fn list(
    directory: &Path,
    configured: &BTreeSet<String>,
    is_json: bool,
    out: &mut dyn Write,
) -> Result<(), SpoolError> {
    let mut names: Vec<_> = match fs::read_dir(directory) {
        Ok(entries) => entries.flatten().filter(|entry| entry.path().is_dir()).collect(),
        Err(_) => Vec::new(),
    };
    names.sort_unstable_by_key(fs::DirEntry::file_name);
    for destination in names.iter().filter_map(|entry| destination_of(entry.file_name().to_str()?)) {
        let is_configured = configured.contains(&destination);
        let counts = match open(directory, &destination) {
            Ok(spool) => Some((spool.lines(), spool.bytes())),
            Err(SpoolError::Files { error, .. }) if error.kind() == io::ErrorKind::ResourceBusy => None,
            Err(error) => return Err(error),
        };
        let _ = if is_json {
            let (lines, bytes) = (counts.map(|counts| counts.0), counts.map(|counts| counts.1));
            let row = json!({ "destination": destination, "lines": lines, "bytes": bytes,
                              "in_use": counts.is_none(), "configured": is_configured });
            writeln!(out, "{row}")
        } else {
            let state = match (counts, is_configured) {
                (None, _) => "in use by a running relay".to_owned(),
                (Some((lines, bytes)), true) => format!("{lines} lines, {bytes} bytes"),
                (Some((lines, bytes)), false) => {
                    format!("{lines} lines, {bytes} bytes, of no destination of this relay")
                }
            };
            writeln!(out, "{destination}  {state}")
        };
    }
    Ok(())
}

fn open(directory: &Path, destination: &str) -> Result<Spool, SpoolError> {
    let path = directory.join(directory_name(destination));
    if !path.is_dir() {
        return Err(SpoolError::Unknown { destination: destination.to_owned() });
    }
    let limits =
        SpoolLimits { file_bytes_max: u64::MAX, bytes_max: u64::MAX, age_max_s: 0, sync_every: u64::MAX };
    let opened = Syncer::start().and_then(|syncer| {
        let store = FileStore::open(path, syncer)?;
        Spool::open(Box::new(store), limits, Budget::new(u64::MAX))
    });
    let fail = |error| SpoolError::Files { destination: destination.to_owned(), error };
    opened.map(|(spool, _)| spool).map_err(fail)
}

/// The lines count as delivered when the peer, after the last of them, closes the connection: a carbon daemon does so when
/// it has read to the end.
fn drain(spool: &mut Spool, to: &str) -> Result<u64, SpoolError> {
    let fail = |error| SpoolError::Peer { to: to.to_owned(), error };
    // The instance is no part of the address.
    let address = match to.rsplit_once(':') {
        Some((front, last)) if last.parse::<u16>().is_err() => front,
        _ => to,
    };
    let mut stream = TcpStream::connect(address).map_err(fail)?;
    stream.set_write_timeout(Some(PEER_MAX)).map_err(fail)?;
    stream.set_read_timeout(Some(PEER_MAX)).map_err(fail)?;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut lines = 0;
    while let Some(piece) = spool.read(WRITE_BYTES, now_s) {
        stream.write_all(piece.chunk.bytes()).map_err(fail)?;
        lines += u64::from(piece.chunk.lines());
    }
    stream.shutdown(Shutdown::Write).map_err(fail)?;
    let mut answer = [0; 1024];
    while stream.read(&mut answer).map_err(fail)? > 0 {}
    if let Some(trouble) = spool.take_trouble() {
        return Err(SpoolError::Files { destination: to.to_owned(), error: trouble.error });
    }
    spool.forget();
    Ok(lines)
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { destination } => {
                write!(f, "there is no spool of `{destination}`; `relay spool list` shows which there are")
            }
            Self::Files { destination, error } => {
                write!(f, "cannot open the spool of `{destination}`: {error}")
            }
            Self::Peer { to, error } => {
                write!(f, "cannot send to `{to}`: {error}; the lines are still in the spool")
            }
        }
    }
}
