//! The sets of destinations that lines went to, so that lines with the same set share a chunk.
//!
//! A single destination is a set from the start. Other sets get a number when they first occur, at most
//! [`INTERNED_MAX`] of them, because a hash route with many replicas can produce very many. A set beyond this
//! limit, or one that contains a destination twice, has no chunks of its own. Numbers are never given up, so a
//! set has chunks of its own either always or never, and no series changes between the two.

use crate::table::DestinationIndex;

/// The most sets of several destinations that get a number.
const INTERNED_MAX: usize = 1024;

/// The size of the hash table of sets. At most half of the slots are in use, so every search ends soon.
const SLOTS: usize = 2 * INTERNED_MAX;

/// The number of a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SetId(u32);

impl SetId {
    /// The set that contains only this destination.
    #[inline]
    pub(crate) const fn single(destination: DestinationIndex) -> Self {
        Self(destination.0)
    }

    #[inline]
    pub(super) const fn get(self) -> usize {
        self.0 as usize
    }
}

/// Whether the copies of a line can share one chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Together {
    /// They share the chunk of this set.
    As(SetId),
    /// The line must be copied for each destination.
    No,
}

/// All sets that one worker has used.
#[derive(Debug)]
pub(super) struct Sets {
    /// Every destination, in order: the members of the sets of one destination.
    singles: Vec<DestinationIndex>,
    members: Vec<Box<[DestinationIndex]>>,
    /// A hash table with open addressing: a slot is the index in `members` plus one, or 0 if it is free.
    slots: Box<[u16; SLOTS]>,
}

impl Sets {
    pub(super) fn new(destinations: usize) -> Self {
        Self {
            singles: (0..destinations).map(DestinationIndex::new).collect(),
            members: Vec::new(),
            slots: Box::new([0; SLOTS]),
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
        let mut slot = slot(destinations);
        while let Some(at) = usize::from(self.slots[slot]).checked_sub(1) {
            if *self.members[at] == *destinations {
                return Together::As(self.set_at(at));
            }
            slot = (slot + 1) % SLOTS;
        }
        self.add(destinations, slot)
    }

    /// Gives a set that was not found a number and this slot.
    #[inline(never)]
    fn add(&mut self, destinations: &[DestinationIndex], slot: usize) -> Together {
        if self.members.len() >= INTERNED_MAX || has_duplicate(destinations) {
            return Together::No;
        }
        let at = self.members.len();
        self.members.push(destinations.into());
        self.slots[slot] = u16::try_from(at + 1).unwrap_or(0);
        Together::As(self.set_at(at))
    }

    fn set_at(&self, at: usize) -> SetId {
        SetId(DestinationIndex::new(self.singles.len() + at).0)
    }
}

/// The slot at which the search for a set starts; every well-distributed hash would do.
fn slot(destinations: &[DestinationIndex]) -> usize {
    let mix = |hash: u32, destination: &DestinationIndex| {
        (hash.rotate_left(5) ^ destination.0).wrapping_mul(0x9e37_79b9)
    };
    destinations.iter().fold(0, mix) as usize >> 8 & (SLOTS - 1)
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
