//! The destinations of routes that do not send to all of theirs: by hash, in turn, or by who is up.
//!
//! [`Selectors`] belongs to one worker: counters are its own and no lock is taken. What may change while the
//! relay runs, whether a destination is up, is in [`Liveness`], which all workers share.
//! Addresses must be complete: rings look at hosts, so templates are resolved before a table comes here.

use crate::{
    parts::Hashing,
    ring::Ring,
    table::{DestinationIndex, RouteIndex, RouteKind, Table},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Which destinations are up. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Liveness {
    up: Arc<[AtomicBool]>,
}

impl Liveness {
    /// `destinations` destinations, all up: for `trace` and tests, and until connections say otherwise.
    #[must_use]
    pub fn all_up(destinations: usize) -> Self {
        Self { up: (0..destinations).map(|_| AtomicBool::new(true)).collect() }
    }

    /// Whether the destination is up. One that is not known is not.
    #[must_use]
    pub fn is_up(&self, destination: DestinationIndex) -> bool {
        self.up.get(destination.get()).is_some_and(|up| up.load(Ordering::Relaxed))
    }

    /// Notes that the destination came up or went down.
    pub fn set(&self, destination: DestinationIndex, is_up: bool) {
        if let Some(up) = self.up.get(destination.get()) {
            up.store(is_up, Ordering::Relaxed);
        }
    }
}

/// The choices of every route of a table, for one worker.
#[derive(Clone, Debug)]
pub struct Selectors {
    by_route: Vec<Selector>,
    liveness: Liveness,
}

#[derive(Clone, Debug)]
enum Selector {
    /// The route reports its destinations itself, or has none.
    Nothing,
    Hash(Hashing, Box<Ring>),
    RoundRobin {
        destinations: Vec<DestinationIndex>,
        next: usize,
    },
    Failover {
        destinations: Vec<DestinationIndex>,
    },
}

impl Selectors {
    /// The selectors of one worker; its turns start at each route's first destination.
    #[must_use]
    pub fn new(table: &Table, liveness: Liveness) -> Self {
        let selector = |kind: &RouteKind| match kind {
            RouteKind::ConsistentHash(ring) => match Hashing::get() {
                Some(part) => Selector::Hash(part, Box::new(Ring::new(ring, &table.destinations))),
                None => Selector::Nothing,
            },
            RouteKind::RoundRobin { destinations } => {
                Selector::RoundRobin { destinations: destinations.clone(), next: 0 }
            }
            RouteKind::Failover { destinations } => Selector::Failover { destinations: destinations.clone() },
            _ => Selector::Nothing,
        };
        Self { by_route: table.routes.iter().map(|route| selector(&route.kind)).collect(), liveness }
    }

    /// Whether the route's destinations depend on nothing but the metric, so that
    /// [`select_hashed`](Self::select_hashed) may choose for many at a time.
    #[must_use]
    pub fn is_hashed(&self, route: RouteIndex) -> bool {
        matches!(self.by_route.get(route.get()), Some(Selector::Hash(..)))
    }

    /// Appends the destinations that `route` chooses for `name` to `out`. None for a route without any
    /// (BUG-43), and for the kinds that report theirs themselves.
    pub fn select(&mut self, route: RouteIndex, name: &[u8], out: &mut Vec<DestinationIndex>) {
        match self.by_route.get_mut(route.get()) {
            Some(Selector::Hash(_, ring)) => ring.select(name, out),
            Some(Selector::RoundRobin { destinations, next }) => {
                out.extend(destinations.get(*next));
                *next = if *next + 1 < destinations.len() { *next + 1 } else { 0 };
            }
            Some(Selector::Failover { destinations }) => {
                let first_up = destinations.iter().find(|&&destination| self.liveness.is_up(destination));
                out.extend(first_up.or(destinations.first()));
            }
            Some(Selector::Nothing) | None => {}
        }
    }

    /// Calls `each` with the number of every one of `names` and the destinations that the hash route chooses
    /// for it, in order. Best with as many as [`NAMES_AT_A_TIME`](crate::ring::NAMES_AT_A_TIME) names. Routes
    /// that are not hashed choose none.
    pub fn select_hashed(
        &self,
        route: RouteIndex,
        names: &[&[u8]],
        mut each: impl FnMut(usize, &[DestinationIndex]),
    ) {
        match self.by_route.get(route.get()) {
            Some(Selector::Hash(_, ring)) => ring.select_many(names, each),
            _ => (0..names.len()).for_each(|at| each(at, &[])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Destination, HashAlgorithm, HashRing, Matcher, Route};

    fn table(kind: RouteKind) -> Table {
        let destinations = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"].map(Destination::new).to_vec();
        let route = Route { key: "r".to_owned(), matcher: Matcher::default(), kind };
        Table { routes: vec![route], destinations, ..Table::default() }
    }

    fn indices(range: std::ops::Range<u32>) -> Vec<DestinationIndex> {
        range.map(DestinationIndex).collect()
    }

    #[track_caller]
    fn check(selectors: &mut Selectors, name: &str, want: &[u32]) {
        let mut out = Vec::new();
        selectors.select(RouteIndex(0), name.as_bytes(), &mut out);
        assert_eq!(out.iter().map(|index| index.0).collect::<Vec<_>>(), want);
    }

    #[test]
    fn round_robin_starts_at_the_first_and_comes_back_to_it() {
        let table = table(RouteKind::RoundRobin { destinations: indices(0..3) });
        let mut selectors = Selectors::new(&table, Liveness::all_up(3));
        for want in [0, 1, 2, 0, 1] {
            check(&mut selectors, "a", &[want]);
        }
        assert!(!selectors.is_hashed(RouteIndex(0)));
    }

    #[test]
    fn failover_takes_the_first_that_is_up_and_returns_to_it() {
        let table = table(RouteKind::Failover { destinations: indices(0..3) });
        let liveness = Liveness::all_up(3);
        let mut selectors = Selectors::new(&table, liveness.clone());
        check(&mut selectors, "a", &[0]);
        liveness.set(DestinationIndex(0), false);
        check(&mut selectors, "a", &[1]);
        liveness.set(DestinationIndex(1), false);
        liveness.set(DestinationIndex(2), false);
        check(&mut selectors, "a", &[0]);
        liveness.set(DestinationIndex(0), true);
        liveness.set(DestinationIndex(1), true);
        check(&mut selectors, "a", &[0]);
    }

    #[test]
    fn routes_without_destinations_select_none() {
        let ring = |algorithm| HashRing { algorithm, replicas: 2, diverse: false, destinations: Vec::new() };
        let hashed = HashAlgorithm::ALL.map(|algorithm| RouteKind::ConsistentHash(ring(algorithm)));
        let turns = RouteKind::RoundRobin { destinations: Vec::new() };
        let failover = RouteKind::Failover { destinations: Vec::new() };
        for kind in hashed.into_iter().chain([turns, failover, RouteKind::Blackhole]) {
            let mut selectors = Selectors::new(&table(kind), Liveness::all_up(3));
            check(&mut selectors, "a.b", &[]);
            selectors.select_hashed(RouteIndex(0), &[b"a", b"b"], |_, chosen| assert!(chosen.is_empty()));
        }
    }

    #[test]
    fn many_at_a_time_are_chosen_as_one_at_a_time() {
        let texts: Vec<String> = (0..40).map(|at| "a.b".repeat(at)).collect();
        let names: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        for algorithm in HashAlgorithm::ALL {
            for replicas in 1..4 {
                let ring = HashRing { algorithm, replicas, diverse: false, destinations: indices(0..3) };
                let table = table(RouteKind::ConsistentHash(ring));
                let mut selectors = Selectors::new(&table, Liveness::all_up(3));
                assert!(selectors.is_hashed(RouteIndex(0)));
                let mut many = Vec::new();
                selectors.select_hashed(RouteIndex(0), &names, |at, to| many.push((at, to.to_vec())));
                for (at, name) in names.iter().enumerate() {
                    let mut one = Vec::new();
                    selectors.select(RouteIndex(0), name, &mut one);
                    assert_eq!(many[at], (at, one));
                }
                assert_eq!(many.len(), names.len());
            }
        }
    }
}
