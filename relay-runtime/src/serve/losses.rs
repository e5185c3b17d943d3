//! Logs losses of lines: when a loss begins, each minute while it goes on, when it ends, and a summary at the
//! stop.
//!
//! Reads the ledger every few seconds, so it costs the data path nothing. Guarantees at most three log lines
//! per minute for each reason and place. There is no clock here: time comes with the ledger.

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

/// The time between two log lines about a loss that goes on.
const PERIOD: Duration = Duration::from_mins(1);

/// A loss that did not grow for this time has ended.
const QUIET: Duration = Duration::from_secs(10);

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
#[derive(Debug, Default)]
pub(super) struct Losses(BTreeMap<Loss, Seen>);

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
    /// Compares the ledger with the previous one. Returns the messages to log.
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

/// Every kind of loss that has occurred, with the number of lines.
fn all(ledger: &Ledger) -> impl Iterator<Item = (Loss, u64)> {
    let total = ledger.total();
    let invalid = Reason::ALL.map(|reason| {
        let help = format!("refused: {reason}");
        (Loss { reason: reason.name(), place: None, help }, total.invalid_for(reason))
    });
    let of_relay = |reason, help: &str| Loss { reason, place: None, help: help.to_owned() };
    let unroutable = [
        (
            of_relay(names::UNROUTABLE, "no route matches them; a route without conditions would"),
            total.unroutable,
        ),
        (
            of_relay(names::EMITTED_UNROUTABLE, "outputs of aggregations that no route matches"),
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
                "too far ahead of the clock: correct the senders' clocks, or raise `max_future`",
            ),
            (names::NO_ROOM, counts.no_room, "raise `max_buckets`, `max_series` or `max_values`"),
            (names::BAD_NAME, counts.bad_name, "the output's name cannot be sent: correct `format`"),
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

/// Logs all losses in one line, if there were any.
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
