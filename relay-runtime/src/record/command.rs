//! `relay record`: writes the lines that a running relay receives to a file.
//!
//! This is the recorder's side; `offer` is the relay's.

use super::socket::{Name, running};
use crate::counted;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::{
    fmt,
    fs::File,
    io::{self, Read, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The largest block that is accepted, in bytes; a relay sends one read at a time.
const BLOCK_MAX: u64 = 16 << 20;

/// How many bytes are compressed together.
const FRAME_BYTES: usize = 1 << 20;

/// When a recording ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// After this number of lines.
    pub(crate) lines: u64,
    /// Or after this time.
    pub(crate) time: Option<Duration>,
}

/// The counts of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recorded {
    pub(crate) lines: u64,
    /// Lines that came and were not recorded because the recorder was too slow.
    pub(crate) missed: u64,
}

/// Why nothing was recorded, or not everything.
#[derive(Debug)]
pub enum RecordError {
    /// No relay is running on this machine.
    NoRelay,
    /// Several relays are running; these are their process ids.
    Several(Vec<u32>),
    /// No relay has this process id.
    NoSuchRelay {
        /// The process id.
        pid: u32,
    },
    /// The relay cannot be reached, or sent something else.
    Relay(io::Error),
    /// The relay ended before the recording was complete.
    Ended {
        /// The number of lines that are in the file.
        lines: u64,
    },
    /// The file cannot be written.
    File {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
}

/// Records to the file at `path`, or to stdout for `-`; compressed if the name ends with `.zst`. `plan`
/// identifies what this program was built from: if several relays are running, the one with the same plan is
/// recorded.
pub(crate) fn record(
    plan: &str,
    pid: Option<u32>,
    limits: Limits,
    path: &Path,
) -> Result<Recorded, RecordError> {
    let relay = choose(&running().map_err(RecordError::Relay)?, &Name::new(0, plan), pid)?;
    let stream = relay.address().and_then(|address| UnixStream::connect_addr(&address));
    let stream = stream.map_err(RecordError::Relay)?;
    let at_file = |error| RecordError::File { path: path.to_owned(), error };
    let out: Box<dyn Write> = if path == Path::new("-") {
        Box::new(io::stdout())
    } else {
        Box::new(File::create(path).map_err(at_file)?)
    };
    let mut out = Output { out, frame: path.extension().is_some_and(|end| end == "zst").then(Vec::new) };
    let mut recorded = Recorded::default();
    let ended = take(&stream, limits, &mut out, &mut recorded);
    out.finish().map_err(at_file)?;
    match ended {
        Ok(()) => Ok(recorded),
        Err(Trouble::Relay(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(RecordError::Ended { lines: recorded.lines })
        }
        Err(Trouble::Relay(error)) => Err(RecordError::Relay(error)),
        Err(Trouble::File(error)) => Err(at_file(error)),
    }
}

/// The relay to record.
fn choose(running: &[Name], own: &Name, pid: Option<u32>) -> Result<Name, RecordError> {
    if let Some(pid) = pid {
        return running.iter().find(|name| name.pid == pid).cloned().ok_or(RecordError::NoSuchRelay { pid });
    }
    let alike: Vec<_> = running.iter().filter(|name| name.fingerprint == own.fingerprint).collect();
    match (alike.as_slice(), running) {
        ([one], _) => Ok((*one).clone()),
        ([], [one]) => Ok(one.clone()),
        (_, []) => Err(RecordError::NoRelay),
        _ => Err(RecordError::Several(running.iter().map(|name| name.pid).collect())),
    }
}

enum Trouble {
    Relay(io::Error),
    File(io::Error),
}

fn take(
    mut stream: &UnixStream,
    limits: Limits,
    out: &mut Output,
    recorded: &mut Recorded,
) -> Result<(), Trouble> {
    let until = limits.time.map(|time| Instant::now() + time);
    let mut lines = Vec::new();
    while recorded.lines < limits.lines {
        if let Some(until) = until {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            stream.set_read_timeout(Some(left)).map_err(Trouble::Relay)?;
        }
        let mut head = [[0; 8]; 2];
        match stream.read_exact(head.as_flattened_mut()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            read => read.map_err(Trouble::Relay)?,
        }
        let [length, missed] = head.map(u64::from_le_bytes);
        if length > BLOCK_MAX {
            let error = io::Error::new(io::ErrorKind::InvalidData, "what it sends is not a recording");
            return Err(Trouble::Relay(error));
        }
        lines.clear();
        // The rest of a block that has begun follows at once.
        stream.set_read_timeout(None).map_err(Trouble::Relay)?;
        stream.take(length).read_to_end(&mut lines).map_err(Trouble::Relay)?;
        recorded.missed += missed;
        let (count, end) = first_lines(&lines, limits.lines - recorded.lines);
        out.write(&lines[..end]).map_err(Trouble::File)?;
        recorded.lines += count;
    }
    Ok(())
}

/// How many lines there are, but at most `max`, and the offset of their end.
fn first_lines(lines: &[u8], max: u64) -> (u64, usize) {
    let (mut count, mut end) = (0, 0);
    for at in memchr::memchr_iter(b'\n', lines) {
        if count == max {
            break;
        }
        (count, end) = (count + 1, at + 1);
    }
    (count, end)
}

struct Output {
    out: Box<dyn Write>,
    /// Bytes that are not compressed yet, if the output is compressed.
    frame: Option<Vec<u8>>,
}

impl Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(frame) = &mut self.frame else { return self.out.write_all(bytes) };
        frame.extend_from_slice(bytes);
        if frame.len() >= FRAME_BYTES { self.flush_frame() } else { Ok(()) }
    }

    fn flush_frame(&mut self) -> io::Result<()> {
        let Some(frame) = self.frame.as_mut().filter(|frame| !frame.is_empty()) else { return Ok(()) };
        let compressed = compress_to_vec(frame.as_slice(), CompressionLevel::Fastest);
        frame.clear();
        self.out.write_all(&compressed)
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush_frame()?;
        self.out.flush()
    }
}

impl fmt::Display for Recorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recorded {}", counted(self.lines, "line"))?;
        match self.missed {
            0 => Ok(()),
            missed => write!(f, "; {missed} more came too fast to be recorded"),
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRelay => f.write_str(
                "no relay runs on this machine (or in this container); start one, or run this where it runs",
            ),
            Self::Several(pids) => {
                let pids: Vec<_> = pids.iter().map(ToString::to_string).collect();
                write!(f, "several relays run here; choose one with `--pid`: {}", pids.join(", "))
            }
            Self::NoSuchRelay { pid } => write!(f, "process {pid} is not a relay that can be recorded"),
            Self::Relay(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                write!(f, "the relay runs as another user: run this as that user or as root ({error})")
            }
            Self::Relay(error) => write!(f, "cannot record: {error}"),
            Self::Ended { lines } => write!(
                f,
                "the relay ended the recording after {}, which the file has: it stopped, or it runs as another user",
                counted(*lines, "line")
            ),
            Self::File { path, error } => write!(f, "cannot write `{}`: {error}", path.display()),
        }
    }
}

impl std::error::Error for RecordError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_relay_of_the_same_plan_is_meant() {
        let (mine, other) = (Name::new(1, "mine"), Name::new(2, "other"));
        let chosen = |running: &[&Name], pid| {
            let running: Vec<_> = running.iter().map(|name| (*name).clone()).collect();
            choose(&running, &Name::new(0, "mine"), pid)
                .map(|name| name.pid)
                .map_err(|error| error.to_string())
        };
        assert_eq!(chosen(&[&mine, &other], None), Ok(1));
        assert_eq!(chosen(&[&other], None), Ok(2));
        assert_eq!(chosen(&[&mine, &other], Some(2)), Ok(2));
        assert!(chosen(&[&mine, &Name::new(3, "mine")], None).unwrap_err().ends_with("`--pid`: 1, 3"));
        assert!(chosen(&[], None).unwrap_err().starts_with("no relay runs"));
        assert!(chosen(&[&mine], Some(9)).unwrap_err().starts_with("process 9"));
    }

    #[test]
    fn a_recording_has_so_many_whole_lines() {
        assert_eq!(first_lines(b"a\nb\nc\n", 2), (2, 4));
        assert_eq!(first_lines(b"a\nb\n", 9), (2, 4));
        assert_eq!(first_lines(b"", 9), (0, 0));
    }
}
