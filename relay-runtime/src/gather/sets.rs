//! The sets of destinations that lines went to, so that lines with the same set share a chunk.
//!
//! A single destination is a set from the start. Others get a number when they first occur, at most
//! [`INTERNED_MAX`] of them: a hash route with many replicas could make very many. A set beyond that, or one
//! that names a destination twice, has no chunks of its own. Numbers are never given up, so a set either
//! always has chunks of its own or never, and no series changes between the two.

use crate::table::DestinationIndex;
use std::collections::HashMap;

/// How many sets of several destinations there may be.
const INTERNED_MAX: usize = 1024;

/// How many sets are found without asking the map.
const RECENT: usize = 256;

/// One set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SetId(u32);

impl SetId {
    /// The set of a single destination.
    #[inline]
    pub(crate) const fn single(destination: DestinationIndex) -> Self {
        Self(destination.0)
    }

    #[inline]
    pub(super) const fn get(self) -> usize {
        self.0 as usize
    }
}

/// Whether a line's copies can travel in one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Together {
    /// They can.
    As(SetId),
    /// The line has to be copied for each destination.
    No,
}

/// All sets that one worker met.
#[derive(Debug)]
pub(super) struct Sets {
    /// Every destination, in order: the members of the single sets.
    singles: Vec<DestinationIndex>,
    members: Vec<Box<[DestinationIndex]>>,
    numbers: HashMap<Box<[DestinationIndex]>, SetId>,
    /// A set met lately, at the place that its members hash to.
    recent: Box<[Option<SetId>]>,
}

impl Sets {
    pub(super) fn new(destinations: usize) -> Self {
        Self {
            singles: (0..destinations).map(DestinationIndex::new).collect(),
            members: Vec::new(),
            numbers: HashMap::new(),
            recent: vec![None; RECENT].into_boxed_slice(),
        }
    }

    pub(super) fn members(&self, set: SetId) -> &[DestinationIndex] {
        match set.get().checked_sub(self.singles.len()) {
            None => &self.singles[set.get()..=set.get()],
            Some(at) => &self.members[at],
        }
    }

    #[inline]
    pub(super) fn find(&mut self, destinations: &[DestinationIndex]) -> Together {
        if let [single] = destinations {
            return Together::As(SetId::single(*single));
        }
        let place = place(destinations);
        match self.recent[place] {
            Some(set) if self.members(set) == destinations => Together::As(set),
            _ => self.find_or_add(destinations, place),
        }
    }

    fn find_or_add(&mut self, destinations: &[DestinationIndex], place: usize) -> Together {
        let set = match self.numbers.get(destinations) {
            Some(set) => *set,
            None if self.members.len() >= INTERNED_MAX || has_duplicate(destinations) => return Together::No,
            None => {
                let set = SetId(DestinationIndex::new(self.singles.len() + self.members.len()).0);
                self.members.push(destinations.into());
                self.numbers.insert(destinations.into(), set);
                set
            }
        };
        self.recent[place] = Some(set);
        Together::As(set)
    }
}

/// Mixes the members; any spread will do, as a miss only costs a look into the map.
fn place(destinations: &[DestinationIndex]) -> usize {
    let mix = |hash: u32, destination: &DestinationIndex| {
        (hash.rotate_left(5) ^ destination.0).wrapping_mul(0x9e37_79b9)
    };
    destinations.iter().fold(0, mix) as usize >> 8 & (RECENT - 1)
}

fn has_duplicate(destinations: &[DestinationIndex]) -> bool {
    (1..destinations.len()).any(|at| destinations[..at].contains(&destinations[at]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn destinations(of: impl IntoIterator<Item = usize>) -> Vec<DestinationIndex> {
        of.into_iter().map(DestinationIndex::new).collect()
    }

    #[test]
    fn a_set_keeps_its_number() {
        let mut sets = Sets::new(1000);
        let pairs: Vec<_> = (0..999).map(|at| destinations([at, at + 1])).collect();
        let first: Vec<_> = pairs.iter().map(|pair| sets.find(pair)).collect();
        let second: Vec<_> = pairs.iter().map(|pair| sets.find(pair)).collect();
        assert_eq!(first, second);
        for (pair, found) in pairs.iter().zip(first) {
            let Together::As(set) = found else { panic!("{pair:?}") };
            assert_eq!(sets.members(set), pair.as_slice());
        }
    }

    #[test]
    fn what_cannot_travel_together_never_does() {
        let mut sets = Sets::new(5000);
        assert_eq!(sets.find(&destinations([3, 3])), Together::No);
        for at in 0..INTERNED_MAX {
            assert_ne!(sets.find(&destinations([at, at + 1])), Together::No);
        }
        assert_eq!(sets.find(&destinations([4000, 4001])), Together::No);
        assert_eq!(sets.find(&destinations([4000])), Together::As(SetId(4000)));
        assert_ne!(sets.find(&destinations([0, 1])), Together::No);
    }
}
