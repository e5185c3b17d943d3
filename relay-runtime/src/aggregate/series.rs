//! The output series of one rule that have an open bucket. A series without a bucket is forgotten.
//!
//! Series are found by name, or faster by a [`Hint`] from the last time.

use super::{cells::NONE, hash_of, pieces::Pieces};
use hashbrown::HashTable;

/// The series of a rule.
#[derive(Debug)]
pub(super) struct SeriesList {
    all: Pieces<Series>,
    free: Vec<u32>,
    /// The numbers of series, by the hash of the name.
    ids: HashTable<u32>,
}

#[derive(Clone, Debug)]
struct Series {
    name: Box<[u8]>,
    /// How many times this entry was given to a series.
    generation: u32,
    /// The newest cell of the series.
    head: u32,
}

/// Where a series was when it was last found, to find it again without a search. May be stale.
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

    /// The series of a hint, unless the hint is stale. A generation is never used twice, so the name need not
    /// be compared.
    #[inline]
    pub(super) fn known(&self, hint: Hint) -> Option<u32> {
        if hint.id >= self.all.len() {
            return None;
        }
        let series = self.get(hint.id);
        (series.generation == hint.generation && series.head != NONE).then_some(hint.id)
    }

    /// The series named `name`, if it has a bucket. Updates the hint.
    pub(super) fn find(&self, hash: u64, name: &[u8], hint: &mut Hint) -> Option<u32> {
        self.known(*hint).or_else(|| {
            let id = *self.ids.find(hash, |&id| *self.get(id).name == *name)?;
            *hint = Hint { id, generation: self.get(id).generation };
            Some(id)
        })
    }

    /// Adds a series that is not in the list.
    pub(super) fn add(&mut self, hash: u64, name: &[u8], hint: &mut Hint) -> u32 {
        // The limit on series is reached before the numbers run out.
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
