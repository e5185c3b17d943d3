//! Destinations that are this relay's own inputs, and routes whose metrics come back without end.
//!
//! Every reported problem really occurs: the analysis follows a metric that the route matches through the
//! whole table repeatedly.

use super::{Facts, place};
use crate::{
    analyses::language::{Answer, FUEL, Languages, Names},
    diagnostics::{Diagnostic, codes},
};
use relay_runtime::{
    admission::Admission,
    interpret::Interpreter,
    table::{Destination, Matcher, Route, RouteKind},
    trace::Tracer,
};

/// A metric that came back this often comes back for ever, even if rewriters make it longer each time.
const ROUNDS: usize = 10;

pub(super) fn check(facts: &Facts<'_>, found: &mut Vec<Diagnostic>) {
    let mut languages = Languages::new(FUEL);
    for (at, route) in facts.table.routes.iter().enumerate() {
        for (number, (own, destination)) in destinations(facts, route).enumerate() {
            if !is_own(facts, destination) {
                continue;
            }
            let Answer::Witness(name) = languages.find(Names::OfLines, &[&route.matcher, &own], &[]) else {
                continue;
            };
            if comes_back(facts, &name, &destination.written()) {
                let message =
                    format!("{} sends metrics back to this relay, such as `{name}`", facts.route_name(at));
                found.push(
                    Diagnostic::error(codes::ROUTE_LOOP, facts.destination_place(at, number), message)
                        .label("this is the relay's own input, so they come in again, without end")
                        .related(place(&facts.origins.routes, at), "this route matches them each time")
                        .help("remove this destination, or block the metrics that come back"),
                );
            }
        }
    }
}

/// Whether the metric is sent to `own`, and again each time that it comes in from there.
fn comes_back(facts: &Facts<'_>, name: &str, own: &str) -> bool {
    let Ok(interpreter) = Interpreter::new(facts.table) else { return false };
    let mut name = name.to_owned();
    (0..ROUNDS).all(|_| {
        // A metric that comes back after ten rounds is in a loop, even if a limit on lines ends it at some
        // time.
        let admission = Admission::new(facts.table.validation, usize::MAX);
        let mut tracer = Tracer::new(facts.table, &interpreter, admission);
        let trace = tracer.trace(format!("{name} 1 1700000000").as_bytes(), 1_700_000_000);
        let is_sent = trace.routes.iter().any(|route| route.destinations.iter().any(|to| to == own));
        if let Some(rewritten) = trace.rewritten {
            name = rewritten;
        }
        is_sent
    })
}

/// Each destination with the matcher that it has in the route.
pub(super) fn destinations<'t>(
    facts: &Facts<'t>,
    route: &'t Route,
) -> impl Iterator<Item = (Matcher, &'t Destination)> {
    let table = facts.table;
    let list: Vec<_> = match &route.kind {
        RouteKind::SendAllMatch { destinations } | RouteKind::SendFirstMatch { destinations } => {
            destinations.iter().map(|one| (one.matcher.clone(), one.destination)).collect()
        }
        _ => route.destinations().into_iter().map(|one| (Matcher::default(), one)).collect(),
    };
    list.into_iter().filter_map(move |(matcher, at)| Some((matcher, table.destinations.get(at.get())?)))
}

/// Whether this relay listens on the destination's address, judged by the texts of the addresses.
pub(super) fn is_own(facts: &Facts<'_>, destination: &Destination) -> bool {
    let split = |address: &str| {
        let (host, port) = address.rsplit_once(':')?;
        Some((host.to_owned(), port.to_owned()))
    };
    let Some((to, to_port)) = split(&destination.address.0) else { return false };
    let is_local = ["localhost", "127.0.0.1", "[::1]"].contains(&to.as_str());
    [&facts.settings.listen, &facts.settings.pickle].into_iter().flatten().any(|listen| {
        let Some((host, port)) = split(&listen.0) else { return false };
        let is_any = ["", "0.0.0.0", "[::]", "*"].contains(&host.as_str());
        port == to_port && (host == to || (is_any && is_local))
    })
}
