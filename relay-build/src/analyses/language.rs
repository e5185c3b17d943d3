//! Which names do these matchers take, and which of them do those leave? Answered exactly, by automata.
//!
//! Each condition of a [`Matcher`] becomes an automaton ([`automaton`]), and the product of all of them is walked
//! breadth-first, so that the first name found is a shortest one ([`product`]). Nothing is guessed from the texts of
//! conditions. A walk that would take too long ends in [`Answer::Unknown`], of which callers must make nothing.
//!
//! A name is not empty and has no white space, as lines are parted there. Names that are not UTF-8 need no look of their
//! own: a regex reads each wrong byte as U+FFFD, and so does the name that has U+FFFD in its place, while literals
//! see no difference unless they hold that very character. Of such literals the answer is [`Answer::Unknown`].
//!
//! Cost: a question takes at most [`product::STATES_MAX`] states of the product, and all questions to one [`Languages`] share
//! its fuel, about two units per component and byte tried. Without fuel everything is unknown.

mod automaton;
mod product;

use automaton::Arena;
use product::{Found, Product};
use relay_runtime::table::Matcher;

pub(crate) use automaton::Substring;

/// Fuel for one kind of analysis over a whole table: a second or two in an unoptimised build.
pub(crate) const FUEL: u64 = 3_000_000;

/// The answer to a question about names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// There is no such name.
    Empty,
    /// A shortest one of those in printable ASCII; if there are none, of all.
    Witness(String),
    /// Finding out would take too long.
    Unknown,
}

/// Which names are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Those that lines can have: not empty, without white space.
    OfLines,
    /// Also what one rewriter may hand to the next: an empty name, or one with white space.
    BetweenRewriters,
}

/// Answers questions, keeping the automata from one to the next.
pub(crate) struct Languages {
    arena: Arena,
    /// What is left.
    pub(crate) fuel: u64,
}

impl Languages {
    /// Ready for questions that may burn this much.
    pub(crate) fn new(fuel: u64) -> Self {
        Self { arena: Arena::default(), fuel }
    }

    /// A shortest name that every one of `all` matches and none of `none`.
    pub(crate) fn find(&mut self, names: Names, all: &[&Matcher], none: &[&Matcher]) -> Answer {
        self.search(names, all, none).unwrap_or(Answer::Unknown)
    }

    /// Whether some line's name is matched by all of these; `None` when that is unknown.
    pub(crate) fn intersect(&mut self, all: &[&Matcher]) -> Option<bool> {
        match self.find(Names::OfLines, all, &[]) {
            Answer::Empty => Some(false),
            Answer::Witness(_) => Some(true),
            Answer::Unknown => None,
        }
    }

    /// `None` when an automaton is too large.
    fn search(&mut self, names: Names, all: &[&Matcher], none: &[&Matcher]) -> Option<Answer> {
        let wanted = all.iter().map(|matcher| (*matcher, true));
        let unwanted = none.iter().map(|matcher| (*matcher, false));
        let mut product = Product::default();
        for (matcher, wanted) in wanted.chain(unwanted) {
            product.add(matcher, wanted, &mut self.arena, &mut self.fuel)?;
        }
        // Most answers are printable names, for which nothing but the alphabet needs to be checked.
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

/// All of Unicode but what Go and Rust call white space.
const WITHOUT_WHITE_SPACE: &str =
    r"^[^\t-\r \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+$";

/// All valid UTF-8.
const ANY_TEXT: &str = r"(?s)^.*$";

/// Printable ASCII but the space, the nicest first: of equal answers, the one that reads best is taken.
const PRINTABLE: [u8; 94] =
    *b"abcdefghijklmnopqrstuvwxyz0123456789._-ABCDEFGHIJKLMNOPQRSTUVWXYZ:;=/!\"#$%&'()*+,<>?@[\\]^`{|}~";

/// Printable ASCII, then what starts and ends most other letters, then the rest.
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
