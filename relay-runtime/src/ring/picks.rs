//! The destinations to which a search leads, computed in advance for every entry of a ring.
//!
//! A line then costs one search and one slice, however many replicas its route has.

use super::{
    hash,
    placement::{Entry, Node},
};
use crate::table::{DestinationIndex, HashRing};
use smallvec::SmallVec;

/// Which of the nodes on a walk are chosen.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    replicas: usize,
    diverse: bool,
    /// Each node's destination and the number of its host.
    nodes: Vec<(DestinationIndex, usize)>,
}

/// The destinations for each entry.
#[derive(Clone, Debug)]
pub(super) struct Picks {
    walk: Walk,
    /// How many places each entry has in `lists`.
    stride: usize,
    lists: Vec<DestinationIndex>,
    /// How many places of each entry are used. With diversity, and at the end of the walk of Python's carbon,
    /// there can be fewer destinations than replicas.
    lengths: Vec<u32>,
}

impl Walk {
    pub(super) fn new(ring: &HashRing, nodes: &[Node<'_>]) -> Self {
        let host_number =
            |node: &Node<'_>| nodes.iter().position(|other| other.host == node.host).unwrap_or(0);
        Self {
            replicas: usize::try_from(ring.replicas).unwrap_or(usize::MAX).clamp(1, nodes.len().max(1)),
            diverse: ring.diverse,
            nodes: nodes.iter().map(|node| (node.destination, host_number(node))).collect(),
        }
    }

    /// Appends the destinations of the nodes of `walk`, in order, until there are enough.
    fn take(&self, walk: impl Iterator<Item = usize>, out: &mut Vec<DestinationIndex>) {
        let start = out.len();
        // The hosts of the chosen nodes, for diversity; destinations do not tell the hosts.
        let mut hosts = Vec::new();
        for node in walk {
            let Some(&(destination, host)) = self.nodes.get(node) else { continue };
            if out[start..].contains(&destination) || (self.diverse && hosts.contains(&host)) {
                continue;
            }
            out.push(destination);
            if out.len() - start == self.replicas {
                return;
            }
            if self.diverse {
                hosts.push(host);
            }
        }
    }
}

impl Picks {
    /// The walk around the ring from every entry. It ends `unseen` entries before its start, but has at least
    /// one entry.
    pub(super) fn around(entries: &[Entry], unseen: usize, walk: &Walk) -> Self {
        let seen = entries.len().saturating_sub(unseen).max(1);
        let list = |start: usize, out: &mut Vec<DestinationIndex>| {
            let around = entries[start..].iter().chain(entries).take(seen);
            walk.take(around.map(|entry| entry.node), out);
        };
        Self::collect(entries.len(), walk.clone(), list)
    }

    /// One entry each, for [`jump`](Self::jump).
    pub(super) fn in_order(entries: &[Entry], walk: &Walk) -> Self {
        // Nodes are renumbered in the order of entries, because jumps lead to these numbers.
        let nodes = entries.iter().map(|entry| walk.nodes[entry.node]).collect();
        let one = Walk { replicas: 1, diverse: false, nodes };
        let mut picks = Self::collect(entries.len(), one, |at, out| out.push(walk.nodes[entries[at].node].0));
        picks.walk.replicas = walk.replicas;
        picks.walk.diverse = walk.diverse;
        picks
    }

    fn collect(entries: usize, walk: Walk, list: impl Fn(usize, &mut Vec<DestinationIndex>)) -> Self {
        let stride = walk.replicas;
        let mut picks = Self { walk, stride, lists: Vec::new(), lengths: Vec::new() };
        let mut one = Vec::new();
        for at in 0..entries {
            one.clear();
            list(at, &mut one);
            picks.lengths.push(u32::try_from(one.len()).unwrap_or(0));
            one.resize(stride, DestinationIndex(0));
            picks.lists.extend_from_slice(&one);
        }
        picks
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.lengths.len()
    }

    pub(super) const fn replicas(&self) -> usize {
        self.walk.replicas
    }

    /// The number of nodes.
    pub(super) const fn nodes(&self) -> usize {
        self.walk.nodes.len()
    }

    /// The destinations of entry `at`.
    #[inline]
    pub(super) fn at(&self, at: usize) -> &[DestinationIndex] {
        if self.stride == 1 {
            return self.lists.get(at..=at).unwrap_or(&[]);
        }
        let length = self.lengths.get(at).map_or(0, |&length| length as usize);
        self.lists.get(at * self.stride..at * self.stride + length).unwrap_or(&[])
    }

    /// carbon-c-relay's jump hash with several replicas: each is a jump among the remaining nodes, and the last
    /// node takes the place of the chosen one.
    pub(super) fn jump(&self, mut hash: u64, out: &mut Vec<DestinationIndex>) {
        let mut left = Left::all(self.len());
        let jumps = std::iter::from_fn(|| {
            let at = hash::jump(hash, left.len);
            hash = hash::xorshift(hash);
            (at < left.len).then(|| left.take(at))
        });
        self.walk.take(jumps, out);
    }
}

/// The numbers from 0 up to a count of which some were taken, as a list in which the last number takes the
/// place of a taken one. Only numbers that are not in their original place are stored: a few, whatever the
/// count.
struct Left {
    len: usize,
    moved: SmallVec<[(usize, usize); REPLICAS_USUAL]>,
}

/// Up to this number of replicas no memory is allocated.
const REPLICAS_USUAL: usize = 8;

impl Left {
    fn all(len: usize) -> Self {
        Self { len, moved: SmallVec::new() }
    }

    fn get(&self, at: usize) -> usize {
        self.moved.iter().find(|(place, _)| *place == at).map_or(at, |(_, number)| *number)
    }

    /// Takes the number at `at`, which must be below `len`.
    fn take(&mut self, at: usize) -> usize {
        let (taken, last) = (self.get(at), self.get(self.len - 1));
        self.len -= 1;
        match self.moved.iter_mut().find(|(place, _)| *place == at) {
            Some((_, number)) => *number = last,
            None => self.moved.push((at, last)),
        }
        taken
    }
}
