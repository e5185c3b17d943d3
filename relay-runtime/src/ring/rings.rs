//! All rings of a table, equal ones once, and the hashes of names for them.
//!
//! Hashing names is most of the cost of a hash route, and no two routes need the same hash computed twice:
//! [`Hashes`] are computed for many names at a time, once for each function that one of their rings uses, and
//! every ring derives its positions from them.

use super::{HashFunction, NAMES_AT_A_TIME, Ring, Search};
use crate::table::{Destination, DestinationIndex, HashRing};
use std::collections::{HashMap, hash_map::Entry};

/// The number of a ring. Routes with equal rings have the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingIndex(u32);

/// The rings of a table.
#[derive(Debug)]
pub struct Rings {
    rings: Vec<Used>,
    /// The hash functions that any of them uses.
    functions: Vec<HashFunction>,
}

#[derive(Debug)]
struct Used {
    ring: Ring,
    function: HashFunction,
    /// An upper bound, close to exact, of the number of different choices.
    choices: usize,
    /// The first ring with an equal search, if there are several.
    alike: Option<RingIndex>,
}

/// The hashes of at most [`NAMES_AT_A_TIME`] names, and what was found for the current one.
#[derive(Clone, Debug, Default)]
pub struct Hashes {
    by_function: [[u64; NAMES_AT_A_TIME]; HashFunction::COUNT],
    /// The entries that were found, each with the first ring that has this search.
    found: Vec<(RingIndex, usize)>,
    /// What further jumps chose.
    jumped: Vec<DestinationIndex>,
}

/// What a ring chooses for a name.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// Nearest first, each at most once.
    pub destinations: &'a [DestinationIndex],
    /// An upper bound, close to exact, of the number of different choices, given what other rings chose for the
    /// same name.
    pub of: usize,
}

impl Rings {
    /// Makes rings ready. Returns them, and the number of each of `rings`.
    #[must_use]
    pub fn new<'r>(
        rings: impl Iterator<Item = &'r HashRing>,
        destinations: &[Destination],
    ) -> (Self, Vec<RingIndex>) {
        let mut all = Self { rings: Vec::new(), functions: Vec::new() };
        let mut known = HashMap::new();
        let mut add = |ring: &'r HashRing| match known.entry(ring) {
            Entry::Occupied(index) => {
                let index: RingIndex = *index.get();
                // Its search is equal to its own.
                all.rings[index.get()].alike.get_or_insert(index);
                index
            }
            Entry::Vacant(place) => *place.insert(all.add(Ring::new(ring, destinations))),
        };
        let indices = rings.map(&mut add).collect();
        (all, indices)
    }

    fn add(&mut self, ring: Ring) -> RingIndex {
        if !self.functions.contains(&ring.function()) {
            self.functions.push(ring.function());
        }
        let is_alike = |other: &Used| other.ring.search == ring.search && ring.search != Search::Jumps;
        let alike = self.rings.iter().position(is_alike).map(RingIndex::new);
        if let Some(first) = alike {
            self.rings[first.get()].alike = alike;
        }
        self.rings.push(Used { function: ring.function(), choices: ring.choices(), ring, alike });
        RingIndex::new(self.rings.len() - 1)
    }

    fn get(&self, ring: RingIndex) -> &Used {
        &self.rings[ring.get()]
    }

    /// Appends what a ring chooses for a name.
    pub fn select(&self, ring: RingIndex, name: &[u8], out: &mut Vec<DestinationIndex>) {
        self.get(ring).ring.select(name, out);
    }

    /// Hashes at most [`NAMES_AT_A_TIME`] names; `rings_of` returns the rings of the name with a given number.
    pub fn hash<I: Iterator<Item = RingIndex>>(
        &self,
        names: &[&[u8]],
        rings_of: impl Fn(usize) -> I,
        hashes: &mut Hashes,
    ) {
        if let [function] = self.functions.as_slice() {
            // The usual case: every name that is hashed uses this function.
            function.of_each(names, &mut hashes.by_function[*function as usize]);
            return;
        }
        for &function in &self.functions {
            let (mut asked, mut places, mut count) = ([&[][..]; NAMES_AT_A_TIME], [0; NAMES_AT_A_TIME], 0);
            for (at, name) in names.iter().enumerate() {
                if rings_of(at).any(|ring| self.get(ring).function == function) {
                    (asked[count], places[count]) = (name, at);
                    count += 1;
                }
            }
            let mut found = [0; NAMES_AT_A_TIME];
            function.of_each(&asked[..count], &mut found);
            for (place, hash) in places[..count].iter().zip(found) {
                hashes.by_function[function as usize][*place] = hash;
            }
        }
    }

    /// What a ring chooses for name number `at`, which must have been hashed for it. Between two names,
    /// `hashes` must [forget](Hashes::forget).
    #[inline]
    pub fn choose<'a>(&'a self, index: RingIndex, at: usize, hashes: &'a mut Hashes) -> Choice<'a> {
        let Used { ring, function, choices, alike } = self.get(index);
        let hash = hashes.by_function[*function as usize][at];
        if let Some(alike) = alike
            && let Some((_, entry)) = hashes.found.iter().find(|(known, _)| known == alike)
        {
            return Choice { destinations: ring.picks.at(*entry), of: 1 };
        }
        let Some(entry) = ring.search.entry(hash) else {
            hashes.jumped.clear();
            ring.picks.jump(hash, &mut hashes.jumped);
            return Choice { destinations: &hashes.jumped, of: *choices };
        };
        if let Some(alike) = alike {
            hashes.found.push((*alike, entry));
        }
        Choice { destinations: ring.picks.at(entry), of: *choices }
    }
}

impl Hashes {
    /// Must be called before the choices for another name.
    #[inline]
    pub fn forget(&mut self) {
        self.found.clear();
    }
}

impl RingIndex {
    fn new(at: usize) -> Self {
        Self(DestinationIndex::new(at).0)
    }

    const fn get(self) -> usize {
        self.0 as usize
    }
}
