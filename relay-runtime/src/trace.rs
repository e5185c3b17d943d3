//! Follows lines through a table: what `trace` prints.
//!
//! One JSON object per input line, the same for the interpreter and for compiled dispatch. Scripts rely on the
//! names of its fields, so they do not change. Text that is not UTF-8 is shown with U+FFFD.
//!
//! [`Admission`] decides which lines are accepted, as in a relay. (A relay also closes the connection after a
//! line that is too long.) There is no clock here: the time of arrival comes with each line. Every
//! destination counts as up.

use crate::{
    admission::Admission,
    dispatch::{DynDispatch, Scratch, Sink},
    select::{Liveness, Selectors},
    table::{AggregatorIndex, BlocklistIndex, DestinationIndex, RouteIndex, Table},
    validate::{self, Reason},
};
use serde::Serialize;
use std::io::{self, BufRead, Write};

/// What happened to one line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The line as received, without its end.
    pub line: String,
    /// Whether the line was valid and the rewriters left a name that can be sent.
    pub accepted: bool,
    /// Why it was not accepted: the name of a [`Reason`].
    pub reason: Option<&'static str>,
    /// The metric as received, with its leading dot if it has one; `None` if the line does not have three
    /// fields.
    pub name: Option<String>,
    /// The value as received.
    pub value: Option<String>,
    /// The timestamp in whole seconds.
    pub timestamp: Option<u32>,
    /// The first blocklist entry that matches, as in the configuration.
    pub blocked_by: Option<String>,
    /// The metric after all rewriters, if any changed it.
    pub rewritten: Option<String>,
    /// The keys of the aggregators that take it.
    pub aggregators: Vec<String>,
    /// Whether the last of these hides it from the routes.
    pub dropped_raw: bool,
    /// The routes that take it.
    pub routes: Vec<RouteTrace>,
}

/// What one route does with the line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RouteTrace {
    /// The key of the route.
    pub key: String,
    /// The destinations as `host:port` or `host:port:instance`, in the order of sending.
    pub destinations: Vec<String>,
}

/// Writes what happens to each line of `input`. `now_s` returns the time at which the current line arrives.
pub fn trace_lines(
    table: &Table,
    dispatch: &dyn DynDispatch,
    admission: Admission,
    now_s: &dyn Fn() -> u64,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut tracer = Tracer::new(table, dispatch, admission);
    let mut line = Vec::new();
    while tracer.admission.read_line(0, input, &mut line)? {
        serde_json::to_writer(&mut *output, &tracer.trace(&line, now_s()))?;
        output.write_all(b"\n")?;
    }
    output.flush()
}

/// Follows one line after the other. What the order check and round-robin routes remember carries over to the
/// next line.
pub struct Tracer<'t> {
    table: &'t Table,
    dispatch: &'t dyn DynDispatch,
    admission: Admission,
    selectors: Selectors,
    scratch: Scratch,
}

impl<'t> Tracer<'t> {
    /// A tracer for `dispatch`, which must be made from `table`.
    #[must_use]
    pub fn new(table: &'t Table, dispatch: &'t dyn DynDispatch, admission: Admission) -> Self {
        Self {
            table,
            dispatch,
            admission,
            selectors: Selectors::new(table, Liveness::all_up(table.destinations.len())),
            scratch: Scratch::default(),
        }
    }

    /// Follows one line that arrives at `now_s`, given without its LF.
    pub fn trace(&mut self, line: &[u8], now_s: u64) -> Trace {
        let mut trace = Trace { line: shown(line.strip_suffix(b"\r").unwrap_or(line)), ..Trace::default() };
        match self.admission.admit(line, now_s) {
            Ok(line) => {
                trace.accepted = true;
                trace.name = Some(shown(line.name));
                trace.value = Some(shown(line.value));
                trace.timestamp = Some(line.seconds);
                self.follow(line.name, trace)
            }
            Err(reason) => {
                trace.reason = Some(reason.name());
                trace.show_fields();
                trace
            }
        }
    }

    /// Follows a metric without validating it.
    pub fn trace_name(&mut self, name: &[u8]) -> Trace {
        self.follow(name, Trace { accepted: true, name: Some(shown(name)), ..Trace::default() })
    }

    fn follow(&mut self, name: &[u8], trace: Trace) -> Trace {
        let mut recorder = Recorder { table: self.table, selectors: &mut self.selectors, trace };
        self.dispatch.dispatch_dyn(name, &mut self.scratch, &mut recorder);
        recorder.trace
    }

    /// Follows the output of an aggregator, given its name only.
    pub fn trace_aggregate(&mut self, name: &[u8]) -> Trace {
        let trace = Trace { accepted: true, name: Some(shown(name)), ..Trace::default() };
        let mut recorder = Recorder { table: self.table, selectors: &mut self.selectors, trace };
        self.dispatch.route_dyn(name, &mut self.scratch, &mut recorder);
        recorder.trace
    }
}

impl Trace {
    /// Shows the fields of an invalid line, as far as they can be told apart.
    fn show_fields(&mut self) {
        let fields: Vec<&str> = self.line.split_whitespace().collect();
        let &[name, value, timestamp] = &fields[..] else { return };
        let timestamp = validate::seconds(timestamp.as_bytes()).ok();
        let (name, value) = (name.to_owned(), value.to_owned());
        (self.name, self.value, self.timestamp) = (Some(name), Some(value), timestamp);
    }
}

/// Records everything that a dispatch reports.
struct Recorder<'r> {
    table: &'r Table,
    selectors: &'r mut Selectors,
    trace: Trace,
}

impl Sink for Recorder<'_> {
    fn blocked(&mut self, entry: BlocklistIndex) {
        let conditions = self.table.blocklist[entry.get()].conditions();
        let written: Vec<String> =
            conditions.map(|(condition, text)| format!("{} {text}", condition.name())).collect();
        self.trace.blocked_by = Some(written.join(" "));
    }

    fn rewritten(&mut self, name: &[u8]) {
        self.trace.rewritten = Some(shown(name));
    }

    fn unusable(&mut self, name: &[u8]) {
        self.trace.accepted = false;
        self.trace.reason = Some(Reason::RewrittenName.name());
        self.trace.rewritten = Some(shown(name));
    }

    fn aggregate(&mut self, aggregator: AggregatorIndex) {
        self.trace.aggregators.push(self.table.aggregators[aggregator.get()].key());
    }

    fn dropped_raw(&mut self) {
        self.trace.dropped_raw = true;
    }

    fn route(&mut self, route: RouteIndex) {
        let key = self.table.routes[route.get()].key.clone();
        self.trace.routes.push(RouteTrace { key, destinations: Vec::new() });
    }

    fn deliver(&mut self, destination: DestinationIndex) {
        if let Some(route) = self.trace.routes.last_mut() {
            route.destinations.push(self.table.destinations[destination.get()].written());
        }
    }

    fn select(&mut self, route: RouteIndex, name: &[u8]) {
        let mut chosen = Vec::new();
        self.selectors.select(route, name, &mut chosen);
        for destination in chosen {
            self.deliver(destination);
        }
    }
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
