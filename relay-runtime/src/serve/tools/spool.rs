//! `relay spool`: lists what is on disk, and removes it.
//!
//! If a destination is removed from the configuration, its spool stays, because the relay cannot know whether
//! the lines are still wanted. The operator decides: send them somewhere, or drop them. Draining and dropping
//! lock a spool as a running relay does; listing locks nothing.

use crate::{
    counted, lock,
    spool::{Budget, FileStore, Spool, SpoolLimits, SpoolName, Syncer, count},
};
use serde_json::json;
use std::{
    fmt, fs,
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The size of one write in bytes.
const WRITE_BYTES: usize = 128 * 1024;

/// How long a destination may take for one write, and to close the connection after the last one.
const PEER_MAX: Duration = Duration::from_secs(30);

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::serve) enum SpoolCommand {
    /// Print all spools.
    List {
        /// Whether as JSON, for programs.
        is_json: bool,
    },
    /// Send everything to the destination or to another address, and remove the spool.
    Drain {
        /// The spool's destination.
        of: SpoolName,
        /// The address to send to, if it is another one.
        to: Option<String>,
    },
    /// Remove the spool with its lines.
    Drop {
        /// The spool's destination.
        of: SpoolName,
    },
}

/// Why a command failed.
#[derive(Debug)]
pub enum SpoolError {
    /// There is no such spool.
    Unknown {
        /// The destination as given.
        destination: String,
    },
    /// The files could not be read or written.
    Files {
        /// The spool's destination.
        destination: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The result cannot be written to stdout.
    Output(io::Error),
    /// The lines could not be sent; they are still in the spool.
    Peer {
        /// The address.
        to: String,
        /// The error of the operating system.
        error: io::Error,
    },
}

/// Runs the command and prints the result. `configured` are the destinations of this relay.
pub(super) fn run(
    command: &SpoolCommand,
    directory: &Path,
    configured: &[String],
    out: &mut dyn Write,
) -> Result<(), SpoolError> {
    match command {
        SpoolCommand::List { is_json } => list(directory, configured, *is_json, out),
        SpoolCommand::Drain { of, to } => {
            let mut spool = open(directory, of)?;
            let lines = drain(&mut spool, to.as_ref().unwrap_or(&of.destination))?;
            written(writeln!(out, "sent {}", counted(lines, "line")))
        }
        SpoolCommand::Drop { of } => {
            let mut spool = open(directory, of)?;
            let lines = spool.lines();
            spool.forget();
            written(writeln!(out, "dropped {}", counted(lines, "line")))
        }
    }
}

fn list(
    directory: &Path,
    configured: &[String],
    is_json: bool,
    out: &mut dyn Write,
) -> Result<(), SpoolError> {
    let mut names: Vec<_> = match fs::read_dir(directory) {
        Ok(entries) => entries.flatten().filter(|entry| entry.path().is_dir()).collect(),
        Err(_) => Vec::new(),
    };
    names.sort_unstable_by_key(fs::DirEntry::file_name);
    for name in names.iter().filter_map(|entry| SpoolName::of_directory(entry.file_name().to_str()?)) {
        let twins = configured.iter().filter(|destination| **destination == name.destination).count();
        let is_configured = name.number <= twins;
        let counts = match look(&directory.join(name.directory())) {
            Ok(Found::Gone) => continue,
            Ok(Found::InUse) => None,
            Ok(Found::Free { lines, bytes }) => Some((lines, bytes)),
            Err(error) => return Err(SpoolError::Files { destination: name.to_string(), error }),
        };
        written(if is_json {
            let (lines, bytes) = (counts.map(|counts| counts.0), counts.map(|counts| counts.1));
            let row = json!({ "destination": name.to_string(), "lines": lines, "bytes": bytes,
                              "in_use": counts.is_none(), "configured": is_configured });
            writeln!(out, "{row}")
        } else {
            let state = match (counts, is_configured) {
                (None, _) => "in use by a running relay".to_owned(),
                (Some((lines, bytes)), true) => format!("{}, {bytes} bytes", counted(lines, "line")),
                (Some((lines, bytes)), false) => {
                    format!("{}, {bytes} bytes, of no destination of this relay", counted(lines, "line"))
                }
            };
            writeln!(out, "{name}  {state}")
        })?;
    }
    Ok(())
}

/// The result of printing; a reader that has gone away is not an error.
fn written(done: io::Result<()>) -> Result<(), SpoolError> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(SpoolError::Output),
    }
}

/// The state of a spool.
enum Found {
    /// It does not exist any more.
    Gone,
    /// A relay uses it.
    InUse,
    /// No relay uses it.
    Free { lines: u64, bytes: u64 },
}

/// Reads a spool without locking it, because a relay that starts meanwhile must not be refused.
fn look(directory: &Path) -> io::Result<Found> {
    let looked = lock::is_taken(directory).and_then(|is_taken| {
        if is_taken {
            return Ok(Found::InUse);
        }
        let (lines, bytes) = count(&mut FileStore::look(directory.to_owned()))?;
        Ok(Found::Free { lines, bytes })
    });
    match looked {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Gone),
        looked => looked,
    }
}

fn open(directory: &Path, name: &SpoolName) -> Result<Spool, SpoolError> {
    let path = directory.join(name.directory());
    if !path.is_dir() {
        return Err(SpoolError::Unknown { destination: name.to_string() });
    }
    let opened = Syncer::start(1).and_then(|syncer| {
        let store = FileStore::open(path, syncer)?;
        Spool::open(Box::new(store), SpoolLimits::UNBOUNDED, Budget::new(u64::MAX))
    });
    let fail = |error| SpoolError::Files { destination: name.to_string(), error };
    opened.map(|(spool, _)| spool).map_err(fail)
}

/// Sends all lines. They count as delivered when the peer closes the connection after the last one: a carbon
/// daemon does so when it has read to the end.
fn drain(spool: &mut Spool, to: &str) -> Result<u64, SpoolError> {
    let fail = |error| SpoolError::Peer { to: to.to_owned(), error };
    // The instance is not part of the address.
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
                write!(f, "there is no spool of `{destination}`; `relay spool list` shows all spools")
            }
            Self::Files { destination, error } => {
                write!(f, "cannot open the spool of `{destination}`: {error}")
            }
            Self::Output(error) => write!(f, "cannot write to standard output: {error}"),
            Self::Peer { to, error } => {
                write!(f, "cannot send to `{to}`: {error}; the lines are still in the spool")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gather::Chunk;
    use std::{
        net::TcpListener,
        path::PathBuf,
        sync::{
            Arc,
            atomic::{AtomicBool, Ordering},
        },
        thread,
    };

    /// A directory with a spool of `lines` lines for each destination, removed afterwards.
    struct Spools(PathBuf);

    impl Spools {
        fn new(test: &str, spools: &[(&str, u32)]) -> Self {
            let path = std::env::temp_dir().join(format!("static-relay-{test}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            for (destination, lines) in spools {
                let Ok(name) = destination.parse::<SpoolName>();
                fs::create_dir_all(path.join(name.directory())).unwrap();
                let mut spool = open(&path, &name).unwrap();
                let text: Vec<_> = (0..*lines).map(|number| format!("a.b {number} 1\n")).collect();
                spool.append(&Chunk::new(Arc::new(text.concat().into_bytes()), *lines), 1).unwrap();
            }
            Self(path)
        }

        fn run(&self, command: &SpoolCommand) -> Result<String, String> {
            let mut out = Vec::new();
            let configured = ["a:1".to_owned(), "a:1".to_owned()];
            let done = super::run(command, &self.0, &configured, &mut out);
            done.map(|()| String::from_utf8(out).unwrap()).map_err(|error| error.to_string())
        }
    }

    impl Drop for Spools {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn name(text: &str) -> SpoolName {
        let Ok(name) = text.parse();
        name
    }

    #[test]
    fn spools_are_listed_with_whose_they_are() {
        let spools = Spools::new("spool-list", &[("a:1", 3), ("a:1+2", 1), ("gone:1", 2)]);
        let text = spools.run(&SpoolCommand::List { is_json: false }).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].starts_with("a:1  3 lines, ") && lines[1].starts_with("a:1+2  1 line, "), "{text}");
        assert!(
            lines[2].starts_with("gone:1  2 lines, ")
                && lines[2].ends_with("of no destination of this relay")
        );
        let json = spools.run(&SpoolCommand::List { is_json: true }).unwrap();
        let row: serde_json::Value = serde_json::from_str(json.lines().last().unwrap()).unwrap();
        assert_eq!(
            (&row["destination"], &row["lines"], &row["configured"]),
            (&"gone:1".into(), &2.into(), &false.into())
        );
    }

    #[test]
    fn a_drained_spool_has_arrived_and_is_gone() {
        let spools = Spools::new("spool-drain", &[("gone:1", 1_000)]);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = listener.local_addr().unwrap().to_string();
        let peer = thread::spawn(move || io::read_to_string(listener.accept().unwrap().0).unwrap());
        let drain = SpoolCommand::Drain { of: name("gone:1"), to: Some(to) };
        assert_eq!(spools.run(&drain).unwrap(), "sent 1000 lines\n");
        let arrived = peer.join().unwrap();
        assert_eq!((arrived.lines().count(), arrived.lines().last()), (1_000, Some("a.b 999 1")));
        assert_eq!(spools.run(&SpoolCommand::List { is_json: false }).unwrap(), "");
    }

    #[test]
    fn what_nobody_takes_stays() {
        let spools = Spools::new("spool-stays", &[("gone:1", 5)]);
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let drain = SpoolCommand::Drain { of: name("gone:1"), to: Some(free.clone()) };
        let error = spools.run(&drain).unwrap_err();
        assert!(error.contains(&free) && error.ends_with("the lines are still in the spool"), "{error}");
        assert!(spools.run(&SpoolCommand::List { is_json: false }).unwrap().starts_with("gone:1  5 lines"));
    }

    #[test]
    fn a_dropped_spool_is_gone_and_another_is_not() {
        let spools = Spools::new("spool-drop", &[("a:1", 5), ("gone:1", 5)]);
        assert_eq!(spools.run(&SpoolCommand::Drop { of: name("gone:1") }).unwrap(), "dropped 5 lines\n");
        let error = spools.run(&SpoolCommand::Drop { of: name("gone:1") }).unwrap_err();
        assert_eq!(error, "there is no spool of `gone:1`; `relay spool list` shows all spools");
        assert!(spools.run(&SpoolCommand::List { is_json: false }).unwrap().starts_with("a:1  5 lines"));
    }

    #[test]
    fn a_spool_in_use_is_not_touched() {
        let spools = Spools::new("spool-busy", &[("a:1", 5)]);
        let _running = open(&spools.0, &name("a:1")).unwrap();
        let text = spools.run(&SpoolCommand::List { is_json: false }).unwrap();
        assert_eq!(text, "a:1  in use by a running relay\n");
        assert!(spools.run(&SpoolCommand::Drop { of: name("a:1") }).is_err());
    }

    #[test]
    fn a_list_keeps_no_relay_from_starting() {
        let spools = Spools::new("spool-loop", &[("a:1", 5), ("gone:1", 5)]);
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    spools.run(&SpoolCommand::List { is_json: false }).unwrap();
                }
            });
            let refused = (0..300).filter(|_| open(&spools.0, &name("a:1")).is_err()).count();
            is_over.store(true, Ordering::Relaxed);
            assert_eq!(refused, 0);
        });
    }
}
