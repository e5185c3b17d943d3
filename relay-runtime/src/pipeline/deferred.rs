//! Lines that wait until there are enough of them to be hashed together, each once for all of its hash routes.
//!
//! A line waits only here and only within one call into the pipeline. All lines of a series that take a hash
//! route wait, so none overtakes another: lines leave in the order in which they came.

use super::placing::{Placer, Text};
use crate::{
    gather::Gathered,
    ring::{Choice, Hashes, NAMES_AT_A_TIME},
    select::Selectors,
    table::{DestinationIndex, RouteIndex},
};
use std::ops::Range;

/// If the choices of a line's hash routes can make more different sets than this, chunks of one set would hold few lines, and
/// handing over many chunks takes longer than copying a line to each of its destinations.
const SETS_MAX: usize = 128;

/// The lines that wait, at most [`NAMES_AT_A_TIME`].
#[derive(Clone, Debug, Default)]
pub(super) struct Deferred {
    lines: Vec<Waiting>,
    /// The hash routes of the lines.
    routes: Vec<RouteIndex>,
    /// The lines that are not sent as they came, each with its LF.
    composed: Vec<u8>,
    /// The destinations that lines have from other routes.
    fixed: Vec<DestinationIndex>,
    /// For one line, `fixed` and what the hash routes chose.
    all: Vec<DestinationIndex>,
    hashes: Hashes,
}

#[derive(Clone, Debug)]
struct Waiting {
    /// Where its bytes are, LF included; its name is at the start.
    line: Range<usize>,
    /// Whether that is in `composed`, not in the input.
    is_composed: bool,
    varies: bool,
    name_bytes: usize,
    /// Where its hash routes and its fixed destinations end; they start where those of the line before it end.
    routes_end: usize,
    fixed_end: usize,
}

impl Deferred {
    /// Makes a line wait. `fixed` are the destinations that it has already. Whoever is told that it is full
    /// must flush it.
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
        // Mostly one and none: for so few, copying a slice takes longer.
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

    /// Places all that wait.
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
            // One choice beside what is fixed makes no more sets than there are destinations.
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

/// Whether no more line may wait.
#[must_use]
pub(super) struct IsFull(pub(super) bool);

impl Waiting {
    fn bytes<'a>(&self, input: &'a [u8], composed: &'a [u8]) -> &'a [u8] {
        &(if self.is_composed { composed } else { input })[self.line.clone()]
    }

    /// Places the line; `sets` is how many different sets of destinations there could have been.
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
