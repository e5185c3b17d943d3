//! Sends lines at a steady rate through a relay in this process, and counts what arrives.
//!
//! The counts are lost, duplicated, torn and reordered lines.

use super::{Peer, line, plan, start, wait_until};
use relay_runtime::{ledger::Ledger, plan::Plan};
use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Lines per second, over all senders.
pub(crate) const RATE: usize = 20_000;
pub(crate) const SENDERS: usize = 4;

/// What became of the lines that were sent.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) sent: usize,
    pub(crate) lost: usize,
    pub(crate) duplicated: usize,
    pub(crate) torn: usize,
    pub(crate) reordered: usize,
}

/// A directory that is gone afterwards.
pub(crate) struct Directory(pub(crate) PathBuf);

impl Directory {
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("static-relay-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        for directory in fs::read_dir(&self.0).unwrap().flatten() {
            files.extend(
                fs::read_dir(directory.path()).into_iter().flatten().flatten().map(|entry| entry.path()),
            );
        }
        files
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn with_spool(addresses: &[SocketAddr], directory: &Path) -> Plan {
    let mut plan = plan(addresses);
    plan.settings.spool_dir = directory.to_str().unwrap().into();
    for destination in &mut plan.table.destinations {
        destination.options.spool = true;
        destination.options.connbuf_lines = 30_000.into();
    }
    plan
}

/// Sends from all senders at the usual rate until told to stop. Gives how many lines each sent.
pub(crate) fn send_until(to: SocketAddr, first: usize, is_over: &AtomicBool) -> usize {
    let mut sockets: Vec<_> = (0..SENDERS).map(|_| TcpStream::connect(to).unwrap()).collect();
    let per_tick = RATE / SENDERS / 1_000;
    let (started, mut number, mut ticks) = (Instant::now(), first, 0);
    while !is_over.load(Ordering::SeqCst) {
        for (sender, socket) in sockets.iter_mut().enumerate() {
            let text: String = (number..number + per_tick).map(|number| line(sender, number)).collect();
            if socket.write_all(text.as_bytes()).is_err() {
                // The relay is gone. What was written to this socket counts as sent, and the others got one tick more.
                return number + per_tick;
            }
        }
        number += per_tick;
        ticks += 1;
        thread::sleep((started + Duration::from_millis(ticks)).saturating_duration_since(Instant::now()));
    }
    number
}

/// Compares what peers got, in the order of their connections, with what was sent.
pub(crate) fn judge(what: &str, got: &[&Peer], each: usize) -> Outcome {
    // What was acknowledged may not have been read yet.
    let count = || got.iter().map(|peer| peer.line_count()).sum::<usize>();
    let (mut last, mut since) = (count(), Instant::now());
    wait_until("nothing more arrives", || {
        if count() != last {
            (last, since) = (count(), Instant::now());
        }
        since.elapsed() > Duration::from_secs(1)
    });
    judge_lines(what, got.iter().flat_map(|peer| peer.lines()), each)
}

/// The same with lines that somebody else wrote down.
pub(crate) fn judge_lines(what: &str, got: impl Iterator<Item = String>, each: usize) -> Outcome {
    let mut outcome = Outcome { sent: each * SENDERS, ..Outcome::default() };
    let mut seen: BTreeMap<usize, (usize, Vec<bool>)> = BTreeMap::new();
    for text in got {
        // The rest of a line that a broken connection cut is not a line.
        let Some(whole) = text.strip_suffix('\n') else { continue };
        let parsed = whole.strip_prefix("sender").and_then(|rest| {
            let (sender, rest) = rest.split_once(".line")?;
            Some((sender.parse().ok()?, rest.split_once(' ')?.0.parse().ok()?))
        });
        let (sender, number): (usize, usize) = match parsed {
            Some((sender, number)) if text == line(sender, number) && number < each => (sender, number),
            _ => {
                outcome.torn += 1;
                continue;
            }
        };
        let (newest, numbers) = seen.entry(sender).or_insert_with(|| (0, vec![false; each]));
        if std::mem::replace(&mut numbers[number], true) {
            outcome.duplicated += 1;
        } else {
            outcome.reordered += usize::from(number < *newest);
            *newest = number;
        }
    }
    let arrived: usize = seen.values().map(|(_, numbers)| numbers.iter().filter(|seen| **seen).count()).sum();
    outcome.lost = outcome.sent - arrived;
    println!("{what}: {outcome:?}");
    outcome
}

/// Runs `meanwhile` while lines come in, then waits until everything is delivered.
pub(crate) fn under_traffic(plan: &Plan, meanwhile: impl FnOnce()) -> (usize, Ledger) {
    let relay = start(plan);
    let to = relay.address().unwrap();
    let is_over = AtomicBool::new(false);
    let each = thread::scope(|scope| {
        let sender = scope.spawn(|| send_until(to, 0, &is_over));
        meanwhile();
        is_over.store(true, Ordering::SeqCst);
        sender.join().unwrap()
    });
    wait_until("everything is delivered", || {
        let ledger = relay.ledger().unwrap();
        let is_done = |(_, counts): &(String, relay_runtime::destination::DestinationCounts)| {
            counts.queued + counts.spooled == 0 || !counts.up
        };
        ledger.total().received == (each * SENDERS) as u64
            && ledger.destinations.iter().all(|(_, counts)| counts.on_the_way == 0)
            && ledger.destinations.iter().all(is_done)
            && ledger.destinations.iter().any(|(_, counts)| counts.up)
    });
    let last = relay.stop(|| false).unwrap();
    assert_eq!(last.difference(), None);
    (each, last)
}

pub(crate) fn assert_nothing_lost(outcome: &Outcome) {
    assert_eq!((outcome.lost, outcome.torn, outcome.reordered), (0, 0, 0), "{outcome:?}");
}
