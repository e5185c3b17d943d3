//! Runs a table in virtual time, without sockets: what `relay-build replay` prints.
//!
//! Lines come with the time of their arrival and leave with the time at which a relay would have sent them: raw
//! ones at once, aggregated ones at their tick. A tick comes before the lines that arrive in the same second.
//! The arrivals are the only clock; it may also go back.
//!
//! The output is the same for the interpreter and for compiled dispatch. Every destination accepts everything
//! at once, so `sent` equals `routed`; the effects of slow or failed destinations are not simulated.

use crate::{
    admission::Admission,
    aggregate::{self, Aggregates, Rule},
    counts::Counts,
    destination::DestinationCounts,
    dispatch::{DynDispatch, Scratch, Sink},
    ledger::{Ledger, WorkerLedger},
    parts::Aggregating,
    rewriter::is_usable,
    select::{Liveness, Selectors},
    table::{
        Aggregator, AggregatorIndex, BlocklistIndex, Destination, DestinationIndex, RouteIndex, RouteKind,
        Table,
    },
    validate::{self, Reason},
};
use std::{
    fmt,
    io::{self, BufRead, Write},
    mem,
    sync::Arc,
};

/// Why a replay ended early.
#[derive(Debug)]
pub enum ReplayError {
    /// The input could not be read, or the output not written.
    Io(io::Error),
    /// A line of input, counted from 1, does not start with a time and a TAB.
    MalformedArrival {
        /// The number of the line.
        line: u64,
    },
}

/// Bytes that the seconds of an arrival and their TAB take at most.
const ARRIVAL_BYTES_MAX: usize = 64;

/// Reads `arrival-seconds TAB line` and writes `emit-seconds TAB route key TAB destination TAB line` in the
/// order of emission, up to and including second `until`. Without `until`, replays to the last arrival and then
/// emits every open bucket at its own time. Returns the ledger.
pub fn replay_lines(
    table: &Table,
    dispatch: &dyn DynDispatch,
    admission: Admission,
    until: Option<f64>,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<Ledger, ReplayError> {
    let mut replay = Replay::new(table, dispatch, admission, output);
    let (mut text, mut number) = (Vec::new(), 0);
    while replay.admission.read_line(ARRIVAL_BYTES_MAX, input, &mut text)? {
        number += 1;
        let (arrival, line) = arrival(&text).ok_or(ReplayError::MalformedArrival { line: number })?;
        if until.is_none_or(|until| arrival <= until) {
            replay.take(arrival, line)?;
        }
    }
    replay.run_until(until.map_or(u64::MAX, whole_seconds))?;
    replay.output.flush()?;
    Ok(replay.ledger())
}

fn arrival(content: &[u8]) -> Option<(f64, &[u8])> {
    let tab = content.iter().take(ARRIVAL_BYTES_MAX).position(|&byte| byte == b'\t')?;
    let arrival: f64 = std::str::from_utf8(&content[..tab]).ok()?.trim().parse().ok()?;
    // Far beyond the timestamps that lines can have, and still exact.
    let is_time = (0.0..=1e15).contains(&arrival);
    is_time.then_some((arrival, &content[tab + 1..]))
}

/// A relay that runs in virtual time.
struct Replay<'t> {
    table: &'t Table,
    dispatch: &'t dyn DynDispatch,
    output: &'t mut dyn Write,
    rules: Arc<[Rule]>,
    /// Scratch space for the name of an output.
    named: Vec<u8>,
    /// Exists from the first arrival on.
    aggregates: Option<(Aggregating, Aggregates)>,
    admission: Admission,
    selectors: Selectors,
    scratch: Scratch,
    way: Way,
    counts: Counts,
    /// The number of lines for each destination.
    sent: Vec<u64>,
}

/// What a table does with one line.
#[derive(Default)]
struct Way {
    end: End,
    rewritten: Option<Vec<u8>>,
    aggregators: Vec<AggregatorIndex>,
    routes: u64,
    /// By route; the destination is `None` if the route sends to something that a replay does not show.
    deliveries: Vec<(RouteIndex, Option<DestinationIndex>)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum End {
    #[default]
    Routes,
    Blocked,
    Unusable,
    Hidden,
}

impl<'t> Replay<'t> {
    fn new(
        table: &'t Table,
        dispatch: &'t dyn DynDispatch,
        admission: Admission,
        output: &'t mut dyn Write,
    ) -> Self {
        Self {
            table,
            dispatch,
            output,
            rules: aggregate::ready(&table.aggregators),
            named: Vec::new(),
            aggregates: None,
            admission,
            selectors: Selectors::new(table, Liveness::all_up(table.destinations.len())),
            scratch: Scratch::default(),
            way: Way::default(),
            counts: Counts::default(),
            sent: vec![0; table.destinations.len()],
        }
    }

    /// Processes a line at the time of its arrival.
    fn take(&mut self, arrival: f64, line: &[u8]) -> io::Result<()> {
        let now_s = whole_seconds(arrival);
        self.run_until(now_s)?;
        self.counts.received += 1;
        let line = match self.admission.admit(line, now_s) {
            Ok(line) => line,
            Err(reason) => return self.refuse(reason),
        };
        self.follow(|dispatch, scratch, sink| dispatch.dispatch_dyn(line.name, scratch, sink));
        match self.way.end {
            End::Blocked => self.counts.blocked += 1,
            End::Unusable => self.counts.invalid[Reason::RewrittenName as usize] += 1,
            End::Hidden => self.counts.aggregated_away += 1,
            End::Routes if self.way.routes == 0 => self.counts.unroutable += 1,
            End::Routes => self.counts.routed += 1,
        }
        let rewritten = self.way.rewritten.take();
        let name = rewritten.as_deref().unwrap_or(line.name);
        self.aggregate(name, validate::value(line.value).unwrap_or(f64::NAN), line.seconds, now_s);
        self.deliver(arrival, [name, line.value, line.timestamp.as_bytes()])
    }

    #[expect(clippy::unnecessary_wraps, reason = "one of several ends of a line")]
    fn refuse(&mut self, reason: Reason) -> io::Result<()> {
        self.counts.invalid[reason as usize] += 1;
        Ok(())
    }

    /// Advances the time: runs every tick up to and including `until_s` at which something is due.
    fn run_until(&mut self, until_s: u64) -> io::Result<()> {
        let Some(part) = Aggregating::get() else { return Ok(()) };
        loop {
            let (_, aggregates) = self.aggregates.get_or_insert_with(|| {
                // Nothing can be due before the first line, which comes now.
                (part, Aggregates::new(Arc::clone(&self.rules), until_s))
            });
            let Some(due_s) = aggregates.next_due().filter(|due_s| *due_s <= until_s) else {
                return Ok(());
            };
            let mut lines: Vec<[Vec<u8>; 3]> = Vec::new();
            aggregates.tick(due_s, |_, line| lines.push(line.fields.map(<[u8]>::to_vec)));
            self.emit(due_s, &lines)?;
        }
    }

    /// Sends the outputs of aggregators to the routes.
    fn emit(&mut self, now_s: u64, lines: &[[Vec<u8>; 3]]) -> io::Result<()> {
        for [name, value, timestamp] in lines {
            self.follow(|dispatch, scratch, sink| dispatch.route_dyn(name, scratch, sink));
            self.counts.emitted += 1;
            self.counts.emitted_unroutable += u64::from(self.way.routes == 0);
            #[expect(
                clippy::cast_precision_loss,
                reason = "arrivals are below 2^53, and so is what follows from them"
            )]
            self.deliver(now_s as f64, [name, value, timestamp])?;
        }
        Ok(())
    }

    fn follow(&mut self, go: impl FnOnce(&dyn DynDispatch, &mut Scratch, &mut dyn Sink)) {
        let Self { table, dispatch, selectors, scratch, way, counts, .. } = self;
        *way = Way {
            deliveries: cleared(mem::take(&mut way.deliveries)),
            aggregators: cleared(mem::take(&mut way.aggregators)),
            ..Way::default()
        };
        let mut follower = Follower { table, selectors, counts, way, waiting: None };
        go(*dispatch, scratch, &mut follower);
        follower.settle();
    }

    fn aggregate(&mut self, name: &[u8], value: f64, seconds: u32, now_s: u64) {
        let Some((_, aggregates)) = &mut self.aggregates else { return };
        for &index in &self.way.aggregators {
            self.named.clear();
            self.dispatch.output_dyn(index, name, &mut self.named);
            if is_usable(&self.named) {
                aggregates.add(index, &self.named, value, seconds, now_s);
            } else {
                aggregates.refuse_name(index);
            }
        }
    }

    fn deliver(&mut self, at: f64, fields: [&[u8]; 3]) -> io::Result<()> {
        for (route, destination) in &self.way.deliveries {
            let key = &self.table.routes[route.get()].key;
            match destination {
                Some(destination) => {
                    self.sent[destination.get()] += 1;
                    let written = self.table.destinations[destination.get()].written();
                    write!(self.output, "{at}\t{key}\t{written}\t")?;
                }
                None => write!(self.output, "{at}\t{key}\t-\t")?,
            }
            let [name, value, timestamp] = fields;
            for part in [name, b" ", value, b" ", timestamp, b"\n"] {
                self.output.write_all(part)?;
            }
        }
        Ok(())
    }

    fn ledger(self) -> Ledger {
        let Self { table, aggregates, counts, sent, .. } = self;
        let counted = |(at, &lines)| (DestinationIndex::new(at), DestinationCounts::delivered(lines));
        let worker = WorkerLedger {
            counts,
            destinations: sent.iter().enumerate().map(counted).collect(),
            handed: sent,
            ..WorkerLedger::default()
        };
        let destinations: Vec<_> = table.destinations.iter().map(Destination::written).collect();
        let routes: Vec<_> = table.routes.iter().map(|route| route.key.clone()).collect();
        let mut ledger = Ledger::new(vec![worker], &destinations, &routes);
        let counts = aggregates.map(|(_, aggregates)| aggregates.counts()).unwrap_or_default();
        ledger.aggregators = table.aggregators.iter().map(Aggregator::key).zip(counts).collect();
        ledger
    }
}

fn cleared<T>(mut list: Vec<T>) -> Vec<T> {
    list.clear();
    list
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole seconds since 1970, saturating"
)]
const fn whole_seconds(time: f64) -> u64 {
    time as u64
}

/// Records where a line goes.
struct Follower<'r> {
    table: &'r Table,
    selectors: &'r mut Selectors,
    counts: &'r mut Counts,
    way: &'r mut Way,
    /// The last route, as long as it has no destination.
    waiting: Option<RouteIndex>,
}

impl Follower<'_> {
    fn settle(&mut self) {
        if let Some(route) = self.waiting.take() {
            self.counts.route_undelivered(route);
        }
    }
}

impl Sink for Follower<'_> {
    fn blocked(&mut self, _: BlocklistIndex) {
        self.way.end = End::Blocked;
    }

    fn rewritten(&mut self, name: &[u8]) {
        self.way.rewritten = Some(name.to_vec());
    }

    fn unusable(&mut self, _: &[u8]) {
        self.way.end = End::Unusable;
    }

    fn aggregate(&mut self, aggregator: AggregatorIndex) {
        self.way.aggregators.push(aggregator);
    }

    fn dropped_raw(&mut self) {
        self.way.end = End::Hidden;
    }

    fn route(&mut self, route: RouteIndex) {
        self.settle();
        self.counts.route_matched(route);
        self.way.routes += 1;
        self.waiting = Some(route);
        let is_elsewhere = matches!(
            self.table.routes[route.get()].kind,
            RouteKind::GrafanaNet(_)
                | RouteKind::KafkaMdm(_)
                | RouteKind::PubSub(_)
                | RouteKind::CloudWatch(_)
        );
        if is_elsewhere {
            self.waiting = None;
            self.way.deliveries.push((route, None));
        }
    }

    fn deliver(&mut self, destination: DestinationIndex) {
        if let Some(route) =
            self.waiting.take().or_else(|| self.way.deliveries.last().map(|(route, _)| *route))
        {
            self.way.deliveries.push((route, Some(destination)));
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

impl From<io::Error> for ReplayError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for ReplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::MalformedArrival { line } => {
                write!(f, "line {line}: expected the seconds of its arrival, a TAB, and the line")
            }
        }
    }
}

impl std::error::Error for ReplayError {}
