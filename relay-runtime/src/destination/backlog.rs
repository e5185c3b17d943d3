//! The lines of one destination that are not delivered yet: in memory, on disk, or in flight.
//!
//! The order of lines is one sequence, from oldest to newest:
//!
//! ```text
//!  flight               queue              spool, unread       incoming
//!  written; kept until  in memory, next    on disk only        came in this turn, and must
//!  acknowledged         to be written                          follow those on disk
//! ```
//!
//! While everything on disk is read, new lines go to the queue. A destination that is *behind* (down, or not
//! empty at the end of turns for `spool_after`) gets everything on disk: what is in memory is appended to the
//! spool and stays in memory as a copy, and new lines follow. So what is in the spool is always older than what
//! is only in memory, and the number of a line's copy tells whether the line was sent.
//!
//! Guarantees: no line is counted in two places. At the end of a turn all lines for a destination that is
//! behind are on disk, unless the disk refuses them; then they stay in memory as far as there is room. The
//! connection is left to [`super::Destination`].

use super::{
    counts::{DestinationCounts, DropReason},
    flight::Flight,
    item::Item,
    limits::{Limits, Redo, Replay, Room, WhenFull},
    pace::Pace,
    queue::Queue,
    share::{QueueMemory, Share},
};
use crate::{
    gather::Chunk,
    parts::Pickling,
    shortage::is_shortage,
    spool::{Spool, Trouble, Wake},
};
use std::{
    io::IoSlice,
    sync::Arc,
    time::{Duration, Instant},
};

/// How many bytes are read ahead from disk.
const WINDOW_BYTES: usize = 1024 * 1024;

/// The most datapoints in one pickle, as carbon's own relay sends them (`MAX_DATAPOINTS_PER_MESSAGE`).
const FRAME_LINES: u32 = 500;

/// How many bytes one read gets.
const READ_BYTES: usize = 128 * 1024;

/// How often the position of the spool is saved. After `kill -9` the lines of this time are sent again.
const SAVE_PERIOD: Duration = Duration::from_millis(100);

/// The pause after an error of the disk.
const DISK_PAUSE: Duration = Duration::from_millis(500);

/// How often expired lines are searched for.
const EXPIRE_PERIOD: Duration = Duration::from_secs(1);

/// After this number of failed reads at one place, the rest of its file is dropped.
const READ_FAILURES_MAX: u32 = 5;

/// The monotonic clock and seconds since 1970, as the engine reads them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) instant: Instant,
    pub(super) unix_s: u64,
}

/// All lines that are not delivered yet.
#[derive(Debug)]
pub(super) struct Backlog {
    limits: Limits,
    flight: Flight,
    queue: Queue,
    incoming: Queue,
    disk: Option<Disk>,
    share: Share,
    /// Since when there were lines left at the end of every turn.
    behind_since: Option<Instant>,
    /// Since when there is no room.
    full_since: Option<Instant>,
    is_stopping: bool,
}

/// The spool, and when to do what with it.
#[derive(Debug)]
struct Disk {
    spool: Spool,
    pace: Pace,
    /// When to try to write again, after an error.
    retry_at: Option<Instant>,
    /// When to try to read again, after an error.
    read_at: Option<Instant>,
    read_failures: u32,
    next_save: Instant,
    next_sync: Instant,
    next_expire: Instant,
    /// Why the last line was refused.
    refusal: DropReason,
    trouble: Option<Trouble>,
    errors: u64,
}

/// The disk has no room for a line.
struct Refused;

impl Backlog {
    pub(super) fn new(limits: Limits, spool: Option<Spool>, memory: Arc<QueueMemory>, now: Instant) -> Self {
        let disk = spool.map(|spool| Disk {
            spool,
            pace: Pace::new(limits.spooling.replay_rate),
            retry_at: None,
            read_at: None,
            read_failures: 0,
            next_save: now,
            next_sync: now + limits.spooling.sync_period,
            next_expire: now + EXPIRE_PERIOD,
            refusal: DropReason::SlowSpool,
            trouble: None,
            errors: 0,
        });
        Self {
            limits,
            flight: Flight::default(),
            queue: Queue::default(),
            incoming: Queue::default(),
            disk,
            share: Share::of(memory),
            behind_since: None,
            full_since: None,
            is_stopping: false,
        }
    }

    /// Adds new lines. Returns how many of them are refused at once.
    pub(super) fn push(&mut self, chunk: Chunk, is_taking: bool) -> u64 {
        match &self.disk {
            Some(disk) if disk.spool.has_unread() && self.replay() == Replay::InOrder => {
                self.incoming.push(chunk);
            }
            None if !is_taking && self.limits.when_full == WhenFull::DropNewest => {
                return self.queue.push_within(chunk, self.limits.room);
            }
            _ => self.queue.push(chunk),
        }
        0
    }

    /// Reads ahead from disk what the socket can accept. Returns whether there is something to write.
    pub(super) fn refill(&mut self, now: Now, counts: &mut DestinationCounts) -> bool {
        // Written lines stay in memory until they are acknowledged.
        if self.flight.unacknowledged_bytes() > self.share.equal_bytes() / 2 {
            return false;
        }
        self.read_ahead(now, counts);
        if self.limits.is_pickle && Pickling::get().is_some() {
            let Self { queue, flight, .. } = self;
            queue.frame(FRAME_LINES, READ_BYTES, |item| flight.push(item));
        }
        !self.queue.is_empty()
    }

    fn read_ahead(&mut self, now: Now, counts: &mut DestinationCounts) {
        let (window, replay) = (WINDOW_BYTES.min(self.share.equal_bytes() / 2), self.replay());
        let Some(disk) = &mut self.disk else { return };
        let is_open = !self.is_stopping && disk.read_at.is_none_or(|at| at <= now.instant);
        let has_turn = replay == Replay::InOrder || self.queue.is_empty();
        if is_open && has_turn && self.queue.bytes() < window / 2 && disk.spool.has_unread() {
            disk.read_at = None;
            while self.queue.bytes() < window && disk.pace.wait_until(now.instant).is_none() {
                let bytes = READ_BYTES.min(window / 2);
                let Some(piece) = disk.spool.read(bytes, now.unix_s) else { break };
                disk.read_failures = 0;
                disk.pace.took(u64::from(piece.chunk.lines()), now.instant);
                let spooled = Some(piece.sequence);
                let item = Item { spooled, is_repeat: piece.is_repeat, ..Item::new(piece.chunk) };
                self.queue.push_item(item);
            }
            disk.note_read_trouble(now.instant);
            disk.count_losses(counts);
        }
    }

    /// When reading ahead may continue, if it had to stop.
    fn next_refill(&self, now: Instant) -> Option<Instant> {
        let disk = self.disk.as_ref().filter(|disk| disk.spool.has_unread() && !self.is_stopping)?;
        disk.read_at.or(disk.pace.wait_until(now))
    }

    /// What to write next to a stream.
    pub(super) fn slices<'a>(&'a mut self, slices: &mut [IoSlice<'a>]) -> usize {
        self.queue.slices(slices, self.limits.write_bytes_max)
    }

    /// What to send next as a datagram.
    pub(super) fn datagram(&mut self, bytes_max: usize) -> Option<&[u8]> {
        self.queue.datagram(bytes_max)
    }

    /// Records that the kernel accepted `bytes` bytes.
    pub(super) fn wrote(&mut self, bytes: usize) {
        let Self { queue, flight, .. } = self;
        queue.wrote(bytes, |item| flight.push(item));
    }

    /// Skips the line at the front, which can never be sent. Returns the number of lines skipped.
    pub(super) fn skip_line(&mut self) -> u64 {
        let Some(bytes) = self.queue.datagram(1).map(<[u8]>::len) else { return 0 };
        let (mut lines, disk) = (0, &mut self.disk);
        self.queue.wrote(bytes, |item| {
            if !item.is_repeat {
                lines += item.lines();
            }
            if let (Some(disk), Some(end)) = (disk.as_mut(), item.spooled_end()) {
                disk.spool.acknowledge(end);
            }
        });
        lines
    }

    /// Records that `outstanding` bytes are not acknowledged yet.
    pub(super) fn acknowledge(&mut self, outstanding: usize, now: Instant, counts: &mut DestinationCounts) {
        let disk = &mut self.disk;
        self.flight.acknowledge(outstanding, self.queue.partial(), now, self.limits.redo, |item| {
            if !item.is_repeat {
                counts.sent += item.lines() - item.bad_lines();
                counts.drop_lines(DropReason::BadPickle, item.bad_lines());
            }
            if let (Some(disk), Some(end)) = (disk.as_mut(), item.spooled_end()) {
                disk.spool.acknowledge(end);
            }
        });
    }

    /// Records the end of the connection: lines that may not have arrived are sent again. `outstanding` bytes
    /// were not acknowledged at the end.
    pub(super) fn connection_lost(
        &mut self,
        outstanding: usize,
        now: Instant,
        counts: &mut DestinationCounts,
    ) {
        self.acknowledge(outstanding, now, counts);
        self.flight.part_acknowledged(outstanding, self.queue.partial());
        self.acknowledge(outstanding, now, counts);
        if self.queue.rewind() {
            counts.restarted_lines += 1;
        }
        for item in self.flight.take().rev() {
            counts.repeated += item.lines();
            self.queue.push_front(item);
        }
    }

    /// Called at the end of a turn: puts lines on disk that belong there, and drops lines for which there is no
    /// room.
    pub(super) fn settle(&mut self, now: Now, is_up: bool, counts: &mut DestinationCounts) {
        let room = self.room(now.instant);
        let is_waiting = !self.queue.is_empty() || !self.incoming.is_empty();
        if is_waiting {
            self.behind_since.get_or_insert(now.instant);
        } else {
            self.behind_since = None;
        }
        if self.disk.is_some() {
            self.rejoin();
            if self.is_behind(now.instant, is_up, room) {
                self.spill(now, is_up);
            }
            self.tend_disk(now, counts);
        }
        self.trim(now.instant, is_up, room, counts);
    }

    /// How many lines may be held: what the limits allow, or less while all destinations together hold too
    /// much.
    fn room(&mut self, now: Instant) -> Room {
        let allowed = self.share.allow(self.bytes());
        let Redo { time, bytes_max } = self.limits.redo;
        self.flight.forget(now, Redo { time, bytes_max: bytes_max.min(allowed / 4) });
        let bytes = allowed.saturating_sub(self.flight.bytes());
        Room { bytes: self.limits.room.bytes.min(bytes), ..self.limits.room }
    }

    /// Begins a stop: from now on nothing is read from disk.
    pub(super) const fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// Ends all sending: what can go to disk goes there, and the rest is dropped.
    pub(super) fn give_up(&mut self, now: Now, counts: &mut DestinationCounts) {
        if let Some(disk) = &mut self.disk {
            disk.retry_at = None;
            self.rejoin();
            self.spill(now, false);
        } else {
            // The kernel has these lines, and continues to deliver them after the connection is closed.
            counts.sent += self.flight.owed_lines();
            drop(self.flight.take());
        }
        let lost = self.queue.clear() + self.incoming.clear() + self.flight.owed_lines();
        drop(self.flight.take());
        counts.drop_lines(DropReason::Shutdown, lost);
        if let Some(disk) = &mut self.disk {
            disk.spool.skip_to_end();
            disk.spool.commit(u64::MAX);
            disk.spool.save_position();
            disk.spool.sync();
        }
    }

    /// Whether a stop need not wait for this destination.
    pub(super) fn is_settled(&self, is_up: bool) -> bool {
        let is_done =
            self.queue.is_empty() && self.incoming.is_empty() && self.flight.unacknowledged_bytes() == 0;
        let is_kept = |disk: &Disk| disk.retry_at.is_none();
        !self.is_writing() && (is_done || (!is_up && self.disk.as_ref().is_some_and(is_kept)))
    }

    /// Whether inputs should be paused.
    pub(super) fn is_holding(&self, now: Instant) -> bool {
        match self.limits.when_full {
            WhenFull::Block(hold_max) => self.full_since.is_some_and(|since| now < since + hold_max),
            WhenFull::DropNewest | WhenFull::DropOldest => false,
        }
    }

    /// Bytes in memory that have not arrived.
    pub(super) const fn waiting_bytes(&self) -> usize {
        self.queue.bytes() + self.incoming.bytes() + self.flight.unacknowledged_bytes()
    }

    /// Bytes that this machine's kernel has accepted and the peer's kernel has not acknowledged.
    pub(super) const fn in_flight_bytes(&self) -> usize {
        self.flight.unacknowledged_bytes()
    }

    /// When to call [`settle`](Self::settle) again if nothing happens.
    pub(super) fn next_settle(&self, now: Instant, is_up: bool) -> Option<Instant> {
        let hold = match self.limits.when_full {
            WhenFull::Block(hold_max) => {
                self.full_since.map(|since| since + hold_max).filter(|end| *end > now)
            }
            WhenFull::DropNewest | WhenFull::DropOldest => None,
        };
        let redo =
            self.flight.next_forget(self.limits.redo).map(|at| at.max(now + Duration::from_millis(50)));
        let Some(disk) = &self.disk else { return hold.into_iter().chain(redo).min() };
        let is_owed = self.queue.lines() + self.incoming.lines() > 0;
        let behind = self.behind_since.filter(|_| is_owed).map(|since| since + self.limits.spooling.after);
        let spill = if is_owed { disk.retry_at.or(behind.filter(|at| *at > now)) } else { None };
        let refill = if is_up { self.next_refill(now) } else { None };
        [hold, redo, spill, refill, disk.next_tending()].into_iter().flatten().min()
    }

    /// The number of lines that are in memory only.
    pub(super) fn queued_lines(&self) -> u64 {
        self.queue.lines() + self.incoming.lines() + self.flight.owed_lines()
    }

    /// How many of these are in flight.
    pub(super) const fn in_flight_lines(&self) -> u64 {
        self.flight.owed_lines()
    }

    /// The number of lines on disk, the bytes of the files, and the number of errors of the disk.
    pub(super) fn spooled(&self) -> (u64, u64, u64) {
        let numbers = |disk: &Disk| (disk.spool.lines(), disk.spool.bytes(), disk.errors);
        self.disk.as_ref().map_or((0, 0, 0), numbers)
    }

    /// Whether nothing is left to send, repeats included.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.waiting_bytes() == 0 && self.disk.as_ref().is_none_or(|disk| !disk.spool.has_unread())
    }

    /// The number of lines that were given to the disk and are not in a file.
    #[cfg(test)]
    pub(super) fn unwritten_lines(&self) -> u64 {
        self.disk.as_ref().map_or(0, |disk| disk.spool.unwritten_lines())
    }

    /// Whether there is a spool.
    #[cfg(test)]
    pub(super) const fn has_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Bytes that are held in memory.
    pub(super) const fn bytes(&self) -> usize {
        self.queue.bytes() + self.incoming.bytes() + self.flight.bytes()
    }

    /// The error of the disk since the last call, if there was one.
    pub(super) fn take_trouble(&mut self) -> Option<Trouble> {
        let disk = self.disk.as_mut()?;
        disk.trouble.take()
    }

    /// A stop, write-ahead and repeats keep the order, whatever is configured.
    const fn replay(&self) -> Replay {
        let spooling = &self.limits.spooling;
        if spooling.is_write_ahead { Replay::InOrder } else { spooling.replay }
    }

    fn is_behind(&self, now: Instant, is_up: bool, room: Room) -> bool {
        let Some(disk) = &self.disk else { return false };
        let spooling = &self.limits.spooling;
        let is_long = |since| now.saturating_duration_since(since) >= spooling.after;
        let is_over = |queue: &Queue| queue.lines() > room.lines || queue.bytes() > room.bytes;
        let is_pausing = disk.retry_at.is_some_and(|at| now < at);
        let is_wanted = spooling.is_write_ahead
            || !is_up
            || disk.spool.has_unread()
            || self.behind_since.is_some_and(is_long)
            || is_over(&self.queue);
        is_wanted && !is_pausing
    }

    /// Puts on disk what is only in memory, in order, until the disk refuses.
    fn spill(&mut self, now: Now, is_up: bool) {
        let Some(disk) = &mut self.disk else { return };
        disk.retry_at = None;
        let has_unread = disk.spool.has_unread();
        let done = match self.replay() {
            Replay::InOrder if has_unread => Ok(()),
            Replay::InOrder => self.spill_memory(now, is_up),
            Replay::LiveFirst => self.spill_live(now),
        };
        if done.is_ok() {
            self.spill_incoming(now);
        }
    }

    /// Called when everything on disk is read: the lines that had to follow it join the queue.
    fn rejoin(&mut self) {
        if self.disk.as_ref().is_some_and(|disk| !disk.spool.has_unread()) {
            while let Some(item) = self.incoming.pop() {
                self.queue.push_item(item);
            }
        }
    }

    /// Nothing on disk is newer than what is in memory, so the lines in memory become copies.
    fn spill_memory(&mut self, now: Now, is_up: bool) -> Result<(), Refused> {
        let Self { disk: Some(disk), flight, queue, limits, .. } = self else { return Ok(()) };
        let mut done = Ok(());
        for (item, is_acknowledged) in flight.unspooled().chain(queue.unspooled().map(|item| (item, false))) {
            match disk.append(item, now, limits.when_full) {
                Ok(first) => {
                    item.spooled = Some(first);
                    disk.spool.skip_to_end();
                    if is_acknowledged || item.is_repeat {
                        disk.spool.acknowledge(first + item.lines());
                    }
                }
                Err(refused) => {
                    done = Err(refused);
                    break;
                }
            }
        }
        flight.recount();
        queue.recount();
        if done.is_ok()
            && let Some(first) = queue.forget_copies(if is_up { WINDOW_BYTES } else { 0 })
        {
            disk.spool.rewind(first);
        }
        done
    }

    /// With `live-first`, new lines are sent first as long as possible; then they are appended to the disk.
    /// They do not stay in memory: with copies that have higher numbers than lines sent after them,
    /// acknowledgements could not be told apart.
    fn spill_live(&mut self, now: Now) -> Result<(), Refused> {
        let Self { disk: Some(disk), queue, limits, .. } = self else { return Ok(()) };
        let mut done = Ok(());
        for item in queue.take_owed() {
            if done.is_ok() {
                match disk.append(&item, now, limits.when_full) {
                    Ok(_) => continue,
                    Err(refused) => done = Err(refused),
                }
            }
            queue.push_item(item);
        }
        done
    }

    fn spill_incoming(&mut self, now: Now) {
        let Self { disk: Some(disk), incoming, limits, .. } = self else { return };
        while let Some(item) = incoming.pop() {
            if disk.append(&item, now, limits.when_full).is_err() {
                incoming.push_front(item);
                break;
            }
        }
    }

    fn tend_disk(&mut self, now: Now, counts: &mut DestinationCounts) {
        let Self { disk: Some(disk), queue, flight, .. } = self else { return };
        if disk.spool.is_empty() {
            return;
        }
        let needed = flight.first_spooled().or_else(|| queue.first_spooled());
        disk.spool.commit(needed.unwrap_or(u64::MAX));
        if now.instant >= disk.next_save {
            disk.next_save = now.instant + SAVE_PERIOD;
            disk.spool.save_position();
        }
        if now.instant >= disk.next_sync {
            disk.next_sync = now.instant + self.limits.spooling.sync_period;
            disk.spool.sync();
        }
        if now.instant >= disk.next_expire {
            disk.next_expire = now.instant + EXPIRE_PERIOD;
            disk.spool.expire(now.unix_s);
        }
        disk.count_losses(counts);
        if let Some(trouble) = disk.spool.take_trouble() {
            disk.note(trouble);
        }
        if let Some(trouble) = disk.spool.take_late_trouble() {
            disk.note(trouble);
        }
    }

    /// Has `wake` called when the disk has answered.
    pub(super) fn on_disk_answer(&mut self, wake: Wake) {
        if let Some(disk) = &mut self.disk {
            disk.spool.on_answer(wake);
        }
    }

    /// Whether the disk has yet to answer for lines that were given to it.
    pub(super) fn is_writing(&self) -> bool {
        self.disk.as_ref().is_some_and(|disk| disk.spool.is_writing())
    }

    /// Waits at most this long until the disk has taken all lines, or refused them. Returns whether it answered so.
    pub(super) fn wait_for_disk(&mut self, patience: Duration) -> bool {
        self.disk.as_mut().is_none_or(|disk| disk.spool.wait(patience))
    }

    /// Drops what the disk has not taken, at the end of a stop.
    pub(super) fn abandon_disk(&mut self, counts: &mut DestinationCounts) {
        if let Some(disk) = &mut self.disk {
            counts.drop_lines(DropReason::SlowSpool, disk.spool.abandon());
        }
    }

    fn trim(&mut self, now: Instant, is_up: bool, room: Room, counts: &mut DestinationCounts) {
        let is_over = |queue: &Queue| queue.lines() > room.lines || queue.bytes() > room.bytes;
        if let WhenFull::Block(hold_max) = self.limits.when_full {
            let waiting = self.queue.lines() + self.incoming.lines();
            if waiting < room.lines / 2 && self.bytes() < room.bytes / 2 {
                self.full_since = None;
            }
            let is_full = waiting >= room.lines || is_over(&self.queue) || is_over(&self.incoming);
            if is_full && now < *self.full_since.get_or_insert(now) + hold_max {
                return;
            }
        }
        let mut dropped = 0;
        for queue in [&mut self.incoming, &mut self.queue] {
            dropped += match self.limits.when_full {
                WhenFull::DropOldest => queue.trim_oldest(room),
                WhenFull::DropNewest | WhenFull::Block(_) => queue.trim_newest(room),
            };
        }
        if dropped > 0 {
            counts.drop_lines(self.drop_reason(is_up), dropped);
        }
    }

    /// Why lines for which there is no room are dropped.
    pub(super) const fn drop_reason(&self, is_up: bool) -> DropReason {
        match (&self.disk, is_up) {
            (Some(disk), _) => disk.refusal,
            (None, true) => DropReason::SlowConn,
            (None, false) => DropReason::ConnDownNoSpool,
        }
    }
}

impl Disk {
    /// Appends an item to the spool, after making room if the configuration says so.
    fn append(&mut self, item: &Item, now: Now, when_full: WhenFull) -> Result<u64, Refused> {
        while !self.spool.has_room_for(item.bytes() as u64) {
            if when_full != WhenFull::DropOldest || !self.spool.displace_oldest() {
                self.refusal = DropReason::SpoolFull;
                return Err(Refused);
            }
        }
        self.spool.append(&item.chunk, now.unix_s).map_err(|error| {
            self.refusal = DropReason::SlowSpool;
            self.retry_at = Some(now.instant + DISK_PAUSE);
            self.note(Trouble { doing: "write to", error });
            Refused
        })
    }

    fn note(&mut self, trouble: Trouble) {
        self.errors += 1;
        self.trouble = Some(trouble);
    }

    /// A disk that cannot be read now may be readable later; if it never is, the rest of the file is dropped.
    fn note_read_trouble(&mut self, now: Instant) {
        if let Some(trouble) = self.spool.take_trouble() {
            // Without a free descriptor no file can be read, and this one may be sound.
            self.read_failures += u32::from(!is_shortage(&trouble.error));
            self.read_at = Some(now + DISK_PAUSE);
            if self.read_failures >= READ_FAILURES_MAX {
                self.read_failures = 0;
                self.spool.skip_unreadable();
            }
            self.note(trouble);
        }
    }

    fn count_losses(&mut self, counts: &mut DestinationCounts) {
        let losses = self.spool.take_losses();
        counts.drop_lines(DropReason::SpoolDamaged, losses.damaged);
        counts.drop_lines(DropReason::SpoolExpired, losses.expired);
        counts.drop_lines(DropReason::SpoolFull, losses.displaced);
    }

    fn next_tending(&self) -> Option<Instant> {
        let sync = self.spool.is_unsynced().then_some(self.next_sync);
        let save = self.spool.is_unsaved().then_some(self.next_save);
        let expire = (self.spool.has_age_limit() && !self.spool.is_empty()).then_some(self.next_expire);
        [sync, save, expire].into_iter().flatten().min()
    }
}
