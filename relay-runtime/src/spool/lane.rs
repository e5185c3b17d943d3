//! What waits for the disk of one spool, in the order in which it is done.
//!
//! ```text
//!  records ──► written in order; one that fails is tried again, and all later ones wait for it
//!  tasks   ──► in order, also while a record waits: removing a file may be what makes room for it
//!  reading ──► one step at a time, likewise
//! ```
//!
//! Bounded: what waits to be written has at most [`Lane::bytes_max`] bytes and one record more, and while the disk refuses, nothing is
//! added. No thread and no clock: whoever drives it says when to try again.

use super::{
    Trouble,
    store::Store,
    way::{RECORDS_MAX, Read, Reading, Record, Task, write},
};
use crate::gather::Chunk;
use std::{collections::VecDeque, io};

/// What waits for the disk of one spool.
#[derive(Debug, Default)]
pub(crate) struct Lane {
    records: VecDeque<Record>,
    /// Being written now.
    writing: Vec<Record>,
    bytes: usize,
    bytes_max: usize,
    tasks: VecDeque<Task>,
    reading: Option<Reading>,
    read: Option<Read>,
    trouble: Option<Trouble>,
    /// The kind of the last error of writing, until a write succeeds.
    failed: Option<io::ErrorKind>,
}

/// One thing to do, without the lane.
#[derive(Debug)]
pub(crate) enum Job {
    Write(Vec<Record>),
    Task(Task),
    Read(Box<Reading>),
}

/// What came of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    Written(Vec<Record>, io::Result<()>),
    Done(Result<(), Trouble>),
    Read(Box<Read>),
}

impl Lane {
    /// An empty lane in which at most about `bytes_max` bytes wait to be written.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, ..Self::default() }
    }

    /// Whether there is no room for another record.
    pub(crate) const fn is_full(&self) -> bool {
        self.bytes >= self.bytes_max
    }

    /// Whether the last write failed.
    pub(crate) const fn is_failing(&self) -> bool {
        self.failed.is_some()
    }

    /// Adds a record, unless the disk refuses or is too slow.
    pub(crate) fn append(&mut self, record: Record) -> io::Result<()> {
        if let Some(kind) = self.failed {
            return Err(kind.into());
        }
        if self.is_full() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.bytes += record.lines.bytes().len();
        self.records.push_back(record);
        Ok(())
    }

    /// Adds a task.
    pub(crate) fn order(&mut self, task: Task) {
        if let Task::Remove { name } = &task {
            self.records.retain(|record| record.name != *name);
            self.bytes = bytes(self.writing.iter().chain(&self.records));
            if self.records.is_empty() {
                self.failed = None;
            }
        }
        self.tasks.push_back(task);
    }

    /// Begins to read.
    pub(crate) fn read(&mut self, reading: Reading) {
        self.reading = Some(reading);
    }

    /// The result of reading, if there is one.
    pub(crate) const fn take_read(&mut self) -> Option<Read> {
        self.read.take()
    }

    /// The error since the last call, if there was one.
    pub(crate) const fn take_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// The lines from this one on that are in the same record, if that is not in its file yet.
    pub(crate) fn unwritten(&self, line: u64) -> Option<Chunk> {
        let has = |record: &&Record| {
            (record.sequence..record.sequence + u64::from(record.lines.lines())).contains(&line)
        };
        let record = self.writing.iter().chain(&self.records).find(has)?;
        let skipped = u32::try_from(line - record.sequence).ok()?;
        Some(record.lines.split_at_line(skipped).1)
    }

    /// The number of the first line that is not in its file yet.
    pub(crate) fn first_unwritten(&self) -> Option<u64> {
        self.writing.first().or(self.records.front()).map(|record| record.sequence)
    }

    /// Gives up what is not written, and is not being written now. Returns the number of the first line that is in no file.
    pub(crate) fn abandon(&mut self) -> Option<u64> {
        let first = self.first_unwritten();
        self.records.clear();
        self.bytes = bytes(&self.writing);
        first
    }

    /// The next thing to do. `may_write` is false while a failed write is not to be tried again.
    pub(crate) fn next(&mut self, may_write: bool) -> Option<Job> {
        if let Some(task) = self.tasks.pop_front() {
            return Some(Job::Task(task));
        }
        if let Some(reading) = self.reading.take() {
            return Some(Job::Read(Box::new(reading)));
        }
        if !may_write {
            return None;
        }
        let first = self.records.pop_front()?;
        let mut end = first.end();
        self.writing = vec![first];
        while self.writing.len() < RECORDS_MAX
            && let Some(next) =
                self.records.pop_front_if(|next| next.name == self.writing[0].name && next.offset == end)
        {
            end = next.end();
            self.writing.push(next);
        }
        Some(Job::Write(self.writing.clone()))
    }

    /// Takes what came of a job.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Written(records, written) => {
                self.writing.clear();
                self.failed = None;
                if let Err(error) = written {
                    self.failed = Some(error.kind());
                    self.trouble = Some(Trouble { doing: "write to", error });
                    for record in records.into_iter().rev() {
                        self.records.push_front(record);
                    }
                }
                self.bytes = bytes(&self.records);
            }
            Outcome::Done(done) => self.trouble = done.err().or(self.trouble.take()),
            Outcome::Read(read) => self.read = Some(*read),
        }
    }
}

impl Job {
    /// Does it.
    pub(crate) fn run(self, store: &mut dyn Store) -> Outcome {
        match self {
            Self::Write(records) => {
                let written = write(store, &records);
                Outcome::Written(records, written)
            }
            Self::Task(task) => Outcome::Done(task.run(store)),
            Self::Read(reading) => Outcome::Read(Box::new(reading.run(store))),
        }
    }
}

impl Record {
    /// Where its file continues.
    fn end(&self) -> u64 {
        self.offset + (self.header.len() + self.lines.bytes().len()) as u64
    }
}

fn bytes<'a>(records: impl IntoIterator<Item = &'a Record>) -> usize {
    records.into_iter().map(|record| record.lines.bytes().len()).sum()
}
