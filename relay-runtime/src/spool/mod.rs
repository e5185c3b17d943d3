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
mod lane;
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
mod way;

use crate::{gather::Chunk, parts::Spooling, shortage};
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
    time::Duration,
};
use survey::Survey;
use way::{Here, Read, Reading, Record, Task};

pub use contents::{Contents, read_out};
pub(crate) use files::{FileStore, Syncer};
pub(crate) use lane::{Job, Lane, Outcome};
pub use name::SpoolName;
#[cfg(test)]
pub(crate) use simulated::{Faults, Hang, HangingWay, SimulatedStore};
use store::Nowhere;
pub use store::Store;
pub(crate) use upstream::adopt;
pub(crate) use way::{
    Read as SpoolRead, Reading as SpoolReading, Record as SpoolRecord, Task as SpoolTask, Wake, Way,
};

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
    way: Box<dyn Way>,
    limits: SpoolLimits,
    budget: Arc<Budget>,
    segments: VecDeque<Segment>,
    /// The bytes of all segments.
    bytes: u64,
    /// The line that is read next.
    next: u64,
    /// Where it is in which file; the disk has it while it reads.
    reader: Reader,
    is_reading: bool,
    /// Whether what is being read is not wanted any more.
    is_stale: bool,
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
            way: Box::new(Here(store)),
            limits,
            budget,
            bytes,
            segments,
            next: committed,
            reader: Reader::at(committed),
            is_reading: false,
            is_stale: false,
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

    /// From now on another way leads to the files.
    pub(crate) fn go_by(&mut self, way: impl FnOnce(Box<dyn Store>) -> Box<dyn Way>) {
        let here = std::mem::replace(&mut self.way, Box::new(Here(Box::new(Nowhere))));
        if let Some(store) = here.into_store() {
            self.way = way(store);
        }
    }

    /// Has `wake` called when the disk has answered.
    pub(crate) fn on_answer(&mut self, wake: Wake) {
        self.way.on_answer(wake);
    }

    /// Appends whole lines and returns the number of the first. After an error nothing was added. The lines may still be on
    /// their way: see [`Self::is_writing`].
    pub(crate) fn append(&mut self, lines: &Chunk, now_s: u64) -> io::Result<u64> {
        debug_assert!(lines.lines() > 0 && lines.bytes().len() <= RECORD_BYTES_MAX);
        if self.segments.back().is_none_or(|last| last.is_closed || last.bytes > self.file_bytes_max()) {
            self.roll();
        }
        let sequence = self.end;
        let header = Header::of(lines.bytes(), lines.lines(), sequence, now_s);
        let Some(segment) = self.segments.back_mut() else { return Err(io::ErrorKind::NotFound.into()) };
        let (name, offset) = (segment.name(), segment.bytes);
        let record = Record { sequence, name, offset, header: header.encode(), lines: lines.clone() };
        if let Err(error) = self.way.append(record) {
            if segment.bytes == 0 {
                self.segments.pop_back();
            }
            return Err(error);
        }
        segment.mark(sequence, segment.bytes);
        segment.bytes += header.record_bytes();
        self.bytes += header.record_bytes();
        self.budget.used.fetch_add(header.record_bytes(), Ordering::Relaxed);
        segment.newest_s = now_s;
        self.end += u64::from(lines.lines());
        segment.end = self.end;
        self.records_unsynced += 1;
        if self.records_unsynced >= self.limits.sync_every {
            self.sync();
        }
        Ok(sequence)
    }

    /// Whether lines were appended that are not in a file yet, for which the disk has not refused.
    pub(crate) fn is_writing(&self) -> bool {
        self.way.first_unwritten().is_some() && !self.way.is_failing()
    }

    /// The number of these lines.
    #[cfg(test)]
    pub(crate) fn unwritten_lines(&self) -> u64 {
        self.way.first_unwritten().map_or(0, |first| self.end - first)
    }

    /// Waits at most this long until all lines are in files, or the disk refuses them. Returns whether it answered so.
    pub(crate) fn wait(&mut self, patience: Duration) -> bool {
        self.way.wait(patience)
    }

    /// Gives up what the disk did not take, at a stop. Returns the number of lines.
    pub(crate) fn abandon(&mut self) -> u64 {
        let first = self.way.abandon();
        first.map_or(0, |first| self.give_up(first..self.end))
    }

    /// The next lines in order, about `bytes_max` bytes; `None` if all were read, or if the disk cannot be read now or has not
    /// answered yet.
    pub(crate) fn read(&mut self, bytes_max: usize, now_s: u64) -> Option<Piece> {
        self.expire(now_s);
        let oldest_s = self.oldest_s(now_s);
        loop {
            let stop = self.skip_holes();
            let Read { reader, step } = match self.answer() {
                Some(read) => read,
                None if self.is_reading => return None,
                None => match self.read_unwritten(stop) {
                    Some(piece) => return Some(piece),
                    None => self.ask(stop, bytes_max, oldest_s)?,
                },
            };
            self.next = reader.next;
            self.reader = reader;
            match step {
                Ok(reader::Step::Expired { lines }) => self.losses.expired += self.give_up(lines),
                Ok(reader::Step::Piece(piece)) => return Some(piece),
                Ok(reader::Step::Damaged { lines }) => self.losses.damaged += self.give_up(lines),
                Ok(reader::Step::End) => return self.miss_the_rest(),
                Err(error) => {
                    self.trouble = Some(Trouble { doing: "read from", error });
                    return None;
                }
            }
        }
    }

    /// What the disk has read, if it is still wanted.
    fn answer(&mut self) -> Option<Read> {
        let read = self.way.take_read()?;
        self.is_reading = false;
        (!std::mem::take(&mut self.is_stale)).then_some(read)
    }

    /// The next lines, if they are still on their way to the disk. So a disk that is full or hangs keeps no line from its
    /// destination that is in memory.
    fn read_unwritten(&mut self, stop: u64) -> Option<Piece> {
        let (sequence, chunk) = (self.next, self.way.unwritten(self.next)?);
        let lines = u32::try_from(stop - sequence).unwrap_or(u32::MAX);
        let (chunk, _) = chunk.split_at_line(lines);
        self.next += u64::from(chunk.lines());
        Some(Piece { sequence, is_repeat: sequence < self.acknowledged, chunk })
    }

    /// Begins to read. Lines that are not in a file yet are not asked for.
    fn ask(&mut self, stop: u64, bytes_max: usize, oldest_s: u64) -> Option<Read> {
        let written = self.way.first_unwritten().unwrap_or(self.end);
        if self.next >= written {
            return None;
        }
        let at = self.segments.partition_point(|segment| segment.end <= self.next);
        let Some(segment) = self.segments.get(at).cloned() else {
            self.miss_the_rest();
            return None;
        };
        let mut reader = std::mem::take(&mut self.reader);
        if reader.next != self.next {
            reader = Reader::at(self.next);
        }
        let bounds = Bounds { acknowledged: self.acknowledged, stop: stop.min(written), bytes_max, oldest_s };
        let read = self.way.read(Reading { reader, segment, bounds });
        self.is_reading = read.is_none();
        read
    }

    /// Counts lines that the files should contain and do not.
    fn miss_the_rest(&mut self) -> Option<Piece> {
        self.losses.damaged += self.give_up(self.next..self.end);
        self.move_to(self.end);
        None
    }

    /// From now on this line is read next.
    const fn move_to(&mut self, line: u64) {
        self.is_stale |= self.is_reading;
        self.next = line;
    }

    /// Skips dropped lines, which may well be readable. Returns the line before which a piece must end.
    fn skip_holes(&mut self) -> u64 {
        let (next, stop) = self.holes.around(self.next);
        if next > self.next {
            self.move_to(next);
        }
        if self.next < self.acknowledged { stop.min(self.acknowledged) } else { stop }
    }

    /// Gives up what cannot be read: the rest of the file that contains the next line. The file is kept.
    pub(crate) fn skip_unreadable(&mut self) {
        let next = self.next;
        let Some(segment) = self.segments.iter_mut().find(|segment| next < segment.end) else { return };
        segment.is_unreadable = true;
        segment.is_closed = true;
        let lines = next..segment.end;
        self.move_to(lines.end);
        self.losses.damaged += self.give_up(lines);
    }

    /// From now on `read` starts again at this line.
    pub(crate) fn rewind(&mut self, sequence: u64) {
        self.move_to(sequence.max(self.committed));
    }

    /// Records that the lines before this one have arrived.
    pub(crate) fn acknowledge(&mut self, sequence: u64) {
        self.acknowledged = self.holes.pass(self.acknowledged.max(sequence));
    }

    /// Records that the lines before this one are not needed any more.
    pub(crate) fn commit(&mut self, sequence: u64) {
        let sequence = sequence.min(self.acknowledged).min(self.next);
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
        let reading = self.next;
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
        match self.way.order(Task::Save { position: self.committed, is_second: self.is_second_slot }) {
            Ok(()) => {
                self.saved = self.committed;
                self.is_second_slot = !self.is_second_slot;
            }
            Err(trouble) => self.trouble = Some(trouble),
        }
    }

    /// Asks the disk to flush everything.
    pub(crate) fn sync(&mut self) {
        if self.records_unsynced > 0
            && let Some(last) = self.segments.back()
        {
            self.records_unsynced = 0;
            let name = last.name();
            self.order(Task::Sync { name });
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
        self.next < self.end
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

    /// The error of reading, or of a task that was tried at once, since the last call, if there was one.
    pub(crate) const fn take_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    /// The error of what the disk was asked for earlier, since the last call, if there was one.
    pub(crate) fn take_late_trouble(&mut self) -> Option<Trouble> {
        self.way.take_trouble()
    }

    /// The size of a file at which a new one is started. Small files can be dropped one by one when the limit
    /// is near.
    fn file_bytes_max(&self) -> u64 {
        self.limits.file_bytes_max.min(self.limits.bytes_max / 4)
    }

    /// Counts what was appended as read, because the owner has it in memory.
    pub(crate) const fn skip_to_end(&mut self) {
        self.move_to(self.end);
    }

    fn roll(&mut self) {
        self.sync();
        self.segments.push_back(Segment::new(self.end));
    }

    /// Drops the files whose lines have all expired.
    pub(crate) fn expire(&mut self, now_s: u64) {
        let oldest_s = self.oldest_s(now_s);
        while let Some(segment) = self.segments.iter().find(|segment| self.next < segment.end)
            && segment.newest_s < oldest_s
            && segment.end <= self.end
        {
            let (next, first, end) = (self.next, segment.first, segment.end);
            // Lines before the file that are in no file were lost in a loss of power.
            self.losses.damaged += self.give_up(next.min(first)..first);
            self.losses.expired += self.give_up(next.max(first)..end);
            self.move_to(end);
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
        // What is being read may contain such lines.
        self.is_stale |= self.is_reading;
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
        if segment.is_unreadable {
            self.order(Task::SetAside { from: segment.name(), to: segment.aside() });
        } else {
            self.remove_file(&segment.name());
        }
    }

    fn remove_file(&mut self, name: &str) {
        self.order(Task::Remove { name: name.to_owned() });
    }

    fn order(&mut self, task: Task) {
        if let Err(trouble) = self.way.order(task) {
            self.trouble = Some(trouble);
        }
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Budget {
    /// `bytes_max` bytes in all.
    pub(crate) fn new(bytes_max: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), bytes_max })
    }
}

impl Trouble {
    fn advice(&self) -> &'static str {
        if let Some(advice) = shortage::advice(&self.error) {
            return advice;
        }
        match self.error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "lines wait in memory while there is room: free space in `spool_dir`, or lower `spool_max_bytes`"
            }
            io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
                "lines wait in memory while there is room: make `spool_dir` writable for this user"
            }
            io::ErrorKind::TimedOut => {
                "the disk does not answer; lines wait in memory while there is room: look at the file system of `spool_dir`"
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
