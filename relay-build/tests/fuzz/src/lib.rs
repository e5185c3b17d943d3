//! What may come in from outside, one target each: lines, pickles, files of a spool, configurations, commands.
//!
//! A target takes any bytes, and panics when something is wrong: a crash, books that do not balance, or an answer that
//! depends on how the bytes were cut. `.ci/fuzz` looks for such bytes; what it found interesting is kept in `corpus/`, and
//! `tests/corpus.rs` runs all of it, each file also in many small variations.

mod input;
mod spool;
mod text;

/// One thing that takes bytes from outside.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As its corpus' folder is called.
    pub name: &'static str,
    /// Panics when something is wrong.
    pub run: fn(&[u8]),
}

/// All of them.
pub const TARGETS: [Target; 5] = [
    Target { name: "lines", run: input::lines },
    Target { name: "pickle", run: input::pickle },
    Target { name: "spool", run: spool::run },
    Target { name: "config", run: text::config },
    Target { name: "commands", run: text::commands },
];

/// The one with this name.
#[must_use]
pub fn target(name: &str) -> Option<Target> {
    TARGETS.into_iter().find(|target| target.name == name)
}
