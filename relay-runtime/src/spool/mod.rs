//! The on-disk queue of one destination.
//!
//! Lines are appended at one end, read in order from the other, and forgotten once they are committed; a file
//! is removed as soon as all of its lines are. Every line has a number, its *sequence*, that grows by one and
//! is never used again: positions, what was acknowledged and what is missing are all counted in it.
//!
//! ```text
//!   committed ≤ acknowledged    ≤ read     ≤ end   (sequences)
//!   gone        may be sent again  in memory  on disk only
//! ```
//!
//! Guarantees: what was appended survives `kill -9`. Damage costs the damaged records and no others; it is set
//! aside as a whole, and counted line by line if a header, or the numbers around it, tell how many lines it
//! was. What a failed write left is overwritten by the next. *When* to spool, and what a full disk means for a
//! line, is left to [`crate::destination`]; files are left to [`Store`]. There is no clock: seconds come with
//! each call.

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

/// The limits of a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpoolLimits {
    /// If a file is longer than this, a new one is started.
    pub file_bytes_max: u64,
    /// The most bytes of all files. Files are small enough that dropping one costs little.
    pub bytes_max: u64,
    /// Lines that are older are dropped; 0 means never.
    pub age_max_s: u64,
    /// The number of records after which the disk is asked to flush.
    pub sync_every: u64,
}

impl SpoolLimits {
    /// No limits, and no fsync.
    pub(crate) const UNBOUNDED: Self =
        Self { file_bytes_max: u64::MAX, bytes_max: u64::MAX, age_max_s: 0, sync_every: u64::MAX };
}

/// The limit that all spools of a relay share.
#[derive(Debug)]
pub(crate) struct Budget {
    used: AtomicU64,
    bytes_max: u64,
}

/// Lines that were read.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The number of the first line.
    pub(crate) sequence: u64,
    /// Whether they were acknowledged before, so that this is a repeat. This is true of all lines of a piece or
    /// of none.
    pub(crate) is_repeat: bool,
    /// The lines.
    pub(crate) chunk: Chunk,
}

/// What was found at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// The number of lines from before.
    pub lines: u64,
    /// The number of bytes that belong to no known line: a torn end, a foreign file. They are kept in
    /// `….damaged`.
    pub unknown_bytes: u64,
}

/// Lines that were lost in the spool since the last [`Spool::take_losses`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Losses {
    /// Lines that were damaged on disk, or are in a file that cannot be read.
    pub(crate) damaged: u64,
    /// Lines that expired.
    pub(crate) expired: u64,
    /// Lines that were dropped in favour of newer ones.
    pub(crate) displaced: u64,
}

/// The spool of one destination.
#[derive(Debug)]
pub(crate) struct Spool {
    _part: Spooling,
    store: Box<dyn Store>,
    limits: SpoolLimits,
    budget: Arc<Budget>,
    segments: VecDeque<Segment>,
    /// The bytes of all segments.
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
    /// The last error of the disk, for the log; the owner takes it.
    trouble: Option<Trouble>,
}

/// An error of the disk.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What was tried.
    pub(crate) doing: &'static str,
    /// The error of the operating system.
    pub(crate) error: io::Error,
}

impl Spool {
    /// Opens a spool with what is there.
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

    /// Appends whole lines and returns the number of the first. After an error nothing was added.
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
            // What was written in part is overwritten by the next write; if there is none, it is a torn end.
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

    /// Returns the next lines in order, about `bytes_max` bytes; `None` if all were read or the disk cannot
    /// be read now.
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
                    // Lines that the files should contain and do not.
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

    /// Skips dropped lines, which may well be readable. Returns the line before which a piece must end.
    fn skip_holes(&mut self) -> u64 {
        let (next, stop) = self.holes.around(self.reader.next);
        if next > self.reader.next {
            self.reader = Reader::at(next);
        }
        if self.reader.next < self.acknowledged { stop.min(self.acknowledged) } else { stop }
    }

    /// Gives up what cannot be read: the rest of the file that contains the next line. The file is kept.
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

    /// Records that the lines before this one have arrived.
    pub(crate) fn acknowledge(&mut self, sequence: u64) {
        self.acknowledged = self.holes.pass(self.acknowledged.max(sequence));
    }

    /// Records that the lines before this one are not needed any more.
    pub(crate) fn commit(&mut self, sequence: u64) {
        let sequence = sequence.min(self.acknowledged).min(self.reader.next);
        if sequence > self.committed {
            self.committed = sequence;
            self.holes.forget_before(sequence);
            self.remove_committed();
        }
    }

    /// Records that no line is needed any more.
    #[cfg_attr(not(feature = "tools"), expect(dead_code, reason = "for `relay spool drop`"))]
    pub(crate) fn forget(&mut self) {
        self.skip_to_end();
        self.holes.forget_ahead();
        self.acknowledge(self.end);
        self.commit(self.end);
    }

    /// Makes room for new lines by dropping the oldest file that is not being read. Returns whether it could.
    pub(crate) fn displace_oldest(&mut self) -> bool {
        let reading = self.reader.next;
        let Some(at) = self.segments.iter().position(|segment| segment.first >= reading) else {
            return false;
        };
        // The last file is being written to.
        if at + 1 >= self.segments.len() {
            return false;
        }
        let Some(segment) = self.segments.remove(at) else { return false };
        self.remove_segment(&segment);
        self.losses.displaced += self.give_up(segment.first..segment.end);
        true
    }

    /// Saves the position, if it changed.
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

    /// Asks the disk to flush everything.
    pub(crate) fn sync(&mut self) {
        if self.records_unsynced > 0
            && let Some(last) = self.segments.back()
        {
            self.records_unsynced = 0;
            let name = last.name();
            self.store.sync(&name);
        }
    }

    /// The number of lines that are neither acknowledged nor lost.
    pub(crate) const fn lines(&self) -> u64 {
        self.end - self.acknowledged - self.holes.lines()
    }

    /// The bytes of all files.
    pub(crate) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a record of `bytes` bytes may be appended.
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

    /// Whether something was appended since the disk was last asked to flush.
    pub(crate) const fn is_unsynced(&self) -> bool {
        self.records_unsynced > 0
    }

    /// Whether the position should be saved.
    pub(crate) fn is_unsaved(&self) -> bool {
        self.saved != self.committed && !self.segments.is_empty()
    }

    /// Whether lines may expire.
    pub(crate) const fn has_age_limit(&self) -> bool {
        self.limits.age_max_s > 0
    }

    /// The lines lost since the last call.
    pub(crate) fn take_losses(&mut self) -> Losses {
        std::mem::take(&mut self.losses)
    }

    /// The error of the disk since the last call, if there was one.
    pub(crate) fn take_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// The size of a file at which a new one is started. Small files can be dropped one by one when the limit
    /// is near.
    fn file_bytes_max(&self) -> u64 {
        self.limits.file_bytes_max.min(self.limits.bytes_max / 4)
    }

    /// Counts what was appended as read, because the owner has it in memory.
    pub(crate) fn skip_to_end(&mut self) {
        self.reader = Reader::at(self.end);
    }

    fn roll(&mut self) {
        self.sync();
        self.segments.push_back(Segment::new(self.end));
    }

    /// Drops the files whose lines have all expired.
    pub(crate) fn expire(&mut self, now_s: u64) {
        let oldest_s = self.oldest_s(now_s);
        while let Some(segment) = self.segments.iter().find(|segment| self.reader.next < segment.end)
            && segment.newest_s < oldest_s
            && segment.end <= self.end
        {
            let (next, first, end) = (self.reader.next, segment.first, segment.end);
            // Lines before the file that are in no file were lost in a loss of power.
            self.losses.damaged += self.give_up(next.min(first)..first);
            self.losses.expired += self.give_up(next.max(first)..end);
            self.reader = Reader::at(end);
        }
    }

    /// Lines from before this time have expired.
    const fn oldest_s(&self, now_s: u64) -> u64 {
        match self.limits.age_max_s {
            0 => 0,
            age_s => now_s.saturating_sub(age_s),
        }
    }

    /// Marks lines as not to be read any more. Returns how many of them were not marked before.
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
    /// A limit of `bytes_max` bytes for all spools.
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
