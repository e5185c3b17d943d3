//! What moves if one ring replaces another, counted over all positions that the hash of a name can have.
//!
//! Between two neighbouring points of both rings nothing changes, so ranges are counted and not single
//! positions. Rings with different hashes, and jump hashes with several replicas, have no common positions, so
//! they are not compared here.

use super::{NameHash, Ring, Search, hash::Space, modulo};
use crate::table::DestinationIndex;
use std::collections::BTreeMap;

/// If there are more different remainders than this, they are not counted one by one.
const REMAINDERS_MAX: i64 = 4_000_000;

/// Where positions go before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moves {
    /// The number of all positions.
    pub positions: u64,
    /// The number of positions for each pair of choices, before and after. Each choice is in the indices of its
    /// own table.
    pub shares: BTreeMap<(Vec<DestinationIndex>, Vec<DestinationIndex>), u64>,
}

impl Moves {
    /// The exact changes from `old` to `new`; `None` if positions cannot be compared.
    #[must_use]
    pub fn between(old: &Ring, new: &Ring) -> Option<Self> {
        if old.picks.is_empty() || new.picks.is_empty() {
            return None;
        }
        let mut moves = Self::default();
        match (&old.search, &new.search) {
            (Search::Next { hash, points }, Search::Next { hash: other, points: others })
                if hash == other =>
            {
                let (low, high) = hash.range();
                let mut ends: Vec<i64> = points.positions().chain(others.positions()).collect();
                ends.push(high);
                ends.sort_unstable();
                ends.dedup();
                let mut start = low;
                for end in ends.into_iter().filter(|end| (low..=high).contains(end)) {
                    let count = u64::try_from(end - start + 1).unwrap_or(0);
                    moves.add(old.picks.at(points.next(end)), new.picks.at(others.next(end)), count);
                    start = end + 1;
                }
            }
            (&Search::Modulo { hash, entries: few }, &Search::Modulo { hash: other, entries: many })
                if hash == other =>
            {
                let (low, high) = hash.range();
                let count = |entries| i64::try_from(entries).unwrap_or(i64::MAX);
                let period = least_common_multiple(count(few), count(many)).min(high - low + 1);
                if period > REMAINDERS_MAX {
                    return None;
                }
                for first in low..low + period {
                    let positions = u64::try_from((high - first) / period + 1).unwrap_or(0);
                    moves.add(old.picks.at(modulo(first, few)), new.picks.at(modulo(first, many)), positions);
                }
            }
            (Search::Jump { .. }, Search::Jump { .. }) => moves.jumps(old, new),
            _ => return None,
        }
        Some(moves)
    }

    /// A jump among `m` destinations ends where the jump among `n < m` did, or on one of the places from `n`
    /// on, with the same probability for each of them. Counted in units of 1/(n·m).
    fn jumps(&mut self, old: &Ring, new: &Ring) {
        let (few, many) = (old.picks.len().min(new.picks.len()), old.picks.len().max(new.picks.len()));
        let is_growing = old.picks.len() <= new.picks.len();
        for at in 0..few {
            self.add(old.picks.at(at), new.picks.at(at), few as u64);
            for far in few..many {
                let (before, after) = if is_growing { (at, far) } else { (far, at) };
                self.add(old.picks.at(before), new.picks.at(after), 1);
            }
        }
    }

    fn add(&mut self, from: &[DestinationIndex], to: &[DestinationIndex], positions: u64) {
        self.positions += positions;
        *self.shares.entry((from.to_vec(), to.to_vec())).or_default() += positions;
    }
}

impl NameHash {
    /// The lowest and the highest position.
    const fn range(self) -> (i64, i64) {
        match (self, self.space()) {
            (Self::Fnv1aSigned, _) => (0, u32::MAX as i64),
            (_, Space::Bits16) => (0, u16::MAX as i64),
            (_, Space::Signed32) => (i32::MIN as i64, i32::MAX as i64),
        }
    }
}

fn least_common_multiple(a: i64, b: i64) -> i64 {
    let (mut high, mut low) = (a, b);
    while low != 0 {
        (high, low) = (low, high % low);
    }
    (a / high.max(1)).saturating_mul(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Destination, HashAlgorithm, HashRing};

    fn ring(algorithm: HashAlgorithm, count: u32) -> (Ring, Vec<Destination>) {
        let destination = |at| Destination {
            instance: Some(format!("i{at}")),
            ..Destination::new(format!("10.0.0.{at}:2003"))
        };
        let destinations: Vec<_> = (0..count).map(destination).collect();
        let indices = (0..count).map(DestinationIndex).collect();
        let ring = HashRing { algorithm, replicas: 1, diverse: false, destinations: indices };
        (Ring::new(&ring, &destinations), destinations)
    }

    /// The share of names that move, by trying many.
    fn tried(old: &Ring, new: &Ring) -> f64 {
        let (mut before, mut after, mut moved) = (Vec::new(), Vec::new(), 0_u32);
        for at in 0..40_000 {
            let name = format!("servers.web{at}.cpu.{}", at % 17);
            before.clear();
            after.clear();
            old.select(name.as_bytes(), &mut before);
            new.select(name.as_bytes(), &mut after);
            moved += u32::from(before != after);
        }
        f64::from(moved) / 40_000.0
    }

    #[test]
    fn the_exact_share_is_what_many_names_show() {
        for algorithm in HashAlgorithm::ALL {
            for (few, many) in [(2, 3), (5, 8), (8, 5), (4, 4)] {
                let ((old, _), (new, _)) = (ring(algorithm, few), ring(algorithm, many));
                let moves = Moves::between(&old, &new).expect("positions in common");
                assert_eq!(moves.positions, moves.shares.values().sum::<u64>());
                let moved: u64 =
                    moves.shares.iter().filter(|((from, to), _)| from != to).map(|(_, count)| count).sum();
                #[expect(clippy::cast_precision_loss, reason = "a share")]
                let exact = moved as f64 / moves.positions as f64;
                let tried = tried(&old, &new);
                assert!((exact - tried).abs() < 0.02, "{algorithm:?} {few} to {many}: {exact} {tried}");
            }
        }
    }

    #[test]
    fn rings_of_different_hashes_cannot_be_compared() {
        let ((old, _), (new, _)) = (ring(HashAlgorithm::CarbonCh, 3), ring(HashAlgorithm::Fnv1aCh, 3));
        assert_eq!(Moves::between(&old, &new), None);
        assert_eq!(Moves::between(&old, &ring(HashAlgorithm::CarbonCh, 0).0), None);
    }
}
