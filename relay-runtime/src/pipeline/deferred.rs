//! Lines that are deferred until there are enough of them to be hashed together, each name once for all of its
//! hash routes.
//!
//! A line is deferred only here, and only within one call of the pipeline. All lines of a series that take a
//! hash route are deferred, so none overtakes another: lines leave in the order in which they came.

use super::placing::{Placer, Text};
use crate::{
    gather::Gathered,
    ring::{Choice, Hashes, NAMES_AT_A_TIME},
    select::Selectors,
    table::{DestinationIndex, RouteIndex},
};
use std::ops::Range;

/// If the choices of a line's hash routes can make more sets of destinations than this, a chunk of one set
/// would have few lines. Handing over many chunks takes longer than copying a line to each of its destinations.
const SETS_MAX: usize = 128;

/// The deferred lines, at most [`NAMES_AT_A_TIME`].
#[derive(Clone, Debug, Default)]
pub(super) struct Deferred {
    lines: Vec<Waiting>,
    /// The hash routes of the lines.
    routes: Vec<RouteIndex>,
    /// The lines that are not sent as they came, each with its LF.
    composed: Vec<u8>,
    /// The destinations that lines have from other routes.
    fixed: Vec<DestinationIndex>,
    /// Scratch space: the destinations of one line, from `fixed` and from its hash routes.
    all: Vec<DestinationIndex>,
    hashes: Hashes,
}

#[derive(Clone, Debug)]
struct Waiting {
    /// The range of its bytes, LF included. The name is at the start.
    line: Range<usize>,
    /// Whether the range is one of `composed`; otherwise it is one of the input.
    is_composed: bool,
    varies: bool,
    name_bytes: usize,
    /// Where its hash routes and its fixed destinations end; they start where those of the line before end.
    routes_end: usize,
    fixed_end: usize,
}

impl Deferred {
    /// Defers a line. `fixed` are the destinations that it already has. If the result is full, the caller must
    /// flush.
    #[inline]
    pub(super) fn push(
        &mut self,
        routes: &[RouteIndex],
        name_bytes: usize,
        text: &Text<'_>,
        fixed: &[DestinationIndex],
        varies: bool,
    ) -> IsFull {
        let (line, is_composed) = match text {
            Text::Verbatim(line) => (line.clone(), false),
            Text::Whole(line) => (self.keep([line]), true),
            Text::Composed([name, value, timestamp]) => {
                (self.keep([name, b" ", value, b" ", timestamp, b"\n"]), true)
            }
        };
        // Usually there are one and none; copying so short slices takes longer.
        for route in routes {
            self.routes.push(*route);
        }
        for destination in fixed {
            self.fixed.push(*destination);
        }
        let (routes_end, fixed_end) = (self.routes.len(), self.fixed.len());
        self.lines.push(Waiting { line, is_composed, varies, name_bytes, routes_end, fixed_end });
        IsFull(self.lines.len() >= NAMES_AT_A_TIME)
    }

    /// Places all deferred lines.
    pub(super) fn flush(&mut self, selectors: &Selectors, placer: &mut Placer<'_>, gathered: &mut Gathered) {
        if self.lines.is_empty() {
            return;
        }
        let Self { lines, routes, composed, fixed, all, hashes } = self;
        let mut names: [&[u8]; NAMES_AT_A_TIME] = [&[]; NAMES_AT_A_TIME];
        for (name, waiting) in names.iter_mut().zip(&*lines) {
            *name = &waiting.bytes(placer.bytes, composed)[..waiting.name_bytes];
        }
        let start = |at: usize| {
            at.checked_sub(1).map_or((0, 0), |before| (lines[before].routes_end, lines[before].fixed_end))
        };
        selectors.hash(&names[..lines.len()], |at| &routes[start(at).0..lines[at].routes_end], hashes);
        let (mut routes_at, mut fixed_at) = (0, 0);
        for (at, waiting) in lines.iter().enumerate() {
            let routes = &routes[routes_at..waiting.routes_end];
            let fixed = &fixed[fixed_at..waiting.fixed_end];
            (routes_at, fixed_at) = (waiting.routes_end, waiting.fixed_end);
            hashes.forget();
            if let ([route], []) = (routes, fixed) {
                let Choice { destinations, of } = selectors.select_hashed(*route, at, hashes);
                count_none(*route, destinations, gathered);
                waiting.place(destinations, of, composed, placer, gathered);
                continue;
            }
            all.clear();
            all.extend_from_slice(fixed);
            let mut sets = 1_usize;
            for &route in routes {
                let Choice { destinations, of } = selectors.select_hashed(route, at, hashes);
                count_none(route, destinations, gathered);
                sets = sets.saturating_mul(of);
                for destination in destinations {
                    all.push(*destination);
                }
            }
            // With one choice in addition to the fixed destinations, there are no more sets than destinations.
            let sets = if all.len() > fixed.len() + 1 { sets } else { 1 };
            waiting.place(all, sets, composed, placer, gathered);
        }
        lines.clear();
        self.routes.clear();
        self.composed.clear();
        self.fixed.clear();
    }

    fn keep<const N: usize>(&mut self, parts: [&[u8]; N]) -> Range<usize> {
        let start = self.composed.len();
        for part in parts {
            self.composed.extend_from_slice(part);
        }
        start..self.composed.len()
    }
}

fn count_none(route: RouteIndex, chosen: &[DestinationIndex], gathered: &mut Gathered) {
    if chosen.is_empty() {
        gathered.counts.route_undelivered(route);
    }
}

/// Whether no more line may be deferred before a flush.
#[must_use]
pub(super) struct IsFull(pub(super) bool);

impl Waiting {
    fn bytes<'a>(&self, input: &'a [u8], composed: &'a [u8]) -> &'a [u8] {
        &(if self.is_composed { composed } else { input })[self.line.clone()]
    }

    /// Places the line; `sets` is how many different sets of destinations are possible.
    fn place(
        &self,
        destinations: &[DestinationIndex],
        sets: usize,
        composed: &[u8],
        placer: &mut Placer<'_>,
        gathered: &mut Gathered,
    ) {
        let text = if self.is_composed {
            Text::Whole(&composed[self.line.clone()])
        } else {
            Text::Verbatim(self.line.clone())
        };
        if !destinations.is_empty() {
            placer.place_for(destinations, self.varies || sets > SETS_MAX, &text, gathered);
        }
    }
}
