//! The series that one rule puts out and has a bucket of. One without a bucket is forgotten.

use super::{cells::NONE, ids::Ids};

/// The series of a rule.
#[derive(Debug, Default)]
pub(super) struct SeriesList {
    all: Vec<Series>,
    free: Vec<u32>,
    ids: Ids,
}

#[derive(Debug)]
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
    /// The series, if it has a bucket.
    #[inline]
    pub(super) fn find(&self, hash: u64, name: &[u8], hint: &mut Hint) -> Option<u32> {
        // A generation is never given twice, so the name need not be looked at.
        if let Some(series) = self.all.get(hint.id as usize)
            && series.generation == hint.generation
            && series.head != NONE
        {
            return Some(hint.id);
        }
        let id = self.ids.find(hash, |id| *self.all[id as usize].name == *name)?;
        *hint = Hint { id, generation: self.all[id as usize].generation };
        Some(id)
    }

    /// Adds a series that is not there.
    pub(super) fn add(&mut self, hash: u64, name: &[u8], hint: &mut Hint) -> u32 {
        let id = self.free.pop().unwrap_or_else(|| {
            self.all.push(Series { name: Box::default(), generation: 0, head: NONE });
            // Rooms for series end before numbers do.
            u32::try_from(self.all.len() - 1).unwrap_or(NONE)
        });
        let series = &mut self.all[id as usize];
        series.name = name.into();
        series.generation = series.generation.wrapping_add(1);
        *hint = Hint { id, generation: series.generation };
        self.ids.insert(hash, id);
        id
    }

    /// Forgets a series that has no cell left.
    pub(super) fn remove(&mut self, hash: u64, id: u32) {
        self.ids.remove(hash, id);
        let series = &mut self.all[id as usize];
        series.name = Box::default();
        self.free.push(id);
    }

    #[inline]
    pub(super) fn head(&self, id: u32) -> u32 {
        self.all[id as usize].head
    }

    pub(super) fn set_head(&mut self, id: u32, cell: u32) {
        self.all[id as usize].head = cell;
    }

    pub(super) fn name(&self, id: u32) -> &[u8] {
        &self.all[id as usize].name
    }
}
