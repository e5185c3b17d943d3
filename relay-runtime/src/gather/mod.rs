//! What one worker gathers in one turn of its event loop: bytes, by the destinations that get them.
//!
//! Lines with the same destinations share one chunk, so fan-out copies a line once, and runs of such lines are
//! copied in one piece. The turn ends with `drain`, which hands each chunk to all of its destinations.
//!
//! Lines of one series reach each of their destinations in the order in which they were added: a series always
//! has the same destinations and therefore the same chunk, and chunks of one set are handed over in order. If
//! the destinations of a series change from line to line (round-robin and failover routes, beside other
//! routes), the pipeline adds the line to each destination separately.

mod chunk;
mod pool;
mod refusals;
mod sets;

use crate::{counts::Counts, table::DestinationIndex, validate::Reason};
pub use chunk::Chunk;
use pool::Pool;
use refusals::Refusals;
pub(crate) use refusals::{Refusal, TEXT_BYTES, Watch};
use sets::Sets;
pub(crate) use sets::{SetId, Together};

/// A chunk is handed over before it grows beyond this size in bytes. A longer line is a chunk of its own.
pub(crate) const CHUNK_BYTES: usize = 128 * 1024;

/// The first buffer of a set that gets few lines, in bytes.
const SMALL_BYTES: usize = 4 * 1024;

/// The lines gathered in one turn, and the worker's counts.
#[derive(Debug)]
pub struct Gathered {
    /// How many lines ended in which way since the worker started.
    pub counts: Counts,
    /// Refused lines for the log.
    pub(crate) refusals: Refusals,
    sets: Sets,
    /// The unfinished chunk of each set. Shorter than the list of sets until each set was used.
    open: Vec<Open>,
    /// The sets whose unfinished chunk is not empty.
    filling: Vec<SetId>,
    /// Finished chunks, in order.
    full: Vec<(SetId, Chunk)>,
    pool: Pool,
}

/// An unfinished chunk. Invariant: `bytes` contains exactly `lines` lines, each with its LF.
#[derive(Debug, Default)]
struct Open {
    bytes: Vec<u8>,
    lines: u32,
}

impl Gathered {
    /// Nothing gathered, for a table with this number of destinations.
    #[must_use]
    pub fn new(destinations: usize) -> Self {
        Self {
            counts: Counts::default(),
            refusals: Refusals::default(),
            sets: Sets::new(destinations),
            open: Vec::new(),
            filling: Vec::new(),
            full: Vec::new(),
            pool: Pool::default(),
        }
    }

    /// Calls `hand_over` for every chunk gathered since the last call, with the destinations that get it.
    ///
    /// A chunk occupies at most twice the memory of its bytes, so a queue may count bytes.
    pub fn drain(&mut self, mut hand_over: impl FnMut(&[DestinationIndex], Chunk)) {
        for (set, chunk) in self.full.drain(..) {
            hand_over(self.sets.members(set), chunk);
        }
        for set in self.filling.drain(..) {
            let Open { bytes, lines } = std::mem::take(&mut self.open[set.get()]);
            if lines > 0 {
                hand_over(self.sets.members(set), Chunk::new(self.pool.share(bytes), lines));
            }
        }
    }

    /// Whether nothing was gathered since the last `drain`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.full.is_empty() && self.filling.is_empty()
    }

    /// Counts a line that never became complete: too long, or cut off by a reset or by the idle timeout. `line` is how
    /// it begins, as far as that is known.
    pub fn refuse(&mut self, reason: Reason, line: &[u8]) {
        self.counts.refuse(reason);
        self.refusals.note(reason, line);
    }

    /// The set of these destinations, if it has chunks of its own.
    #[inline]
    pub(crate) fn set_of(&mut self, destinations: &[DestinationIndex]) -> Together {
        self.sets.find(destinations)
    }

    /// Adds whole lines with their LFs.
    #[inline]
    pub(crate) fn add(&mut self, set: SetId, bytes: &[u8], lines: u32) {
        let open = self.room(set, bytes.len());
        open.bytes.extend_from_slice(bytes);
        open.lines += lines;
    }

    /// Adds one line, joined from its fields.
    pub(crate) fn add_fields(&mut self, set: SetId, [name, value, timestamp]: [&[u8]; 3]) {
        let open = self.room(set, name.len() + value.len() + timestamp.len() + 3);
        open.bytes.extend_from_slice(name);
        open.bytes.push(b' ');
        open.bytes.extend_from_slice(value);
        open.bytes.push(b' ');
        open.bytes.extend_from_slice(timestamp);
        open.bytes.push(b'\n');
        open.lines += 1;
    }

    /// The unfinished chunk of `set`, with room for `bytes` more bytes.
    #[inline]
    fn room(&mut self, set: SetId, bytes: usize) -> &mut Open {
        let has_room = match self.open.get(set.get()) {
            Some(open) => open.bytes.capacity() - open.bytes.len() >= bytes,
            None => false,
        };
        if !has_room {
            self.make_room(set, bytes);
        }
        &mut self.open[set.get()]
    }

    #[cold]
    fn make_room(&mut self, set: SetId, bytes: usize) {
        if self.open.len() <= set.get() {
            self.open.resize_with(set.get() + 1, Open::default);
        }
        let open = &mut self.open[set.get()];
        let before = std::mem::take(open);
        if before.bytes.capacity() == 0 {
            self.filling.push(set);
            open.bytes =
                if bytes > SMALL_BYTES { self.pool.take(bytes) } else { Vec::with_capacity(SMALL_BYTES) };
        } else if before.bytes.len() + bytes <= CHUNK_BYTES && before.bytes.capacity() < CHUNK_BYTES {
            open.bytes = self.pool.take(CHUNK_BYTES);
            open.bytes.extend_from_slice(&before.bytes);
            open.lines = before.lines;
        } else {
            open.bytes = self.pool.take(bytes);
            if before.lines > 0 {
                self.full.push((set, Chunk::new(self.pool.share(before.bytes), before.lines)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destinations(of: &[u32]) -> Vec<DestinationIndex> {
        of.iter().copied().map(DestinationIndex).collect()
    }

    fn set(gathered: &mut Gathered, of: &[u32]) -> SetId {
        match gathered.set_of(&destinations(of)) {
            Together::As(set) => set,
            Together::No => panic!("{of:?} has no set"),
        }
    }

    /// The bytes that each destination gets, and the size of the largest chunk.
    fn drained(gathered: &mut Gathered, count: usize) -> (Vec<Vec<u8>>, usize) {
        let (mut got, mut largest) = (vec![Vec::new(); count], 0);
        gathered.drain(|to, chunk| {
            largest = largest.max(chunk.bytes().len());
            for destination in to {
                got[destination.get()].extend_from_slice(chunk.bytes());
            }
        });
        (got, largest)
    }

    #[test]
    fn each_destination_gets_its_lines() {
        let mut gathered = Gathered::new(3);
        let (one, both) = (set(&mut gathered, &[1]), set(&mut gathered, &[0, 2]));
        gathered.add(one, b"a 1 2\nb 1 2\n", 2);
        gathered.add_fields(both, [b"c", b"1", b"2"]);
        gathered.add(one, b"d 1 2\n", 1);
        assert!(!gathered.is_empty());
        let (got, _) = drained(&mut gathered, 3);
        assert_eq!(got, [&b"c 1 2\n"[..], b"a 1 2\nb 1 2\nd 1 2\n", b"c 1 2\n"]);
        assert!(gathered.is_empty());
        assert_eq!(drained(&mut gathered, 3).0, [b"", b"", b""]);
    }

    #[test]
    fn chunks_are_cut_between_lines() {
        let mut gathered = Gathered::new(1);
        let set = set(&mut gathered, &[0]);
        let mut want = Vec::new();
        for number in 0..20_000_u32 {
            let name = "n".repeat(number as usize % 97 + 1);
            let line = format!("{name} {number} 1\n");
            want.extend_from_slice(line.as_bytes());
            gathered.add(set, line.as_bytes(), 1);
        }
        let (got, largest) = drained(&mut gathered, 1);
        assert_eq!(got, [want]);
        assert!(largest <= CHUNK_BYTES && largest > CHUNK_BYTES / 2);
    }

    #[test]
    fn a_line_longer_than_a_chunk_is_one() {
        let mut gathered = Gathered::new(1);
        let set = set(&mut gathered, &[0]);
        let long = [vec![b'x'; 2 * CHUNK_BYTES], b"\n".to_vec()].concat();
        for line in [b"a\n", long.as_slice(), b"b\n"] {
            gathered.add(set, line, 1);
        }
        let (got, largest) = drained(&mut gathered, 1);
        assert_eq!(got, [[b"a\n", long.as_slice(), b"b\n"].concat()]);
        assert_eq!(largest, long.len());
    }
}
