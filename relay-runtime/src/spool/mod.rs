//! The on-disk queue of one destination.
//!
//! Lines are appended at one end, read in order from the other, and forgotten once they are committed; files go as soon as
//! all of their lines are. Every line has a number, its *sequence*, that grows by one and is never used again: positions,
//! what was acknowledged and what is missing are all counted in it.
//!
//! ```text
//!   committed ≤ acknowledged ≤ read ≤ end        (sequences)
//!   gone        may go again   in memory  on disk only
//! ```
//! Guarantees: what was appended is there after `kill -9`; damage costs the damaged records and no others, is set aside as a
//! whole, and is counted line by line where a header tells how many lines it was, or the numbers around it do; what a failed
//! write left is overwritten by the next. Left to others: *when* to spool, what a full disk means for a line
//! ([`crate::destination`]), and files ([`Store`]). No clock: seconds come with each call.

mod contents;
mod files;
mod holes;
mod name;
mod position;
mod reader;
mod record;
mod segment;
#[cfg(test)]
mod simulated;
mod store;
mod survey;
#[cfg(test)]
mod tests;
mod upstream;

use crate::{gather::Chunk, parts::Spooling};
use holes::Holes;
use reader::{Bounds, Reader};
use record::{HEADER_BYTES, Header, RECORD_BYTES_MAX};
use segment::Segment;
use std::{
    collections::VecDeque,
    fmt, io,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use survey::Survey;

pub use contents::{Contents, read_out};
pub(crate) use files::{FileStore, Syncer};
pub use name::SpoolName;
#[cfg(test)]
pub(crate) use simulated::{Faults, SimulatedStore};
pub use store::Store;
pub(crate) use upstream::adopt;

#[cfg(feature = "tools")]
pub(crate) use survey::count;

/// What bounds a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolLimits {
    /// A file that is longer is followed by the next one.
    pub file_bytes_max: u64,
    /// Bytes of all files. The files are made small enough that dropping one is no catastrophe.
    pub bytes_max: u64,
    /// Lines that waited for longer are dropped; 0 is never.
    pub age_max_s: u64,
    /// Ask for the disk after so many records.
    pub sync_every: u64,
}

impl SpoolLimits {
    /// No bounds, and no fsync.
    pub(crate) const UNBOUNDED: Self =
        Self { file_bytes_max: u64::MAX, bytes_max: u64::MAX, age_max_s: 0, sync_every: u64::MAX };
}

/// What all spools of a relay may take together.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicU64,
    bytes_max: u64,
}

/// Lines that were read.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The number of the first.
    pub(crate) sequence: u64,
    /// Whether they were acknowledged before, so that this is a repetition. All or none of a piece were.
    pub(crate) is_repeat: bool,
    /// The lines.
    pub(crate) chunk: Chunk,
}

/// What was found at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Lines that wait from before.
    pub lines: u64,
    /// Bytes that belong to no line that is known: a torn end, a strange file. They are kept in `….damaged`.
    pub unknown_bytes: u64,
}

/// Lines that are lost while they lay in the spool, since the last [`Spool::take_losses`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Damaged on disk, or in a file that cannot be read.
    pub(crate) damaged: u64,
    /// Waited for too long.
    pub(crate) expired: u64,
    /// Given up for newer ones.
    pub(crate) displaced: u64,
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Spool {
    _part: Spooling,
    store: Box<dyn Store>,
    limits: SpoolLimits,
    budget: Arc<Budget>,
    segments: VecDeque<Segment>,
    /// Bytes of all segments.
    bytes: u64,
    reader: Reader,
    committed: u64,
    acknowledged: u64,
    end: u64,
    holes: Holes,
    losses: Losses,
    records_unsynced: u64,
    saved: u64,
    is_second_slot: bool,
    /// The last error of the disk, for the log; taken by the owner.
    trouble: Option<Trouble>,
}

/// A disk that does not do as it is told.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What was tried.
    pub(crate) doing: &'static str,
    /// What the system says.
    pub(crate) error: io::Error,
}

impl Spool {
    /// Opens what is there.
    pub(crate) fn open(
        mut store: Box<dyn Store>,
        limits: SpoolLimits,
        budget: Arc<Budget>,
    ) -> io::Result<(Self, Recovery)> {
        let part = Spooling::get().ok_or_else(|| io::Error::other("this relay was built without spools"))?;
        let mut survey = Survey::of(&mut *store)?;
        let recovery = Recovery { lines: survey.lines(), unknown_bytes: survey.set_aside(&mut *store)? };
        let bytes = survey.bytes();
        let Survey { segments, committed, end, .. } = survey;
        budget.used.fetch_add(bytes, Ordering::Relaxed);
        let mut spool = Self {
            _part: part,
            store,
            limits,
            budget,
            bytes,
            segments,
            reader: Reader::at(committed),
            committed,
            acknowledged: committed,
            end,
            holes: Holes::default(),
            losses: Losses::default(),
            records_unsynced: 0,
            saved: committed,
            is_second_slot: false,
            trouble: None,
        };
        spool.remove_committed();
        Ok((spool, recovery))
    }

    /// Puts whole lines at the end, and gives the number of the first. After an error nothing was added.
    pub(crate) fn append(&mut self, bytes: &[u8], lines: u32, now_s: u64) -> io::Result<u64> {
        debug_assert!(lines > 0 && bytes.len() <= RECORD_BYTES_MAX);
        if self.segments.back().is_none_or(|last| last.is_closed || last.bytes > self.file_bytes_max()) {
            self.roll();
        }
        let sequence = self.end;
        let header = Header::of(bytes, lines, sequence, now_s);
        let Some(segment) = self.segments.back_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        let name = segment.name();
        if let Err(error) = self.store.write_at(&name, segment.bytes, &[&header.encode(), bytes]) {
            // What was written in part is overwritten by what comes next; should nothing come, it is a torn tail.
            let _ = self.store.truncate(&name, segment.bytes);
            if segment.bytes == 0 {
                let _ = self.store.remove(&name);
                self.segments.pop_back();
            }
            return Err(error);
        }
        segment.mark(sequence, segment.bytes);
        segment.bytes += header.record_bytes();
        self.bytes += header.record_bytes();
        self.budget.used.fetch_add(header.record_bytes(), Ordering::Relaxed);
        segment.newest_s = now_s;
        self.end += u64::from(lines);
        segment.end = self.end;
        self.records_unsynced += 1;
        if self.records_unsynced >= self.limits.sync_every {
            self.sync();
        }
        Ok(sequence)
    }

    /// The next lines in order, about `bytes_max` of them; `None` when all were read or the disk does not give them now.
    pub(crate) fn read(&mut self, bytes_max: usize, now_s: u64) -> Option<Piece> {
        self.expire(now_s);
        let oldest_s = self.oldest_s(now_s);
        loop {
            let bounds =
                Bounds { acknowledged: self.acknowledged, stop: self.skip_holes(), bytes_max, oldest_s };
            match self.reader.step(&mut *self.store, &self.segments, bounds) {
                Ok(reader::Step::Expired { lines }) => {
                    self.losses.expired += self.give_up(lines);
                }
                Ok(reader::Step::Piece(piece)) => return Some(piece),
                Ok(reader::Step::Damaged { lines }) => self.losses.damaged += self.give_up(lines),
                Ok(reader::Step::End) => {
                    // Lines that the files should hold and do not.
                    self.losses.damaged += self.give_up(self.reader.next..self.end);
                    self.reader.next = self.end;
                    return None;
                }
                Err(error) => {
                    self.trouble = Some(Trouble { doing: "read from", error });
                    return None;
                }
            }
        }
    }

    /// Steps over what was given up, for it may well be readable, and gives the next line that a piece must not go beyond.
    fn skip_holes(&mut self) -> u64 {
        let (next, stop) = self.holes.around(self.reader.next);
        if next > self.reader.next {
            self.reader = Reader::at(next);
        }
        if self.reader.next < self.acknowledged { stop.min(self.acknowledged) } else { stop }
    }

    /// Gives up what cannot be read: the rest of the file that the next line is in. The file is kept.
    pub(crate) fn skip_unreadable(&mut self) {
        let next = self.reader.next;
        let Some(segment) = self.segments.iter_mut().find(|segment| next < segment.end) else { return };
        segment.is_unreadable = true;
        segment.is_closed = true;
        let lines = next..segment.end;
        self.reader = Reader::at(lines.end);
        self.losses.damaged += self.give_up(lines);
    }

    /// From now on `read` starts again at this line.
    pub(crate) fn rewind(&mut self, sequence: u64) {
        self.reader = Reader::at(sequence.max(self.committed));
    }

    /// The lines before this one have arrived.
    pub(crate) fn acknowledge(&mut self, sequence: u64) {
        self.acknowledged = self.holes.pass(self.acknowledged.max(sequence));
    }

    /// The lines before this one are not needed any more.
    pub(crate) fn commit(&mut self, sequence: u64) {
        let sequence = sequence.min(self.acknowledged).min(self.reader.next);
        if sequence > self.committed {
            self.committed = sequence;
            self.holes.forget_before(sequence);
            self.remove_committed();
        }
    }

    /// Everything is done with.
    #[cfg_attr(not(feature = "tools"), expect(dead_code, reason = "for `relay spool drop`"))]
    pub(crate) fn forget(&mut self) {
        self.skip_to_end();
        self.holes.forget_ahead();
        self.acknowledge(self.end);
        self.commit(self.end);
    }

    /// Makes room for `bytes` more by giving up the oldest file that nobody reads at the moment. Says whether it could.
    pub(crate) fn displace_oldest(&mut self) -> bool {
        let reading = self.reader.next;
        let Some(at) = self.segments.iter().position(|segment| segment.first >= reading) else {
            return false;
        };
        // The last one is being written to.
        if at + 1 >= self.segments.len() {
            return false;
        }
        let Some(segment) = self.segments.remove(at) else { return false };
        self.remove_segment(&segment);
        self.losses.displaced += self.give_up(segment.first..segment.end);
        true
    }

    /// Writes down how far things are, if that changed.
    pub(crate) fn save_position(&mut self) {
        if self.saved == self.committed || self.segments.is_empty() {
            return;
        }
        match position::save(&mut *self.store, self.committed, self.is_second_slot) {
            Ok(()) => {
                self.saved = self.committed;
                self.is_second_slot = !self.is_second_slot;
            }
            Err(error) => self.trouble = Some(Trouble { doing: "write the position of", error }),
        }
    }

    /// Asks for everything to survive a loss of power.
    pub(crate) fn sync(&mut self) {
        if self.records_unsynced > 0
            && let Some(last) = self.segments.back()
        {
            self.records_unsynced = 0;
            let name = last.name();
            self.store.sync(&name);
        }
    }

    /// Lines that wait: not acknowledged, not lost.
    pub(crate) const fn lines(&self) -> u64 {
        self.end - self.acknowledged - self.holes.lines()
    }

    /// Bytes of all files.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether one more record may be appended.
    pub(crate) fn has_room_for(&self, bytes: u64) -> bool {
        let bytes = bytes + HEADER_BYTES as u64;
        let used = self.budget.used.load(Ordering::Relaxed);
        self.bytes.saturating_add(bytes) <= self.limits.bytes_max
            && used.saturating_add(bytes) <= self.budget.bytes_max
    }

    /// Whether there are lines that were not read.
    pub(crate) const fn has_unread(&self) -> bool {
        self.reader.next < self.end
    }

    /// Whether there is no file.
    pub(crate) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether something was appended since the disk was last asked to keep it.
    pub(crate) const fn is_unsynced(&self) -> bool {
        self.records_unsynced > 0
    }

    /// Whether it is to be written down how far things are.
    pub(crate) fn is_unsaved(&self) -> bool {
        self.saved != self.committed && !self.segments.is_empty()
    }

    /// Whether lines may wait for too long.
    pub(crate) const fn has_age_limit(&self) -> bool {
        self.limits.age_max_s > 0
    }

    /// Lines given up since the last call.
    pub(crate) fn take_losses(&mut self) -> Losses {
        std::mem::take(&mut self.losses)
    }

    /// What went wrong with the disk since the last call.
    pub(crate) fn take_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// Small files can be dropped one by one when the limit is near.
    fn file_bytes_max(&self) -> u64 {
        self.limits.file_bytes_max.min(self.limits.bytes_max / 4)
    }

    /// The reader has taken what was appended as read: the owner has it in memory.
    pub(crate) fn skip_to_end(&mut self) {
        self.reader = Reader::at(self.end);
    }

    fn roll(&mut self) {
        self.sync();
        self.segments.push_back(Segment::new(self.end));
    }

    /// Gives up the files whose lines have all waited for too long.
    pub(crate) fn expire(&mut self, now_s: u64) {
        let oldest_s = self.oldest_s(now_s);
        while let Some(segment) = self.segments.iter().find(|segment| self.reader.next < segment.end)
            && segment.newest_s < oldest_s
            && segment.end <= self.end
        {
            let (next, first, end) = (self.reader.next, segment.first, segment.end);
            // What lies before it and in no file was lost with the power.
            self.losses.damaged += self.give_up(next.min(first)..first);
            self.losses.expired += self.give_up(next.max(first)..end);
            self.reader = Reader::at(end);
        }
    }

    /// Lines from before are too old.
    const fn oldest_s(&self, now_s: u64) -> u64 {
        match self.limits.age_max_s {
            0 => 0,
            age_s => now_s.saturating_sub(age_s),
        }
    }

    /// These lines will not be read any more. Gives the number of those that were not given up before.
    fn give_up(&mut self, lines: Range<u64>) -> u64 {
        let lost = self.holes.add(lines.start.max(self.acknowledged)..lines.end);
        self.acknowledge(self.acknowledged);
        lost
    }

    fn remove_committed(&mut self) {
        while let Some(first) = self.segments.front()
            && first.end <= self.committed
            && (self.segments.len() > 1 || self.committed == self.end)
        {
            let Some(first) = self.segments.pop_front() else { break };
            self.remove_segment(&first);
        }
        if self.segments.is_empty() {
            self.remove_file(position::NAME);
            self.saved = self.committed;
        }
    }

    fn remove_segment(&mut self, segment: &Segment) {
        self.bytes -= segment.bytes;
        self.budget.used.fetch_sub(segment.bytes, Ordering::Relaxed);
        if !segment.is_unreadable {
            self.remove_file(&segment.name());
        } else if let Err(error) = self.store.rename(&segment.name(), &segment.aside()) {
            self.trouble = Some(Trouble { doing: "set aside a file of", error });
        }
    }

    fn remove_file(&mut self, name: &str) {
        if let Err(error) = self.store.remove(name) {
            self.trouble = Some(Trouble { doing: "remove a file of", error });
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Budget {
    /// So many bytes in all.
    pub(crate) fn new(bytes_max: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), bytes_max })
    }
}

impl Trouble {
    fn advice(&self) -> &'static str {
        match self.error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "lines wait in memory while there is room: free space in `spool_dir`, or lower `spool_max_bytes`"
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                "lines wait in memory while there is room: make `spool_dir` writable for this user"
            }
            _ => "it is tried again every half second: look at the disk of `spool_dir`",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} the spool: {}; {}", self.doing, self.error, self.advice())
    }
}
