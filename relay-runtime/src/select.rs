//! The destinations of routes that choose among theirs: by hash, in turn, or by which are up.
//!
//! [`Selectors`] belongs to one worker: its counters are its own, and no lock is taken. What changes while the
//! relay runs, whether a destination is up, is in [`Liveness`], which all workers share. Rings hash hosts, so
//! no variable in an address may be open.

use crate::{
    parts::Hashing,
    ring::{Choice, Hashes, RingIndex, Rings},
    table::{DestinationIndex, RouteIndex, RouteKind, Table},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Which destinations are up. Clones share the information.
#[derive(Clone, Debug)]
pub struct Liveness {
    up: Arc<[AtomicBool]>,
}

impl Liveness {
    /// All of `destinations` destinations are up: for `trace` and tests, and until connections report
    /// otherwise.
    #[must_use]
    pub fn all_up(destinations: usize) -> Self {
        Self { up: (0..destinations).map(|_| AtomicBool::new(true)).collect() }
    }

    /// Whether the destination is up; false for one that does not exist.
    #[must_use]
    pub fn is_up(&self, destination: DestinationIndex) -> bool {
        self.up.get(destination.get()).is_some_and(|up| up.load(Ordering::Relaxed))
    }

    /// Records that the destination came up or went down.
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
    /// The rings, which never change.
    rings: Option<(Hashing, Arc<Rings>)>,
    liveness: Liveness,
}

#[derive(Clone, Debug)]
enum Selector {
    /// The route reports its destinations itself, or has none.
    Nothing,
    Hash(Hashing, RingIndex),
    RoundRobin {
        destinations: Vec<DestinationIndex>,
        next: usize,
    },
    Failover {
        destinations: Vec<DestinationIndex>,
    },
}

impl Selectors {
    /// The selectors of one worker. Its round-robin routes start at their first destination.
    #[must_use]
    pub fn new(table: &Table, liveness: Liveness) -> Self {
        let rings = table.routes.iter().filter_map(|route| match &route.kind {
            RouteKind::ConsistentHash(ring) => Some(ring),
            _ => None,
        });
        let ready = Hashing::get().map(|part| (part, Rings::new(rings, &table.destinations)));
        let (rings, indices) = match ready {
            Some((part, (rings, indices))) => (Some((part, Arc::new(rings))), indices),
            None => (None, Vec::new()),
        };
        let mut hashed = indices.into_iter();
        let mut selector = |kind: &RouteKind| match kind {
            RouteKind::ConsistentHash(_) => match Hashing::get().zip(hashed.next()) {
                Some((part, ring)) => Selector::Hash(part, ring),
                None => Selector::Nothing,
            },
            RouteKind::RoundRobin { destinations } => {
                Selector::RoundRobin { destinations: destinations.clone(), next: 0 }
            }
            RouteKind::Failover { destinations } => Selector::Failover { destinations: destinations.clone() },
            _ => Selector::Nothing,
        };
        Self { by_route: table.routes.iter().map(|route| selector(&route.kind)).collect(), rings, liveness }
    }

    /// Whether the route's destinations depend on the metric only, so that they may be chosen for many metrics
    /// at a time: by [`hash`](Self::hash) and [`select_hashed`](Self::select_hashed).
    #[must_use]
    pub fn is_hashed(&self, route: RouteIndex) -> bool {
        matches!(self.by_route.get(route.get()), Some(Selector::Hash(..)))
    }

    /// Appends the destinations that `route` chooses for `name` to `out`. Appends none for a route without
    /// destinations (BUG-43), and for kinds that report theirs themselves.
    pub fn select(&mut self, route: RouteIndex, name: &[u8], out: &mut Vec<DestinationIndex>) {
        match self.by_route.get_mut(route.get()) {
            Some(Selector::Hash(_, ring)) => {
                if let Some((_, rings)) = &self.rings {
                    rings.select(*ring, name, out);
                }
            }
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

    /// Hashes at most [`NAMES_AT_A_TIME`](crate::ring::NAMES_AT_A_TIME) names for their hash routes: each name
    /// once for all routes that use the same hash.
    pub fn hash<'r>(
        &self,
        names: &[&[u8]],
        routes_of: impl Fn(usize) -> &'r [RouteIndex],
        hashes: &mut Hashes,
    ) {
        let Some((_, rings)) = &self.rings else { return };
        let rings_of = |at| routes_of(at).iter().filter_map(|route| self.ring(*route));
        rings.hash(names, rings_of, hashes);
    }

    /// What a hash route chooses for name number `at`, which must have been hashed for it. Between two names,
    /// `hashes` must [forget](Hashes::forget). Other routes choose nothing.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "once per line and hash route")]
    pub fn select_hashed<'a>(&'a self, route: RouteIndex, at: usize, hashes: &'a mut Hashes) -> Choice<'a> {
        match (self.ring(route), &self.rings) {
            (Some(ring), Some((_, rings))) => rings.choose(ring, at, hashes),
            _ => Choice { destinations: &[], of: 1 },
        }
    }

    #[inline]
    fn ring(&self, route: RouteIndex) -> Option<RingIndex> {
        match self.by_route.get(route.get()) {
            Some(Selector::Hash(_, ring)) => Some(*ring),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ring::NAMES_AT_A_TIME,
        table::{Destination, HashAlgorithm, HashRing, Matcher, Route},
    };

    fn table(kind: RouteKind) -> Table {
        let destinations = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"].map(Destination::new).to_vec();
        let route = Route::new("r", Matcher::default(), kind);
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
            assert_eq!(many(&selectors, &[RouteIndex(0)], &[b"a", b"b"]), [[], []]);
        }
    }

    /// What these hash routes choose for each name.
    fn many(selectors: &Selectors, routes: &[RouteIndex], names: &[&[u8]]) -> Vec<Vec<DestinationIndex>> {
        let (mut hashes, mut chosen) = (Hashes::default(), Vec::new());
        for batch in names.chunks(NAMES_AT_A_TIME) {
            selectors.hash(batch, |_| routes, &mut hashes);
            for at in 0..batch.len() {
                let mut out = Vec::new();
                hashes.forget();
                for &route in routes {
                    out.extend_from_slice(selectors.select_hashed(route, at, &mut hashes).destinations);
                }
                chosen.push(out);
            }
        }
        chosen
    }

    /// What [`Selectors::select`] chooses for each name.
    fn one_by_one(
        selectors: &mut Selectors,
        routes: &[RouteIndex],
        names: &[&[u8]],
    ) -> Vec<Vec<DestinationIndex>> {
        let one = |name: &&[u8]| {
            let mut out = Vec::new();
            for &route in routes {
                selectors.select(route, name, &mut out);
            }
            out
        };
        names.iter().map(one).collect()
    }

    fn names() -> Vec<String> {
        (0..40).map(|at| "a.b\u{e9}".repeat(at)).collect()
    }

    #[test]
    fn many_at_a_time_are_chosen_as_one_at_a_time() {
        let texts = names();
        let names: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        for algorithm in HashAlgorithm::ALL {
            for replicas in 1..4 {
                let ring = HashRing { algorithm, replicas, diverse: false, destinations: indices(0..3) };
                let table = table(RouteKind::ConsistentHash(ring));
                let mut selectors = Selectors::new(&table, Liveness::all_up(3));
                assert!(selectors.is_hashed(RouteIndex(0)));
                let all = [RouteIndex(0)];
                assert_eq!(many(&selectors, &all, &names), one_by_one(&mut selectors, &all, &names));
            }
        }
    }

    /// Whether the routes share their rings, their hashes, or nothing.
    #[test]
    fn routes_that_take_the_same_names_choose_as_each_would_alone() {
        let texts = names();
        let names: Vec<&[u8]> = texts.iter().map(String::as_bytes).collect();
        let ring = |algorithm, replicas, destinations| {
            RouteKind::ConsistentHash(HashRing { algorithm, replicas, diverse: false, destinations })
        };
        let mut kinds = Vec::new();
        for algorithm in HashAlgorithm::ALL {
            for replicas in [1, 2] {
                kinds.push(ring(algorithm, replicas, indices(0..3)));
                kinds.push(ring(algorithm, replicas, indices(0..3)));
                kinds.push(ring(algorithm, replicas, vec![DestinationIndex(2), DestinationIndex(0)]));
            }
        }
        let mut table = table(RouteKind::Blackhole);
        table.routes = kinds.into_iter().map(|kind| Route::new("", Matcher::default(), kind)).collect();
        let mut selectors = Selectors::new(&table, Liveness::all_up(3));
        let all: Vec<_> = (0..table.routes.len()).map(RouteIndex::new).collect();
        assert_eq!(many(&selectors, &all, &names), one_by_one(&mut selectors, &all, &names));
        for (at, route) in all.iter().enumerate() {
            let alone = Table { routes: vec![table.routes[at].clone()], ..table.clone() };
            let mut alone = Selectors::new(&alone, Liveness::all_up(3));
            let (together, apart) = (
                one_by_one(&mut selectors, &[*route], &names),
                one_by_one(&mut alone, &[RouteIndex(0)], &names),
            );
            assert_eq!(together, apart, "{:?}", table.routes[at].kind);
        }
    }
}
