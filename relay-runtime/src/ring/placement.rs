//! What each peer puts on its ring, and where.
//!
//! A *node* is a destination, identified by its number in the configured order of the ring; an *entry* is a
//! node at a position. Every function returns entries in the order in which they are searched.

use super::hash::NameHash;
use crate::table::{Destination, DestinationIndex, HashAlgorithm};
use std::{cmp::Ordering, collections::BTreeMap, fmt::Write as _};

/// Entries per node; the same number in all peers.
const ENTRIES_PER_NODE: usize = 100;

/// What rings use of a destination.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'a> {
    pub(super) destination: DestinationIndex,
    pub(super) host: &'a str,
    pub(super) port: &'a str,
    pub(super) instance: Option<&'a str>,
}

/// A node at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) position: i64,
    pub(super) node: usize,
}

impl<'a> Node<'a> {
    pub(super) fn new(index: DestinationIndex, destination: &'a Destination) -> Self {
        Self {
            destination: index,
            host: destination.host(),
            port: port(&destination.address.0),
            instance: destination.instance.as_deref(),
        }
    }
}

/// carbon-c-relay's port if none is written.
const DEFAULT_PORT: &str = "2003";

fn port(address: &str) -> &str {
    let after_host = address.rsplit_once(']').map_or(address, |(_, rest)| rest);
    after_host.rsplit_once(':').map_or(DEFAULT_PORT, |(_, port)| port)
}

/// Rings on which entries of equal position all stay, so that the first of them is found: carbon-relay-ng's
/// first kind and carbon-c-relay's two. Returns only the entries that can be found.
pub(super) fn overlapping(algorithm: HashAlgorithm, nodes: &[Node<'_>]) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(nodes.len() * ENTRIES_PER_NODE);
    let mut text = String::new();
    for (at, node) in nodes.iter().enumerate() {
        for replica in 0..ENTRIES_PER_NODE {
            write_entry_text(algorithm, node, replica, &mut text);
            let position = NameHash::of(algorithm).position(text.as_bytes());
            entries.push(Entry { position, node: at });
        }
    }
    // Remaining ties keep the configured order, because the sort is stable (BUG-41).
    entries.sort_by(|left, right| {
        let by_node = || tie(algorithm, &nodes[left.node], &nodes[right.node]);
        left.position.cmp(&right.position).then_with(by_node)
    });
    entries.dedup_by_key(|entry| entry.position);
    entries
}

/// The positions of the node's entries on an empty ring, in the order of its replicas.
pub(super) fn wanted(algorithm: HashAlgorithm, node: &Node<'_>) -> Vec<i64> {
    let mut text = String::new();
    let position = |replica| {
        write_entry_text(algorithm, node, replica, &mut text);
        NameHash::of(algorithm).position(text.as_bytes())
    };
    (0..ENTRIES_PER_NODE).map(position).collect()
}

/// Which of two nodes at the same position comes first.
fn tie(algorithm: HashAlgorithm, left: &Node<'_>, right: &Node<'_>) -> Ordering {
    left.host.cmp(right.host).then_with(|| match algorithm {
        HashAlgorithm::CcrFnv1aCh => port_number(left).cmp(&port_number(right)),
        HashAlgorithm::CcrCarbonCh => {
            let key = |node: &Node<'_>| (node.instance.is_none(), node.instance.unwrap_or("").to_owned());
            key(left).cmp(&key(right))
        }
        _ => left.instance.unwrap_or("").cmp(right.instance.unwrap_or("")),
    })
}

fn port_number(node: &Node<'_>) -> u16 {
    node.port.parse().unwrap_or(0)
}

/// The `ConsistentHashRing` of Python's carbon: an entry whose position is taken, by whatever node, moves up to
/// the next free one. So it depends on the order of all changes, and positions can exceed 65,535.
#[derive(Clone, Debug)]
pub(super) struct Circle {
    algorithm: HashAlgorithm,
    pub(super) entries_per_node: usize,
    pub(super) entries: BTreeMap<i64, usize>,
}

impl Circle {
    pub(super) const fn new(algorithm: HashAlgorithm) -> Self {
        Self { algorithm, entries_per_node: ENTRIES_PER_NODE, entries: BTreeMap::new() }
    }

    pub(super) fn add(&mut self, at: usize, node: &Node<'_>) {
        let mut text = String::new();
        for replica in 0..self.entries_per_node {
            write_entry_text(self.algorithm, node, replica, &mut text);
            let wanted = NameHash::of(self.algorithm).position(text.as_bytes());
            let position = self.first_free(wanted);
            self.entries.insert(position, at);
        }
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().map(|(&position, &node)| Entry { position, node }).collect()
    }

    fn first_free(&self, wanted: i64) -> i64 {
        let taken =
            self.entries.range(wanted..).zip(wanted..).take_while(|((taken, _), next)| *taken == next);
        taken.last().map_or(wanted, |((taken, _), _)| taken + 1)
    }
}

/// The `FastHashRing` of Python's carbon: each node once, ordered by its hash.
pub(super) fn by_hash(algorithm: HashAlgorithm, nodes: &[Node<'_>]) -> Vec<Entry> {
    let mut text = String::new();
    let mut entries = as_configured(nodes);
    for (entry, node) in entries.iter_mut().zip(nodes) {
        text.clear();
        write_tuple(node, &mut text);
        entry.position = NameHash::of(algorithm).position(text.as_bytes());
    }
    entries.sort_by_key(|entry| entry.position);
    entries
}

/// Each node once, in the configured order.
pub(super) fn as_configured(nodes: &[Node<'_>]) -> Vec<Entry> {
    (0..nodes.len()).map(|node| Entry { position: 0, node }).collect()
}

/// carbon-c-relay's order for jump hash: by instance, nodes without one last. Contrary to its manual, its code
/// compares two instances as numbers if both are numbers.
pub(super) fn by_instance(nodes: &[Node<'_>]) -> Vec<Entry> {
    sorted_as_glibc_does(&as_configured(nodes), |left, right| {
        match (nodes[left.node].instance, nodes[right.node].instance) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(left), Some(right)) => match (whole_number(left), whole_number(right)) {
                // The difference is cut to the width of C's `int`.
                (Some(left), Some(right)) => {
                    #[expect(clippy::cast_possible_truncation, reason = "so does the peer")]
                    let difference = left.wrapping_sub(right) as i32;
                    difference.cmp(&0)
                }
                _ => left.cmp(right),
            },
        }
    })
}

/// The number that C's `strtol` parses, if it consumes the whole text.
fn whole_number(text: &str) -> Option<i64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    match text.parse::<i128>() {
        Ok(number) => Some(i64::try_from(number).unwrap_or(if number < 0 { i64::MIN } else { i64::MAX })),
        Err(_) if text.is_empty() => Some(0),
        Err(_) => None,
    }
}

/// A top-down merge sort, like glibc's `qsort`. The order above is not transitive if numbers and texts are
/// mixed, so the result depends on the sort, and the standard library's sort may panic.
fn sorted_as_glibc_does(entries: &[Entry], order: impl Fn(&Entry, &Entry) -> Ordering + Copy) -> Vec<Entry> {
    if entries.len() < 2 {
        return entries.to_vec();
    }
    let (left, right) = entries.split_at(entries.len() / 2);
    let (left, right) = (sorted_as_glibc_does(left, order), sorted_as_glibc_does(right, order));
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut merged = Vec::with_capacity(entries.len());
    while let (Some(first), Some(second)) = (left.peek(), right.peek()) {
        let from_left = order(first, second).is_le();
        merged.extend(if from_left { left.next() } else { right.next() });
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

/// Writes the text whose hash is the position of a node's entry number `replica`.
fn write_entry_text(algorithm: HashAlgorithm, node: &Node<'_>, replica: usize, text: &mut String) {
    text.clear();
    // Writing to a `String` cannot fail.
    let _ = match (algorithm, node.instance) {
        (HashAlgorithm::Fnv1aCh, instance) => write!(text, "{replica}-{}", instance.unwrap_or("None")),
        (HashAlgorithm::CcrFnv1aCh, Some(instance)) => write!(text, "{replica}-{instance}"),
        (HashAlgorithm::CcrFnv1aCh, None) => write!(text, "{replica}-{}:{}", node.host, node.port),
        _ => {
            write_tuple(node, text);
            write!(text, ":{replica}")
        }
    };
}

/// Writes the pair of host and instance as Python prints it. Python would escape quotes and backslashes;
/// carbon-relay-ng and carbon-c-relay do not, so hosts with these are not escaped here.
fn write_tuple(node: &Node<'_>, text: &mut String) {
    // Writing to a `String` cannot fail.
    let _ = match node.instance {
        Some(instance) => write!(text, "('{}', '{instance}')", node.host),
        None => write!(text, "('{}', None)", node.host),
    };
}
