//! The files in which open buckets are saved: `aggregates.state`, a snapshot that is replaced as a whole, and
//! `aggregates.tick`, the mark of the latest tick, written before anything of that tick is sent.
//!
//! A relay that stops saves its buckets; one that is killed has those of the last checkpoint. What the latest
//! tick may have emitted is never emitted again, so a relay that is killed loses what was due and not sent. A
//! file is not used if its checksum is wrong or it is ahead of the clock by more than a bucket: it is renamed,
//! with an error in the log.
//!
//! ```text
//! aggregates.tick: magic and version, 8 bytes; the second, u64, little-endian; CRC-32 of both, u32
//! ```
//!
//! All of this may wait for a disk, so [`super::keeper`] does it in a thread.

use crate::{aggregate::Shared, lock::DirectoryLock, shortage::Explained};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::Duration,
};

const STATE: &str = "aggregates.state";
const TICK: &str = "aggregates.tick";

const TICK_MAGIC: [u8; 8] = *b"relaytk\x01";

/// Where open buckets are saved, and how often.
#[derive(Clone, Debug)]
pub struct StateSetup {
    /// The directory, which is created if it does not exist.
    pub directory: PathBuf,
    /// The time between two checkpoints; zero means only at the stop.
    pub checkpoint: Duration,
}

/// The files.
#[derive(Debug)]
pub(super) struct StateFiles {
    lock: DirectoryLock,
    directory: PathBuf,
}

/// Why the latest tick is not known.
#[derive(Debug)]
enum TickError {
    /// The checksum is wrong, or another version wrote the file.
    Damaged,
    Io(io::Error),
}

impl StateFiles {
    /// Opens the directory. Two relays that share it would overwrite each other's buckets, so for the second
    /// one this is an error.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let lock = DirectoryLock::take(directory.to_owned())?;
        Ok(Self { lock, directory: directory.to_owned() })
    }

    /// Opens the saved buckets. A file that cannot be used is renamed.
    pub(super) fn load(&self, shared: &Shared, now_s: u64) -> io::Result<()> {
        let ticked_s = match self.ticked_s() {
            Ok(ticked_s) => ticked_s,
            Err(TickError::Io(error)) => return Err(error),
            Err(TickError::Damaged) => {
                let kept = self.set_aside(TICK, "damaged")?;
                tracing::error!(
                    kept,
                    "the file with the last tick of aggregations is damaged and was renamed: buckets emitted after the \
                     last checkpoint may be emitted again"
                );
                None
            }
        };
        let bytes = match fs::read(self.path(STATE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        match shared.restore(&bytes, ticked_s, now_s) {
            Ok(restored) => {
                if let Some(ahead_s) = restored.ahead_s {
                    let kept = self.set_aside(STATE, "ahead")?;
                    self.set_aside(TICK, "ahead")?;
                    tracing::error!(
                        ahead_s,
                        kept,
                        "the saved state of aggregations is ahead of the clock and was renamed: buckets emitted between \
                         the clock's time and the saved time may be emitted again"
                    );
                }
                tracing::info!(buckets = restored.buckets, "open buckets of aggregations were restored");
            }
            Err(error) => {
                let kept = self.set_aside(STATE, "damaged")?;
                tracing::error!(%error, kept, "the saved buckets of aggregations cannot be used; the file was renamed");
            }
        }
        Ok(())
    }

    fn ticked_s(&self) -> Result<Option<u64>, TickError> {
        match fs::read(self.path(TICK)) {
            Ok(bytes) => decode_tick(&bytes).map(Some).ok_or(TickError::Damaged),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(TickError::Io(error)),
        }
    }

    /// Renames a file and returns its new name. It is no error if the file does not exist.
    fn set_aside(&self, name: &str, reason: &str) -> io::Result<String> {
        let kept = format!("{name}.{reason}");
        match fs::rename(self.path(name), self.path(&kept)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(kept),
        }
    }

    /// Writes the mark of a tick. Must be called before anything of the tick is sent.
    pub(super) fn note_tick(&mut self, tick_s: u64) {
        let mut bytes = [&TICK_MAGIC[..], &tick_s.to_le_bytes()].concat();
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        // Overwritten in place: this few bytes are in one sector.
        let noted = self.renew().and_then(|()| {
            let mut file = File::options().create(true).write(true).truncate(false).open(self.path(TICK))?;
            file.write_all(&bytes)
        });
        if let Err(error) = noted {
            tracing::error!(error = %Explained(&error), "cannot write the mark of a tick of aggregations");
        }
    }

    /// Saves the open buckets.
    pub(super) fn save(&mut self, shared: &Shared) {
        if let Err(error) = self.renew().and_then(|()| self.try_save(shared)) {
            let directory = self.directory.display();
            tracing::error!(error = %Explained(&error), %directory, "cannot save the open buckets of aggregations");
        }
    }

    fn try_save(&self, shared: &Shared) -> io::Result<()> {
        let new = self.path(&format!("{STATE}.new"));
        let mut file = BufWriter::new(File::create(&new)?);
        shared.save(&mut file)?;
        file.flush()?;
        file.get_ref().sync_data()?;
        fs::rename(new, self.path(STATE))?;
        File::open(&self.directory)?.sync_all()
    }

    fn renew(&mut self) -> io::Result<()> {
        if self.lock.renew()? {
            let directory = self.directory.display();
            tracing::error!(%directory, "`state_dir` was removed while the relay runs: the relay created it again");
        }
        Ok(())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

fn decode_tick(bytes: &[u8]) -> Option<u64> {
    let (content, sum) = bytes.split_last_chunk::<4>()?;
    let tick_s = content.strip_prefix(&TICK_MAGIC)?.try_into().ok()?;
    (crc32fast::hash(content) == u32::from_le_bytes(*sum)).then(|| u64::from_le_bytes(tick_s))
}
