//! A spool's directory on a real disk.
//!
//! Writes go to the page cache, which survives `kill -9`. What must survive a loss of power is flushed by a
//! separate thread, because a disk may take seconds for it and other spools wait to be written.
//!
//! If the directory is removed, it is made again, and so are the files that are open here, with what was in them: at the next
//! flush, or when a file is not there. Lines in other files are gone, and are counted when they are to be read.

use super::store::Store;
use crate::lock::DirectoryLock;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, IoSlice, Seek, SeekFrom, Write},
    os::unix::fs::{FileExt, MetadataExt as _, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::mpsc::{SyncSender, sync_channel},
    thread,
};

/// How many flushes may be queued. If there are more, the disk is too slow; the next period asks again.
const WAITING_MAX: usize = 256;

/// How much of a file is copied at a time, in bytes.
const COPY_BYTES: usize = 256 * 1024;

/// Flushes files in a thread of its own.
#[derive(Clone, Debug)]
pub(crate) struct Syncer(SyncSender<File>);

/// The directory of one spool.
#[derive(Debug)]
pub(crate) struct FileStore {
    directory: PathBuf,
    /// Held as long as this is the spool of a running relay; `None` if it is only read.
    lock: Option<DirectoryLock>,
    syncer: Option<Syncer>,
    /// The files that were last written and last read, because they will be the next ones.
    written: Option<(String, File)>,
    read: Option<(String, File)>,
}

impl Syncer {
    /// Starts the thread. It ends with the last clone. At most `waiting_max` open files wait for it.
    pub(crate) fn start(waiting_max: usize) -> io::Result<Self> {
        let (sender, files) = sync_channel::<File>(waiting_max.min(WAITING_MAX));
        thread::Builder::new().name("spool-sync".to_owned()).spawn(move || {
            for file in files {
                if let Err(error) = file.sync_data() {
                    tracing::warn!(%error, "cannot flush a spool file: it would not survive a loss of power");
                }
            }
        })?;
        Ok(Self(sender))
    }
}

impl FileStore {
    /// Opens the directory, which is created if it does not exist. Two relays that share a spool would destroy
    /// it, so for the second one this is an error.
    pub(crate) fn open(directory: PathBuf, syncer: Syncer) -> io::Result<Self> {
        let lock = DirectoryLock::take(directory.clone())?;
        Ok(Self { directory, lock: Some(lock), syncer: Some(syncer), written: None, read: None })
    }

    /// Reads what is there, without locking it.
    #[cfg(feature = "tools")]
    pub(crate) const fn look(directory: PathBuf) -> Self {
        Self { directory, lock: None, syncer: None, written: None, read: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Makes the directory again if it was removed, and writes the open files again, to which no name leads any more. Returns
    /// whether there was something to do.
    fn restore(&mut self) -> io::Result<bool> {
        let Some(lock) = &mut self.lock else { return Ok(false) };
        let mut is_restored = lock.renew()?;
        for slot in [&mut self.read, &mut self.written] {
            let Some((name, file)) = slot else { continue };
            let path = self.directory.join(name);
            if file.metadata()?.nlink() == 0 {
                *file = if path.exists() { writable().open(path)? } else { copy(file, &path)? };
                is_restored = true;
            }
        }
        if is_restored {
            tracing::error!(
                directory = %self.directory.display(),
                "the files of a spool were removed under this relay: the directory and the files that were open are made \
                 again; lines in other files are lost"
            );
        }
        Ok(is_restored)
    }

    fn forget(&mut self, name: &str) {
        for slot in [&mut self.written, &mut self.read] {
            if slot.as_ref().is_some_and(|(open, _)| open == name) {
                *slot = None;
            }
        }
    }
}

impl Store for FileStore {
    fn list(&mut self) -> io::Result<Vec<(String, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.directory)? {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string() {
                files.push((name, entry.metadata()?.len()));
            }
        }
        Ok(files)
    }

    fn read_at(&mut self, name: &str, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let path = self.path(name);
        let file = match open_in(&mut self.read, name, || File::open(&path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // The file that is written may be the one, without its name.
                if !self.restore()? || !path.exists() {
                    return Ok(0);
                }
                open_in(&mut self.read, name, || File::open(&path))?
            }
            opened => opened?,
        };
        let mut got = 0;
        while got < buffer.len() {
            match file.read_at(&mut buffer[got..], offset + got as u64) {
                Ok(0) => break,
                Ok(bytes) => got += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(got)
    }

    fn write_at(&mut self, name: &str, offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        let path = self.path(name);
        let file = match open_in(&mut self.written, name, || writable().open(&path)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.restore()?;
                open_in(&mut self.written, name, || writable().open(&path))?
            }
            opened => opened?,
        };
        file.seek(SeekFrom::Start(offset))?;
        write_all(file, parts)
    }

    fn truncate(&mut self, name: &str, bytes: u64) -> io::Result<()> {
        let path = self.path(name);
        OpenOptions::new().write(true).open(path)?.set_len(bytes)
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.forget(from);
        self.forget(to);
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.forget(name);
        match fs::remove_file(self.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn sync(&mut self, name: &str) {
        if let Err(error) = self.restore() {
            tracing::error!(directory = %self.directory.display(), %error, "the directory of a spool is gone");
        }
        if let Some(syncer) = &self.syncer
            && let Ok(file) = File::open(self.path(name))
        {
            // If the list is full, the disk is busy with the same files already.
            let _ = syncer.0.try_send(file);
        }
    }
}

impl Drop for FileStore {
    /// Removes a spool without lines.
    fn drop(&mut self) {
        if let Some(lock) = &self.lock {
            lock.remove_if_empty();
        }
    }
}

/// Only the user who runs the relay may read metrics.
fn writable() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).read(true).write(true).truncate(false).mode(0o600);
    options
}

/// Writes what is in an open file to a new one.
fn copy(from: &File, to: &Path) -> io::Result<File> {
    let mut new = writable().open(to)?;
    let (mut buffer, mut at) = (vec![0; COPY_BYTES], 0);
    loop {
        match from.read_at(&mut buffer, at) {
            Ok(0) => return Ok(new),
            Ok(bytes) => {
                new.write_all(&buffer[..bytes])?;
                at += bytes as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn open_in<'a>(
    slot: &'a mut Option<(String, File)>,
    name: &str,
    open: impl FnOnce() -> io::Result<File>,
) -> io::Result<&'a mut File> {
    if slot.as_ref().is_none_or(|(opened, _)| opened != name) {
        *slot = Some((name.to_owned(), open()?));
    }
    slot.as_mut().map(|(_, file)| file).ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn write_all(file: &mut File, parts: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut rest = &mut slices[..];
    while rest.iter().any(|part| !part.is_empty()) {
        match file.write_vectored(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(bytes) => IoSlice::advance_slices(&mut rest, bytes),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
