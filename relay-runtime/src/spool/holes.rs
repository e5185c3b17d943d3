//! The lines of a spool that will never be read: damaged, expired, or dropped in favour of newer ones.
//!
//! They are counted once, when they are found, and then ignored: reading skips them, and a hole before which
//! nothing is left counts as arrived.

use std::{collections::VecDeque, ops::Range};

/// Ranges of lines, in order and disjoint.
#[derive(Debug, Default)]
pub(super) struct Holes {
    /// Holes at or after the first line that has not arrived.
    ahead: VecDeque<Range<u64>>,
    ahead_lines: u64,
    /// Holes before that, for lines that are read again.
    behind: VecDeque<Range<u64>>,
}

impl Holes {
    /// The number of lines in holes that are not before what has arrived.
    pub(super) const fn lines(&self) -> u64 {
        self.ahead_lines
    }

    /// Adds a hole; none of its lines may have arrived. Returns the number of lines that were in no hole
    /// before.
    pub(super) fn add(&mut self, lines: Range<u64>) -> u64 {
        let mut start = lines.start;
        let mut new = Vec::new();
        let overlapping = |hole: &&Range<u64>| hole.end > lines.start && hole.start < lines.end;
        let behind_all = lines.end..lines.end;
        for hole in self.ahead.iter().filter(overlapping).chain(std::iter::once(&behind_all)) {
            if start < hole.start {
                new.push(start..hole.start);
            }
            start = start.max(hole.end);
        }
        let mut count = 0;
        for hole in new {
            count += hole.end - hole.start;
            let at = self.ahead.partition_point(|known| known.start < hole.start);
            self.ahead.insert(at, hole);
        }
        self.ahead_lines += count;
        count
    }

    /// Records that everything before line `arrived` has arrived. Returns how far that reaches if holes count
    /// as arrived.
    pub(super) fn pass(&mut self, mut arrived: u64) -> u64 {
        while let Some(hole) = self.ahead.pop_front_if(|hole| hole.start <= arrived) {
            self.ahead_lines -= hole.end - hole.start;
            arrived = arrived.max(hole.end);
            self.behind.push_back(hole);
        }
        arrived
    }

    /// Forgets holes before `line`, from where nothing is read again.
    pub(super) fn forget_before(&mut self, line: u64) {
        self.behind.retain(|hole| hole.end > line);
    }

    /// Forgets all holes that have not arrived.
    pub(super) fn forget_ahead(&mut self) {
        self.ahead.clear();
        self.ahead_lines = 0;
    }

    /// Where to continue reading, and where to stop.
    pub(super) fn around(&self, mut next: u64) -> (u64, u64) {
        for hole in self.behind.iter().chain(&self.ahead) {
            if next < hole.start {
                return (next, hole.start);
            }
            next = next.max(hole.end);
        }
        (next, u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_lost_once() {
        let mut holes = Holes::default();
        assert_eq!(holes.add(10..20), 10);
        assert_eq!(holes.add(15..25), 5);
        assert_eq!(holes.add(5..30), 10);
        assert_eq!(holes.add(7..7), 0);
        assert_eq!(holes.lines(), 25);
    }

    #[test]
    fn a_hole_that_nothing_is_before_has_arrived() {
        let mut holes = Holes::default();
        holes.add(3..5);
        holes.add(8..9);
        assert_eq!((holes.around(0), holes.around(3), holes.around(6)), ((0, 3), (5, 8), (6, 8)));
        assert_eq!((holes.pass(2), holes.pass(3), holes.lines()), (2, 5, 1));
        // Lines that are read again skip it all the same.
        assert_eq!(holes.around(3), (5, 8));
        holes.forget_before(5);
        assert_eq!(holes.around(3), (3, 8));
    }
}
