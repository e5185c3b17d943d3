//! All prefixes of a table as a path-compressed trie: for literals of so many lengths that hashing each would
//! cost more than walking. One step per branching of the literals, at most the length of the name.

use super::words::{Arena, Words};

/// A trie over literals. Node 0 is the root.
#[derive(Clone, Copy, Debug)]
pub struct TriePrefixes<'a> {
    /// The bytes on the way into each node.
    pub labels: Arena<'a>,
    /// One more than the literal that ends at each node; 0 for none.
    pub ends: Words<'a>,
    /// The first bytes of each node's children, ascending.
    pub branches: Arena<'a>,
    /// Where each node's children start in `children`.
    pub starts: Words<'a>,
    /// Child nodes, as in `branches`.
    pub children: Words<'a>,
}

impl TriePrefixes<'_> {
    /// Calls `found` with each literal that `name` starts with, shortest first.
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
