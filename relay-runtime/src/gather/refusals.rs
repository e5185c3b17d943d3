//! Lines that were refused, kept for the log: the beginning of each, and not of all.
//!
//! The pipeline knows a line and why it is refused, and the engine knows who sent it. So what one read refused is kept
//! here until the engine takes it. Bounded: [`TEXT_BYTES`] of a line, and at most [`EACH_MAX`] lines. What is not kept
//! is counted, like every refused line, in [`Counts`](crate::counts::Counts). No line that is taken comes here.

use crate::validate::Reason;

/// The most bytes that are kept of a line.
pub(crate) const TEXT_BYTES: usize = 200;

/// The most lines that are kept.
const EACH_MAX: usize = 1_000;

/// What is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Watch {
    /// Nothing.
    #[default]
    Nothing,
    /// The first line for each reason.
    EachReason,
    /// Each line.
    EachLine,
}

/// A line that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    /// How it begins.
    pub(crate) text: Vec<u8>,
    /// Whether there is more of it.
    pub(crate) is_cut: bool,
}

/// The lines that were refused since they were last taken.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    watch: Watch,
    kept: Vec<Refusal>,
    /// For each reason, whether a line is kept.
    has: [bool; Reason::COUNT],
    left_out: u64,
}

impl Refusals {
    /// Sets what is kept from now on.
    pub(crate) const fn watch(&mut self, watch: Watch) {
        self.watch = watch;
    }

    /// Whether there is nothing to take.
    pub(crate) const fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Notes a line that is refused.
    #[cold]
    pub(crate) fn note(&mut self, reason: Reason, line: &[u8]) {
        let is_kept = match self.watch {
            Watch::Nothing => return,
            Watch::EachReason => !self.has[reason as usize],
            Watch::EachLine => self.kept.len() < EACH_MAX,
        };
        if !is_kept {
            self.left_out += 1;
            return;
        }
        self.has[reason as usize] = true;
        let text = line[..line.len().min(TEXT_BYTES)].to_vec();
        self.kept.push(Refusal { reason, text, is_cut: line.len() > TEXT_BYTES });
    }

    /// Takes what was kept, and returns how many lines were not.
    pub(crate) fn take(&mut self, into: &mut Vec<Refusal>) -> u64 {
        into.append(&mut self.kept);
        self.has = [false; Reason::COUNT];
        std::mem::take(&mut self.left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_the_rest_is_counted() {
        for (watch, kept, left_out) in
            [(Watch::Nothing, 0, 0), (Watch::EachReason, 2, 2_998), (Watch::EachLine, EACH_MAX, 2_000)]
        {
            let mut refusals = Refusals::default();
            refusals.watch(watch);
            for _ in 0..1_500 {
                refusals.note(Reason::EmptyKey, &[b'x'; 1_000]);
                refusals.note(Reason::LineTooLong, b"short");
            }
            let mut taken = Vec::new();
            assert_eq!((refusals.take(&mut taken), taken.len()), (left_out, kept));
            assert!(
                taken.iter().all(|one| one.text.len() <= TEXT_BYTES && one.is_cut == (one.text.len() > 5))
            );
            assert!(refusals.is_empty());
        }
    }
}
