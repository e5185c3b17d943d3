//! Which share of a hash route's positions moves to other destinations, and from where to where.
//!
//! Both rings are the runtime's own. If their positions can be compared, the answer is exact; otherwise names
//! are tried.

use super::effect::written;
use relay_runtime::{
    ring::{Moves, Ring},
    table::{HashRing, RouteKind, Table},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// How many names are hashed if positions cannot be compared.
const NAMES: u64 = 100_000;

/// What moves in one hash route.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RingMoves {
    /// The route's key.
    pub route: String,
    /// The number of positions, or of names tried.
    pub positions: u64,
    /// How many of them move to other destinations.
    pub moved: u64,
    /// `moved / positions`, from 0 to 1.
    pub share: f64,
    /// Whether all positions were compared; otherwise a sample of names was.
    pub exact: bool,
    /// From where to where, the largest number of positions first.
    pub moves: Vec<RingMove>,
}

/// Positions that move from one choice of destinations to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RingMove {
    /// The destinations before.
    pub from: String,
    /// The destinations after.
    pub to: String,
    /// The number of positions that move this way.
    pub positions: u64,
}

/// Every hash route of both tables of which some positions move.
pub(super) fn compare(old: &Table, new: &Table) -> Vec<RingMoves> {
    let rings = |table: &Table| -> BTreeMap<String, HashRing> {
        let ring = |route: &relay_runtime::table::Route| match &route.kind {
            RouteKind::ConsistentHash(ring) => Some((route.key.clone(), ring.clone())),
            _ => None,
        };
        table.routes.iter().filter_map(ring).collect()
    };
    let others = rings(new);
    let both = rings(old).into_iter().filter_map(|(key, ring)| Some((others.get(&key)?.clone(), key, ring)));
    let moves = both.map(|(other, key, ring)| moves(key, (old, &ring), (new, &other)));
    moves.filter(|moves| moves.moved > 0).collect()
}

fn moves(route: String, (old, ring): (&Table, &HashRing), (new, other): (&Table, &HashRing)) -> RingMoves {
    let (before, after) = (Ring::new(ring, &old.destinations), Ring::new(other, &new.destinations));
    let exact = Moves::between(&before, &after);
    let is_exact = exact.is_some();
    let all = exact.unwrap_or_else(|| sampled(&before, &after));
    let names = |table: &Table, of: &[relay_runtime::table::DestinationIndex]| {
        of.iter().map(|index| written(table, index.get())).collect::<Vec<_>>().join(", ")
    };
    let mut by_names: BTreeMap<(String, String), u64> = BTreeMap::new();
    for ((from, to), positions) in &all.shares {
        *by_names.entry((names(old, from), names(new, to))).or_default() += positions;
    }
    let changed = by_names.into_iter().filter(|((from, to), _)| from != to);
    let mut moves: Vec<_> = changed.map(|((from, to), positions)| RingMove { from, to, positions }).collect();
    moves.sort_by_key(|one| std::cmp::Reverse(one.positions));
    let moved: u64 = moves.iter().map(|one| one.positions).sum();
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = moved as f64 / all.positions.max(1) as f64;
    RingMoves { route, positions: all.positions, moved, share, exact: is_exact, moves }
}

/// Compares the choices for many names, for two rings whose positions differ in kind.
fn sampled(before: &Ring, after: &Ring) -> Moves {
    let mut moves = Moves { positions: NAMES, ..Moves::default() };
    for number in 0..NAMES {
        let name = format!("servers.web{:05}.cpu.{}", number % 9_973, number);
        let (mut from, mut to) = (Vec::new(), Vec::new());
        before.select(name.as_bytes(), &mut from);
        after.select(name.as_bytes(), &mut to);
        *moves.shares.entry((from, to)).or_default() += 1;
    }
    moves
}
