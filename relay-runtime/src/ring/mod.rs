//! Consistent hashing: chooses the destinations of a hash route that get a metric.
//!
//! A [`Ring`] is built when its destinations change, and otherwise only read. Every peer's placement is
//! reproduced exactly, because a line that goes to another server than before splits its series in two. `hash`
//! has the hash functions of names; `placement` what peers put on the ring and where; `points` the search for
//! the next point; `picks` the walk from there to the destinations, computed in advance for every point.
//! `rings` has all rings of a table and the hashes of many names, each computed once for all rings. [`md5`]
//! hashes many names at a time, because MD5 is most of the cost of a hash route. `moves` counts what another
//! ring would send elsewhere.
//!
//! A ring does not consider whether a destination is up: a ring that evades a failed destination would move
//! series.

mod hash;
pub mod md5;
mod moves;
mod picks;
mod placement;
mod points;
mod rings;
#[cfg(test)]
mod tests;

use crate::table::{Destination, DestinationIndex, HashAlgorithm, HashRing};
use hash::{HashFunction, NameHash};
pub use moves::Moves;
use picks::{Picks, Walk};
use placement::Node;
use points::Points;
pub use rings::{Choice, Hashes, RingIndex, Rings};

/// How many names are hashed at a time.
pub const NAMES_AT_A_TIME: usize = md5::LANES_MAX;

/// The destinations of one hash route, placed on the ring.
#[derive(Clone, Debug)]
pub struct Ring {
    search: Search,
    picks: Picks,
}

/// How a name finds its entry in the list of picks. Rings with equal searches share the result of one search.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Search {
    /// The next point on a ring.
    Next { hash: NameHash, points: Points },
    /// The hash modulo the number of destinations.
    Modulo { hash: NameHash, entries: usize },
    /// Jump hash.
    Jump { entries: usize },
    /// Jump hash with several replicas, which come from further jumps among the remaining destinations.
    Jumps,
}

impl Ring {
    /// Places the destinations of `ring`, which are indices into the table's `destinations`. Destinations that
    /// the table does not have are left out; a ring without destinations selects none (BUG-43).
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
                // The walk of Python's carbon ends before the entry ahead of its start.
                let picks = Picks::around(&entries, 1, &walk);
                Self { search: Search::Next { hash, points: Points::new(hash.space(), &entries) }, picks }
            }
            HashAlgorithm::FastCarbonCh | HashAlgorithm::FastFnv1aCh | HashAlgorithm::FastMmh3Ch => {
                let entries = placement::by_hash(ring.algorithm, &nodes);
                let search = Search::Modulo { hash, entries: entries.len() };
                Self { search, picks: Picks::around(&entries, 0, &walk) }
            }
            HashAlgorithm::CcrAnyOf => {
                let entries = placement::as_configured(&nodes);
                let search = Search::Modulo { hash, entries: entries.len() };
                Self { search, picks: Picks::around(&entries, 0, &walk) }
            }
            HashAlgorithm::JumpFnv1aCh => {
                let entries = placement::by_instance(&nodes);
                let picks = Picks::in_order(&entries, &walk);
                let search = match picks.replicas() {
                    1 => Search::Jump { entries: entries.len() },
                    _ => Search::Jumps,
                };
                Self { search, picks }
            }
        }
    }

    /// Appends the destinations of `name` to `out`, nearest first, each at most once.
    pub fn select(&self, name: &[u8], out: &mut Vec<DestinationIndex>) {
        let hash = self.function().of(name);
        match self.search.entry(hash) {
            Some(entry) => out.extend_from_slice(self.picks.at(entry)),
            None => self.picks.jump(hash, out),
        }
    }

    /// The function that hashes names for this ring.
    const fn function(&self) -> HashFunction {
        match &self.search {
            Search::Next { hash, .. } | Search::Modulo { hash, .. } => hash.function(),
            Search::Jump { .. } | Search::Jumps => HashFunction::Fnv1a64Signed,
        }
    }

    /// An upper bound, close to exact, of the number of different choices.
    fn choices(&self) -> usize {
        let replicas = u32::try_from(self.picks.replicas()).unwrap_or(u32::MAX);
        self.picks.nodes().saturating_pow(replicas)
    }
}

impl Search {
    /// The entry that a hash leads to; without entries, an index out of range. `None` if it leads to several.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "once per line and route")]
    fn entry(&self, hash: u64) -> Option<usize> {
        match self {
            Self::Next { hash: kind, points } => Some(points.next(kind.position_of(hash))),
            Self::Modulo { hash: kind, entries } => Some(modulo(kind.position_of(hash), *entries)),
            Self::Jump { entries } => Some(hash::jump(hash, *entries)),
            Self::Jumps => None,
        }
    }
}

/// The entry for `position` modulo the number of entries.
fn modulo(position: i64, entries: usize) -> usize {
    let entries = i64::try_from(entries).unwrap_or(i64::MAX).max(1);
    usize::try_from(position.rem_euclid(entries)).unwrap_or(0)
}

/// The positions that `destination` wants on a ring of this kind, ascending: it gets each of them unless
/// another one has it already. If two destinations want the same positions, the later one gets almost nothing.
/// Empty for algorithms that place nothing and only count their destinations.
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
