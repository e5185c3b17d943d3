//! Losses are said aloud: when lines begin to be lost, each minute while it goes on, when it ends, and all of them at the stop.
//!
//! Reads the books now and then, so it costs the data path nothing. Guarantees at most three lines a minute for each reason and
//! place. No clock: time comes with the books.

use crate::{
    destination::DropReason,
    ledger::{Ledger, names},
    validate::Reason,
};
use std::{
    collections::BTreeMap,
    fmt,
    time::{Duration, Instant},
};

/// Between two lines about a loss that goes on.
const PERIOD: Duration = Duration::from_mins(1);

/// A loss that did not grow for so long has ended.
const QUIET: Duration = Duration::from_secs(10);

/// What is lost where, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Loss {
    /// The name of the counter.
    reason: &'static str,
    /// The destination or aggregator; none for what belongs to the whole relay.
    place: Option<String>,
    /// What it means, or what to do.
    help: String,
}

/// What there is to say of a loss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// So many lines are lost, and more may follow.
    Begins(u64),
    /// It goes on: lines since the last word, all of it, and for how long.
    GoesOn { lines: u64, all: u64, lasts: Duration },
    /// It is over: all of it, and how long it lasted.
    Ended { all: u64, lasted: Duration },
}

/// Losses that were seen.
#[derive(Debug, Default)]
pub(super) struct Losses(BTreeMap<Loss, Seen>);

#[derive(Debug, Default)]
struct Seen {
    lines: u64,
    underway: Option<Underway>,
}

#[derive(Debug)]
struct Underway {
    /// Lines lost before it began, and when the last word was said.
    before: u64,
    told: u64,
    began: Instant,
    grew: Instant,
    said: Instant,
}

impl Losses {
    /// Compares the books with those of the last time. Gives what there is to say.
    pub(super) fn look(&mut self, ledger: &Ledger, now: Instant) -> Vec<(Loss, Word)> {
        let mut words = Vec::new();
        for (loss, lines) in all(ledger) {
            let seen = self.0.entry(loss.clone()).or_default();
            words.extend(seen.look(lines, now).map(|word| (loss, word)));
        }
        words
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

/// Every way to lose a line by which some were lost, with how many.
fn all(ledger: &Ledger) -> impl Iterator<Item = (Loss, u64)> {
    let total = ledger.total();
    let invalid = Reason::ALL.map(|reason| {
        let help = format!("refused: {reason}");
        (Loss { reason: reason.name(), place: None, help }, total.invalid_for(reason))
    });
    let of_relay = |reason, help: &str| Loss { reason, place: None, help: help.to_owned() };
    let unroutable = [
        (
            of_relay(names::UNROUTABLE, "no route takes them; a route without conditions would"),
            total.unroutable,
        ),
        (
            of_relay(names::EMITTED_UNROUTABLE, "outputs of aggregations that no route takes"),
            total.emitted_unroutable,
        ),
    ];
    let dropped = ledger.destinations.iter().flat_map(|(name, counts)| {
        DropReason::ALL.map(|reason| {
            let loss =
                Loss { reason: reason.name(), place: Some(name.clone()), help: reason.remedy().to_owned() };
            (loss, counts.dropped(reason))
        })
    });
    let aggregators = ledger.aggregators.iter().flat_map(|(key, counts)| {
        let why = [
            (
                names::LATE,
                counts.late,
                "their bucket was emitted before: raise `wait`, or `lateness = \"reemit\"`",
            ),
            (
                names::FUTURE,
                counts.future,
                "too far ahead of the clock: mend the senders' clocks, or raise `max_future`",
            ),
            (names::NO_ROOM, counts.no_room, "raise `max_buckets`, `max_series` or `max_values`"),
            (names::BAD_NAME, counts.bad_name, "the output's name cannot be sent: mend `format`"),
        ];
        why.map(|(reason, lines, help)| {
            (Loss { reason, place: Some(key.clone()), help: help.to_owned() }, lines)
        })
    });
    let losses: Vec<_> = invalid
        .into_iter()
        .chain(unroutable)
        .chain(dropped)
        .chain(aggregators)
        .filter(|(_, lines)| *lines > 0)
        .collect();
    losses.into_iter()
}

/// Says it.
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
            tracing::warn!(reason, %place, all, seconds = lasted.as_secs(), "lines are lost no more");
        }
    }
}

/// All that was lost, in one line; nothing if nothing was.
pub(super) fn log_all(ledger: &Ledger) {
    let losses: Vec<_> = all(ledger).map(|(loss, lines)| format!("{lines} {loss}")).collect();
    if !losses.is_empty() {
        tracing::warn!("lines lost since the start: {}", losses.join(", "));
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
    use crate::ledger::WorkerLedger;

    fn ledger(unroutable: u64) -> Ledger {
        let mut worker = WorkerLedger::default();
        worker.counts.unroutable = unroutable;
        Ledger::new(vec![worker], &[], &[])
    }

    #[test]
    fn a_loss_is_said_when_it_begins_each_minute_and_when_it_ends() {
        let (mut losses, start) = (Losses::default(), Instant::now());
        let mut look = |lines, second| {
            let words = losses.look(&ledger(lines), start + Duration::from_secs(second));
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
}
