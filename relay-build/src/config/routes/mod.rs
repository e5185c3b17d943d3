//! Checks `[[route]]` sections (spec §2.10) and adds the routes to the plan. Each group of types has its own
//! module.

mod carbon;
mod cloud_watch;
mod grafana_net;
mod kafka_mdm;
mod kind;
mod pub_sub;

use super::{
    check::Check,
    fields::{self, Fields},
    keys, matchers,
    raw::{Table, Value},
};
use crate::diagnostics::{Diagnostic, codes};
use relay_runtime::table::{Route, RouteKind};

pub(super) use carbon::assemble;
pub(super) use grafana_net::is_metrics_url;
pub(super) use kafka_mdm::partitioning_named;
pub use kind::RouteType;

const ALL_KEYS: &[&[&str]] = &[
    keys::ROUTE,
    keys::MATCHER,
    keys::CARBON,
    keys::HASH,
    keys::GRAFANA_NET,
    keys::KAFKA_MDM,
    keys::PUBSUB,
    keys::CLOUD_WATCH,
];

/// Adds one section to the plan.
pub(super) fn check(check: &mut Check<'_>, table: &Table) {
    let fields = Fields::read_some(check, table, "a route", ALL_KEYS);
    let route_type = route_type(check, &fields);
    report_keys(check, &fields, table, route_type);
    let key = fields.fixed(check, "key").map(|text| text.text).unwrap_or_default();
    let matcher = matchers::read(check, &fields);
    let stop = fields.boolean(check, "stop").unwrap_or(false);
    let mut destinations = Vec::new();
    let Some(route_type) = route_type else {
        // The destinations are checked in the same run, even if the type is wrong.
        if ["destinations", "destination"].iter().any(|key| fields.node(key).is_some()) {
            carbon::check(check, &fields, RouteType::SendAllMatch, &mut destinations);
        }
        return;
    };
    let kind = match route_type {
        RouteType::GrafanaNet => Some(RouteKind::GrafanaNet(grafana_net::check(check, &fields))),
        RouteType::KafkaMdm => Some(RouteKind::KafkaMdm(kafka_mdm::check(check, &fields))),
        RouteType::PubSub => Some(RouteKind::PubSub(pub_sub::check(check, &fields))),
        RouteType::CloudWatch => Some(RouteKind::CloudWatch(cloud_watch::check(check, &fields))),
        carbon => carbon::check(check, &fields, carbon, &mut destinations),
    };
    if let Some(kind) = kind {
        check.plan.table.routes.push(Route { key, matcher, stop, kind });
        check.origins.routes.push(table.span);
        check.origins.route_destinations.push(destinations);
    }
}

fn route_type(check: &mut Check<'_>, fields: &Fields<'_>) -> Option<RouteType> {
    let Some(text) = fields.fixed(check, "type") else {
        if fields.node("type").is_none_or(|node| matches!(node.value, Value::Text(_))) {
            fields.missing(check, "type", "\"sendAllMatch\"");
        }
        return None;
    };
    let found = RouteType::parse(&text.text);
    if found.is_none() {
        let help = match keys::nearest(&text.text, RouteType::names()) {
            Some(near) => format!("write `type = \"{near}\"`"),
            None => "write one of these, such as `type = \"sendAllMatch\"`".to_owned(),
        };
        let names = RouteType::names().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        check.report(
            Diagnostic::error(
                codes::UNKNOWN_ROUTE_TYPE,
                text.span,
                format!("unknown route type `{}`", text.text),
            )
            .label(format!("expected one of {names}"))
            .help(help),
        );
    }
    found
}

/// Warns about keys that no route has and about those that only routes of another type have.
fn report_keys(check: &mut Check<'_>, route: &Fields<'_>, table: &Table, route_type: Option<RouteType>) {
    let of_type = route_type.map_or(ALL_KEYS, RouteType::keys);
    for entry in &route.unknown {
        let diagnostic = fields::unknown_key(check, entry, "a route", of_type);
        check.report(diagnostic);
    }
    let Some(route_type) = route_type else { return };
    for entry in &table.entries {
        let is_in = |lists: &[&[&str]]| {
            lists.iter().any(|list| list.iter().any(|key| key.eq_ignore_ascii_case(&entry.key)))
        };
        if is_in(ALL_KEYS) && !is_in(of_type) {
            let message =
                format!("`{}` changes nothing on a route of type `{}`", entry.key, route_type.name());
            check.report(
                Diagnostic::warning(codes::KEY_OF_ANOTHER_TYPE, entry.key_span, message)
                    .label("nothing reads this")
                    .help(format!("remove `{}`", entry.key)),
            );
        }
    }
}
