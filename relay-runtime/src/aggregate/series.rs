//! The series that one rule puts out and has a bucket of. One without a bucket is forgotten.

use super::{cells::NONE, hash_of, pieces::Pieces};
use hashbrown::HashTable;

/// The series of a rule.
#[derive(Debug)]
pub(super) struct SeriesList {
    all: Pieces<Series>,
    free: Vec<u32>,
    /// By the hash of the name.
    ids: HashTable<u32>,
}

#[derive(Clone, Debug)]
struct Series {
    name: Box<[u8]>,
    /// How often this place was given to a series.
    generation: u32,
    /// Its newest cell.
    head: u32,
}

/// Where a series was when it was last seen, to find it without a search. May be out of date.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hint {
    id: u32,
    generation: u32,
}

impl Default for Hint {
    fn default() -> Self {
        Self { id: NONE, generation: 0 }
    }
}

impl SeriesList {
    pub(super) const fn new() -> Self {
        Self { all: Pieces::new(1), free: Vec::new(), ids: HashTable::new() }
    }

    #[inline]
    fn get(&self, id: u32) -> &Series {
        &self.all.get(id)[0]
    }

    #[inline]
    fn get_mut(&mut self, id: u32) -> &mut Series {
        &mut self.all.get_mut(id)[0]
    }

    /// The series, if it is still where it was and has a bucket. A generation is never given twice, so the name need not
    /// be looked at.
    #[inline]
    pub(super) fn known(&self, hint: Hint) -> Option<u32> {
        if hint.id >= self.all.len() {
            return None;
        }
        let series = self.get(hint.id);
        (series.generation == hint.generation && series.head != NONE).then_some(hint.id)
    }

    /// The series, if it has a bucket.
    pub(super) fn find(&self, hash: u64, name: &[u8], hint: &mut Hint) -> Option<u32> {
        self.known(*hint).or_else(|| {
            let id = *self.ids.find(hash, |&id| *self.get(id).name == *name)?;
            *hint = Hint { id, generation: self.get(id).generation };
            Some(id)
        })
    }

    /// Adds a series that is not there.
    pub(super) fn add(&mut self, hash: u64, name: &[u8], hint: &mut Hint) -> u32 {
        // Rooms for series end before numbers do.
        let free = Series { name: Box::default(), generation: 0, head: NONE };
        let id = self.free.pop().unwrap_or_else(|| self.all.push(free));
        let series = self.get_mut(id);
        series.name = name.into();
        series.generation = series.generation.wrapping_add(1);
        *hint = Hint { id, generation: series.generation };
        let Self { all, ids, .. } = self;
        ids.insert_unique(hash, id, |&id| hash_of(&all.get(id)[0].name));
        id
    }

    /// Forgets a series that has no cell left.
    pub(super) fn remove(&mut self, hash: u64, id: u32) {
        if let Ok(found) = self.ids.find_entry(hash, |&one| one == id) {
            found.remove();
        }
        self.get_mut(id).name = Box::default();
        self.free.push(id);
    }

    #[inline]
    pub(super) fn head(&self, id: u32) -> u32 {
        self.get(id).head
    }

    pub(super) fn set_head(&mut self, id: u32, cell: u32) {
        self.get_mut(id).head = cell;
    }

    pub(super) fn name(&self, id: u32) -> &[u8] {
        &self.get(id).name
    }
}
