//! Consistent hashing: which of a route's destinations get a metric (spec §10.2).
//!
//! A [`Ring`] is built once per change of its destinations and then only read. Every peer's placement is
//! reproduced exactly, because a line that goes to another server than before splits its series in two:
//! `hash` has the functions of names, `placement` what peers put on the ring and where, `points` the
//! search for the next point, `picks` the walk from there to the destinations, done ahead for every point.
//! `moves` counts what another ring would send elsewhere. [`md5`] hashes many names at a time, as MD5 is what most of the time of a hash route goes to.
//!
//! Whether a destination is up is not looked at: a ring that gives way moves series.

mod hash;
pub mod md5;
mod moves;
mod picks;
mod placement;
mod points;
#[cfg(test)]
mod tests;

use crate::table::{Destination, DestinationIndex, HashAlgorithm, HashRing};
use hash::NameHash;
pub use moves::Moves;
use picks::{Picks, Walk};
use placement::Node;
use points::Points;

/// How many names [`Ring::select_many`] hashes at a time.
pub const NAMES_AT_A_TIME: usize = md5::LANES_MAX;

/// The destinations of one hash route, placed.
#[derive(Clone, Debug)]
pub struct Ring {
    search: Search,
    picks: Picks,
}

/// How a name finds its entry in the list of picks.
#[derive(Clone, Debug)]
enum Search {
    /// The next point on a ring.
    Next { hash: NameHash, points: Points },
    /// The hash modulo the number of destinations.
    Modulo { hash: NameHash },
    /// Jump hash; further replicas come from further jumps among those that are left.
    Jump,
}

impl Ring {
    /// Places the destinations that `ring` names, out of the table's `destinations`. Ones that the table does
    /// not have are left out; a ring without any selects none (BUG-43).
    #[must_use]
    pub fn new(ring: &HashRing, destinations: &[Destination]) -> Self {
        let nodes = nodes(ring, destinations);
        let walk = Walk::new(ring, &nodes);
        let hash = NameHash::of(ring.algorithm);
        match ring.algorithm {
            HashAlgorithm::ConsistentHashingV1 | HashAlgorithm::CcrCarbonCh | HashAlgorithm::CcrFnv1aCh => {
                let entries = placement::overlapping(ring.algorithm, &nodes);
                let picks = Picks::around(&entries, 0, &walk);
                Self { search: Search::Next { hash, points: Points::new(hash.space(), &entries) }, picks }
            }
            HashAlgorithm::CarbonCh | HashAlgorithm::Fnv1aCh | HashAlgorithm::Mmh3Ch => {
                let mut circle = placement::Circle::new(ring.algorithm);
                for (at, node) in nodes.iter().enumerate() {
                    circle.add(at, node);
                }
                let entries = circle.entries();
                // Python carbon's walk ends before the entry ahead of its start.
                let picks = Picks::around(&entries, 1, &walk);
                Self { search: Search::Next { hash, points: Points::new(hash.space(), &entries) }, picks }
            }
            HashAlgorithm::FastCarbonCh | HashAlgorithm::FastFnv1aCh | HashAlgorithm::FastMmh3Ch => {
                let entries = placement::by_hash(ring.algorithm, &nodes);
                Self { search: Search::Modulo { hash }, picks: Picks::around(&entries, 0, &walk) }
            }
            HashAlgorithm::CcrAnyOf => {
                let entries = placement::as_configured(&nodes);
                Self { search: Search::Modulo { hash }, picks: Picks::around(&entries, 0, &walk) }
            }
            HashAlgorithm::JumpFnv1aCh => {
                let entries = placement::by_instance(&nodes);
                Self { search: Search::Jump, picks: Picks::in_order(&entries, &walk) }
            }
        }
    }

    /// Appends the destinations of `name` to `out`, nearest first, each at most once.
    pub fn select(&self, name: &[u8], out: &mut Vec<DestinationIndex>) {
        if self.picks.is_empty() {
            return;
        }
        match &self.search {
            Search::Next { hash, points } => out.extend(self.picks.at(points.next(hash.position(name)))),
            Search::Modulo { hash } => out.extend(self.picks.at(self.modulo(hash.position(name)))),
            Search::Jump => self.picks.jump(hash::fnv1a_64_signed(name), out),
        }
    }

    /// Calls `each` with the number of every one of `names` and its destinations, in order. Hashes
    /// [`NAMES_AT_A_TIME`] names at a time; faster than as many calls of [`select`](Self::select) where the
    /// hash is MD5.
    pub fn select_many(&self, names: &[&[u8]], mut each: impl FnMut(usize, &[DestinationIndex])) {
        if self.picks.is_empty() {
            (0..names.len()).for_each(|at| each(at, &[]));
            return;
        }
        match &self.search {
            Search::Next { hash, points } => for_each_position(*hash, names, |at, position| {
                each(at, self.picks.at(points.next(position)));
            }),
            Search::Modulo { hash } => for_each_position(*hash, names, |at, position| {
                each(at, self.picks.at(self.modulo(position)));
            }),
            Search::Jump => {
                let mut out = Vec::with_capacity(self.picks.replicas());
                for (at, name) in names.iter().enumerate() {
                    out.clear();
                    self.picks.jump(hash::fnv1a_64_signed(name), &mut out);
                    each(at, &out);
                }
            }
        }
    }

    /// The entry of `position` modulo the number of entries. Callers have seen that there are some.
    fn modulo(&self, position: i64) -> usize {
        let entries = i64::try_from(self.picks.len()).unwrap_or(i64::MAX);
        usize::try_from(position.rem_euclid(entries)).unwrap_or(0)
    }
}

/// Calls `each` with the number and the position of every name.
fn for_each_position(hash: NameHash, names: &[&[u8]], mut each: impl FnMut(usize, i64)) {
    if hash != NameHash::Md5 {
        for (at, name) in names.iter().enumerate() {
            each(at, hash.position(name));
        }
        return;
    }
    let mut positions = [0; NAMES_AT_A_TIME];
    for (chunk_at, chunk) in names.chunks(NAMES_AT_A_TIME).enumerate() {
        md5::positions(chunk, &mut positions);
        for (at, position) in positions[..chunk.len()].iter().enumerate() {
            each(chunk_at * NAMES_AT_A_TIME + at, i64::from(*position));
        }
    }
}

/// The positions that `destination` wants on a ring of this kind, ascending: where it stands unless another one was
/// there first. Two that want the same ones share them: the later one gets next to nothing. None for the kinds that
/// place nothing, but count their destinations.
#[must_use]
pub fn wanted_positions(algorithm: HashAlgorithm, destination: &Destination) -> Vec<i64> {
    let mut positions = match algorithm {
        HashAlgorithm::ConsistentHashingV1
        | HashAlgorithm::CarbonCh
        | HashAlgorithm::Fnv1aCh
        | HashAlgorithm::Mmh3Ch
        | HashAlgorithm::CcrCarbonCh
        | HashAlgorithm::CcrFnv1aCh => {
            placement::wanted(algorithm, &Node::new(DestinationIndex::new(0), destination))
        }
        HashAlgorithm::JumpFnv1aCh
        | HashAlgorithm::FastCarbonCh
        | HashAlgorithm::FastFnv1aCh
        | HashAlgorithm::FastMmh3Ch
        | HashAlgorithm::CcrAnyOf => Vec::new(),
    };
    positions.sort_unstable();
    positions
}

fn nodes<'a>(ring: &HashRing, destinations: &'a [Destination]) -> Vec<Node<'a>> {
    let node = |&index: &DestinationIndex| Some(Node::new(index, destinations.get(index.get())?));
    ring.destinations.iter().filter_map(node).collect()
}
