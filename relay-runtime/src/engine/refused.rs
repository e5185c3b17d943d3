//! What the log says of refused lines: each one at debug, and a sample at info, with its sender, the reason and its text.
//!
//! The sample is one line per reason every ten seconds, with how many were refused for that reason since the last one.
//! Text is shown with every byte that is not printable ASCII escaped, so that no line can disguise itself as another or
//! reach a terminal. A client that uses the protocol of another port is told apart: the warning names both ports.

use crate::{
    counts::Counts,
    gather::{Gathered, Refusal, TEXT_BYTES, Watch},
    protocol::{Protocol, Violation, looks_like_pickle, looks_like_plain},
    validate::Reason,
};
use std::{
    fmt,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// Between two samples of one reason, and two warnings about one input.
const PERIOD: Duration = Duration::from_secs(10);

/// What one worker says of refused lines.
#[derive(Debug)]
pub(super) struct Refused {
    /// The inputs with their addresses.
    inputs: Vec<(Protocol, SocketAddr)>,
    /// For each reason, when a sample was last shown, and how many lines had been refused by then.
    shown: [Option<(Instant, u64)>; Reason::COUNT],
    /// For each input, when it was last said that a client uses the other protocol.
    warned: Vec<Option<Instant>>,
    taken: Vec<Refusal>,
}

/// A sender with the input that it uses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender {
    pub(super) peer: SocketAddr,
    pub(super) input: usize,
}

impl Refused {
    pub(super) fn new(inputs: Vec<(Protocol, SocketAddr)>) -> Self {
        let warned = vec![None; inputs.len()];
        Self { inputs, shown: [None; Reason::COUNT], warned, taken: Vec::new() }
    }

    /// What has to be kept of refused lines for the level of the log.
    pub(super) fn watch() -> Watch {
        if tracing::enabled!(tracing::Level::DEBUG) {
            Watch::EachLine
        } else if tracing::enabled!(tracing::Level::WARN) {
            Watch::EachReason
        } else {
            Watch::Nothing
        }
    }

    /// Says what was refused since the last call, all of which came from `sender`.
    pub(super) fn say(&mut self, sender: Sender, gathered: &mut Gathered, now: Instant) {
        if gathered.refusals.is_empty() {
            return;
        }
        let mut taken = std::mem::take(&mut self.taken);
        let left_out = gathered.refusals.take(&mut taken);
        for refusal in taken.drain(..) {
            self.say_one(sender, &refusal, &gathered.counts, now);
        }
        if left_out > 0 {
            tracing::debug!(peer = %sender.peer, left_out, "refused more lines");
        }
        self.taken = taken;
    }

    /// Says that a client broke the protocol because it uses another one, if that is so.
    pub(super) fn say_violation(&mut self, sender: Sender, violation: &Violation, now: Instant) {
        if looks_like_plain(violation) {
            self.warn(sender, now);
        }
    }

    fn say_one(&mut self, sender: Sender, refusal: &Refusal, counts: &Counts, now: Instant) {
        let peer = sender.peer;
        let Refusal { reason, text, is_cut } = refusal;
        let is_plain =
            self.inputs.get(sender.input).is_some_and(|(protocol, _)| *protocol == Protocol::Plain);
        if is_plain && looks_like_pickle(text) {
            self.warn(sender, now);
        }
        let line = Shown { text, is_cut: *is_cut };
        let all = counts.invalid_for(*reason);
        let shown = &mut self.shown[*reason as usize];
        if shown.is_some_and(|(at, _)| now.saturating_duration_since(at) < PERIOD) {
            return tracing::debug!(%peer, reason = reason.name(), %line, help = %reason, "refused a line");
        }
        let lines = all - shown.map_or(0, |(_, before)| before);
        *shown = Some((now, all));
        tracing::info!(%peer, reason = reason.name(), %line, lines, help = %reason, "refused a line");
    }

    fn warn(&mut self, Sender { peer, input }: Sender, now: Instant) {
        let (Some(&(protocol, address)), Some(warned)) = (self.inputs.get(input), self.warned.get_mut(input))
        else {
            return;
        };
        if warned.is_some_and(|warned| now.saturating_duration_since(warned) < PERIOD) {
            return;
        }
        *warned = Some(now);
        let address_of =
            |wanted| self.inputs.iter().find(|(protocol, _)| *protocol == wanted).map(|one| one.1);
        match (protocol, address_of(Protocol::Plain), address_of(Protocol::Pickle)) {
            (Protocol::Plain, _, Some(pickle)) => tracing::warn!(
                %peer,
                "looks like pickle: {address} is for plaintext, pickle is taken at {pickle}"
            ),
            (Protocol::Plain, _, None) => tracing::warn!(
                %peer,
                "looks like pickle: {address} is for plaintext, and `pickle_addr` is not set: set it, or let the sender send plaintext"
            ),
            (Protocol::Pickle, Some(plain), _) => tracing::warn!(
                %peer,
                "looks like plaintext: {address} is for pickle, plaintext is taken at {plain}"
            ),
            (Protocol::Pickle, None, _) => tracing::warn!(
                %peer,
                "looks like plaintext: {address} is for pickle, and `listen_addr` is not set: set it, or let the sender send pickle"
            ),
        }
    }
}

/// A line as the log shows it.
struct Shown<'a> {
    text: &'a [u8],
    is_cut: bool,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.text.escape_ascii())?;
        if self.is_cut { write!(f, " (its first {TEXT_BYTES} bytes)") } else { f.write_str("") }
    }
}
