//! A destination against a network and a disk that do their worst, by seed and in virtual time.
//!
//! The network refuses, resets at any byte, takes some bytes or none, loses what was acknowledged when the peer is killed.
//! The disk is full, fails, writes halves, cannot be read, flips bits, forgets what was not flushed when power fails; the
//! relay is killed at any turn and starts again, perhaps with another configuration; clocks jump. Every step checks the books. In the end everything heals, and then: no line is torn or glued; the
//! first arrival of every line is in order; and every line arrived but for those that were counted as dropped, or were in
//! memory only when the relay was killed.
//!
//! `STATIC_RELAY_SEEDS=7` runs one seed, `…=1..100000` many, `STATIC_RELAY_SOAK=3600` as many as fit in an hour.

use super::*;
use crate::spool::{Budget, Faults, SimulatedStore, SpoolLimits};
use std::{collections::BTreeSet, fmt::Write as _, ops::Range, sync::Arc, thread};

/// Seeds of a usual run, per kind of world.
const SEEDS: Range<u64> = 1..2_501;
const FEW_SEEDS: Range<u64> = 1..1_001;

/// Seeds that once found a bug: lines lost when a read failed midway, half-written records in front of later ones, holes
/// counted twice, lines delivered after they were given up, lines of no file passed over in silence.
const FOUND: &[(Kind, u64)] = &[
    (Kind::Spool, 34),
    (Kind::BadDisk, 266),
    (Kind::BadDisk, 718),
    (Kind::BadDisk, 1_349),
    (Kind::BadDisk, 3_761),
    (Kind::BadDisk, 7_817),
    (Kind::BadDisk, 11_956),
    (Kind::Power, 6),
    (Kind::LiveFirst, 1),
    (Kind::LiveFirst, 6),
];

const STEPS: usize = 200;

/// What all destinations may hold together where memory is short.
const TIGHT_BYTES: usize = 2_000;

/// A number of threads that shares the seeds.
const THREADS: u64 = 2;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % bound as u64).unwrap()
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }
}

/// What the world may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// No spool.
    Memory,
    /// A spool on a sound disk.
    Spool,
    /// A spool on a disk that fails.
    BadDisk,
    /// A spool, and a relay that is killed now and then.
    Crashes,
    /// The same with losses of power: what was not flushed is gone, bits have flipped, and the clock shows another day. Lines
    /// on disk grow too old.
    Power,
    /// A spool, and new lines go before those on disk.
    LiveFirst,
    /// Lines go as pickles; a spool or none.
    Pickle,
    /// All destinations together hold too much; a spool or none.
    Tight,
}

impl Kind {
    /// Nothing may be dropped: the disk is sound and has room.
    const fn is_safe(self, has_spool: bool) -> bool {
        match self {
            Self::Memory | Self::BadDisk | Self::Power => false,
            Self::Spool | Self::Crashes | Self::LiveFirst => true,
            Self::Pickle | Self::Tight => has_spool,
        }
    }
}

/// One connection as the peer sees it.
#[derive(Debug, Default)]
struct Connection {
    /// What the relay's kernel took.
    taken: Vec<u8>,
    /// How much of it the relay knows to have arrived.
    acknowledged: usize,
    /// How much of it the peer's program read.
    read: usize,
}

/// The world around one destination.
struct World {
    kind: Kind,
    random: Random,
    now: Instant,
    unix_s: u64,
    destination: Destination,
    store: SimulatedStore,
    next_line: u32,
    /// Set between an output and the input that answers it.
    is_connecting: bool,
    is_resolving: bool,
    is_healed: bool,
    connections: Vec<Connection>,
    /// Lines that may be lost without being counted: in memory at a crash, or acknowledged and never read beyond the redo
    /// window.
    excused: u64,
    /// Dropped by relays that were killed since.
    dropped_before: u64,
    /// Lines that were written together with a bit that flipped since.
    flipped: u64,
}

impl World {
    fn new(kind: Kind, seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let now = Instant::now();
        let store = SimulatedStore::new(seed);
        let destination = destination(kind, &mut random, &store, now, seed);
        Self {
            kind,
            random,
            now,
            unix_s: 1_700_000_000,
            destination,
            store,
            next_line: 0,
            is_connecting: false,
            is_resolving: false,
            is_healed: false,
            connections: Vec::new(),
            excused: 0,
            dropped_before: 0,
            flipped: 0,
        }
    }

    fn handle(&mut self, input: Input) {
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

    fn step(&mut self) {
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
        // The queue, and what waits for the disk.
        let frame = if self.kind == Kind::Pickle { 500 } else { 1 };
        let queued_max = 2 * room.lines.max(1) + counts.in_flight + frame;
        assert!(!is_bounded || counts.queued <= queued_max, "{counts:?}");
        let memory_max = 2 * room.bytes.max(100) + redo.bytes_max + in_flight + 2_000_000;
        assert!(self.destination.memory_bytes() <= memory_max);
        if self.kind == Kind::Tight && is_bounded {
            // Beside what may be held: what the kernel took beyond its half, and the line that is on the wire.
            let beyond = in_flight.saturating_sub(TIGHT_BYTES / 2) + 200;
            let held = self.destination.memory_bytes();
            assert!(held <= TIGHT_BYTES + beyond, "{held} bytes, {in_flight} of them in flight");
        }
        if self.is_safe() && (!self.destination.is_up() || spooling.is_write_ahead) {
            assert_eq!(counts.queued, 0, "all is on disk at the end of a turn: {counts:?}");
        }
    }

    /// Lines `1:x`, `2:xxx`, … so that a torn, glued, lost, repeated or reordered one shows.
    fn push(&mut self) {
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
                self.connections.push(Connection::default());
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
                Output::Disconnect(DisconnectReason::WriteTimeout) => self.break_connection(),
                Output::Send => self.send(),
                Output::Ask => {
                    let outstanding = self.outstanding();
                    self.handle(Input::Outstanding(outstanding));
                }
            }
        }
        let waits =
            self.destination.poll_timeout(self.now).is_some() || self.is_resolving || self.is_connecting;
        assert!(waits || self.destination.is_up(), "nothing will ever happen: {:?}", self.destination.link);
    }

    fn outstanding(&self) -> usize {
        self.connections.last().map_or(0, |last| last.taken.len() - last.acknowledged)
    }

    /// The kernel takes everything, some bytes, or nothing; or the connection breaks after some bytes.
    fn send(&mut self) {
        let mut slices = [IoSlice::new(&[]); 4];
        let used = self.destination.slices(&mut slices);
        let bytes: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.to_vec()).collect();
        let is_all = self.is_healed || self.random.one_in(2);
        let taken = if is_all { bytes.len() } else { self.random.below(bytes.len() + 1) };
        self.connections.last_mut().expect("only a connection sends").taken.extend(&bytes[..taken]);
        self.handle(if taken == 0 { Input::WriteBlocked } else { Input::Wrote(taken) });
        if !self.is_healed && self.random.one_in(6) {
            self.break_connection();
        } else if taken < bytes.len() {
            self.handle(Input::WriteBlocked);
        }
    }

    /// Some bytes arrive, and the relay hears of it.
    fn acknowledge(&mut self) {
        if let Some(last) = self.connections.last_mut() {
            let rest = last.taken.len() - last.acknowledged;
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

    /// A reset, or the peer is killed: what arrived and was not read is gone, or some of what was not acknowledged was
    /// read all the same.
    fn break_connection(&mut self) {
        if !self.destination.is_up() {
            return;
        }
        let outstanding = self.outstanding();
        let last = self.connections.last_mut().expect("it is up");
        let more = last.taken.len() - last.read;
        let is_killed = self.random.one_in(2);
        let has_redo = !self.destination.limits.redo.time.is_zero();
        // What would go again may be too old by then, and was counted as sent.
        let is_repeated = has_redo && self.kind != Kind::Power;
        if is_killed && !is_repeated && last.read < last.acknowledged {
            let lost = &last.taken[last.read..last.acknowledged];
            self.excused += memchr::memchr_iter(b'\n', lost).count() as u64 + 1;
        } else if !is_killed || !has_redo {
            last.read = last.read.max(last.acknowledged) + self.random.below(more + 1);
            last.read = last.read.min(last.taken.len());
        }
        let is_known = self.random.one_in(2);
        self.handle(Input::Closed { outstanding: is_known.then_some(outstanding) });
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
    fn crash(&mut self) {
        let counts = self.destination.counts();
        // What the kernel has taken it goes on sending, or not.
        self.excused += counts.queued;
        self.dropped_before += counts.dropped_total();
        if let Some(last) = self.connections.last_mut()
            && self.destination.is_up()
        {
            let lost = &last.taken[last.read.min(last.acknowledged)..last.acknowledged];
            self.excused += memchr::memchr_iter(b'\n', lost).count() as u64 + 1;
            last.acknowledged = last.acknowledged.min(last.read);
        }
        let seed = self.random.0;
        let (now, store) = (self.now, self.store.clone());
        self.destination = destination(self.kind, &mut self.random, &store, now, seed);
        (self.is_connecting, self.is_resolving) = (false, false);
    }

    /// The machine is off for a moment. A bit may flip at any time, and the clock jump.
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
                // A position that is gone, too, hides some of the loss behind what comes again; the next one may show it.
                self.excused += torn;
                let lost = before.saturating_sub(self.destination.counts().recovered);
                let explained = self.excused + self.flipped;
                assert!(lost <= explained, "{lost} lines are gone, {explained} were torn or flipped");
            }
        }
    }

    /// From now on everything works, until everything has arrived.
    fn heal(&mut self) {
        self.is_healed = true;
        self.store.set_faults(Faults::default());
        for _ in 0..2_000 {
            self.pass(Duration::from_millis(700));
            if self.destination.is_up() {
                self.handle(Input::Writable);
            }
            self.turn();
            self.acknowledge();
            self.read();
            let counts = self.destination.counts();
            if counts.queued + counts.spooled == 0 && counts.up {
                // What is kept for a while is forgotten.
                self.pass(Duration::from_hours(1));
                self.turn();
                return;
            }
        }
        panic!("it never settles: {:?}", self.destination);
    }

    /// The lines that arrived whole, in order of arrival. Of pickles, the names are looked for in whole frames.
    fn arrived(&self) -> Vec<u32> {
        let number = |line: &str| {
            let (number, filling) = line.split_once(':').expect("a line has its colon");
            let number: u32 = number.parse().expect("a line starts with its number");
            assert_eq!(filling, "x".repeat(number as usize % 11), "line {number} is torn or glued");
            number
        };
        let whole_lines = |connection: &Connection| {
            let mut read = &connection.taken[..connection.read];
            if self.kind == Kind::Pickle {
                let mut names = Vec::new();
                while let Some((length, rest)) = read.split_first_chunk() {
                    let Some((frame, rest)) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)
                    else {
                        break;
                    };
                    let text = String::from_utf8_lossy(frame);
                    names.extend(text.split('n').filter_map(|part| Some(number(part.split_once('.')?.0))));
                    read = rest;
                }
                return names;
            }
            let end = memchr::memrchr(b'\n', read).map_or(0, |at| at + 1);
            let text = std::str::from_utf8(&read[..end]).unwrap();
            text.lines().map(number).collect::<Vec<_>>()
        };
        self.connections.iter().flat_map(whole_lines).collect()
    }

    fn check_outcome(&self) {
        // A loss of power may take the position, too: then what a peer that was killed had lost before comes again, late.
        let is_ordered = !matches!(self.kind, Kind::LiveFirst | Kind::Power);
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
        if !matches!(self.kind, Kind::Crashes | Kind::Power) {
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
    now: Instant,
    seed: u64,
) -> Destination {
    // Not from the same numbers as all else, so that a seed of another kind keeps its meaning.
    let has_spool = match kind {
        Kind::Memory => false,
        Kind::Pickle | Kind::Tight => Random(seed).one_in(2),
        Kind::Spool | Kind::BadDisk | Kind::Crashes | Kind::Power | Kind::LiveFirst => true,
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
    // The oldest lines may be some that were counted as sent and were to go again: nobody counts those twice.
    let has_redo = random.one_in(2) && when_full != WhenFull::DropOldest;
    // A frame that is lost in part is lost; where memory is short, nothing is kept for longer than it must be.
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
    let (spool, _) = Spool::open(Box::new(store.clone()), spool_limits, Budget::new(u64::MAX)).unwrap();
    Destination::with_parts(limits, Some(spool), memory, now, seed)
}

fn run(kind: Kind, seed: u64) {
    let outcome = std::panic::catch_unwind(|| {
        let mut world = World::new(kind, seed);
        for _ in 0..STEPS {
            world.step();
        }
        world.heal();
        world.check_outcome();
    });
    assert!(
        outcome.is_ok(),
        "seed {seed} of {kind:?}; again with: STATIC_RELAY_SEEDS={seed} cargo test -p relay-runtime simulation"
    );
}

fn run_all(kind: Kind, usual: Range<u64>) {
    let soak = std::env::var("STATIC_RELAY_SOAK").ok().and_then(|seconds| seconds.parse().ok());
    let until = soak.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let seeds =
        match std::env::var("STATIC_RELAY_SEEDS").as_deref().map(|seeds| seeds.split_once("..").ok_or(seeds))
        {
            Ok(Ok((first, end))) => first.parse().unwrap()..end.parse().unwrap(),
            Ok(Err(one)) => one.parse().map(|one| one..one + 1).unwrap(),
            Err(_) if until.is_some() => 1..u64::MAX,
            Err(_) => usual,
        };
    thread::scope(|scope| {
        for offset in 0..THREADS {
            let mut seed = seeds.start + offset;
            let end = seeds.end;
            scope.spawn(move || {
                while seed < end && until.is_none_or(|until| Instant::now() < until) {
                    run(kind, seed);
                    seed += THREADS;
                }
            });
        }
    });
}

#[test]
fn without_a_spool_everything_that_is_lost_is_counted() {
    run_all(Kind::Memory, SEEDS);
}

#[test]
fn with_a_spool_nothing_is_lost() {
    run_all(Kind::Spool, SEEDS);
}

#[test]
fn a_bad_disk_costs_what_is_counted() {
    run_all(Kind::BadDisk, SEEDS);
}

#[test]
fn a_crash_costs_what_was_in_memory() {
    run_all(Kind::Crashes, SEEDS);
}

#[test]
fn a_loss_of_power_costs_what_was_not_flushed() {
    run_all(Kind::Power, FEW_SEEDS);
}

#[test]
fn new_lines_may_go_first_and_nothing_is_lost() {
    run_all(Kind::LiveFirst, FEW_SEEDS);
}

#[test]
fn pickles_are_whole_and_in_order() {
    run_all(Kind::Pickle, FEW_SEEDS);
}

#[test]
fn little_memory_is_never_exceeded() {
    run_all(Kind::Tight, FEW_SEEDS);
}

#[test]
fn seeds_that_found_bugs_find_them_no_more() {
    for (kind, seed) in FOUND {
        run(*kind, *seed);
    }
}

#[test]
fn giving_up_counts_what_is_left() {
    let mut world = World::new(Kind::Memory, 1);
    world.push();
    let queued = world.destination.counts().queued;
    world.handle(Input::GiveUp);
    assert_eq!(world.destination.counts().dropped(DropReason::Shutdown), queued);
}

#[test]
fn a_stop_leaves_everything_on_disk() {
    let mut world = World::new(Kind::Spool, 1);
    for _ in 0..20 {
        world.push();
    }
    world.handle(Input::Stop);
    world.handle(Input::GiveUp);
    let counts = world.destination.counts();
    assert_eq!((counts.spooled, counts.dropped_total()), (u64::from(world.next_line), 0));
    world.crash();
    assert_eq!(world.destination.counts().recovered, u64::from(world.next_line));
}
