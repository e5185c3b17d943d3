//! The product of many automata, walked breadth-first.

use super::automaton::{ACCEPTED, Arena, REJECTED};
use relay_runtime::table::{Condition, Matcher};
use std::collections::{BTreeMap, HashSet};

/// How many states of the product one walk may meet.
pub(super) const STATES_MAX: usize = 20_000;

/// What stands for all components of an unwanted matcher that cannot match any more.
const DONE: u32 = REJECTED - 1;

/// Matchers that must match and matchers that must not.
#[derive(Default)]
pub(super) struct Product {
    components: Vec<Component>,
    terms: Vec<Term>,
}

/// One condition.
struct Component {
    automaton: usize,
    negated: bool,
}

/// One matcher: all components from `first` up to the next term's.
struct Term {
    first: usize,
    end: usize,
    wanted: bool,
}

/// How a walk ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Name(Vec<u8>),
    Nothing,
    TooMuch,
}

/// The states of all components.
type State = Box<[u32]>;

/// A state that was met, and how.
struct Step {
    before: usize,
    byte: u8,
}

impl Product {
    /// Adds a matcher. `None` when an automaton of it is too large.
    pub(super) fn add(
        &mut self,
        matcher: &Matcher,
        wanted: bool,
        arena: &mut Arena,
        fuel: &mut u64,
    ) -> Option<()> {
        let first = self.components.len();
        for (condition, text) in matcher.conditions() {
            let negated = matches!(condition, Condition::NotPrefix | Condition::NotSub | Condition::NotRegex);
            self.components.push(Component { automaton: arena.condition(condition, text, fuel)?, negated });
        }
        self.terms.push(Term { first, end: self.components.len(), wanted });
        Some(())
    }

    /// The shortest name out of these bytes, and of the shortest the one with the earliest bytes in `alphabet`. The empty
    /// name counts only with `empty_too`.
    pub(super) fn search(
        &self,
        alphabet: &[u8],
        empty_too: bool,
        arena: &mut Arena,
        fuel: &mut u64,
    ) -> Found {
        self.walk(alphabet, empty_too, arena, fuel).unwrap_or(Found::TooMuch)
    }

    fn walk(&self, alphabet: &[u8], empty_too: bool, arena: &mut Arena, fuel: &mut u64) -> Option<Found> {
        let bytes = self.representatives(alphabet, arena);
        let price = 2 * self.components.len() as u64 + 8;
        let start = self.components.iter().map(|one| arena.get(one.automaton).start());
        let mut start: State = start.collect::<Option<_>>()?;
        if !self.is_open(&mut start) {
            return Some(Found::Nothing);
        }
        if empty_too && self.accepts(&start, arena)? {
            return Some(Found::Name(Vec::new()));
        }
        let mut steps = vec![Step { before: 0, byte: 0 }];
        let mut queue = vec![start];
        // The start counts as seen only when a name leads back to it: as the empty name it may not have been accepted.
        let mut seen = HashSet::new();
        let mut at = 0;
        while at < queue.len() {
            for &byte in &bytes {
                *fuel = fuel.checked_sub(price)?;
                let Some(state) = self.next(&queue[at], byte, arena, fuel)? else { continue };
                if seen.contains(&state) {
                    continue;
                }
                steps.push(Step { before: at, byte });
                if self.accepts(&state, arena)? {
                    return Some(Found::Name(spell(&steps)));
                }
                if steps.len() > STATES_MAX {
                    return None;
                }
                seen.insert(state.clone());
                queue.push(state);
            }
            queue[at] = State::default();
            at += 1;
        }
        Some(Found::Nothing)
    }

    /// One byte, the first, of each class that no component tells apart.
    fn representatives(&self, alphabet: &[u8], arena: &mut Arena) -> Vec<u8> {
        let mut classes = vec![0_usize; alphabet.len()];
        let mut count = 1;
        for component in &self.components {
            // There cannot be more classes than bytes.
            if count == alphabet.len() {
                break;
            }
            let automaton = arena.get(component.automaton);
            let mut split = BTreeMap::new();
            for (class, &byte) in classes.iter_mut().zip(alphabet) {
                let new = split.len();
                *class = *split.entry((*class, automaton.class(byte))).or_insert(new);
            }
            count = split.len();
        }
        let mut met = HashSet::new();
        let first = |(class, &byte): (usize, &u8)| met.insert(class).then_some(byte);
        classes.into_iter().zip(alphabet).filter_map(first).collect()
    }

    /// The state after `byte`, if a name can still be found behind it. The outer `None` is for too many states.
    #[expect(clippy::option_option, reason = "the outer one is for `?`")]
    fn next(&self, state: &State, byte: u8, arena: &mut Arena, fuel: &mut u64) -> Option<Option<State>> {
        let mut next = state.clone();
        for (component, state) in self.components.iter().zip(&mut next) {
            if *state != DONE {
                *state = arena.get(component.automaton).next(*state, byte, fuel)?;
            }
        }
        Some(self.is_open(&mut next).then_some(next))
    }

    /// Whether all terms can still be as wanted. Makes states equal that differ in nothing that matters.
    fn is_open(&self, state: &mut State) -> bool {
        self.terms.iter().all(|term| {
            let value = |at: usize| self.components[at].value(state[at]);
            let fails = (term.first..term.end).any(|at| value(at) == Some(false));
            let holds = !fails && (term.first..term.end).all(|at| value(at) == Some(true));
            if fails && !term.wanted {
                state[term.first..term.end].fill(DONE);
            }
            if term.wanted { !fails } else { !holds }
        })
    }

    /// Whether the name that ends here is as wanted.
    fn accepts(&self, state: &State, arena: &mut Arena) -> Option<bool> {
        for term in &self.terms {
            let mut holds = true;
            for at in term.first..term.end {
                let component = &self.components[at];
                holds = holds
                    && state[at] != DONE
                    && arena.get(component.automaton).accepts(state[at])? != component.negated;
            }
            if holds != term.wanted {
                return Some(false);
            }
        }
        Some(true)
    }
}

impl Component {
    /// Whether the condition holds, as soon as that is known.
    fn value(&self, state: u32) -> Option<bool> {
        match state {
            ACCEPTED => Some(!self.negated),
            REJECTED => Some(self.negated),
            DONE => Some(false),
            _ => None,
        }
    }
}

/// The name that the last step completes.
fn spell(steps: &[Step]) -> Vec<u8> {
    let mut name = Vec::new();
    let mut at = steps.len() - 1;
    while at > 0 {
        name.push(steps[at].byte);
        at = steps[at].before;
    }
    name.reverse();
    name
}
