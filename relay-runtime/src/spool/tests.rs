//! Tests of one spool on a simulated disk: order, numbers, limits, damage.

use super::*;
use std::fmt::Write as _;

const LIMITS: SpoolLimits =
    SpoolLimits { file_bytes_max: 300, bytes_max: 1 << 30, age_max_s: 0, sync_every: 1_000_000 };

fn open(store: &SimulatedStore, limits: SpoolLimits) -> (Spool, Recovery) {
    Spool::open(Box::new(store.clone()), limits, Budget::new(u64::MAX)).unwrap()
}

/// Lines `n`, `n+1`, …, several to a record.
fn append(spool: &mut Spool, numbers: Range<u64>, now_s: u64) {
    let mut text = String::new();
    for number in numbers.clone() {
        writeln!(text, "{number}").unwrap();
    }
    let lines = u32::try_from(numbers.end - numbers.start).unwrap();
    assert_eq!(spool.append(text.as_bytes(), lines, now_s).unwrap(), numbers.start);
}

fn numbers(piece: &Piece) -> Vec<u64> {
    std::str::from_utf8(piece.chunk.bytes()).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

fn read_all(spool: &mut Spool, bytes_max: usize) -> Vec<u64> {
    let mut read = Vec::new();
    while let Some(piece) = spool.read(bytes_max, 0) {
        let piece_numbers = numbers(&piece);
        assert_eq!(piece_numbers.first(), Some(&piece.sequence));
        read.extend(piece_numbers);
    }
    read
}

#[test]
fn lines_come_back_in_order_across_files_and_restarts() {
    for bytes_max in [1, 100, 1 << 20] {
        let store = SimulatedStore::new(1);
        let (mut spool, recovery) = open(&store, LIMITS);
        assert_eq!(recovery, Recovery::default());
        for at in 0..100 {
            append(&mut spool, at * 10..at * 10 + 10, 0);
        }
        assert_eq!(spool.lines(), 1_000);
        drop(spool);
        let (mut spool, recovery) = open(&store, LIMITS);
        assert_eq!(recovery.lines, 1_000);
        assert!(store.file_names().len() > 5);
        assert_eq!(read_all(&mut spool, bytes_max), (0..1_000).collect::<Vec<_>>());
        spool.acknowledge(995);
        spool.commit(u64::MAX);
        spool.save_position();
        assert_eq!((spool.lines(), store.file_names().len()), (5, 2));
        let (mut spool, recovery) = open(&store, LIMITS);
        assert_eq!(recovery.lines, 5);
        assert_eq!(read_all(&mut spool, bytes_max), [995, 996, 997, 998, 999]);
        spool.acknowledge(1_000);
        spool.commit(u64::MAX);
        assert_eq!((spool.lines(), spool.bytes(), store.bytes()), (0, 0, 0), "{:?}", store.file_names());
    }
}

#[test]
fn what_was_acknowledged_and_goes_again_is_marked() {
    let store = SimulatedStore::new(1);
    let (mut spool, _) = open(&store, LIMITS);
    append(&mut spool, 0..10, 0);
    append(&mut spool, 10..20, 0);
    assert_eq!(read_all(&mut spool, 1 << 20).len(), 20);
    spool.acknowledge(13);
    spool.commit(5);
    spool.rewind(5);
    let (repeat, rest) = (spool.read(1 << 20, 0).unwrap(), spool.read(1 << 20, 0).unwrap());
    assert_eq!((repeat.is_repeat, numbers(&repeat)), (true, (5..13).collect()));
    assert_eq!((rest.is_repeat, numbers(&rest)), (false, (13..20).collect()));
    assert_eq!(spool.lines(), 7);
}

#[test]
fn a_torn_tail_is_cut_wherever_it_tears() {
    let whole = SimulatedStore::new(1);
    let (mut spool, _) = open(&whole, LIMITS);
    append(&mut spool, 0..3, 0);
    append(&mut spool, 3..6, 0);
    let name = whole.file_names().remove(0);
    let bytes = whole.bytes();
    for cut in 0..bytes {
        let store = SimulatedStore::new(1);
        let (mut spool, _) = open(&store, LIMITS);
        append(&mut spool, 0..3, 0);
        append(&mut spool, 3..6, 0);
        store.clone().truncate(&name, cut as u64).unwrap();
        let (mut spool, recovery) = open(&store, LIMITS);
        let kept = if cut < bytes / 2 { 0 } else { 3 };
        assert_eq!(
            (recovery.lines, recovery.torn_bytes),
            (kept, (cut - cut / (bytes / 2) * (bytes / 2)) as u64)
        );
        append(&mut spool, kept..kept + 2, 0);
        assert_eq!(read_all(&mut spool, 1 << 20), (0..kept + 2).collect::<Vec<_>>(), "cut at {cut}");
    }
}

#[test]
fn damage_costs_its_record_and_is_counted() {
    for seed in 1..400 {
        let store = SimulatedStore::new(seed);
        let (mut spool, _) = open(&store, LIMITS);
        for at in 0..40 {
            append(&mut spool, at * 5..at * 5 + 5, 0);
        }
        assert!(store.flip_bit(|name| name != position::NAME) > 0);
        let read = read_all(&mut spool, 64);
        let losses = spool.take_losses();
        assert_eq!((read.len(), losses.damaged), (195, 5), "seed {seed}");
        assert!(read.is_sorted());
        assert_eq!(spool.lines(), 195);
        spool.acknowledge(200);
        spool.commit(u64::MAX);
        assert_eq!(spool.lines(), 0);
        assert!(store.file_names().iter().all(|name| name.contains("damaged")), "seed {seed}");
        // The same at a start: only the torn end may be cut without being counted by line.
        let store = SimulatedStore::new(seed);
        let (mut spool, _) = open(&store, LIMITS);
        for at in 0..40 {
            append(&mut spool, at * 5..at * 5 + 5, 0);
        }
        store.flip_bit(|name| name != position::NAME);
        let (mut spool, recovery) = open(&store, LIMITS);
        let read = read_all(&mut spool, 64);
        let counted = read.len() as u64 + spool.take_losses().damaged;
        assert_eq!(counted, recovery.lines, "seed {seed}");
        assert!(
            read.len() == 195 && (counted == 200 || recovery.torn_bytes > 0),
            "seed {seed}: {recovery:?}"
        );
    }
}

#[test]
fn the_oldest_file_makes_room() {
    let limits = SpoolLimits { bytes_max: 2_000, ..LIMITS };
    let store = SimulatedStore::new(1);
    let (mut spool, _) = open(&store, limits);
    let mut displaced = 0;
    for at in 0..200 {
        while !spool.has_room_for(20) {
            assert!(spool.displace_oldest());
        }
        append(&mut spool, at * 5..at * 5 + 5, 0);
        displaced += spool.take_losses().displaced;
        assert_eq!(spool.lines() + displaced, at * 5 + 5);
    }
    let read = read_all(&mut spool, 64);
    assert_eq!(spool.take_losses(), Losses::default());
    assert_eq!(read.len() as u64, spool.lines());
    assert_eq!(read, (1_000 - spool.lines()..1_000).collect::<Vec<_>>());
    assert!(displaced > 0 && store.bytes() <= 2_000);
}

#[test]
fn lines_expire() {
    let store = SimulatedStore::new(1);
    let (mut spool, _) = open(&store, SpoolLimits { age_max_s: 60, ..LIMITS });
    for at in 0..20 {
        append(&mut spool, at * 5..at * 5 + 5, at * 10);
    }
    let piece = spool.read(1, 160).unwrap();
    assert_eq!(piece.sequence, 50);
    assert_eq!(spool.take_losses().expired, 50);
    assert_eq!(spool.lines(), 50);
    spool.expire(1_000);
    assert_eq!((spool.read(1, 1_000).is_none(), spool.take_losses().expired, spool.lines()), (true, 45, 5));
}

#[test]
fn after_an_error_nothing_half_written_is_in_the_way() {
    for seed in 1..200 {
        let store = SimulatedStore::new(seed);
        let (mut spool, _) = open(&store, LIMITS);
        store.set_faults(Faults { write_fails: 3, truncate_fails: 3, remove_fails: 3, ..Faults::default() });
        let mut wanted = Vec::new();
        for number in 0..100_u64 {
            if let Ok(sequence) = spool.append(format!("{number}\n").as_bytes(), 1, 0) {
                assert_eq!(sequence, wanted.len() as u64);
                wanted.push(number);
            }
        }
        store.set_faults(Faults::default());
        let read = |spool: &mut Spool| {
            let mut read = Vec::new();
            while let Some(piece) = spool.read(1 << 20, 0) {
                read.extend(numbers(&piece));
            }
            (read, spool.take_losses().damaged)
        };
        assert_eq!(read(&mut spool), (wanted.clone(), 0), "seed {seed}");
        let (mut spool, recovery) = open(&store, LIMITS);
        assert_eq!(recovery.lines, wanted.len() as u64);
        assert_eq!(read(&mut spool), (wanted, 0), "seed {seed}, opened again");
    }
}

#[test]
fn a_loss_of_power_costs_what_was_not_flushed() {
    for seed in 1..200 {
        let store = SimulatedStore::new(seed);
        let (mut spool, _) = open(&store, SpoolLimits { sync_every: 7, ..LIMITS });
        for at in 0..40 {
            append(&mut spool, at * 5..at * 5 + 5, 0);
        }
        drop(spool);
        store.lose_power();
        let (mut spool, recovery) = open(&store, LIMITS);
        let end = recovery.lines;
        let read = read_all(&mut spool, 64);
        assert!(read.is_sorted() && read.len() >= 5 * 35, "seed {seed}: {} lines", read.len());
        assert_eq!(read.len() as u64 + spool.take_losses().damaged, end, "seed {seed}");
        append(&mut spool, end..end + 3, 0);
        assert_eq!(read_all(&mut spool, 64), (end..end + 3).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn upstreams_spool_is_taken_over() {
    let directory = std::env::temp_dir().join(format!("static-relay-adopt-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = |number: u32| directory.join(format!("spool_r_127_0_0_1_2003.diskqueue.{number:06}.dat"));
    let record =
        |line: &str| [&u32::try_from(line.len()).unwrap().to_be_bytes()[..], line.as_bytes()].concat();
    std::fs::write(file(3), [record("read 1 2"), record("a 1 2")].concat()).unwrap();
    std::fs::write(file(4), [record("b 1 2"), record("c 1 2"), vec![0, 0, 1]].concat()).unwrap();
    std::fs::write(directory.join("spool_r_127_0_0_1_2003.diskqueue.meta.dat"), "3\n3,12\n4,18\n").unwrap();
    let store = SimulatedStore::new(1);
    let (mut spool, _) = open(&store, LIMITS);
    let adopted = adopt(&directory, "r_127_0_0_1_2003", &mut spool, 0).unwrap();
    assert_eq!((adopted.lines, adopted.damaged_files), (3, 0));
    assert_eq!(spool.read(1 << 20, 0).unwrap().chunk.bytes(), b"a 1 2\nb 1 2\nc 1 2\n");
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
    std::fs::remove_dir(&directory).unwrap();
}
