//! Carries out a command on a plan. Added rules go to the end; `modRoute`, `modDest` and `delRoute` change the first route with the key.

use super::{Command, CommandError, CommandErrorKind, NewRoute};
use crate::config::{
    destinations::{self, Written, split_instance},
    routes,
};
use relay_runtime::{
    plan::Plan,
    table::{Condition, Destination, DestinationIndex, Matcher, Route, RouteDestination, RouteKind, Table},
};

/// Carries out `command` on the plan; after an error the plan is unchanged.
pub fn apply(command: &Command, plan: &mut Plan) -> Result<(), CommandError> {
    let table = &mut plan.table;
    match command.clone() {
        Command::AddBlock(matcher) => table.blocklist.push(matcher),
        Command::AddAggregator(aggregator) => table.aggregators.push(aggregator),
        Command::AddRewriter(rewriter) => table.rewriters.push(rewriter),
        Command::AddRoute { key, matcher, stop, kind } => {
            let Some(kind) = route_kind(table, kind) else { return Ok(()) };
            table.routes.push(Route { key, matcher, stop, kind });
        }
        Command::ModRoute { key, conditions, stop } => {
            let route = find(table, &key)?;
            set(&mut route.matcher, &conditions);
            route.stop = stop.unwrap_or(route.stop);
        }
        Command::ModDestination { key, index, address, conditions } => {
            modify_destination(table, &key, index, address.as_deref(), &conditions)?;
        }
        Command::DeleteRoute { key } => {
            if let Some(at) = table.routes.iter().position(|route| route.key == key) {
                table.routes.remove(at);
                prune(table);
            }
        }
    }
    Ok(())
}

fn route_kind(table: &mut Table, kind: NewRoute) -> Option<RouteKind> {
    match kind {
        NewRoute::Carbon(route_type, written) => {
            let destinations = written
                .into_iter()
                .map(|Written { destination, matcher }| RouteDestination {
                    destination: destinations::intern(table, destination),
                    matcher,
                })
                .collect();
            routes::assemble(route_type, destinations, 1, false)
        }
        NewRoute::GrafanaNet(route) => Some(RouteKind::GrafanaNet(*route)),
        NewRoute::KafkaMdm(route) => Some(RouteKind::KafkaMdm(*route)),
        NewRoute::PubSub(route) => Some(RouteKind::PubSub(*route)),
    }
}

fn find<'a>(table: &'a mut Table, key: &str) -> Result<&'a mut Route, CommandError> {
    let missing = CommandErrorKind::NoSuchRoute { key: key.to_owned() };
    table.routes.iter_mut().find(|route| route.key == key).ok_or_else(|| missing.at(0..usize::MAX))
}

fn set(matcher: &mut Matcher, conditions: &[(Condition, String)]) {
    for (condition, text) in conditions {
        matcher.set(*condition, text.clone());
    }
}

/// A new address is valid immediately, even if nothing listens there (BUG-21).
fn modify_destination(
    table: &mut Table,
    key: &str,
    index: usize,
    address: Option<&str>,
    conditions: &[(Condition, String)],
) -> Result<(), CommandError> {
    let route = find(table, key)?;
    let missing = CommandErrorKind::NoSuchDestination { index }.at(0..usize::MAX);
    let at = route.destinations().get(index).copied().ok_or(missing)?;
    if !conditions.is_empty() {
        match &mut route.kind {
            RouteKind::SendAllMatch { destinations } | RouteKind::SendFirstMatch { destinations } => {
                set(&mut destinations[index].matcher, conditions);
            }
            _ => return Err(CommandErrorKind::MatcherNotAllowed.at(0..usize::MAX)),
        }
    }
    if let Some(written) = address {
        let (address, instance) = split_instance(written);
        let changed = Destination {
            address: address.into(),
            instance: instance.filter(|instance| !instance.is_empty()).map(str::to_owned),
            ..table.destinations[at.get()].clone()
        };
        let new = destinations::intern(table, changed);
        if let Ok(route) = find(table, key) {
            let mut position = 0;
            for_each_index(&mut route.kind, |destination| {
                if position == index {
                    *destination = new;
                }
                position += 1;
            });
        }
        prune(table);
    }
    Ok(())
}

fn for_each_index(kind: &mut RouteKind, mut each: impl FnMut(&mut DestinationIndex)) {
    match kind {
        RouteKind::SendAllMatch { destinations } | RouteKind::SendFirstMatch { destinations } => {
            for one in destinations {
                each(&mut one.destination);
            }
        }
        RouteKind::ConsistentHash(ring) => ring.destinations.iter_mut().for_each(each),
        RouteKind::RoundRobin { destinations } | RouteKind::Failover { destinations } => {
            destinations.iter_mut().for_each(each);
        }
        _ => {}
    }
}

/// Removes destinations that no route uses any more.
fn prune(table: &mut Table) {
    let used: Vec<_> = table.routes.iter().flat_map(Route::destinations).collect();
    let mut moved = Vec::new();
    let mut kept = Vec::new();
    for (at, destination) in std::mem::take(&mut table.destinations).into_iter().enumerate() {
        moved.push(DestinationIndex::new(kept.len()));
        if used.contains(&DestinationIndex::new(at)) {
            kept.push(destination);
        }
    }
    table.destinations = kept;
    for route in &mut table.routes {
        for_each_index(&mut route.kind, |index| *index = moved[index.get()]);
    }
}
