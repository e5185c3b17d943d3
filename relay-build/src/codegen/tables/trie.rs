//! Computes the path-compressed trie over prefixes.
//!
//! How it is searched is in relay-runtime's `matching`.

use super::{ArenaList, WordList};

/// The parts of a `matching::TriePrefixes`.
#[derive(Clone, Debug, Default)]
pub(in crate::codegen) struct TrieTable {
    pub labels: ArenaList,
    pub ends: WordList,
    pub branches: ArenaList,
    pub starts: WordList,
    pub children: WordList,
}

struct Node<'a> {
    label: &'a [u8],
    end: usize,
    branches: Vec<(u8, usize)>,
}

impl TrieTable {
    /// `literals` are distinct and not empty.
    pub(in crate::codegen) fn new(literals: &[&str]) -> Self {
        let mut sorted: Vec<_> =
            literals.iter().enumerate().map(|(at, text)| (text.as_bytes(), at + 1)).collect();
        sorted.sort_unstable();
        let mut nodes = vec![Node { label: &[], end: 0, branches: Vec::new() }];
        // Work lists instead of recursion: literals may be long.
        let mut open = vec![(0, 0, sorted.as_slice())];
        while let Some((node, depth, group)) = open.pop() {
            let group = match group {
                [(text, number), rest @ ..] if text.len() == depth => {
                    nodes[node].end = *number;
                    rest
                }
                group => group,
            };
            for branch in group.chunk_by(|(one, _), (other, _)| one[depth] == other[depth]) {
                let (first, last) = (branch[0].0, branch[branch.len() - 1].0);
                let common =
                    first.iter().zip(last).skip(depth).take_while(|(one, other)| one == other).count();
                nodes[node].branches.push((first[depth], branch.len()));
                let child = nodes.len();
                if let Some(branch) = nodes[node].branches.last_mut() {
                    branch.1 = child;
                }
                nodes.push(Node { label: &first[depth..depth + common], end: 0, branches: Vec::new() });
                open.push((child, depth + common, branch));
            }
        }
        let bytes: Vec<Vec<u8>> =
            nodes.iter().map(|node| node.branches.iter().map(|(byte, _)| *byte).collect()).collect();
        let mut starts = WordList::default();
        let mut children = WordList::default();
        for node in &nodes {
            starts.push(children.len());
            node.branches.iter().for_each(|(_, child)| children.push(*child));
        }
        Self {
            labels: nodes.iter().map(|node| node.label).collect(),
            ends: nodes.iter().map(|node| node.end).collect(),
            branches: bytes.iter().map(Vec::as_slice).collect(),
            starts,
            children,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_runtime::matching::{Arena, TriePrefixes, Words};

    #[test]
    fn all_prefixes_are_found_and_no_others() {
        let literals = ["a.", "a.b.", "a.b.c", "servers.web01.", "servers.web02.", "ser", "é.", "ab"];
        let table = TrieTable::new(&literals);
        let arena = |list: &ArenaList| (list.bytes.clone(), list.starts.0.clone());
        let (labels, branches) = (arena(&table.labels), arena(&table.branches));
        let engine = TriePrefixes {
            labels: Arena::new(&labels.0, Words::new(&labels.1)),
            ends: Words::new(&table.ends.0),
            branches: Arena::new(&branches.0, Words::new(&branches.1)),
            starts: Words::new(&table.starts.0),
            children: Words::new(&table.children.0),
        };
        for name in ["", "a", "a.", "ab", "a.b.c.d", "servers.web02.cpu", "servers.web03.", "é.x", "è.", "s"]
        {
            let mut found = Vec::new();
            engine.find(name.as_bytes(), |literal| found.push(literals[literal as usize]));
            let mut want: Vec<_> =
                literals.iter().copied().filter(|literal| name.starts_with(literal)).collect();
            want.sort_by_key(|literal| literal.len());
            assert_eq!(found, want, "{name}");
        }
    }
}
