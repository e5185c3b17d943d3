//! Which names do some matchers match that others do not? Answered exactly, by automata.
//!
//! Each condition of a [`Matcher`] becomes an automaton ([`automaton`]). The product of all of them is walked
//! breadth-first, so the first name found is a shortest one ([`product`]). Nothing is guessed from the text of
//! a condition. A walk that would take too long ends in [`Answer::Unknown`], from which callers must conclude
//! nothing.
//!
//! A name is not empty and contains no white space, because white space separates the fields of a line. Names
//! that are not UTF-8 need no separate treatment: a regex reads each invalid byte as U+FFFD, so it answers as
//! for the name that has U+FFFD there; a literal answers the same for both unless it contains U+FFFD itself.
//! For such literals the answer is [`Answer::Unknown`].
//!
//! Cost: one question visits at most [`product::STATES_MAX`] states of the product. All questions to one
//! [`Languages`] share its fuel, about two units per component and byte tried. When the fuel is used up, every
//! answer is unknown.

mod automaton;
mod product;

use automaton::Arena;
use product::{Found, Product};
use relay_runtime::table::Matcher;

pub(crate) use automaton::Substring;

/// Fuel for one kind of analysis of a whole table: a second or two in an unoptimised build.
pub(crate) const FUEL: u64 = 3_000_000;

/// The answer to a question about names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// There is no such name.
    Empty,
    /// A shortest such name: of printable ASCII if there is one, otherwise of any characters.
    Witness(String),
    /// The search would take too long.
    Unknown,
}

/// Which names a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Names that lines can have: not empty, without white space.
    OfLines,
    /// Also names that one rewriter may pass to the next: empty, or with white space.
    BetweenRewriters,
}

/// Answers questions, and reuses the automata of earlier ones.
pub(crate) struct Languages {
    arena: Arena,
    /// The fuel that is left.
    pub(crate) fuel: u64,
}

impl Languages {
    /// Makes a value for questions that may together use this much fuel.
    pub(crate) fn new(fuel: u64) -> Self {
        Self { arena: Arena::default(), fuel }
    }

    /// A shortest name that every matcher of `all` matches and none of `none` does.
    pub(crate) fn find(&mut self, names: Names, all: &[&Matcher], none: &[&Matcher]) -> Answer {
        self.search(names, all, none).unwrap_or(Answer::Unknown)
    }

    /// Whether the name of some line is matched by all of these; `None` if unknown.
    pub(crate) fn intersect(&mut self, all: &[&Matcher]) -> Option<bool> {
        match self.find(Names::OfLines, all, &[]) {
            Answer::Empty => Some(false),
            Answer::Witness(_) => Some(true),
            Answer::Unknown => None,
        }
    }

    /// Returns `None` if an automaton is too large.
    fn search(&mut self, names: Names, all: &[&Matcher], none: &[&Matcher]) -> Option<Answer> {
        let wanted = all.iter().map(|matcher| (*matcher, true));
        let unwanted = none.iter().map(|matcher| (*matcher, false));
        let mut product = Product::default();
        for (matcher, wanted) in wanted.chain(unwanted) {
            product.add(matcher, wanted, &mut self.arena, &mut self.fuel)?;
        }
        // Most answers are printable names, for which only the alphabet has to be checked.
        let mut found = product.search(&PRINTABLE, false, &mut self.arena, &mut self.fuel);
        if found == Found::Nothing {
            let pattern = match names {
                Names::OfLines => WITHOUT_WHITE_SPACE,
                Names::BetweenRewriters => ANY_TEXT,
            };
            let universe = Matcher { regex: Some(pattern.to_owned()), ..Matcher::default() };
            product.add(&universe, true, &mut self.arena, &mut self.fuel)?;
            let empty_too = names == Names::BetweenRewriters;
            found = product.search(&ALL_BYTES, empty_too, &mut self.arena, &mut self.fuel);
        }
        match found {
            Found::Name(name) => String::from_utf8(name).ok().map(Answer::Witness),
            Found::Nothing => Some(Answer::Empty),
            Found::TooMuch => None,
        }
    }
}

/// All of Unicode except what Go and Rust call white space.
const WITHOUT_WHITE_SPACE: &str =
    r"^[^\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+$";

/// All valid UTF-8.
const ANY_TEXT: &str = r"(?s)^.*$";

/// Printable ASCII without the space, the most readable first: of equally short answers, the most readable is
/// found.
const PRINTABLE: [u8; 94] =
    *b"abcdefghijklmnopqrstuvwxyz0123456789._-ABCDEFGHIJKLMNOPQRSTUVWXYZ:;=/!\"#$%&'()*+,<>?@[\\]^`{|}~";

/// Printable ASCII, then the bytes that start or continue most other letters, then the rest.
const ALL_BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut used = [false; 256];
    let mut at = 0;
    while at < PRINTABLE.len() {
        bytes[at] = PRINTABLE[at];
        used[PRINTABLE[at] as usize] = true;
        at += 1;
    }
    let letters = [0xc3, 0xa9, 0xe4, 0xb8, 0xad];
    let mut letter = 0;
    while letter < letters.len() {
        bytes[at] = letters[letter];
        used[letters[letter] as usize] = true;
        at += 1;
        letter += 1;
    }
    let mut byte = u8::MAX;
    while at < bytes.len() {
        if !used[byte as usize] {
            bytes[at] = byte;
            at += 1;
        }
        byte = byte.wrapping_sub(1);
    }
    bytes
};

#[cfg(test)]
mod tests;
