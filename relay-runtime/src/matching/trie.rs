//! All prefixes of a table as a path-compressed trie, for literals of many different lengths, where hashing would cost more.
//!
//! Takes one step per branching of the literals, at most as many as the name has bytes.

use super::words::{Arena, Words};

/// A trie over literals. Node 0 is the root.
#[derive(Clone, Copy, Debug)]
pub struct TriePrefixes<'a> {
    /// The bytes on the edge to each node.
    pub labels: Arena<'a>,
    /// The number of the literal that ends at each node plus one; 0 if none does.
    pub ends: Words<'a>,
    /// For each node, the first bytes of its children, ascending.
    pub branches: Arena<'a>,
    /// For each node, where its children start in `children`.
    pub starts: Words<'a>,
    /// The numbers of child nodes, in the order of `branches`.
    pub children: Words<'a>,
}

impl TriePrefixes<'_> {
    /// Calls `found` with the number of each literal that `name` starts with, shortest first.
    #[inline]
    pub fn find(&self, name: &[u8], mut found: impl FnMut(u32)) {
        let (mut node, mut rest) = (0, name);
        while let Some(after) = rest.strip_prefix(self.labels.get(node)) {
            if let Some(literal) = self.ends.get(node as usize).checked_sub(1) {
                found(literal);
            }
            let Some(&next) = after.first() else { return };
            let Ok(branch) = self.branches.get(node).binary_search(&next) else { return };
            node = self.children.get(self.starts.get(node as usize) as usize + branch);
            rest = after;
        }
    }
}
