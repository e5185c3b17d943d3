//! Whether a rewriter leaves a text in the names that it writes, decided for all names at once.
//!
//! A literal rewriter is a machine: it reads a name byte by byte, holds back what may become `old`, and writes
//! the rest. Combined with one machine that searches what is read for the text and one that searches what is
//! written, it has few states, and all of them are visited. The search also tries bytes that no name contains,
//! so "never" is certain, while "possible" may be wrong; then there is no warning.

use crate::analyses::language::Substring;
use relay_runtime::table::{Pattern, Rewriter};
use std::collections::BTreeSet;

/// Beyond this many states, everything is considered possible.
const STATES_MAX: usize = 5_000;

/// Whether no name contains `old` after this rewriter has run.
pub(super) fn removes_old(rewriter: &Rewriter, fuel: &mut u64) -> bool {
    let Pattern::Text(old) = &rewriter.old else { return false };
    rewriter.max.is_none() && rewriter.not.is_none() && leaves_none_of_old(rewriter, old, fuel)
}

/// Like [`removes_old`], for names in which `not` of the rewriter finds nothing.
pub(super) fn leaves_none_of_old(rewriter: &Rewriter, old: &str, fuel: &mut u64) -> bool {
    let machine = Machine::new(old, &rewriter.new, old);
    !machine.can_write(&Run { always: true, without: false }, fuel)
}

/// Whether this rewriter never puts `text` into a name that did not contain it.
pub(super) fn keeps_absent(rewriter: &Rewriter, text: &str, fuel: &mut u64) -> bool {
    let Pattern::Text(old) = &rewriter.old else { return false };
    if rewriter.max == Some(0) {
        return true;
    }
    let shares_nothing =
        !rewriter.new.is_empty() && rewriter.new.bytes().all(|byte| !text.as_bytes().contains(&byte));
    shares_nothing
        || !Machine::new(old, &rewriter.new, text).can_write(&Run { always: false, without: true }, fuel)
}

struct Machine<'t> {
    old: Substring,
    new: &'t [u8],
    text: Substring,
    /// Every byte that matters, and one that stands for all others.
    alphabet: Vec<u8>,
}

/// The question to decide.
struct Run {
    /// Whether every occurrence is replaced; otherwise each may be, which allows more than `max` and `not` do.
    always: bool,
    /// Whether only names without the text are read.
    without: bool,
}

/// How many bytes are held back of `old`, were last read of the text, and were last written of the text.
type State = (usize, usize, usize);

impl<'t> Machine<'t> {
    fn new(old: &'t str, new: &'t str, text: &'t str) -> Self {
        let used: BTreeSet<u8> = old.bytes().chain(text.bytes()).collect();
        let other = (0..=u8::MAX).find(|byte| !used.contains(byte));
        let alphabet = used.into_iter().chain(other).collect();
        let (old, text) = (Substring::new(old.as_bytes()), Substring::new(text.as_bytes()));
        Self { old, new: new.as_bytes(), text, alphabet }
    }

    /// Whether the text can occur in what is written.
    fn can_write(&self, run: &Run, fuel: &mut u64) -> bool {
        let mut seen = BTreeSet::from([(0, 0, 0)]);
        let mut open = vec![(0, 0, 0)];
        while let Some(state) = open.pop() {
            let price = 4 * self.alphabet.len() as u64 + 16;
            let Some(left) = fuel.checked_sub(price) else { return true };
            *fuel = left;
            // The name may end here, which writes what was held back.
            if self.write(state.2, &self.old.text()[..state.0]).is_none() || seen.len() > STATES_MAX {
                return true;
            }
            for &byte in &self.alphabet {
                let Some(next) = self.read(state, byte, run) else { continue };
                for next in next {
                    let Some(next) = next else { return true };
                    if seen.insert(next) {
                        open.push(next);
                    }
                }
            }
        }
        false
    }

    /// The states after one more byte, `None` for one in which the text was written. The outer `None` is for a
    /// name that the question excludes.
    fn read(&self, (mut held, read, mut written): State, byte: u8, run: &Run) -> Option<Vec<Option<State>>> {
        let read = if run.without { self.text.next(read, byte) } else { 0 };
        if run.without && read == self.text.text().len() {
            return None;
        }
        let old = self.old.text();
        while old.get(held) != Some(&byte) {
            if held == 0 {
                return Some(vec![self.write(written, &[byte]).map(|written| (0, read, written))]);
            }
            let border = self.old.border(held);
            let Some(after) = self.write(written, &old[..held - border]) else { return Some(vec![None]) };
            (held, written) = (border, after);
        }
        held += 1;
        if held < old.len() {
            return Some(vec![Some((held, read, written))]);
        }
        let mut states = vec![self.write(written, self.new).map(|written| (0, read, written))];
        if !run.always {
            states.push(self.write(written, old).map(|written| (0, read, written)));
        }
        Some(states)
    }

    /// How many bytes of the text the output ends with after `bytes`; `None` once it has contained the whole
    /// text.
    fn write(&self, mut written: usize, bytes: &[u8]) -> Option<usize> {
        for &byte in bytes {
            written = self.text.next(written, byte);
            if written == self.text.text().len() {
                return None;
            }
        }
        Some(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_runtime::rewriter;

    fn rule(old: &str, new: &str, max: Option<u32>) -> Rewriter {
        Rewriter { old: Pattern::Text(old.to_owned()), new: new.to_owned(), not: None, max }
    }

    /// All texts of `a` and `b` up to this length.
    fn texts(length: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut longest = all.clone();
        for _ in 0..length {
            longest = longest.iter().flat_map(|text| [format!("{text}a"), format!("{text}b")]).collect();
            all.extend(longest.iter().cloned());
        }
        all
    }

    fn rewritten(rule: &Rewriter, name: &str) -> String {
        let mut out = Vec::new();
        let changed = rewriter::Rewriter::new(rule).unwrap().apply(name.as_bytes(), &mut out);
        if changed { String::from_utf8(out).unwrap() } else { name.to_owned() }
    }

    #[test]
    fn whether_old_is_gone_is_what_running_it_on_all_short_names_says() {
        let names = texts(9);
        for old in texts(3).iter().skip(1) {
            for new in texts(3) {
                let rule = rule(old, &new, None);
                let gone = !names.iter().any(|name| rewritten(&rule, name).contains(old.as_str()));
                assert_eq!(removes_old(&rule, &mut u64::MAX.clone()), gone, "{old} {new}");
            }
        }
    }

    #[test]
    fn what_is_said_to_stay_absent_does() {
        let names = texts(8);
        let mut absent = 0;
        for old in texts(2).iter().skip(1) {
            for new in texts(2) {
                for text in texts(2).iter().skip(1) {
                    for max in [None, Some(1)] {
                        let rule = rule(old, &new, max);
                        let stays = names
                            .iter()
                            .filter(|name| !name.contains(text.as_str()))
                            .all(|name| !rewritten(&rule, name).contains(text.as_str()));
                        let said = keeps_absent(&rule, text, &mut u64::MAX.clone());
                        assert!(stays || !said, "{old} {new} {max:?} {text}");
                        absent += usize::from(said);
                    }
                }
            }
        }
        assert!(absent > 100, "{absent}");
    }
}
