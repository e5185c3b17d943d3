//! Where in the configuration each rule of the plan was written.

use crate::diagnostics::Span;

/// One span per rule, in the order of the table's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Of `table.blocklist`.
    pub blocklist: Vec<Span>,
    /// Of `table.rewriters`.
    pub rewriters: Vec<Span>,
    /// Of `table.aggregators`.
    pub aggregators: Vec<Span>,
    /// Of `table.routes`.
    pub routes: Vec<Span>,
    /// For each of `table.routes`, of its destinations as this route writes them.
    pub route_destinations: Vec<Vec<Span>>,
    /// Of `table.destinations`: where each was first written.
    pub destinations: Vec<Span>,
    /// Of `settings.amqp`.
    pub amqp: Option<Span>,
    /// Of `settings.instrumentation`.
    pub instrumentation: Option<Span>,
    /// Of `settings.memory`.
    pub memory: Option<Span>,
    /// Of `settings.admin` and `settings.http`.
    pub listeners: [Option<Span>; 2],
}
