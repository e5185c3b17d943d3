//! Lines that wait until there are enough of them to be hashed together.
//!
//! A line waits only here and only within one call into the pipeline. All lines of a series that take a hash
//! route wait, so none overtakes another: lines leave by route, in the order in which they came.

use super::placing::{Placer, Text};
use crate::{
    gather::Gathered,
    ring::NAMES_AT_A_TIME,
    select::Selectors,
    table::{DestinationIndex, RouteIndex},
};
use std::ops::Range;

/// The lines that wait, at most [`NAMES_AT_A_TIME`].
#[derive(Clone, Debug, Default)]
pub(super) struct Deferred {
    lines: Vec<Waiting>,
    /// The lines that are not sent as they came, each with its LF.
    composed: Vec<u8>,
    /// The destinations that lines have from other routes.
    fixed: Vec<DestinationIndex>,
    /// For one line, `fixed` and what the hash route chose.
    all: Vec<DestinationIndex>,
}

#[derive(Clone, Debug)]
struct Waiting {
    route: RouteIndex,
    line: Place,
    name_bytes: usize,
    fixed: Range<usize>,
    varies: bool,
}

/// Where a line's bytes are, LF included; its name is at the start.
#[derive(Clone, Debug)]
enum Place {
    Input(Range<usize>),
    Composed(Range<usize>),
}

impl Deferred {
    /// Makes a line wait. `fixed` are the destinations that it has already. Whoever is told that it is full
    /// must flush it.
    pub(super) fn push(
        &mut self,
        route: RouteIndex,
        name_bytes: usize,
        text: &Text<'_>,
        fixed: &[DestinationIndex],
        varies: bool,
    ) -> IsFull {
        let line = match text {
            Text::Verbatim(line) => Place::Input(line.clone()),
            Text::Whole(line) => Place::Composed(self.keep([line])),
            Text::Composed([name, value, timestamp]) => {
                Place::Composed(self.keep([name, b" ", value, b" ", timestamp, b"\n"]))
            }
        };
        let fixed_at = self.fixed.len();
        self.fixed.extend_from_slice(fixed);
        let fixed = fixed_at..self.fixed.len();
        self.lines.push(Waiting { route, line, name_bytes, fixed, varies });
        IsFull(self.lines.len() >= NAMES_AT_A_TIME)
    }

    /// Places all that wait.
    pub(super) fn flush(&mut self, selectors: &Selectors, placer: &mut Placer<'_>, gathered: &mut Gathered) {
        // Most tables have one hash route, and one turn does it.
        while let Some(first) = self.lines.first() {
            let route = first.route;
            self.flush_route(route, selectors, placer, gathered);
            self.lines.retain(|waiting| waiting.route != route);
        }
        self.composed.clear();
        self.fixed.clear();
    }

    fn flush_route(
        &mut self,
        route: RouteIndex,
        selectors: &Selectors,
        placer: &mut Placer<'_>,
        gathered: &mut Gathered,
    ) {
        let Self { lines, composed, fixed, all } = self;
        let input = placer.bytes;
        let of_route = || lines.iter().filter(|waiting| waiting.route == route);
        let mut names: [&[u8]; NAMES_AT_A_TIME] = [&[]; NAMES_AT_A_TIME];
        let mut count = 0;
        for (name, waiting) in names.iter_mut().zip(of_route()) {
            *name = &waiting.bytes(input, composed)[..waiting.name_bytes];
            count += 1;
        }
        let mut next = of_route();
        selectors.select_hashed(route, &names[..count], |_, chosen| {
            let Some(waiting) = next.next() else { return };
            if chosen.is_empty() {
                gathered.counts.route_undelivered(route);
            }
            all.clear();
            all.extend_from_slice(&fixed[waiting.fixed.clone()]);
            all.extend_from_slice(chosen);
            waiting.place(all, composed, placer, gathered);
        });
    }

    fn keep<const N: usize>(&mut self, parts: [&[u8]; N]) -> Range<usize> {
        let start = self.composed.len();
        for part in parts {
            self.composed.extend_from_slice(part);
        }
        start..self.composed.len()
    }
}

/// Whether no more line may wait.
#[must_use]
pub(super) struct IsFull(pub(super) bool);

impl Waiting {
    fn bytes<'a>(&self, input: &'a [u8], composed: &'a [u8]) -> &'a [u8] {
        match &self.line {
            Place::Input(line) => &input[line.clone()],
            Place::Composed(line) => &composed[line.clone()],
        }
    }

    fn place(
        &self,
        destinations: &[DestinationIndex],
        composed: &[u8],
        placer: &mut Placer<'_>,
        gathered: &mut Gathered,
    ) {
        let text = match &self.line {
            Place::Input(line) => Text::Verbatim(line.clone()),
            Place::Composed(line) => Text::Whole(&composed[line.clone()]),
        };
        if !destinations.is_empty() {
            placer.place_for(destinations, self.varies, &text, gathered);
        }
    }
}
