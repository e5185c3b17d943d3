//! What a good configuration may ask for and this version cannot build, by name and place.
//!
//! Listeners that no traffic depends on and self-metrics are warnings, so that a carbon-relay-ng configuration builds
//! unchanged; what would change where lines go is an error. An engine that learns one of these removes it here.

use super::Checked;
use crate::diagnostics::{Code, Diagnostic, Severity, Span, codes};
use relay_runtime::table::RouteKind;

/// Every such thing, in order of place.
#[must_use]
pub fn unsupported(checked: &Checked) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    listeners(checked, &mut found);
    inputs(checked, &mut found);
    routes(checked, &mut found);
    found.sort_by_key(|one| one.place.as_ref().map_or(0, |(span, _)| span.start));
    found
}

fn listeners(checked: &Checked, found: &mut Vec<Diagnostic>) {
    let settings = &checked.plan.settings;
    let listeners = [("admin_addr", &settings.admin), ("http_addr", &settings.http)];
    for ((key, address), span) in listeners.into_iter().zip(checked.origins.listeners) {
        if address.is_some() {
            found.push(
                warning(codes::UNSUPPORTED_LISTENER, span, format!("`{key}` is not served by this version"))
                    .label("the relay will not listen there")
                    .help(format!("remove `{key}`, or leave it for a later version")),
            );
        }
    }
}

fn inputs(checked: &Checked, found: &mut Vec<Diagnostic>) {
    if checked.plan.settings.amqp.is_some() {
        let message = "the AMQP input cannot be built by this version";
        let diagnostic = error(codes::UNSUPPORTED_AMQP, checked.origins.amqp, message);
        found.push(diagnostic.help("write `amqp_enabled = false`; a later version serves AMQP"));
    }
    if checked.plan.settings.instrumentation.is_some() {
        let message = "self-metrics are not sent by this version";
        let diagnostic =
            warning(codes::UNSUPPORTED_INSTRUMENTATION, checked.origins.instrumentation, message.to_owned());
        found.push(diagnostic.help("write `graphite_addr = \"\"`, or leave it for a later version"));
    }
}

fn routes(checked: &Checked, found: &mut Vec<Diagnostic>) {
    for (route, span) in checked.plan.table.routes.iter().zip(&checked.origins.routes) {
        let name = match route.kind {
            RouteKind::GrafanaNet(_) => "grafanaNet",
            RouteKind::KafkaMdm(_) => "kafkaMdm",
            RouteKind::PubSub(_) => "pubsub",
            RouteKind::CloudWatch(_) => "cloudWatch",
            _ => continue,
        };
        let message = format!("route `{}` of type `{name}` cannot be built by this version", route.key);
        let diagnostic = error(codes::UNSUPPORTED_ROUTE, Some(*span), message);
        found.push(diagnostic.help(format!("remove the route; a later version serves `{name}`")));
    }
}

fn warning(code: Code, span: Option<Span>, message: String) -> Diagnostic {
    Diagnostic::warning(code, span.unwrap_or_default(), message)
}

fn error(code: Code, span: Option<Span>, message: impl Into<String>) -> Diagnostic {
    let message = message.into();
    let diagnostic = Diagnostic::error(code, span.unwrap_or_default(), message);
    debug_assert_eq!(diagnostic.severity, Severity::Error);
    diagnostic
}
