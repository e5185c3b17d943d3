//! A destination against a network that does its worst, by seed and in virtual time.
//!
//! Every step checks the books. At the end: no line torn or glued, order kept, every line either arrived
//! once, or is counted as dropped, or still waits.

use super::*;
use std::{fmt::Write as _, sync::Arc};

/// Seeds per run; a failure prints its seed.
const SEEDS: u64 = 1_000;
const STEPS: usize = 300;

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

/// The world around one destination.
struct World {
    random: Random,
    now: Instant,
    destination: Destination,
    next_line: u32,
    /// Set between an output and the input that answers it.
    connecting: bool,
    resolving: bool,
    /// What the peer got over each connection.
    connections: Vec<Vec<u8>>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let now = Instant::now();
        let limits = Limits {
            room: Room { lines: 1 + random.below(60) as u64, bytes: 20 + random.below(2_000) },
            write_bytes_max: 1 + random.below(200),
            write_timeout: Duration::from_secs(30),
            reconnect_max: Duration::from_secs(10),
        };
        Self {
            random,
            now,
            destination: Destination::new(limits, now, seed),
            next_line: 0,
            connecting: false,
            resolving: false,
            connections: Vec::new(),
        }
    }

    fn handle(&mut self, input: Input) {
        self.destination.handle(self.now, input);
        let counts = self.destination.counts();
        assert!(counts.is_balanced(), "{counts:?}");
    }

    fn step(&mut self) {
        self.now += Duration::from_millis(self.random.below(400) as u64);
        match self.random.below(10) {
            0..=2 => self.push(),
            3 if self.destination.is_up() => self.handle(Input::Closed),
            4 => self.now += Duration::from_secs(self.random.below(40) as u64),
            5 if self.destination.is_up() => self.handle(Input::Writable),
            _ => {}
        }
        self.answer();
        self.drive();
        self.handle(Input::EndOfTurn);
        let room = self.destination.limits.room;
        let queue = &self.destination.queue;
        assert!(queue.lines() <= room.lines.max(1) && queue.bytes() <= room.bytes.max(100), "{queue:?}");
    }

    /// Lines `1:x`, `2:xxx`, … so that a torn, glued, lost, repeated or reordered one shows.
    fn push(&mut self) {
        let (mut text, lines) = (String::new(), 1 + self.random.below(8));
        for _ in 0..lines {
            self.next_line += 1;
            let written = writeln!(text, "{}:{}", self.next_line, "x".repeat(self.next_line as usize % 11));
            written.unwrap();
        }
        let chunk = Chunk::new(Arc::new(text.into_bytes()), u32::try_from(lines).unwrap());
        self.handle(Input::Lines(chunk));
    }

    fn answer(&mut self) {
        if self.resolving && self.random.one_in(2) {
            self.resolving = false;
            let addresses = vec!["127.0.0.1:1".parse().unwrap(); self.random.below(3)];
            self.handle(Input::Resolved(addresses));
        }
        if self.connecting && self.random.one_in(2) {
            self.connecting = false;
            if self.random.one_in(3) {
                self.handle(Input::ConnectFailed);
            } else {
                self.connections.push(Vec::new());
                self.handle(Input::Connected);
            }
        }
    }

    fn drive(&mut self) {
        while let Some(output) = self.destination.poll_output(self.now) {
            match output {
                Output::Resolve => self.resolving = true,
                Output::Connect(_) => self.connecting = true,
                Output::Disconnect(_) => self.connecting = false,
                Output::Send => self.send(),
            }
        }
        let waits = self.destination.poll_timeout().is_some() || self.resolving || self.connecting;
        assert!(waits || self.destination.is_up(), "nothing will ever happen: {:?}", self.destination.link);
    }

    /// The kernel takes everything, some bytes, or nothing; or the connection breaks after some bytes.
    fn send(&mut self) {
        let mut slices = [IoSlice::new(&[]); 4];
        let used = self.destination.slices(&mut slices);
        let bytes: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.to_vec()).collect();
        let taken = if self.random.one_in(2) { bytes.len() } else { self.random.below(bytes.len() + 1) };
        self.connections.last_mut().expect("only a connection sends").extend(&bytes[..taken]);
        self.handle(if taken == 0 { Input::WriteBlocked } else { Input::Wrote(taken) });
        if self.random.one_in(6) && self.destination.is_up() {
            self.handle(Input::Closed);
        } else if taken < bytes.len() {
            self.handle(Input::WriteBlocked);
        }
    }

    /// The lines that arrived whole, in order of arrival.
    fn arrived(&self) -> Vec<u32> {
        let whole_lines = |bytes: &Vec<u8>| {
            let end = memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1);
            String::from_utf8(bytes[..end].to_vec()).unwrap()
        };
        let number = |line: &str| {
            let (number, filling) = line.split_once(':').expect("a line has its colon");
            let number: u32 = number.parse().expect("a line starts with its number");
            assert_eq!(filling, "x".repeat(number as usize % 11), "line {number} is torn or glued");
            number
        };
        self.connections
            .iter()
            .flat_map(|bytes| whole_lines(bytes).lines().map(number).collect::<Vec<_>>())
            .collect()
    }
}

#[test]
fn no_fault_tears_reorders_repeats_or_hides_a_line() {
    for seed in 1..=SEEDS {
        let outcome = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..STEPS {
                world.step();
            }
            let (arrived, counts) = (world.arrived(), world.destination.counts());
            assert!(arrived.is_sorted_by(|one, next| one < next), "order");
            assert_eq!(arrived.len() as u64, counts.sent);
            assert_eq!(u64::from(world.next_line), counts.routed);
        });
        assert!(outcome.is_ok(), "seed {seed}");
    }
}

#[test]
fn giving_up_counts_what_is_left() {
    let mut world = World::new(1);
    world.push();
    let queued = world.destination.counts().queued;
    world.handle(Input::GiveUp);
    assert_eq!(world.destination.counts().dropped(DropReason::Shutdown), queued);
}
