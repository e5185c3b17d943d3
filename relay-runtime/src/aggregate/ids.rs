//! A table from names to numbers that does not hold the names: whoever asks compares.
//!
//! Eight bytes per place, at most three quarters of them in use. Linear probing; what is removed leaves no trace, for what
//! follows moves up.

/// Numbers by the hash of what they stand for.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Empty, or a power of two.
    places: Vec<Place>,
    used: usize,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    hash: u32,
    id: u32,
}

const FREE: u32 = u32::MAX;
const PLACES_MIN: usize = 8;

impl Ids {
    /// The number whose name `is_it` recognises.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        if self.places.is_empty() {
            return None;
        }
        let hash = upper(hash);
        let mut at = self.home(hash);
        loop {
            let place = self.places[at];
            if place.id == FREE {
                return None;
            }
            if place.hash == hash && is_it(place.id) {
                return Some(place.id);
            }
            at = self.after(at);
        }
    }

    /// Adds a number that is not there, less than `u32::MAX`.
    pub(super) fn insert(&mut self, hash: u64, id: u32) {
        if (self.used + 1) * 4 > self.places.len() * 3 {
            self.grow();
        }
        self.put(Place { hash: upper(hash), id });
        self.used += 1;
    }

    /// Removes a number.
    pub(super) fn remove(&mut self, hash: u64, id: u32) {
        if self.places.is_empty() {
            return;
        }
        let mut at = self.home(upper(hash));
        while self.places[at].id != id {
            if self.places[at].id == FREE {
                return;
            }
            at = self.after(at);
        }
        self.used -= 1;
        self.close(at);
    }

    /// Fills a hole with what would not be found behind it.
    fn close(&mut self, mut hole: usize) {
        let mut at = self.after(hole);
        while self.places[at].id != FREE {
            let home = self.home(self.places[at].hash);
            let mask = self.places.len() - 1;
            let (from_home, from_hole) = (at.wrapping_sub(home) & mask, at.wrapping_sub(hole) & mask);
            if from_home >= from_hole {
                self.places[hole] = self.places[at];
                hole = at;
            }
            at = self.after(at);
        }
        self.places[hole].id = FREE;
    }

    fn grow(&mut self) {
        let count = (self.places.len() * 2).max(PLACES_MIN);
        let old = std::mem::replace(&mut self.places, vec![Place { hash: 0, id: FREE }; count]);
        for place in old.into_iter().filter(|place| place.id != FREE) {
            self.put(place);
        }
    }

    fn put(&mut self, place: Place) {
        let mut at = self.home(place.hash);
        while self.places[at].id != FREE {
            at = self.after(at);
        }
        self.places[at] = place;
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.places.len() - 1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.places.len() - 1)
    }
}

/// The lower half of a hash chooses among shards.
fn upper(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_holds_what_a_map_holds() {
        let (mut ids, mut map) = (Ids::default(), BTreeMap::new());
        let mut state = 1u64;
        for step in 0..20_000u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Few hashes, so that many collide.
            let hash = (state >> 58) << 32;
            let id = step % 97;
            if let Some(before) = map.remove(&id) {
                ids.remove(before, id);
                assert_eq!(ids.find(hash, |found| found == id), None);
            } else {
                map.insert(id, hash);
                ids.insert(hash, id);
            }
            for (&id, &hash) in &map {
                assert_eq!(ids.find(hash, |found| found == id), Some(id), "step {step}");
            }
        }
        assert_eq!(ids.used, map.len());
    }
}
