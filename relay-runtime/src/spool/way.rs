//! The way from a spool to its files: what is asked of the disk, and who does it.
//!
//! A spool decides what is written where; a [`Way`] carries it out. [`Here`] does so at once, in the caller's thread: for tools,
//! and while a relay starts. A running relay has a thread for it (`engine::disk`), because a file system may hang for minutes. What is
//! asked of the thread waits in a [`Lane`](super::lane::Lane).

use super::{
    Trouble,
    reader::{Bounds, Reader, Step},
    record::HEADER_BYTES,
    segment::Segment,
    store::Store,
};
use crate::{gather::Chunk, spool::position};
use std::{collections::VecDeque, fmt, io, time::Duration};

/// A record for the end of a file.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// The number of the first line.
    pub(super) sequence: u64,
    /// The file, and where in it.
    pub(super) name: String,
    pub(super) offset: u64,
    pub(super) header: [u8; HEADER_BYTES],
    pub(super) lines: Chunk,
}

/// What else is done to files.
#[derive(Clone, Debug)]
pub(crate) enum Task {
    /// Asks the disk to flush a file.
    Sync { name: String },
    /// Saves the position in one of its two slots.
    Save { position: u64, is_second: bool },
    /// Keeps a file under another name.
    SetAside { from: String, to: String },
    /// Removes a file. What is to be appended to it is not needed any more.
    Remove { name: String },
}

/// A step of reading.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(super) reader: Reader,
    /// The file that has the next line.
    pub(super) segment: Segment,
    pub(super) bounds: Bounds,
}

/// The result of a step of reading, with the reader after it.
#[derive(Debug)]
pub(crate) struct Read {
    pub(super) reader: Reader,
    pub(super) step: io::Result<Step>,
}

/// Carries out what a spool asks of its disk.
pub(crate) trait Way: fmt::Debug + Send {
    /// Appends a record. After an error nothing was added, and nothing will be.
    fn append(&mut self, record: Record) -> io::Result<()>;

    /// Carries out a task. An error may also show later, as trouble.
    fn order(&mut self, task: Task) -> Result<(), Trouble>;

    /// Begins to read. Returns the result if there is one at once; otherwise [`Self::take_read`] will.
    fn read(&mut self, reading: Reading) -> Option<Read>;

    /// The result of reading, if it has come.
    fn take_read(&mut self) -> Option<Read>;

    /// The lines from this one on that are in the same record, if that is not in its file yet.
    fn unwritten(&self, line: u64) -> Option<Chunk>;

    /// The number of the first line that was appended and is not in its file yet.
    fn first_unwritten(&self) -> Option<u64>;

    /// Whether the last write failed, and is to be tried again.
    fn is_failing(&self) -> bool;

    /// Waits at most this long until everything is in its file, or the disk refuses it. Returns whether it answered so.
    fn wait(&mut self, patience: Duration) -> bool;

    /// Gives up what is not in its file. Returns the number of the first such line.
    fn abandon(&mut self) -> Option<u64>;

    /// The error of the disk since the last call, if there was one.
    fn take_trouble(&mut self) -> Option<Trouble>;

    /// Has `wake` called when there is a result of reading or trouble, and when something was written after a wait in vain.
    fn on_answer(&mut self, wake: Wake);

    /// The store, if this way has it in its hands, for another way.
    fn into_store(self: Box<Self>) -> Option<Box<dyn Store>>;
}

/// Tells the owner of a spool that its disk has answered.
pub(crate) type Wake = Box<dyn Fn() + Send>;

/// At once, by the caller.
#[derive(Debug)]
pub(super) struct Here(pub(super) Box<dyn Store>);

impl Way for Here {
    fn append(&mut self, record: Record) -> io::Result<()> {
        let written = write(&mut *self.0, std::slice::from_ref(&record));
        if written.is_err() {
            // What was written in part is overwritten by the next write; if there is none, it is a torn end.
            let _ = self.0.truncate(&record.name, record.offset);
            if record.offset == 0 {
                let _ = self.0.remove(&record.name);
            }
        }
        written
    }

    fn order(&mut self, task: Task) -> Result<(), Trouble> {
        task.run(&mut *self.0)
    }

    fn read(&mut self, reading: Reading) -> Option<Read> {
        Some(reading.run(&mut *self.0))
    }

    fn take_read(&mut self) -> Option<Read> {
        None
    }

    fn unwritten(&self, _: u64) -> Option<Chunk> {
        None
    }

    fn first_unwritten(&self) -> Option<u64> {
        None
    }

    fn is_failing(&self) -> bool {
        false
    }

    fn wait(&mut self, _: Duration) -> bool {
        true
    }

    fn abandon(&mut self) -> Option<u64> {
        None
    }

    fn take_trouble(&mut self) -> Option<Trouble> {
        None
    }

    fn on_answer(&mut self, _: Wake) {}

    fn into_store(self: Box<Self>) -> Option<Box<dyn Store>> {
        Some(self.0)
    }
}

impl Task {
    pub(super) fn run(&self, store: &mut dyn Store) -> Result<(), Trouble> {
        let (doing, done) = match self {
            Self::Sync { name } => {
                store.sync(name);
                return Ok(());
            }
            Self::Save { position, is_second } => {
                ("write the position of", position::save(store, *position, *is_second))
            }
            Self::SetAside { from, to } => ("set aside a file of", store.rename(from, to)),
            Self::Remove { name } => ("remove a file of", store.remove(name)),
        };
        done.map_err(|error| Trouble { doing, error })
    }
}

impl Reading {
    pub(super) fn run(self, store: &mut dyn Store) -> Read {
        let Self { mut reader, segment, bounds } = self;
        let step = reader.step(store, &VecDeque::from([segment]), bounds);
        Read { reader, step }
    }
}

/// The most records of one write: two parts each, and the system takes 1,024 parts.
pub(super) const RECORDS_MAX: usize = 256;

/// Writes records that follow each other in one file.
pub(super) fn write(store: &mut dyn Store, records: &[Record]) -> io::Result<()> {
    let Some(first) = records.first() else { return Ok(()) };
    let parts: Vec<&[u8]> = records.iter().flat_map(|one| [&one.header[..], one.lines.bytes()]).collect();
    store.write_at(&first.name, first.offset, &parts)
}
