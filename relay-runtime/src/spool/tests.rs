//! Tests of one spool on a simulated disk: order, numbers, limits, damage.

use super::*;
use std::fmt::Write as _;

const LIMITS: SpoolLimits =
    SpoolLimits { file_bytes_max: 300, bytes_max: 1 << 30, age_max_s: 0, sync_every: 1_000_000 };

fn open(store: &SimulatedStore, limits: SpoolLimits) -> (Spool, Recovery) {
    Spool::open(Box::new(store.clone()), limits, Budget::new(u64::MAX)).unwrap()
}

fn chunk(text: &str, lines: u32) -> Chunk {
    Chunk::new(Arc::new(text.as_bytes().to_vec()), lines)
}

/// Lines `n`, `n+1`, …, several to a record.
fn append(spool: &mut Spool, numbers: Range<u64>, now_s: u64) {
    let mut text = String::new();
    for number in numbers.clone() {
        writeln!(text, "{number}").unwrap();
    }
    let lines = u32::try_from(numbers.end - numbers.start).unwrap();
    assert_eq!(spool.append(&chunk(&text, lines), now_s).unwrap(), numbers.start);
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

fn with_two_records() -> SimulatedStore {
    let store = SimulatedStore::new(1);
    let (mut spool, _) = open(&store, LIMITS);
    append(&mut spool, 0..3, 0);
    append(&mut spool, 3..6, 0);
    store
}

#[test]
fn a_torn_end_is_kept_and_its_lines_are_counted_where_the_header_tells() {
    let whole = with_two_records();
    let (name, bytes) = (whole.file_names().remove(0), whole.bytes());
    let aside = name.replace(".spool", ".damaged");
    for cut in 0..bytes {
        let store = with_two_records();
        store.clone().truncate(&name, cut as u64).unwrap();
        let torn = whole.contents(&name)[cut / (bytes / 2) * (bytes / 2)..cut].to_vec();
        let sound = 3 * (cut / (bytes / 2)) as u64;
        let known = if torn.len() < HEADER_BYTES { sound } else { sound + 3 };
        let (mut spool, recovery) = open(&store, LIMITS);
        let unknown = if torn.len() < HEADER_BYTES { torn.len() as u64 } else { 0 };
        assert_eq!(recovery, Recovery { lines: known, unknown_bytes: unknown }, "cut at {cut}");
        append(&mut spool, known..known + 2, 0);
        let want: Vec<_> = (0..sound).chain(known..known + 2).collect();
        assert_eq!(read_all(&mut spool, 1 << 20), want, "cut at {cut}");
        assert_eq!(spool.take_losses().damaged, known - sound, "cut at {cut}");
        assert!(store.contents(&aside).ends_with(&torn), "cut at {cut}: kept as a whole");
        // Once is enough.
        drop(spool);
        assert_eq!(open(&store, LIMITS).1.unknown_bytes, 0);
    }
}

#[test]
fn a_large_hole_is_kept_as_a_whole_and_counted() {
    let store = SimulatedStore::new(1);
    let (mut spool, _) = open(&store, SpoolLimits::UNBOUNDED);
    for at in 0..1_000 {
        let text = format!("{at:4000}\n").repeat(2);
        spool.append(&chunk(&text, 2), 0).unwrap();
    }
    let name = store.file_names().remove(0);
    let hole = 1_000_000..3_000_000;
    store.clone().write_at(&name, hole.start as u64, &[&vec![0; hole.len()]]).unwrap();
    let (mut spool, recovery) = open(&store, SpoolLimits::UNBOUNDED);
    let mut read = 0;
    while let Some(piece) = spool.read(1 << 20, 0) {
        read += u64::from(piece.chunk.lines());
    }
    let damaged = spool.take_losses().damaged;
    assert_eq!((recovery.lines, read + damaged), (2_000, 2_000));
    assert!(damaged < 2 * 252, "{damaged}: not more than the hole");
    let kept = store.contents(&name.replace(".spool", ".damaged"));
    assert!(kept.len() >= hole.end && kept[hole] == vec![0; 2_000_000]);
}

#[test]
fn a_name_that_no_record_bears_out_is_not_believed() {
    let strange = [u64::MAX, u64::MAX - 1, record::SEQUENCE_MAX, 1_000_000, 3, 4];
    for (number, contents) in strange.into_iter().zip([&b""[..], b"no record", b""].into_iter().cycle()) {
        let store = SimulatedStore::new(1);
        let (mut spool, _) = open(&store, LIMITS);
        append(&mut spool, 0..10, 0);
        let name = Segment::new(number).name();
        store.clone().write_at(&name, 0, &[contents]).unwrap();
        let (mut spool, recovery) = open(&store, LIMITS);
        assert_eq!(recovery, Recovery { lines: 10, unknown_bytes: contents.len() as u64 }, "{name}");
        append(&mut spool, 10..20, 0);
        assert_eq!(read_all(&mut spool, 1 << 20), (0..20).collect::<Vec<_>>(), "{name}");
        spool.acknowledge(20);
        spool.commit(u64::MAX);
        assert_eq!((spool.lines(), spool.take_losses()), (0, Losses::default()), "{name}");
        let left: Vec<_> =
            store.file_names().into_iter().filter(|file| Segment::number_of(file).is_some()).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_record_from_somewhere_else_is_damage_and_hides_none() {
    for (at, number) in [(0, 5_000_000_u64), (0, 3), (150, 5_000_000), (150, 40)] {
        let store = SimulatedStore::new(1);
        let (mut spool, _) = open(&store, SpoolLimits { file_bytes_max: 1 << 30, ..LIMITS });
        for first in 0..30 {
            append(&mut spool, first * 10..first * 10 + 10, 0);
        }
        // A block of a file that was there before, in place of one of this file.
        let lines = b"0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n";
        let stray = [&Header::of(lines, 10, number, 0).encode()[..], lines].concat();
        let name = store.file_names().remove(0);
        store.clone().write_at(&name, at, &[&stray]).unwrap();
        let (mut spool, recovery) = open(&store, LIMITS);
        assert_eq!(recovery, Recovery { lines: 300, unknown_bytes: 0 }, "{number} at {at}");
        let mut read = Vec::new();
        while let Some(piece) = spool.read(1 << 20, 0) {
            read.extend(piece.sequence..piece.sequence + u64::from(piece.chunk.lines()));
        }
        let damaged = spool.take_losses().damaged;
        assert!(read.len() as u64 + damaged == 300 && damaged <= 30, "{number} at {at}: {damaged} damaged");
    }
}

#[test]
fn a_position_beyond_all_numbers_is_not_believed() {
    let store = SimulatedStore::new(1);
    let (mut spool, _) = open(&store, LIMITS);
    append(&mut spool, 0..10, 0);
    position::save(&mut store.clone(), u64::MAX, false).unwrap();
    let (mut spool, recovery) = open(&store, LIMITS);
    assert_eq!(recovery.lines, 10);
    append(&mut spool, 10..20, 0);
    assert_eq!(read_all(&mut spool, 1 << 20), (0..20).collect::<Vec<_>>());
}

#[test]
fn lines_after_a_position_that_outlived_its_lines_are_read() {
    let store = SimulatedStore::new(1);
    let (mut spool, _) = open(&store, LIMITS);
    append(&mut spool, 0..5, 0);
    position::save(&mut store.clone(), 50, false).unwrap();
    let (mut spool, recovery) = open(&store, LIMITS);
    assert_eq!(recovery.lines, 0);
    append(&mut spool, 50..60, 0);
    let (mut spool, recovery) = open(&store, LIMITS);
    assert_eq!(recovery.lines, 10);
    assert_eq!(read_all(&mut spool, 1 << 20), (50..60).collect::<Vec<_>>());
    assert_eq!(spool.take_losses(), Losses::default());
}

#[test]
fn a_file_that_cannot_be_read_is_kept() {
    let store = SimulatedStore::new(1);
    let (mut spool, _) = open(&store, LIMITS);
    append(&mut spool, 0..10, 0);
    let (name, contents) = (store.file_names().remove(0), store.contents(&store.file_names()[0]));
    store.set_faults(Faults { read_fails: 1, ..Faults::default() });
    assert!(spool.read(1 << 20, 0).is_none() && spool.take_trouble().is_some());
    spool.skip_unreadable();
    store.set_faults(Faults::default());
    append(&mut spool, 10..20, 0);
    assert_eq!(read_all(&mut spool, 1 << 20), (10..20).collect::<Vec<_>>());
    assert_eq!(spool.take_losses().damaged, 10);
    spool.acknowledge(20);
    spool.commit(u64::MAX);
    assert_eq!(store.file_names(), [name.replace(".spool", ".damaged")]);
    assert_eq!(store.contents(&store.file_names()[0]), contents);
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
        // The same at a start: only where nothing says what the bytes were, lines are not counted.
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
            read.len() == 195 && (counted == 200 || recovery.unknown_bytes > 0),
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
            if let Ok(sequence) = spool.append(&chunk(&format!("{number}\n"), 1), 0) {
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

/// Adopts two files and such a position. Gives the lines.
fn adopted(meta: &str) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let directory = std::env::temp_dir().join(format!("static-relay-adopt-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let file = |number: u32| directory.join(format!("spool_r_127_0_0_1_2003.diskqueue.{number:06}.dat"));
    let record =
        |line: &str| [&u32::try_from(line.len()).unwrap().to_be_bytes()[..], line.as_bytes()].concat();
    std::fs::write(file(3), [record("read 1 2"), record("a 1 2")].concat()).unwrap();
    std::fs::write(file(4), [record("b 1 2"), record("c 1 2"), vec![0, 0, 1]].concat()).unwrap();
    std::fs::write(directory.join("spool_r_127_0_0_1_2003.diskqueue.meta.dat"), meta).unwrap();
    let store = SimulatedStore::new(1);
    let (mut spool, _) = open(&store, LIMITS);
    let adopted = adopt(&directory, "r_127_0_0_1_2003", &mut spool, 0).unwrap();
    let lines = String::from_utf8(spool.read(1 << 20, 0).unwrap().chunk.bytes().to_vec()).unwrap();
    assert_eq!((adopted.lines, adopted.damaged_files), (lines.lines().count() as u64, 0));
    assert_eq!(std::fs::read_dir(&directory).unwrap().count(), 0);
    std::fs::remove_dir(&directory).unwrap();
    lines
}

#[test]
fn upstreams_spool_is_taken_over() {
    assert_eq!(adopted("3\n3,12\n4,18\n"), "a 1 2\nb 1 2\nc 1 2\n");
}

#[test]
fn a_position_of_upstream_that_is_not_there_hides_no_line() {
    let all = "read 1 2\na 1 2\nb 1 2\nc 1 2\n";
    for meta in ["0\n999999,0\n", "0\n3,1000000\n", "0\n18446744073709551615,0\n", "", "3\n3"] {
        assert_eq!(adopted(meta), all, "{meta:?}");
    }
}
