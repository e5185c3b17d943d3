//! Logs losses of lines: when a loss begins, each minute while it goes on, when it ends, and a summary at the
//! stop.
//!
//! Reads the ledger every few seconds, so it costs the data path nothing. Guarantees at most three log lines
//! per minute for each reason and place. There is no clock here: time comes with the ledger.

use crate::{
    aggregate::AggregatorCounts,
    counts::{Counts, RouteCounts},
    destination::DropReason,
    ledger::{Ledger, names},
    table::{Route, RouteKind, Table},
    validate::Reason,
};
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

/// The time between two log lines about a loss that goes on.
const PERIOD: Duration = Duration::from_mins(1);

/// A loss that did not grow for this time has ended.
const QUIET: Duration = Duration::from_secs(10);

const UNDELIVERED_HELP: &str = "the route matches them, and none of its destinations does: add a destination without `prefix`, `sub` and `regex`, or make the route a `blackhole` if they should be dropped";

const KERNEL_DROPS_HELP: &str = "datagrams, each with a line or more, that came faster than they were read: let sockets have larger buffers (`sysctl net.core.rmem_max`, 4194304 at least, then restart), or send over TCP";

/// A kind of loss: the place and the reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Loss {
    /// The name of the counter.
    reason: &'static str,
    /// The destination or aggregator; `None` for the whole relay.
    place: Option<String>,
    /// What the reason means, or what to do.
    help: String,
}

/// A message about a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The loss begins: the number of lines lost so far.
    Begins(u64),
    /// The loss goes on: lines since the last message, all lines, and the time since it began.
    GoesOn { lines: u64, all: u64, lasts: Duration },
    /// The loss has ended: all lines, and how long it lasted.
    Ended { all: u64, lasted: Duration },
}

/// Losses that were seen.
#[derive(Debug)]
pub(super) struct Losses {
    seen: BTreeMap<Loss, Seen>,
    /// For each route, whether it is a black hole, whose losses are not reported.
    black_holes: Vec<bool>,
}

#[derive(Debug, Default)]
struct Seen {
    lines: u64,
    underway: Option<Underway>,
}

#[derive(Debug)]
struct Underway {
    /// The count of lines before the loss began, and the time of the last message.
    before: u64,
    told: u64,
    began: Instant,
    grew: Instant,
    said: Instant,
}

impl Losses {
    /// Starts without losses, for this table.
    pub(super) fn of(table: &Table) -> Self {
        let is_black_hole = |route: &Route| matches!(route.kind, RouteKind::Blackhole);
        Self { seen: BTreeMap::new(), black_holes: table.routes.iter().map(is_black_hole).collect() }
    }

    /// Compares the ledger with the previous one. Returns the messages to log.
    pub(super) fn look(&mut self, ledger: &Ledger, now: Instant) -> Vec<(Loss, Word)> {
        let mut words = Vec::new();
        for (loss, lines) in self.all(ledger) {
            let seen = self.seen.entry(loss.clone()).or_default();
            words.extend(seen.look(lines, now).map(|word| (loss, word)));
        }
        words
    }

    /// Logs all losses in one line, if there were any.
    pub(super) fn log_all(&self, ledger: &Ledger) {
        let losses: Vec<_> =
            self.all(ledger).into_iter().map(|(loss, lines)| format!("{lines} {loss}")).collect();
        if !losses.is_empty() {
            tracing::warn!("lines lost since the start: {}", losses.join(", "));
        }
    }

    /// Every kind of loss that has occurred, with the number of lines. Places of one name count as one.
    fn all(&self, ledger: &Ledger) -> BTreeMap<Loss, u64> {
        let mut all = BTreeMap::new();
        let mut add = |lines: u64, loss: &dyn Fn() -> Loss| {
            // Nearly always nothing is lost, so the names of losses are made only when needed.
            if lines > 0 {
                *all.entry(loss()).or_default() += lines;
            }
        };
        let total = ledger.total();
        add_of_relay(&total, &mut add);
        for (name, counts) in &ledger.destinations {
            for reason in DropReason::ALL {
                add(counts.dropped(reason), &|| Loss::at(reason.name(), name, reason.remedy()));
            }
        }
        for (key, counts) in &ledger.aggregators {
            add_of_aggregator(key, counts, &mut add);
        }
        for (input, datagrams) in ledger.kernel_drops() {
            add(*datagrams, &|| Loss::at(names::KERNEL_DROPS, input, KERNEL_DROPS_HELP));
        }
        for ((key, counts), is_black_hole) in ledger.routes.iter().zip(&total.routes).zip(&self.black_holes) {
            let RouteCounts { matched: _, undelivered } = *counts;
            let place = || Loss::at(names::UNDELIVERED, &format!("route `{key}`"), UNDELIVERED_HELP);
            add(if *is_black_hole { 0 } else { undelivered }, &place);
        }
        all
    }
}

impl Seen {
    fn look(&mut self, lines: u64, now: Instant) -> Option<Word> {
        let before = std::mem::replace(&mut self.lines, lines);
        let has_grown = lines > before;
        let Some(underway) = &mut self.underway else {
            let begins = Underway { before, told: lines, began: now, grew: now, said: now };
            return has_grown.then(|| {
                self.underway = Some(begins);
                Word::Begins(lines - before)
            });
        };
        let all = lines - underway.before;
        if has_grown {
            underway.grew = now;
            if now.saturating_duration_since(underway.said) < PERIOD {
                return None;
            }
            let lasts = now.saturating_duration_since(underway.began);
            let word = Word::GoesOn { lines: lines - underway.told, all, lasts };
            (underway.said, underway.told) = (now, lines);
            return Some(word);
        }
        if now.saturating_duration_since(underway.grew) < QUIET {
            return None;
        }
        let lasted = underway.grew.saturating_duration_since(underway.began);
        self.underway = None;
        Some(Word::Ended { all, lasted })
    }
}

impl Loss {
    fn at(reason: &'static str, place: &str, help: &str) -> Self {
        Self { reason, place: Some(place.to_owned()), help: help.to_owned() }
    }

    const fn of_relay(reason: &'static str, help: String) -> Self {
        Self { reason, place: None, help }
    }
}

/// Adds the losses before lines reach a destination. Names every count, so that a new one is not forgotten.
fn add_of_relay(total: &Counts, add: &mut dyn FnMut(u64, &dyn Fn() -> Loss)) {
    let Counts {
        received: _,
        invalid: _,
        blocked: _,
        aggregated_away: _,
        unroutable,
        routed: _,
        emitted: _,
        emitted_unroutable,
        routes: _,
    } = total;
    for reason in Reason::ALL {
        let loss = || Loss::of_relay(reason.name(), format!("refused: {reason}"));
        add(total.invalid_for(reason), &loss);
    }
    for (reason, lines, help) in [
        (names::UNROUTABLE, unroutable, "no route matches them; a route without conditions would"),
        (names::EMITTED_UNROUTABLE, emitted_unroutable, "outputs of aggregators that no route matches"),
    ] {
        add(*lines, &|| Loss::of_relay(reason, help.to_owned()));
    }
}

/// Adds the losses of an aggregator. Names every count, so that a new one is not forgotten.
fn add_of_aggregator(key: &str, counts: &AggregatorCounts, add: &mut dyn FnMut(u64, &dyn Fn() -> Loss)) {
    let AggregatorCounts {
        taken: _,
        added: _,
        corrections: _,
        late,
        future,
        no_room,
        bad_name,
        emitted: _,
        incomplete: _,
        open: _,
    } = *counts;
    for (reason, lines, help) in [
        (names::LATE, late, "their bucket was emitted before: raise `wait`, or `lateness = \"reemit\"`"),
        (
            names::FUTURE,
            future,
            "too far ahead of the clock: correct the senders' clocks, or raise `max_future`",
        ),
        (names::NO_ROOM, no_room, "raise `max_buckets`, `max_series` or `max_values`"),
        (names::BAD_NAME, bad_name, "the output's name cannot be sent: correct `format`"),
    ] {
        add(lines, &|| Loss::at(reason, key, help));
    }
}

/// Logs a message.
pub(super) fn log((loss, word): (Loss, Word)) {
    let Loss { reason, place, help } = loss;
    let place = place.unwrap_or_else(|| "the relay".to_owned());
    match word {
        Word::Begins(lines) => tracing::warn!(reason, %place, lines, %help, "lines are lost"),
        Word::GoesOn { lines, all, lasts } => {
            let seconds = lasts.as_secs();
            tracing::warn!(reason, %place, lines, all, seconds, %help, "lines are still lost");
        }
        Word::Ended { all, lasted } => {
            tracing::warn!(reason, %place, all, seconds = lasted.as_secs(), "lines are no longer lost");
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{} ({place})", self.reason),
            None => f.write_str(self.reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        destination::DestinationCounts,
        ledger::WorkerLedger,
        logging::capture,
        table::{DestinationIndex, Matcher},
    };
    fn table(kind: RouteKind) -> Table {
        Table { routes: vec![Route::new("all", Matcher::default(), kind)], ..Table::default() }
    }

    fn leaky() -> Table {
        table(RouteKind::SendAllMatch { destinations: Vec::new() })
    }

    fn unroutable(lines: u64) -> Ledger {
        let mut worker = WorkerLedger::default();
        worker.counts.unroutable = lines;
        Ledger::new(vec![worker], &[], &[])
    }

    /// A ledger in which each way to lose lines has lost `lines`.
    fn everything(lines: u64) -> Ledger {
        let mut worker = WorkerLedger::default();
        let counts = &mut worker.counts;
        counts.invalid.fill(lines);
        (counts.unroutable, counts.emitted_unroutable) = (lines, lines);
        counts.routes.push(RouteCounts { matched: lines, undelivered: lines });
        let mut destination = DestinationCounts::default();
        for reason in DropReason::ALL {
            destination.drop_lines(reason, lines);
        }
        worker.destinations.push((DestinationIndex(0), destination));
        worker.kernel_drops.push(("127.0.0.1:2003".to_owned(), lines));
        let mut ledger = Ledger::new(vec![worker], &["a:1".to_owned()], &["all".to_owned()]);
        let (late, future, no_room, bad_name) = (lines, lines, lines, lines);
        let counts = AggregatorCounts { late, future, no_room, bad_name, ..AggregatorCounts::default() };
        ledger.aggregators.push(("sums".to_owned(), counts));
        ledger
    }

    #[test]
    fn a_loss_is_said_when_it_begins_each_minute_and_when_it_ends() {
        let (mut losses, start) = (Losses::of(&leaky()), Instant::now());
        let mut look = |lines, second| {
            let words = losses.look(&unroutable(lines), start + Duration::from_secs(second));
            words.into_iter().map(|(loss, word)| (loss.to_string(), word)).collect::<Vec<_>>()
        };
        let said = |word| vec![("unroutable".to_owned(), word)];
        assert_eq!(look(0, 0), []);
        assert_eq!(look(5, 1), said(Word::Begins(5)));
        for second in 2..61 {
            assert_eq!(look(5 + second, second), []);
        }
        let lasts = Duration::from_mins(1);
        assert_eq!(look(100, 61), said(Word::GoesOn { lines: 95, all: 100, lasts }));
        assert_eq!(look(101, 62), []);
        assert_eq!(look(101, 71), []);
        assert_eq!(look(101, 72), said(Word::Ended { all: 101, lasted: Duration::from_secs(61) }));
        assert_eq!(look(101, 100), []);
        assert_eq!(look(103, 101), said(Word::Begins(2)));
    }

    /// The whole relay's two, the route's one, the aggregator's four and the input's one besides those of lists.
    #[test]
    fn every_reason_in_the_ledger_is_said_with_place_number_time_and_remedy_and_when_it_ends_and_at_the_stop()
    {
        let (mut losses, start) = (Losses::of(&leaky()), Instant::now());
        let all = Reason::COUNT + 2 + DropReason::ALL.len() + 1 + 4 + 1;
        let mut reasons: Vec<&str> = Reason::ALL.map(Reason::name).to_vec();
        reasons.extend(DropReason::ALL.map(DropReason::name));
        reasons.extend([
            names::UNROUTABLE,
            names::EMITTED_UNROUTABLE,
            names::UNDELIVERED,
            names::KERNEL_DROPS,
        ]);
        reasons.extend([names::LATE, names::FUTURE, names::NO_ROOM, names::BAD_NAME]);
        let mut said = |lines, second, parts: &[&str]| {
            let words = losses.look(&everything(lines), start + Duration::from_secs(second));
            let log = capture(|| words.into_iter().for_each(super::log));
            assert_eq!(log.lines().count(), all, "{log}");
            for reason in &reasons {
                let reason = format!("reason=\"{reason}\"");
                let mut with = log.lines().filter(|line| line.contains(&reason));
                let is_whole = |line: &str| parts.iter().all(|part| line.contains(part));
                assert!(with.any(is_whole), "{reason} {parts:?} {log}");
            }
            for place in ["the relay", "a:1", "sums", "route `all`", "127.0.0.1:2003"] {
                assert!(log.contains(&format!("place={place}")), "{place}: {log}");
            }
        };
        said(5, 0, &["lines are lost ", "lines=5", "help="]);
        said(9, 60, &["lines are still lost ", "lines=4", "all=9", "seconds=60", "help="]);
        said(9, 70, &["lines are no longer lost", "all=9", "seconds=60"]);
        let last = capture(|| losses.log_all(&everything(9)));
        assert_eq!(last.lines().count(), 1);
        for reason in reasons {
            assert!(last.contains(&format!("9 {reason}")), "{reason}: {last}");
        }
    }

    #[test]
    fn what_goes_into_a_black_hole_is_not_lost() {
        let mut worker = WorkerLedger::default();
        worker.counts.routes.push(RouteCounts { matched: 5, undelivered: 5 });
        let ledger = Ledger::new(vec![worker], &[], &["all".to_owned()]);
        assert_eq!(Losses::of(&table(RouteKind::Blackhole)).look(&ledger, Instant::now()), []);
        assert_eq!(Losses::of(&leaky()).look(&ledger, Instant::now()).len(), 1);
    }

    #[test]
    fn places_of_one_name_count_as_one() {
        let (mut losses, start) = (Losses::of(&Table::default()), Instant::now());
        let mut look = |lines: [u64; 2], second| {
            let worker = WorkerLedger::default();
            let mut ledger = Ledger::new(vec![worker], &["a:1".to_owned(), "a:1".to_owned()], &[]);
            for ((_, counts), lines) in ledger.destinations.iter_mut().zip(lines) {
                counts.drop_lines(DropReason::SlowConn, lines);
            }
            let words = losses.look(&ledger, start + Duration::from_secs(second));
            words.into_iter().map(|(_, word)| word).collect::<Vec<_>>()
        };
        assert_eq!(look([100, 5], 0), [Word::Begins(105)]);
        assert_eq!(look([100, 5], 10), [Word::Ended { all: 105, lasted: Duration::ZERO }]);
        assert_eq!(look([100, 7], 20), [Word::Begins(2)]);
    }
}
