//! The world around one destination: network, disk, clocks, other lines, and the checks of every step.
//!
//! Everything that happens depends on the seed only.

use super::{
    super::{Destination, DisconnectReason, Input, Limits, Output, QueueMemory, WhenFull},
    Kind, Random,
    peer::Connection,
};
use crate::{
    destination::{Redo, Replay, Room, Spooling},
    gather::Chunk,
    spool::{Budget, Faults, Hang, HangingWay, SimulatedStore, Spool, SpoolLimits},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::IoSlice,
    sync::Arc,
    time::{Duration, Instant},
};

/// What all destinations may hold together if memory is short, in bytes.
const TIGHT_BYTES: usize = 2_000;

/// How many bytes a short connection accepts: more than the longest line has.
const SHORT_LIFE_BYTES: usize = 60;

/// The world around one destination.
pub(super) struct World {
    kind: Kind,
    random: Random,
    now: Instant,
    unix_s: u64,
    pub(super) destination: Destination,
    store: SimulatedStore,
    hang: Hang,
    /// Whether a relay was killed while its position was on the way to a disk that hung.
    is_position_lost: bool,
    pub(super) next_line: u32,
    /// Set between an output and the input that answers it.
    is_connecting: bool,
    is_resolving: bool,
    is_healed: bool,
    connections: Vec<Connection>,
    /// How often the relay was told of each line that it arrived. A relay that starts again knows nothing of
    /// this.
    heard: BTreeMap<u32, u32>,
    /// Lines that the peer's program has read.
    read: BTreeSet<u32>,
    /// Lines that may be lost without being counted: in memory at a crash, or acknowledged and never read
    /// beyond the redo window.
    excused: u64,
    /// Lines dropped by relays that were killed since.
    dropped_before: u64,
    /// Lines that were written together with a bit that flipped since.
    flipped: u64,
}

impl World {
    pub(super) fn new(kind: Kind, seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let now = Instant::now();
        let store = SimulatedStore::new(seed);
        let hang = Hang::default();
        let destination = destination(kind, &mut random, &store, &hang, now, seed);
        Self {
            kind,
            random,
            now,
            unix_s: 1_700_000_000,
            destination,
            store,
            hang,
            is_position_lost: false,
            next_line: 0,
            is_connecting: false,
            is_resolving: false,
            is_healed: false,
            connections: Vec::new(),
            heard: BTreeMap::new(),
            read: BTreeSet::new(),
            excused: 0,
            dropped_before: 0,
            flipped: 0,
        }
    }

    pub(super) fn handle(&mut self, input: Input) {
        self.destination.handle(self.now, input);
        let counts = self.destination.counts();
        assert!(counts.is_balanced(), "{counts:?}");
        assert!(!self.is_safe() || counts.dropped_total() == 0, "a sound disk with room: {counts:?}");
    }

    fn is_safe(&self) -> bool {
        self.kind.is_safe(self.destination.backlog.has_disk())
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.unix_s += time.as_secs();
        self.destination.set_unix_time(self.unix_s);
    }

    pub(super) fn step(&mut self) {
        let (milliseconds, is_quick) = (self.random.below(400) as u64, self.random.one_in(2));
        self.pass(Duration::from_millis(if is_quick { milliseconds / 100 } else { milliseconds }));
        match self.random.below(14) {
            0..=2 => self.push(),
            3 => self.break_connection(),
            4 => {
                let seconds = self.random.below(40) as u64;
                self.pass(Duration::from_secs(seconds));
            }
            5 | 6 if self.destination.is_up() => self.handle(Input::Writable),
            7 if self.kind == Kind::BadDisk => self.break_disk(),
            8 if self.kind == Kind::Crashes && self.random.one_in(3) => self.crash(),
            8 if self.kind == Kind::Power => self.lose_power(),
            7 if self.kind == Kind::HungDisk => self.hang.set(self.random.one_in(2)),
            8 if self.kind == Kind::HungDisk && self.random.one_in(5) => self.crash(),
            9 => self.acknowledge(),
            10 | 11 => self.read(),
            _ => {}
        }
        self.turn();
    }

    fn turn(&mut self) {
        self.answer();
        self.drive();
        self.handle(Input::EndOfTurn);
        self.check_bounds();
    }

    fn check_bounds(&self) {
        let Limits { room, redo, spooling, .. } = self.destination.limits;
        let counts = self.destination.counts();
        let in_flight = self.destination.backlog.in_flight_bytes();
        let is_bounded = !matches!(self.destination.limits.when_full, WhenFull::Block(_));
        // The queue, and the lines that are queued for the disk.
        let frame = if self.kind == Kind::Pickle { 500 } else { 1 };
        let queued_max = 2 * room.lines.max(1) + counts.in_flight + frame;
        assert!(!is_bounded || counts.queued <= queued_max, "{counts:?}");
        let memory_max = 2 * room.bytes.max(100) + redo.bytes_max + in_flight + 2_000_000;
        assert!(self.destination.memory_bytes() <= memory_max);
        if self.kind == Kind::Tight && is_bounded {
            // In addition to what may be held: what the kernel accepted beyond its half, and the line that is
            // written in part.
            let beyond = in_flight.saturating_sub(TIGHT_BYTES / 2) + 200;
            let held = self.destination.memory_bytes();
            assert!(held <= TIGHT_BYTES + beyond, "{held} bytes, {in_flight} of them in flight");
        }
        if self.is_safe() && (!self.destination.is_up() || spooling.is_write_ahead) {
            assert_eq!(counts.queued, 0, "all is on disk at the end of a turn: {counts:?}");
        }
    }

    /// Pushes lines `1:x`, `2:xxx`, … so that a torn, glued, lost, repeated or reordered one can be recognised.
    pub(super) fn push(&mut self) {
        if self.destination.is_holding(self.now) {
            return;
        }
        let (mut text, lines) = (String::new(), 1 + self.random.below(8));
        for _ in 0..lines {
            self.next_line += 1;
            let filling = "x".repeat(self.next_line as usize % 11);
            if self.kind == Kind::Pickle {
                writeln!(text, "n{}:{filling}. 1 1", self.next_line).unwrap();
            } else {
                writeln!(text, "{}:{filling}", self.next_line).unwrap();
            }
        }
        let chunk = Chunk::new(Arc::new(text.into_bytes()), u32::try_from(lines).unwrap());
        self.handle(Input::Lines(chunk));
    }

    fn answer(&mut self) {
        if self.is_resolving && (self.is_healed || self.random.one_in(2)) {
            self.is_resolving = false;
            let count = if self.is_healed { 1 } else { self.random.below(3) };
            self.handle(Input::Resolved(vec!["127.0.0.1:1".parse().unwrap(); count]));
        }
        if self.is_connecting && (self.is_healed || self.random.one_in(2)) {
            self.is_connecting = false;
            if !self.is_healed && self.random.one_in(3) {
                self.handle(Input::ConnectFailed);
            } else {
                let is_black_hole = self.kind == Kind::BlackHole && !self.is_healed && self.random.one_in(2);
                self.connections.push(Connection { is_black_hole, ..Connection::default() });
                self.handle(Input::Connected);
            }
        }
    }

    fn drive(&mut self) {
        while let Some(output) = self.destination.poll_output(self.now) {
            match output {
                Output::Resolve => self.is_resolving = true,
                Output::Connect(_) => self.is_connecting = true,
                Output::Disconnect(DisconnectReason::ConnectTimeout) => {
                    self.is_connecting = false;
                    self.handle(Input::ConnectFailed);
                }
                Output::Disconnect(DisconnectReason::WriteTimeout) => {
                    let last = self.connections.last().expect("it is up");
                    assert!(last.acknowledged <= last.heard, "given up without asking");
                    self.break_connection();
                }
                Output::Send => self.send(),
                Output::Ask => {
                    let last = self.connections.last_mut().expect("only a connection is asked");
                    last.heard = last.acknowledged;
                    let outstanding = last.outstanding();
                    self.handle(Input::Outstanding(outstanding));
                }
            }
        }
        let waits =
            self.destination.poll_timeout(self.now).is_some() || self.is_resolving || self.is_connecting;
        assert!(waits || self.destination.is_up(), "nothing will ever happen: {:?}", self.destination.link);
    }

    /// The kernel accepts everything, some bytes, or nothing; or the connection breaks after some bytes.
    fn send(&mut self) {
        let mut slices = [IoSlice::new(&[]); 4];
        let used = self.destination.slices(&mut slices);
        let bytes: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.to_vec()).collect();
        let is_all = self.is_healed || self.random.one_in(2);
        let mut taken = if is_all { bytes.len() } else { self.random.below(bytes.len() + 1) };
        if self.kind == Kind::ShortLived {
            let so_far = self.connections.last().map_or(0, |last| last.taken.len());
            taken = taken.min(SHORT_LIFE_BYTES.saturating_sub(so_far));
        }
        self.connections.last_mut().expect("only a connection sends").taken.extend(&bytes[..taken]);
        self.handle(if taken == 0 { Input::WriteBlocked } else { Input::Wrote(taken) });
        if !self.is_healed && self.random.one_in(6) {
            self.break_connection();
        } else if taken < bytes.len() {
            self.handle(Input::WriteBlocked);
        }
    }

    /// Some bytes arrive, and the relay is told.
    fn acknowledge(&mut self) {
        if let Some(last) = self.connections.last_mut().filter(|last| !last.is_black_hole) {
            let rest = last.outstanding();
            last.acknowledged += if self.is_healed { rest } else { self.random.below(rest + 1) };
        }
    }

    /// The peer's program reads some of what arrived.
    fn read(&mut self) {
        if let Some(last) = self.connections.last_mut() {
            let rest = last.acknowledged.saturating_sub(last.read);
            last.read += if self.is_healed { rest } else { self.random.below(rest + 1) };
        }
    }

    /// A reset, or the peer is killed: what arrived and was not read is lost, or some of what was not
    /// acknowledged was read all the same.
    fn break_connection(&mut self) {
        if !self.destination.is_up() {
            return;
        }
        let (is_killed, is_known) = (self.random.one_in(2), self.random.one_in(2));
        self.end_connection(is_killed, is_known);
    }

    fn end_connection(&mut self, is_killed: bool, is_known: bool) {
        let last = self.connections.last_mut().expect("it is up");
        if is_known {
            last.heard = last.acknowledged;
        }
        let more = last.taken.len() - last.read;
        let has_redo = !self.destination.limits.redo.time.is_zero();
        // What would be sent again may be too old by then, or on a part of the disk that is dropped; it was
        // counted as sent.
        let is_repeated = has_redo && !matches!(self.kind, Kind::Power | Kind::BadDisk);
        if is_killed && !is_repeated && last.read < last.acknowledged {
            let lost = &last.taken[last.read..last.acknowledged];
            self.excused += memchr::memchr_iter(b'\n', lost).count() as u64 + 1;
        } else if !is_killed || !has_redo {
            last.read = last.read.max(last.acknowledged) + self.random.below(more + 1);
            last.read = last.read.min(last.taken.len());
        }
        let outstanding = last.outstanding();
        self.note_end();
        self.handle(Input::Closed { outstanding: is_known.then_some(outstanding) });
    }

    /// Records what the connection leaves behind: lines that were read, and lines that the relay was told of.
    /// It is told of each at most twice: once, and once of the repeat. A repeat that was not read is lost.
    fn note_end(&mut self) {
        let Some(last) = self.connections.last() else { return };
        self.read.extend(last.lines(last.read, self.kind).into_iter().map(|(line, _)| line));
        for (line, end) in last.lines(last.heard, self.kind) {
            let times = self.heard.entry(line).or_default();
            *times += 1;
            assert!(*times <= 2, "line {line} was acknowledged {times} times");
            if *times == 2 && end > last.read && !self.read.contains(&line) {
                self.excused += 1;
            }
        }
    }

    fn break_disk(&mut self) {
        let capacity = self.random.one_in(3).then(|| self.store.bytes() + self.random.below(400));
        let mut one_in = || if self.random.one_in(2) { 2 + self.random.below(5) as u64 } else { 0 };
        let faults = Faults {
            write_fails: one_in(),
            read_fails: one_in(),
            truncate_fails: one_in(),
            remove_fails: one_in(),
            capacity,
        };
        self.store.set_faults(faults);
    }

    /// `kill -9`, and a new start, perhaps with another configuration.
    pub(super) fn crash(&mut self) {
        let counts = self.destination.counts();
        // The kernel may still send what it has accepted, or not.
        self.excused += counts.queued;
        // Inputs that brought such lines were not read on.
        self.excused += self.destination.backlog.unwritten_lines();
        self.is_position_lost |= self.hang.take();
        self.dropped_before += counts.dropped_total();
        if let Some(last) = self.connections.last_mut()
            && self.destination.is_up()
        {
            let lost = &last.taken[last.read.min(last.acknowledged)..last.acknowledged];
            self.excused += memchr::memchr_iter(b'\n', lost).count() as u64 + 1;
            last.acknowledged = last.acknowledged.min(last.read);
            self.note_end();
        }
        self.heard.clear();
        let seed = self.random.0;
        let (now, store) = (self.now, self.store.clone());
        self.destination = destination(self.kind, &mut self.random, &store, &self.hang, now, seed);
        (self.is_connecting, self.is_resolving) = (false, false);
    }

    /// The machine is off for a moment. Any bit may flip, and the clock may jump.
    fn lose_power(&mut self) {
        let is_segment = |name: &str| name != "position";
        match self.random.below(4) {
            0 => self.flipped += self.store.flip_bit(is_segment),
            1 => {
                let (days, is_back) = (self.random.below(10) as u64, self.random.one_in(2));
                let seconds = days * 86_400;
                self.unix_s = if is_back { self.unix_s - seconds } else { self.unix_s + seconds };
                self.destination.set_unix_time(self.unix_s);
            }
            _ => {
                let before = self.destination.counts().spooled;
                let torn = self.store.lose_power();
                if self.random.one_in(3) {
                    self.flipped += self.store.flip_bit(is_segment);
                }
                self.crash();
                // If the position is lost too, what is sent again hides some of the loss; the next loss may
                // show it.
                self.excused += torn;
                let lost = before.saturating_sub(self.destination.counts().recovered);
                let explained = self.excused + self.flipped;
                assert!(lost <= explained, "{lost} lines are gone, {explained} were torn or flipped");
            }
        }
    }

    /// From now on everything works, until everything has arrived. Only connections may still be short: then
    /// each brings some lines closer to their end.
    pub(super) fn heal(&mut self) {
        self.is_healed = true;
        self.store.set_faults(Faults::default());
        self.hang.set(false);
        let lives_short = self.kind == Kind::ShortLived;
        let (turns, before) = (if lives_short { 20_000 } else { 2_000 }, self.connections.len());
        for _ in 0..turns {
            self.pass(Duration::from_millis(700));
            if self.destination.is_up() {
                self.handle(Input::Writable);
            }
            self.turn();
            self.acknowledge();
            self.read();
            let counts = self.destination.counts();
            if counts.queued + counts.spooled == 0 && counts.up && self.destination.backlog.is_idle() {
                // Lines that are kept for a while are forgotten now.
                self.pass(Duration::from_hours(1));
                self.turn();
                return;
            }
            if lives_short && self.destination.is_up() {
                let is_half_closed = self.random.one_in(2);
                self.end_connection(false, is_half_closed);
                let connections = (self.connections.len() - before) as u64;
                assert!(connections <= 2 * u64::from(self.next_line) + 2, "no progress: {counts:?}");
            }
        }
        panic!("it never settles: {:?}", self.destination);
    }

    /// The lines that arrived complete, in the order of arrival.
    fn arrived(&self) -> impl Iterator<Item = u32> {
        let read = |connection: &Connection| connection.lines(connection.read, self.kind);
        self.connections.iter().flat_map(read).map(|(line, _)| line)
    }

    pub(super) fn check_outcome(&self) {
        // A loss of power may also lose the position, and so may a disk that hangs. Then lines that a killed peer had lost
        // before come again, late.
        let is_ordered = !matches!(self.kind, Kind::LiveFirst | Kind::Power) && !self.is_position_lost;
        let (mut seen, mut newest) = (BTreeSet::new(), 0);
        for line in self.arrived() {
            if seen.insert(line) {
                assert!(line > newest || !is_ordered, "line {line} came for the first time after {newest}");
                newest = line;
            }
        }
        let missing = u64::from(self.next_line) - seen.len() as u64;
        let counts = self.destination.counts();
        let dropped = counts.dropped_total() + self.dropped_before;
        assert!(
            missing <= dropped + self.excused + self.flipped,
            "{missing} lines are missing, {dropped} dropped, {} excused; {counts:?}",
            self.excused
        );
        if !matches!(self.kind, Kind::Crashes | Kind::Power | Kind::HungDisk) {
            assert_eq!(counts.routed, u64::from(self.next_line));
        }
        let files: Vec<_> =
            self.store.file_names().into_iter().filter(|name| !name.contains("damaged")).collect();
        if self.is_safe() {
            assert!(files.is_empty(), "left on disk: {files:?}");
        }
    }
}

fn destination(
    kind: Kind,
    random: &mut Random,
    store: &SimulatedStore,
    hang: &Hang,
    now: Instant,
    seed: u64,
) -> Destination {
    // Drawn from other random numbers than everything else, so that a seed of another kind keeps its meaning.
    let has_spool = match kind {
        Kind::Memory => false,
        Kind::Pickle | Kind::Tight | Kind::BlackHole => Random(seed).one_in(2),
        Kind::Spool
        | Kind::BadDisk
        | Kind::Crashes
        | Kind::Power
        | Kind::LiveFirst
        | Kind::ShortLived
        | Kind::HungDisk => true,
    };
    let memory = match kind {
        Kind::Tight => QueueMemory::new(TIGHT_BYTES, 1),
        _ => QueueMemory::unlimited(),
    };
    let is_tight = kind == Kind::Memory || kind == Kind::BadDisk;
    let when_full = match random.below(4) {
        0 if is_tight => WhenFull::DropOldest,
        1 if is_tight => WhenFull::Block(Duration::from_secs(2)),
        _ => WhenFull::DropNewest,
    };
    // The oldest lines may be some that were counted as sent and were to be sent again: those are not counted
    // twice.
    let has_redo = random.one_in(2) && when_full != WhenFull::DropOldest;
    // A frame that is lost in part is lost. If memory is short, nothing is kept for longer than necessary.
    let has_redo = (has_redo || kind == Kind::Pickle) && kind != Kind::Tight;
    let redo_time = Duration::from_secs(if has_redo { 3_600 } else { 0 });
    let limits = Limits {
        room: Room { lines: 1 + random.below(60) as u64, bytes: 20 + random.below(2_000) },
        is_pickle: kind == Kind::Pickle,
        when_full,
        redo: Redo { time: redo_time, bytes_max: 1 << 30 },
        spooling: Spooling {
            after: Duration::from_millis(random.below(20) as u64),
            is_write_ahead: random.one_in(3),
            replay_rate: random.one_in(4).then_some(1_000),
            replay: if kind == Kind::LiveFirst { Replay::LiveFirst } else { Replay::InOrder },
            ..Spooling::default()
        },
        write_bytes_max: 1 + random.below(200),
        write_timeout: Duration::from_secs(30),
        reconnect_max: Duration::from_secs(10),
    };
    if !has_spool {
        return Destination::with_parts(limits, None, memory, now, seed);
    }
    let spool_limits = SpoolLimits {
        file_bytes_max: 50 + random.below(1_000) as u64,
        bytes_max: if kind == Kind::BadDisk { 500 + random.below(5_000) as u64 } else { u64::MAX },
        age_max_s: if kind == Kind::Power { 3 * 86_400 } else { 0 },
        sync_every: 1 + random.below(20) as u64,
    };
    store.set_faults(Faults::default());
    let (mut spool, _) = Spool::open(Box::new(store.clone()), spool_limits, Budget::new(u64::MAX)).unwrap();
    if kind == Kind::HungDisk {
        spool.go_by(|store| Box::new(HangingWay::new(store, hang.clone())));
    }
    Destination::with_parts(limits, Some(spool), memory, now, seed)
}
