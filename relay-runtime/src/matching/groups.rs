//! What the groups of a regex matched in a name. Generated code writes the names of outputs from this.
//!
//! Groups are addressed by number; the code generator resolves names.

use crate::regex::{Captures, Haystack, Regex};

/// A name that a regex matched, with its groups.
#[derive(Debug)]
pub struct NameGroups<'n> {
    text: Haystack<'n>,
    captures: Captures,
}

impl<'n> NameGroups<'n> {
    /// The groups of the first match; `None` if there is no match.
    #[must_use]
    pub fn find(regex: &Regex, name: &'n [u8]) -> Option<Self> {
        let text = Haystack::new(name);
        let captures = regex.captures(&text)?;
        Some(Self { text, captures })
    }

    /// Appends what a group matched; nothing if it took no part in the match. Group 0 is the whole match.
    pub fn write(&self, group: usize, out: &mut Vec<u8>) {
        self.write_first(&[group], out);
    }

    /// Appends what the first of these groups that took part in the match has matched: several groups may share
    /// a name.
    pub fn write_first(&self, groups: &[usize], out: &mut Vec<u8>) {
        if let Some(range) = groups.iter().find_map(|&group| self.captures.get(group)) {
            out.extend_from_slice(self.text.original(range));
        }
    }
}
