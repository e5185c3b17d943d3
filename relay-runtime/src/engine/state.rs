//! The files in which open buckets outlive the relay: `aggregates.state`, a snapshot, replaced as a whole, and
//! `aggregates.tick`, the second of the latest tick, written before anything of that tick is sent.
//!
//! A relay that stops saves its buckets; one that is killed has those of the last checkpoint. What the latest tick may have
//! emitted is never emitted again, so what a killed relay had due and did not send is lost.

use crate::aggregate::Shared;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Where open buckets are kept, and how often.
#[derive(Clone, Debug)]
pub struct StateSetup {
    /// The directory, made if it is not there.
    pub directory: PathBuf,
    /// Time between checkpoints; zero for none but at the stop.
    pub checkpoint: Duration,
}

/// The files.
#[derive(Debug)]
pub(super) struct StateFiles {
    directory: PathBuf,
    tick: File,
}

/// Saves now and then, until it is dropped or stopped.
#[derive(Debug)]
pub(super) struct Checkpoints {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl StateFiles {
    pub(super) fn open(setup: &StateSetup) -> io::Result<Self> {
        fs::create_dir_all(&setup.directory)?;
        let tick = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(setup.directory.join("aggregates.tick"))?;
        Ok(Self { directory: setup.directory.clone(), tick })
    }

    /// Opens the buckets that were saved. What cannot be read is left out, aloud.
    pub(super) fn load(&self, shared: &Shared) -> io::Result<()> {
        let bytes = match fs::read(self.directory.join("aggregates.state")) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        match shared.restore(&bytes, self.ticked_s()) {
            Ok(buckets) => tracing::info!(buckets, "open buckets of aggregations were restored"),
            Err(error) => tracing::error!(%error, "the saved buckets of aggregations cannot be used"),
        }
        Ok(())
    }

    fn ticked_s(&self) -> Option<u64> {
        let mut bytes = [0; 8];
        self.tick.read_exact_at(&mut bytes, 0).ok()?;
        Some(u64::from_le_bytes(bytes))
    }

    /// To be called before anything of a tick is sent.
    pub(super) fn note_tick(&self, tick_s: u64) {
        if let Err(error) = self.tick.write_all_at(&tick_s.to_le_bytes(), 0) {
            tracing::error!(%error, "cannot note the tick of aggregations");
        }
    }

    /// Saves what is open.
    pub(super) fn save(&self, shared: &Shared) {
        if let Err(error) = self.try_save(shared) {
            let directory = self.directory.display();
            tracing::error!(%error, %directory, "cannot save the open buckets of aggregations");
        }
    }

    fn try_save(&self, shared: &Shared) -> io::Result<()> {
        let (new, path) =
            (self.directory.join("aggregates.state.new"), self.directory.join("aggregates.state"));
        let mut file = BufWriter::new(File::create(&new)?);
        shared.save(&mut file)?;
        file.flush()?;
        file.get_ref().sync_data()?;
        fs::rename(new, path)?;
        File::open(&self.directory)?.sync_all()
    }
}

impl Checkpoints {
    pub(super) fn start(files: Arc<StateFiles>, shared: Arc<Shared>, every: Duration) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let run = move || run(&files, &shared, every, &stopped);
        let thread = thread::Builder::new().name("checkpoints".to_owned()).spawn(run)?;
        Ok(Self { stop, thread })
    }

    /// Returns when no checkpoint is under way.
    pub(super) fn stop(self) {
        drop(self.stop);
        let _ = self.thread.join();
    }
}

fn run(files: &StateFiles, shared: &Shared, every: Duration, stopped: &Receiver<()>) {
    while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
        files.save(shared);
    }
}
