//! The product of many automata, walked breadth-first.
//!
//! Finds a shortest name that all wanted matchers match and no unwanted one does. How an automaton works does
//! not matter here; [`Arena`] steps them.

use super::automaton::{ACCEPTED, Arena, REJECTED};
use relay_runtime::table::{Condition, Matcher};
use std::collections::{BTreeMap, HashSet};

/// How many states of the product one walk may visit.
pub(super) const STATES_MAX: usize = 20_000;

/// Replaces the states of all components of an unwanted matcher once it cannot match any more.
const DONE: u32 = REJECTED - 1;

/// Matchers that must match, and matchers that must not.
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

/// One matcher: the components from `first` up to the first of the next term.
struct Term {
    first: usize,
    end: usize,
    wanted: bool,
}

/// The result of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Name(Vec<u8>),
    Nothing,
    TooMuch,
}

/// One state of the product: the states of all components.
type State = Box<[u32]>;

/// A visited state and the step that led to it.
struct Step {
    before: usize,
    byte: u8,
}

impl Product {
    /// Adds a matcher. Returns `None` if one of its automata is too large.
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

    /// The shortest name made of bytes of `alphabet`; of several, the one whose bytes come first in `alphabet`.
    /// The empty name counts only if `empty_too`.
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
        // The start counts as seen only when a name leads back to it: the empty name may not count as an
        // answer.
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

    /// The first byte of each class of bytes that no component distinguishes.
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

    /// The state after `byte`; the inner `None` if no name can be found from there, the outer if there are too
    /// many states.
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

    /// Whether every term can still have the wanted result. Also makes states equal whose differences cannot
    /// matter.
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

    /// Whether every term has the wanted result for the name that ends here.
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
    /// Whether the condition holds; `None` while that depends on bytes to come.
    fn value(&self, state: u32) -> Option<bool> {
        match state {
            ACCEPTED => Some(!self.negated),
            REJECTED => Some(self.negated),
            DONE => Some(false),
            _ => None,
        }
    }
}

/// The name that ends with the last step.
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
