//! Where in the configuration each rule of the plan was written.
//!
//! Spans are kept apart from the plan, so plans that differ only in spans are equal.

use crate::diagnostics::Span;

/// One span per rule, in the order of the table's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// The spans of `table.blocklist`.
    pub blocklist: Vec<Span>,
    /// The spans of `table.rewriters`.
    pub rewriters: Vec<Span>,
    /// The spans of `table.aggregators`.
    pub aggregators: Vec<Span>,
    /// The spans of `table.routes`.
    pub routes: Vec<Span>,
    /// For each of `table.routes`, the spans of its destinations as this route writes them.
    pub route_destinations: Vec<Vec<Span>>,
    /// For each of `table.destinations`, the span where it first occurs.
    pub destinations: Vec<Span>,
    /// The span of `settings.amqp`.
    pub amqp: Option<Span>,
    /// The span of `settings.instrumentation`.
    pub instrumentation: Option<Span>,
    /// The span of `settings.memory`.
    pub memory: Option<Span>,
    /// The spans of `settings.admin` and `settings.http`.
    pub listeners: [Option<Span>; 2],
}
