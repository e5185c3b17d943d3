//! The ledger of a relay: what happened to every line, per worker and in total.
//!
//! For each worker, `received = invalid + blocked + aggregated_away + unroutable + routed` at the end of each
//! of its turns. For each destination, `routed + recovered = sent + queued + spooled + dropped`. What workers
//! handed over for a destination is what it received and what is on the way to it. All of this holds in every
//! ledger, under traffic too: every worker has its own counters, and a ledger is made from copies of one moment.
//!
//! A relay prints the ledger on stdout, as one line of JSON, on SIGUSR1 and when it ends.

pub mod names;

use crate::{
    aggregate::AggregatorCounts,
    counted,
    counts::Counts,
    destination::{DestinationCounts, DropReason},
    table::DestinationIndex,
    validate::Reason,
};
use serde_json::{Map, Value, json};
use std::fmt;

/// The counters of one worker.
#[derive(Clone, Debug, Default)]
pub struct WorkerLedger {
    /// The lines that it received.
    pub counts: Counts,
    /// Its inbound connections.
    pub connections: ConnectionCounts,
    /// The inputs on which it listens, with the number of datagrams that the kernel dropped there. They are in no other
    /// count, because nobody knows how many lines they had.
    pub kernel_drops: Vec<(String, u64)>,
    /// The number of lines that it handed over, by destination.
    pub handed: Vec<u64>,
    /// The destinations that it owns, with their counters.
    pub destinations: Vec<(DestinationIndex, DestinationCounts)>,
}

/// The counters of inbound connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionCounts {
    /// Open now.
    pub open: u64,
    /// Accepted since the start.
    pub accepted: u64,
    /// Closed at once because there were too many.
    pub refused: u64,
    /// Closed because they sent nothing for too long.
    pub idle_closed: u64,
    /// How often accepting paused because the file descriptors that were left are set aside.
    pub held_back: u64,
    /// Ended by an error.
    pub broken: u64,
    /// Closed because of a line that is too long.
    pub line_too_long: u64,
    /// Closed because of a pickle that is too long, or is not a list.
    pub bad_pickle: u64,
    /// Closed because they occupied most of the memory for unfinished lines when it was used up.
    pub memory_closed: u64,
}

/// The ledger of the whole relay.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The counters of each worker.
    pub workers: Vec<WorkerLedger>,
    /// Each destination's name and counters.
    pub destinations: Vec<(String, DestinationCounts)>,
    /// The keys of the routes.
    pub routes: Vec<String>,
    /// Each aggregator's key and counters.
    pub aggregators: Vec<(String, AggregatorCounts)>,
}

/// A sum in the ledger that does not balance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// A worker received another number of lines than it accounts for.
    Worker {
        /// The number of the worker.
        worker: usize,
        /// Received lines minus lines accounted for.
        lines: i128,
    },
    /// A destination received another number of lines than it accounts for.
    Destination {
        /// Its name.
        name: String,
        /// Received lines minus lines accounted for.
        lines: i128,
    },
    /// Workers handed over another number of lines for a destination than it received and are on the way.
    BetweenWorkers {
        /// Its name.
        name: String,
        /// Lines handed over minus lines received or on the way.
        lines: i128,
    },
}

impl Ledger {
    /// Combines the copies that workers sent.
    #[must_use]
    pub fn new(workers: Vec<WorkerLedger>, destinations: &[String], routes: &[String]) -> Self {
        let mut by_index: Vec<_> =
            destinations.iter().map(|name| (name.clone(), DestinationCounts::default())).collect();
        for (index, counts) in workers.iter().flat_map(|worker| &worker.destinations) {
            by_index[index.get()].1 = counts.clone();
        }
        Self { workers, destinations: by_index, routes: routes.to_vec(), aggregators: Vec::new() }
    }

    /// The sum of all workers' counters.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        for worker in &self.workers {
            total.add(&worker.counts);
        }
        total
    }

    /// The sum of all workers' connection counters.
    #[must_use]
    pub fn connections(&self) -> ConnectionCounts {
        let mut total = ConnectionCounts::default();
        for one in self.workers.iter().map(|worker| worker.connections) {
            let ConnectionCounts {
                open,
                accepted,
                refused,
                held_back,
                idle_closed,
                broken,
                line_too_long,
                bad_pickle,
                memory_closed,
            } = one;
            total.open += open;
            total.accepted += accepted;
            total.refused += refused;
            total.held_back += held_back;
            total.idle_closed += idle_closed;
            total.broken += broken;
            total.line_too_long += line_too_long;
            total.bad_pickle += bad_pickle;
            total.memory_closed += memory_closed;
        }
        total
    }

    /// The datagrams that the kernel dropped, by the address of the input.
    pub fn kernel_drops(&self) -> impl Iterator<Item = &(String, u64)> {
        self.workers.iter().flat_map(|worker| &worker.kernel_drops)
    }

    /// The first difference, if there is one.
    #[must_use]
    pub fn difference(&self) -> Option<Difference> {
        let workers = self.workers.iter().enumerate().filter(|(_, worker)| !worker.counts.is_balanced());
        let worker =
            workers.map(|(at, worker)| Difference::Worker { worker: at, lines: missing(&worker.counts) });
        let destinations = self.destinations.iter().enumerate().filter_map(|(at, (name, counts))| {
            let handed: u64 = self.workers.iter().filter_map(|worker| worker.handed.get(at)).sum();
            let accounted = counts.sent + counts.queued + counts.spooled + counts.dropped_total();
            let got = counts.routed + counts.recovered;
            let lines = |whole: u64, part: u64| i128::from(whole) - i128::from(part);
            if accounted != got {
                Some(Difference::Destination { name: name.clone(), lines: lines(got, accounted) })
            } else if handed != counts.routed + counts.on_the_way {
                let lines = lines(handed, counts.routed + counts.on_the_way);
                Some(Difference::BetweenWorkers { name: name.clone(), lines })
            } else {
                None
            }
        });
        worker.chain(destinations).next()
    }

    /// The ledger as JSON, with the keys in [`names`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        let total = self.total();
        let mut whole = counts_to_json(&total, self.connections());
        let workers: Vec<_> = self
            .workers
            .iter()
            .map(|worker| Value::Object(counts_to_json(&worker.counts, worker.connections)))
            .collect();
        let routes = self.routes.iter().enumerate().map(|(at, key)| {
            let counts = total.routes.get(at).copied().unwrap_or_default();
            json!({ names::ROUTE: key, names::MATCHED: counts.matched, names::UNDELIVERED: counts.undelivered })
        });
        whole.insert(names::ROUTES.to_owned(), routes.collect());
        whole.insert(
            names::DESTINATIONS.to_owned(),
            self.destinations.iter().map(destination_to_json).collect(),
        );
        let kernel_drops: Map<_, _> =
            self.kernel_drops().map(|(input, datagrams)| (input.clone(), (*datagrams).into())).collect();
        whole.insert(names::KERNEL_DROPS.to_owned(), kernel_drops.into());
        if !self.aggregators.is_empty() {
            let aggregators = self.aggregators.iter().map(aggregator_to_json).collect();
            whole.insert(names::AGGREGATORS.to_owned(), aggregators);
        }
        whole.insert(names::WORKERS.to_owned(), Value::Array(workers));
        whole.insert(names::BALANCED.to_owned(), self.difference().is_none().into());
        Value::Object(whole)
    }
}

fn missing(counts: &Counts) -> i128 {
    let gone = counts.invalid_total() + counts.blocked + counts.aggregated_away + counts.unroutable;
    i128::from(counts.received) - i128::from(gone + counts.routed)
}

fn counts_to_json(counts: &Counts, connections: ConnectionCounts) -> Map<String, Value> {
    let invalid: Map<_, _> = Reason::ALL
        .iter()
        .map(|reason| (reason.name().to_owned(), counts.invalid_for(*reason)))
        .filter(|(_, lines)| *lines > 0)
        .map(|(name, lines)| (name, lines.into()))
        .collect();
    let pairs: [(&str, Value); 9] = [
        (names::RECEIVED, counts.received.into()),
        (names::INVALID, invalid.into()),
        (names::BLOCKED, counts.blocked.into()),
        (names::AGGREGATED_AWAY, counts.aggregated_away.into()),
        (names::UNROUTABLE, counts.unroutable.into()),
        (names::ROUTED, counts.routed.into()),
        (names::EMITTED, counts.emitted.into()),
        (names::EMITTED_UNROUTABLE, counts.emitted_unroutable.into()),
        (names::CONNECTIONS, connections_to_json(connections)),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn connections_to_json(connections: ConnectionCounts) -> Value {
    json!({
        names::CONNECTIONS_OPEN: connections.open,
        names::CONNECTIONS_ACCEPTED: connections.accepted,
        names::CONNECTIONS_REFUSED: connections.refused,
        names::CONNECTIONS_HELD_BACK: connections.held_back,
        names::CONNECTIONS_IDLE: connections.idle_closed,
        names::CONNECTIONS_BROKEN: connections.broken,
        names::CONNECTIONS_TOO_LONG: connections.line_too_long,
        names::CONNECTIONS_BAD_PICKLE: connections.bad_pickle,
        names::CONNECTIONS_MEMORY: connections.memory_closed,
    })
}

fn aggregator_to_json((key, counts): &(String, AggregatorCounts)) -> Value {
    json!({
        names::AGGREGATOR: key,
        names::TAKEN: counts.taken,
        names::ADDED: counts.added,
        names::CORRECTIONS: counts.corrections,
        names::LATE: counts.late,
        names::FUTURE: counts.future,
        names::NO_ROOM: counts.no_room,
        names::BAD_NAME: counts.bad_name,
        names::EMITTED: counts.emitted,
        names::INCOMPLETE: counts.incomplete,
        names::OPEN_BUCKETS: counts.open,
    })
}

fn destination_to_json((name, counts): &(String, DestinationCounts)) -> Value {
    let dropped: Map<_, _> = DropReason::ALL
        .iter()
        .map(|reason| (reason.name().to_owned(), counts.dropped(*reason).into()))
        .collect();
    json!({
        names::DESTINATION: name,
        names::ROUTED: counts.routed,
        names::ON_THE_WAY: counts.on_the_way,
        names::RECOVERED: counts.recovered,
        names::SENT: counts.sent,
        names::QUEUED: counts.queued,
        names::IN_FLIGHT: counts.in_flight,
        names::SPOOLED: counts.spooled,
        names::DROPPED: dropped,
        names::SPOOL_BYTES: counts.spool_bytes,
        names::SPOOL_ERRORS: counts.spool_errors,
        names::REPEATED: counts.repeated,
        names::RECONNECTS: counts.connects.saturating_sub(1),
        names::RESTARTED_LINES: counts.restarted_lines,
        names::UP: counts.up,
    })
}

/// "1 line", "-2 lines".
fn lines_of(lines: i128) -> String {
    let sign = if lines < 0 { "-" } else { "" };
    format!("{sign}{}", counted(lines.unsigned_abs(), "line"))
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Worker { worker, lines } => {
                write!(f, "worker {worker} does not account for {}", lines_of(*lines))
            }
            Self::Destination { name, lines } => {
                write!(f, "destination `{name}` does not account for {}", lines_of(*lines))
            }
            Self::BetweenWorkers { name, lines } => {
                write!(f, "{} did not reach destination `{name}`", lines_of(*lines))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_of_one_shows() {
        let mut worker = WorkerLedger { handed: vec![1], ..WorkerLedger::default() };
        let mut destination = DestinationCounts::default();
        (destination.routed, destination.sent) = (1, 1);
        worker.destinations.push((DestinationIndex(0), destination));
        let difference = |worker: &WorkerLedger| {
            Ledger::new(vec![worker.clone()], &["a:1".to_owned()], &[])
                .difference()
                .map(|found| found.to_string())
        };
        assert_eq!(difference(&worker), None);
        worker.destinations[0].1.on_the_way = 1;
        assert_eq!(difference(&worker).unwrap(), "-1 line did not reach destination `a:1`");
        worker.handed[0] = 2;
        assert_eq!(difference(&worker), None);
        worker.destinations[0].1.on_the_way = 0;
        assert_eq!(difference(&worker).unwrap(), "1 line did not reach destination `a:1`");
        worker.destinations[0].1.sent = 0;
        assert_eq!(difference(&worker).unwrap(), "destination `a:1` does not account for 1 line");
        worker.counts.received = 1;
        assert_eq!(difference(&worker).unwrap(), "worker 0 does not account for 1 line");
    }
}
