//! Routes with destinations, and `blackhole`.
//!
//! Reads their keys, applies `hash` to the type, and checks the number of destinations.

use super::{RouteType, kind::HASHES};
use crate::config::{
    check::Check,
    destinations::{self, Written},
    fields::Fields,
    raw::{Text, Value},
};
use crate::diagnostics::{Diagnostic, Span, codes};
use relay_runtime::table::{HashAlgorithm, HashRing, RouteDestination, RouteKind};

/// Reads the keys of a route of this type. Puts the place of each destination into `places`.
pub(super) fn check(
    check: &mut Check<'_>,
    fields: &Fields<'_>,
    route_type: RouteType,
    places: &mut Vec<Span>,
) -> Option<RouteKind> {
    if route_type == RouteType::Blackhole {
        return Some(RouteKind::Blackhole);
    }
    let written = fields.fixed(check, "type").map(|text| text.text).unwrap_or_default();
    let route_type = hash(check, fields, route_type);
    let before = check.diagnostics.len();
    let destinations = destinations(check, fields, route_type, places);
    let complete =
        check.diagnostics[before..].iter().all(|one| one.severity < crate::diagnostics::Severity::Error);
    let needed = route_type.destinations_min(&written);
    if complete && destinations.len() < needed {
        report_too_few(check, fields, &written, needed, destinations.len());
    }
    let (replicas, diverse) = match route_type {
        RouteType::Hash(_) => replication(check, fields, destinations.len()),
        _ => (1, false),
    };
    assemble(route_type, destinations, replicas, diverse)
}

/// Returns the kind of a route with these destinations; `None` for types without destinations.
pub(in crate::config) fn assemble(
    route_type: RouteType,
    destinations: Vec<RouteDestination>,
    replicas: u32,
    diverse: bool,
) -> Option<RouteKind> {
    let plain =
        |destinations: Vec<RouteDestination>| destinations.iter().map(|one| one.destination).collect();
    Some(match route_type {
        RouteType::SendAllMatch => RouteKind::SendAllMatch { destinations },
        RouteType::SendFirstMatch => RouteKind::SendFirstMatch { destinations },
        RouteType::Hash(algorithm) => RouteKind::ConsistentHash(HashRing {
            algorithm,
            replicas,
            diverse,
            destinations: plain(destinations),
        }),
        RouteType::RoundRobin => RouteKind::RoundRobin { destinations: plain(destinations) },
        RouteType::Failover => RouteKind::Failover { destinations: plain(destinations) },
        RouteType::Blackhole => RouteKind::Blackhole,
        _ => return None,
    })
}

/// Applies the key `hash` to the type.
fn hash(check: &mut Check<'_>, fields: &Fields<'_>, route_type: RouteType) -> RouteType {
    let RouteType::Hash(algorithm) = route_type else { return route_type };
    let Some(name) = fields.choice(check, "hash", HASHES) else { return route_type };
    let Some(RouteType::Hash(wanted)) = RouteType::parse(name) else { return route_type };
    if wanted != algorithm && algorithm != HashAlgorithm::ConsistentHashingV1 {
        let message = format!("`hash = \"{name}\"` contradicts the route's type");
        check.report(
            Diagnostic::error(codes::CONFLICTING_HASH, fields.span_of("hash"), message)
                .related(fields.span_of("type"), "this names another hash")
                .help("write `type = \"consistentHashing\"`, or remove `hash`"),
        );
    }
    RouteType::Hash(wanted)
}

fn destinations(
    check: &mut Check<'_>,
    fields: &Fields<'_>,
    route_type: RouteType,
    places: &mut Vec<Span>,
) -> Vec<RouteDestination> {
    let closed = matches!(route_type, RouteType::Hash(_));
    let mut destinations = Vec::new();
    for text in fields.texts(check, "destinations") {
        let before = check.destinations.len();
        let written = destinations::check_string(check, text, closed);
        debug_assert_eq!(before, check.destinations.len(), "only adding interns");
        add(check, &mut destinations, written, text.span, route_type, Some(text));
        places.resize(destinations.len(), text.span);
    }
    for table in fields.tables(check, "destination") {
        let written = destinations::check_table(check, table, closed);
        add(check, &mut destinations, written, table.span, route_type, None);
        places.resize(destinations.len(), table.span);
    }
    destinations
}

fn add(
    check: &mut Check<'_>,
    destinations: &mut Vec<RouteDestination>,
    written: Option<Written>,
    span: Span,
    route_type: RouteType,
    text: Option<&Text>,
) {
    let Some(Written { destination, matcher }) = written else { return };
    if !matcher.is_empty() && !route_type.takes_matchers() {
        report_matcher(check, span, route_type, text);
    }
    let destination = destinations::intern_at(check, destination, span);
    destinations.push(RouteDestination { destination, matcher });
}

fn report_matcher(check: &mut Check<'_>, span: Span, route_type: RouteType, text: Option<&Text>) {
    let word = text.and_then(|text| {
        let words = destinations::words(&text.text);
        let is_condition = |word: &destinations::Word| {
            word.text
                .split_once('=')
                .is_some_and(|(name, _)| crate::config::matchers::condition(name).is_some())
        };
        words.iter().skip(1).find(|word| is_condition(word)).map(|word| text.part(word.range.clone()))
    });
    let message = format!("a destination of a route of type `{}` cannot have a matcher", route_type.name());
    check.report(
        Diagnostic::error(codes::MATCHER_NOT_ALLOWED, word.unwrap_or(span), message)
            .label("the route chooses the destination itself")
            .help("remove the matcher here, or put it on the route"),
    );
}

fn report_too_few(check: &mut Check<'_>, fields: &Fields<'_>, written: &str, needed: usize, found: usize) {
    let place = match fields.node("destinations").map(|node| &node.value) {
        Some(Value::Array(_)) => fields.span_of("destinations"),
        _ => fields.span,
    };
    let noun = if needed == 1 { "destination" } else { "destinations" };
    let example = if needed == 1 { "[\"<host>:<port>\"]" } else { "[\"<host>:<port>\", \"<host>:<port>\"]" };
    let message = format!("a route of type `{written}` needs at least {needed} {noun}");
    check.report(
        Diagnostic::error(codes::TOO_FEW_DESTINATIONS, place, message)
            .label(format!("found {found}"))
            .help(format!("write `destinations = {example}`")),
    );
}

/// `replicas` and `diverse`.
fn replication(check: &mut Check<'_>, fields: &Fields<'_>, destinations: usize) -> (u32, bool) {
    let replicas = fields.integer(check, "replicas", 1..=i64::from(u32::MAX)).unwrap_or(1);
    let replicas = u32::try_from(replicas).unwrap_or(1);
    let diverse = fields.boolean(check, "diverse").unwrap_or(false);
    if destinations > 0 && replicas as usize > destinations {
        check.report(
            Diagnostic::error(codes::REPLICAS, fields.span_of("replicas"), "more replicas than destinations")
                .label(format!("the route has {destinations}"))
                .help(format!("write `replicas = {destinations}` or fewer")),
        );
    }
    if diverse && replicas == 1 {
        check.report(
            Diagnostic::warning(
                codes::NO_EFFECT,
                fields.key_span("diverse").unwrap_or_default(),
                "`diverse` changes nothing with one replica",
            )
            .help("write `replicas = 2` or more, or remove `diverse`"),
        );
    }
    (replicas, diverse)
}
