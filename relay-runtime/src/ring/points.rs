//! The search for the next point of a ring.
//!
//! A binary search of 800 points mispredicts about half of its ten branches. Here the upper bits of a position
//! select the first point that can be the answer, and the few points from there are compared at once, without a
//! branch; with 8 destinations there is less than one point per bucket on average. The points and buckets of 8
//! destinations occupy 11 KB, so they stay in the first-level cache.

use super::{hash::Space, placement::Entry};

/// The number of buckets as a power of 2.
const BUCKET_BITS: u32 = 11;

/// How many points are compared at once.
const WIDTH: usize = 8;

/// The positions of a ring's entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Points {
    /// The lowest position that is searched for.
    low: i32,
    /// By how many bits a distance from `low` is shifted to give its bucket.
    shift: u32,
    /// For each bucket, the first point that is not before it.
    buckets: Vec<u32>,
    /// Ascending, followed by `WIDTH` times the highest position that is searched for, so that a search ends.
    positions: Vec<i32>,
    /// The number of points.
    len: usize,
}

impl Points {
    /// The points of `entries`, which must ascend by position. Positions above all that are searched for
    /// (Python's carbon makes some) count as the highest one.
    pub(super) fn new(space: Space, entries: &[Entry]) -> Self {
        let (low, high, bits) = match space {
            Space::Bits16 => (0, i32::from(u16::MAX), 16),
            Space::Signed32 => (i32::MIN, i32::MAX, 32),
        };
        let clamped = |entry: &Entry| i32::try_from(entry.position).unwrap_or(high).min(high);
        let mut positions: Vec<i32> = entries.iter().map(clamped).collect();
        let shift = bits - BUCKET_BITS;
        let bucket_start = |bucket: u32| low.wrapping_add_unsigned(bucket << shift);
        let first = |bucket| positions.partition_point(|&position| position < bucket_start(bucket));
        let buckets =
            (0..1 << BUCKET_BITS).map(|bucket| u32::try_from(first(bucket)).unwrap_or(u32::MAX)).collect();
        positions.extend([high; WIDTH]);
        Self { low, shift, buckets, positions, len: entries.len() }
    }

    /// The positions of all points, ascending.
    pub(super) fn positions(&self) -> impl Iterator<Item = i64> {
        self.positions[..self.len].iter().copied().map(i64::from)
    }

    /// The first point at or after `position`, or else the first of all.
    #[inline]
    pub(super) fn next(&self, position: i64) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "both spaces fit")]
        let position = position as i32;
        let bucket = position.wrapping_sub(self.low).cast_unsigned() >> self.shift;
        let mut at = self.buckets.get(bucket as usize).map_or(0, |&first| first as usize);
        while let Some(window) = self.positions.get(at..).and_then(|rest| rest.first_chunk::<WIDTH>()) {
            let before: u32 = window.iter().map(|&point| u32::from(point < position)).sum();
            at += before as usize;
            if before as usize != WIDTH {
                break;
            }
        }
        if at < self.len { at } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(space: Space, positions: &[i64], wanted: &[(i64, usize)]) {
        let entry = |&position: &i64| Entry { position, node: 0 };
        let points = Points::new(space, &positions.iter().map(entry).collect::<Vec<_>>());
        for &(position, want) in wanted {
            assert_eq!(points.next(position), want, "{position}");
        }
    }

    #[test]
    fn the_next_point_is_at_or_after_the_position_or_the_first() {
        check(Space::Bits16, &[5, 6, 65_000], &[(0, 0), (5, 0), (6, 1), (7, 2), (65_000, 2), (65_001, 0)]);
        check(Space::Signed32, &[-9, 7], &[(i32::MIN.into(), 0), (-8, 1), (8, 0), (i32::MAX.into(), 0)]);
        check(Space::Bits16, &[9], &[(0, 0), (65_535, 0)]);
    }

    #[test]
    fn points_above_the_space_are_met_before_the_first() {
        check(Space::Bits16, &[5, 65_535, 65_536], &[(65_535, 1), (65_534, 1)]);
        check(Space::Bits16, &[5, 65_536], &[(65_535, 1)]);
    }

    #[test]
    fn every_position_is_found_as_by_binary_search() {
        // Runs of neighbours fill some buckets completely, and others stay empty.
        let positions: Vec<i64> = (0..900).map(|at: i64| at / 45 * 3_300 + at % 45 / 2).collect();
        let mut unique = positions.clone();
        unique.dedup();
        let wanted: Vec<_> = (0..65_536)
            .map(|position| (position, unique.partition_point(|&point| point < position) % unique.len()))
            .collect();
        check(Space::Bits16, &unique, &wanted);
    }
}
