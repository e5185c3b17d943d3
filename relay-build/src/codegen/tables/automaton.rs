//! Computes the tables of the Aho-Corasick automaton over substrings.
//!
//! How they are searched is in relay-runtime's `matching`.

use super::WordList;
use std::collections::{BTreeMap, VecDeque};

/// The parts of a `matching::Automaton`.
#[derive(Clone, Debug)]
pub(in crate::codegen) struct AutomatonTable {
    pub classes: Vec<u8>,
    pub rows: WordList,
    pub stride: usize,
    pub first_end: usize,
    pub ends: WordList,
    pub ended: WordList,
}

#[derive(Default)]
struct State {
    next: BTreeMap<u8, usize>,
    fallback: usize,
    ended: Vec<usize>,
}

impl AutomatonTable {
    /// `texts` are distinct and not empty. Linear in their bytes times the classes of bytes in them.
    pub(in crate::codegen) fn new(texts: &[&str]) -> Self {
        let (classes, stride) = classes(texts);
        let mut states = trie(texts, &classes);
        let rows = complete(&mut states, stride);
        // States in which no text ends come first, so that one comparison distinguishes them.
        let (quiet, ending): (Vec<_>, Vec<_>) =
            (0..states.len()).partition(|&at| states[at].ended.is_empty());
        let mut place = vec![0; states.len()];
        for (new, &old) in quiet.iter().chain(&ending).enumerate() {
            place[old] = new * stride;
        }
        let mut ordered = WordList::default();
        for &old in quiet.iter().chain(&ending) {
            rows[old * stride..][..stride].iter().for_each(|&next| ordered.push(place[next]));
        }
        let (mut ends, mut ended) = (WordList::default(), WordList::default());
        ends.push(0);
        for &old in &ending {
            states[old].ended.iter().for_each(|&text| ended.push(text));
            ends.push(ended.len());
        }
        let first_end = quiet.len() * stride;
        Self { classes, rows: ordered, stride, first_end, ends, ended }
    }
}

/// A class for each byte that occurs, and one, 0, for all others.
fn classes(texts: &[&str]) -> (Vec<u8>, usize) {
    let mut occurs = [false; 256];
    texts.iter().flat_map(|text| text.bytes()).for_each(|byte| occurs[usize::from(byte)] = true);
    let mut classes = vec![0; 256];
    let mut count = 1_usize;
    for (class, _) in classes.iter_mut().zip(occurs).filter(|(_, occurs)| *occurs) {
        // UTF-8 never has all 256 bytes.
        *class = u8::try_from(count).unwrap_or(u8::MAX);
        count += 1;
    }
    (classes, count)
}

fn trie(texts: &[&str], classes: &[u8]) -> Vec<State> {
    let mut states = vec![State::default()];
    for (number, text) in texts.iter().enumerate() {
        let mut at = 0;
        for byte in text.bytes() {
            let class = classes[usize::from(byte)];
            at = if let Some(&next) = states[at].next.get(&class) {
                next
            } else {
                states.push(State::default());
                let new = states.len() - 1;
                states[at].next.insert(class, new);
                new
            };
        }
        states[at].ended.push(number);
    }
    states
}

/// Completes all transitions, breadth first, so that a state's fallback is complete before the state.
fn complete(states: &mut [State], stride: usize) -> Vec<usize> {
    let mut rows = vec![0; states.len() * stride];
    let mut open = VecDeque::from([0]);
    while let Some(at) = open.pop_front() {
        let fallback = states[at].fallback;
        if at != 0 {
            let inherited = states[fallback].ended.clone();
            states[at].ended.extend(inherited);
            rows.copy_within(fallback * stride..(fallback + 1) * stride, at * stride);
        }
        for (class, next) in std::mem::take(&mut states[at].next) {
            let step = at * stride + usize::from(class);
            // The new state falls back to the state to which this transition would have led without it.
            states[next].fallback = if at == 0 { 0 } else { rows[step] };
            rows[step] = next;
            open.push_back(next);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_runtime::matching::{Automaton, Words};
    use std::collections::BTreeSet;

    #[test]
    fn all_substrings_are_found_and_no_others() {
        let texts = ["a", "ab", "bab", "bc", "bca", "c", "caa", ".cpu", "cpu.", "é", "abcabc"];
        let table = AutomatonTable::new(&texts);
        let classes: [u8; 256] = table.classes.clone().try_into().expect("256 of them");
        let engine = Automaton {
            classes: &classes,
            rows: Words::new(&table.rows.0),
            stride: u32::try_from(table.stride).expect("few"),
            first_end: u32::try_from(table.first_end).expect("few"),
            ends: Words::new(&table.ends.0),
            ended: Words::new(&table.ended.0),
        };
        for name in ["", "a", "abccab", "servers.cpu.x", "xyz", "bcaa", "é\u{e8}", "ababcabcab", ".cp", "b"]
        {
            let mut found = BTreeSet::new();
            engine.find(name.as_bytes(), |text| _ = found.insert(texts[text as usize]));
            let want: BTreeSet<_> = texts.iter().copied().filter(|text| name.contains(text)).collect();
            assert_eq!(found, want, "{name}");
        }
    }
}
