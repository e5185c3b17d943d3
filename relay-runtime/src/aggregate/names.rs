//! What one worker remembers about names: which rules took them, and the names of their outputs.
//!
//! So a regex runs once per distinct name, and an output's name is made once. The table belongs to one worker
//! and needs no lock. Its memory is limited; when it is full, it forgets names that were not seen for one round
//! of the search hand (the clock algorithm).

use super::series::Hint;
use hashbrown::HashTable;
use smallvec::SmallVec;
use std::mem;

/// The default limit of the memory in which one worker remembers names, in bytes: enough for about a million
/// names of usual length with one output each.
pub(crate) const NAMES_BYTES_MAX: usize = 512 << 20;

/// The most that the allocator adds to one allocation, in bytes.
const PER_PIECE: usize = 16;

/// The remembered names.
#[derive(Debug)]
pub(super) struct Names {
    ids: HashTable<u32>,
    entries: Vec<Entry>,
    /// Entries that are not in use.
    free: Vec<u32>,
    bytes: usize,
    bytes_max: usize,
    /// The entry at which the next search for one to forget starts.
    hand: usize,
}

/// One name. An empty name marks a free entry.
#[derive(Debug, Default)]
struct Entry {
    hash: u64,
    name: Box<[u8]>,
    /// In the order in which rules asked, which is the order of the table. Most names have one answer.
    answers: SmallVec<[Answer; 1]>,
    was_seen: bool,
}

/// What one rule does with the name.
#[derive(Debug)]
pub(super) struct Answer {
    rule: u32,
    pub(super) is_taken: bool,
    /// The shard that its series is in, once there is a link.
    pub(super) shard: u8,
    /// Where the series was last; with the shard, usually all that is needed to find it.
    pub(super) hint: Hint,
    /// Made when it is first needed.
    pub(super) link: Option<Box<Link>>,
}

/// The output series to which a name contributes.
#[derive(Debug)]
pub(super) struct Link {
    /// Empty if such a name cannot be sent.
    pub(super) output: Box<[u8]>,
    pub(super) hash: u64,
}

/// The entry of a name, valid until the name is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NameId(u32);

/// The place of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerId {
    pub(super) name: NameId,
    pub(super) answer: u32,
}

impl Names {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { ids: HashTable::new(), entries: Vec::new(), free: Vec::new(), bytes: 0, bytes_max, hand: 0 }
    }

    #[inline]
    pub(super) fn find(&mut self, hash: u64, name: &[u8]) -> Option<NameId> {
        let is_it = |&id: &u32| {
            let entry = &self.entries[id as usize];
            entry.hash == hash && *entry.name == *name
        };
        let id = *self.ids.find(hash, is_it)?;
        self.entries[id as usize].was_seen = true;
        Some(NameId(id))
    }

    /// Whether remembering another name means forgetting one.
    pub(super) const fn is_full(&self) -> bool {
        self.bytes >= self.bytes_max
    }

    /// Remembers a name that is not in the table.
    pub(super) fn add(&mut self, hash: u64, name: &[u8]) -> NameId {
        while self.is_full() && self.free.len() < self.entries.len() {
            self.forget_one();
        }
        let entry = Entry { hash, name: name.into(), ..Entry::default() };
        self.bytes += entry.bytes();
        let id = self.free.pop().unwrap_or_else(|| {
            self.entries.push(Entry::default());
            u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX - 1)
        });
        self.entries[id as usize] = entry;
        let Self { entries, ids, .. } = self;
        ids.insert_unique(hash, id, |&id| entries[id as usize].hash);
        NameId(id)
    }

    /// Forgets the next name that was not seen since the hand last passed it. The table must not be empty.
    fn forget_one(&mut self) {
        loop {
            let at = self.hand;
            self.hand = if at + 1 < self.entries.len() { at + 1 } else { 0 };
            let entry = &mut self.entries[at];
            if !entry.name.is_empty() && !mem::take(&mut entry.was_seen) {
                self.bytes -= entry.bytes();
                let id = u32::try_from(at).unwrap_or(u32::MAX - 1);
                if let Ok(found) = self.ids.find_entry(entry.hash, |&one| one == id) {
                    found.remove();
                }
                self.free.push(id);
                *entry = Entry::default();
                return;
            }
        }
    }

    /// What is known of `rule` and this name, and its place. Tries the answer number `from` first.
    #[inline]
    pub(super) fn answer(&self, name: NameId, rule: u32, from: u32) -> Option<(AnswerId, &Answer)> {
        let answers = &self.entries[name.0 as usize].answers;
        let from = (from as usize).min(answers.len());
        let is_it = |answer: &Answer| answer.rule == rule;
        let at = match answers[from..].iter().position(is_it) {
            Some(at) => from + at,
            None => answers[..from].iter().position(is_it)?,
        };
        let id = AnswerId { name, answer: u32::try_from(at).unwrap_or(0) };
        Some((id, &answers[at]))
    }

    /// Remembers what a rule does with this name. The rule must not have an answer yet.
    pub(super) fn learn(&mut self, name: NameId, rule: u32, is_taken: bool) -> AnswerId {
        let answers = &mut self.entries[name.0 as usize].answers;
        let before = spilled(answers);
        answers.push(Answer { rule, is_taken, shard: 0, hint: Hint::default(), link: None });
        self.bytes += spilled(answers) - before;
        AnswerId { name, answer: u32::try_from(answers.len() - 1).unwrap_or(0) }
    }

    /// Remembers the output series of a name and a rule that takes it. Must be called once per answer.
    pub(super) fn link(&mut self, id: AnswerId, link: Link, shard: u8) {
        self.bytes += link.bytes();
        let answer = self.get_mut(id);
        answer.shard = shard;
        answer.link = Some(Box::new(link));
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: AnswerId) -> &mut Answer {
        &mut self.entries[id.name.0 as usize].answers[id.answer as usize]
    }
}

impl Entry {
    /// The memory that it occupies, its place in the index included.
    fn bytes(&self) -> usize {
        const PLACE: usize = 16;
        let links = self.answers.iter().filter_map(|answer| answer.link.as_deref()).map(Link::bytes);
        size_of::<Self>()
            + PLACE
            + self.name.len()
            + PER_PIECE
            + spilled(&self.answers)
            + links.sum::<usize>()
    }
}

/// The memory that the answers occupy outside of their entry.
fn spilled(answers: &SmallVec<[Answer; 1]>) -> usize {
    if answers.spilled() { answers.capacity() * size_of::<Answer>() + PER_PIECE } else { 0 }
}

impl Link {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.output.len() + 2 * PER_PIECE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_seen_lately_stays() {
        let bytes_max = 100 * Entry { name: b"1234".as_slice().into(), ..Entry::default() }.bytes();
        let mut names = Names::new(bytes_max);
        let hash = |n: u32| u64::from(n % 7) << 32 | u64::from(n);
        for n in 0..10_000_u32 {
            let name = format!("{n:04}");
            assert_eq!(names.find(hash(n), name.as_bytes()), None);
            names.add(hash(n), name.as_bytes());
            // Ten names are seen again and again.
            for n in 0..10.min(n) {
                assert!(names.find(hash(n), format!("{n:04}").as_bytes()).is_some(), "{n}");
            }
            assert!(names.entries.len() <= 101);
        }
        let known = (0..10_000).filter(|&n| names.find(hash(n), format!("{n:04}").as_bytes()).is_some());
        assert!((99..=101).contains(&known.count()));
    }

    #[test]
    fn what_is_known_of_a_name_counts() {
        let mut names = Names::new(100_000);
        for n in 0..1_000_u32 {
            let name = format!("name{n}");
            let id = names.add(n.into(), name.as_bytes());
            for rule in 0..20 {
                let answer = names.learn(id, rule, rule % 2 == 0);
                let output = vec![b'x'; n as usize].into();
                names.link(answer, Link { output, hash: 0 }, 0);
                let found = names.answer(id, rule, n % 25).map(|(at, found)| (at.answer, found.is_taken));
                assert_eq!(found, Some((rule, rule % 2 == 0)));
            }
            let counted: usize =
                names.entries.iter().filter(|one| !one.name.is_empty()).map(Entry::bytes).sum();
            assert_eq!(names.bytes, counted);
            // The last name may exceed the limit: its size is known only afterwards.
            assert!(names.bytes - names.entries[id.0 as usize].bytes() < 100_000);
        }
    }
}
