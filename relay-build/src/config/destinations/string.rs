//! The words of a destination string.
//!
//! Words are separated by white space and classified by position (BUG-15): the first is the address, the
//! others are `name=value` in any order. If an option is repeated, the last wins. The word `##` ends the
//! string.

use super::{
    Written,
    address::split_instance,
    option::{self, Kind},
    set_condition,
};
use crate::config::{keys, matchers, regexes::MalformedRegex};
use relay_runtime::table::{Condition, Destination, Late, Matcher, Template, Transport};
use std::{fmt, ops::Range};

/// A word and its place in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word.
    pub text: String,
    /// Its range of bytes.
    pub range: Range<usize>,
}

/// An error in a destination string, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationError {
    /// The kind of the error.
    pub kind: DestinationErrorKind,
    /// The range of bytes in the string.
    pub range: Range<usize>,
}

/// The kinds of errors in a destination string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationErrorKind {
    /// There is no first word.
    MissingAddress,
    /// No option has this name.
    UnknownOption {
        /// As written.
        word: String,
        /// The option with the nearest name.
        near: Option<&'static str>,
    },
    /// The value is not of the option's type.
    Malformed {
        /// The option.
        option: &'static str,
        /// As written.
        value: String,
        /// The allowed values.
        expected: String,
        /// An example of an allowed value.
        example: String,
    },
    /// The number is out of range.
    OutOfRange {
        /// The option.
        option: &'static str,
    },
    /// The number must not be 0 (BUG-17).
    Zero {
        /// The option.
        option: &'static str,
    },
    /// The option is not possible with UDP.
    Udp {
        /// The option.
        option: &'static str,
    },
    /// A regex does not parse.
    Regex {
        /// The condition with the regex.
        option: Condition,
        /// The parser's message.
        error: MalformedRegex,
    },
}

/// The words of a text.
#[must_use]
pub fn words(text: &str) -> Vec<Word> {
    let base = text.as_ptr() as usize;
    text.split_whitespace()
        .map(|word| {
            let start = word.as_ptr() as usize - base;
            Word { text: word.to_owned(), range: start..start + word.len() }
        })
        .take_while(|word| word.text != "##")
        .collect()
}

/// Reads the words of one destination; `end` is where the text ends.
pub(in crate::config) fn parse_words(words: &[Word], end: usize) -> Result<Written, Vec<DestinationError>> {
    let missing = |range| vec![DestinationError { kind: DestinationErrorKind::MissingAddress, range }];
    let Some((first, options)) = words.split_first() else { return Err(missing(0..end)) };
    if first.text.split_once('=').is_some_and(|(name, _)| is_option(name)) {
        return Err(missing(first.range.clone()));
    }
    let (address, instance) = split_instance(&first.text);
    let mut destination = Destination::new(address);
    destination.instance = instance.filter(|instance| !instance.is_empty()).map(str::to_owned);
    let mut written = Written { destination, matcher: Matcher::default() };
    let mut errors = Vec::new();
    for (at, word) in options.iter().enumerate() {
        if let Err(kind) = set(&mut written, &word.text) {
            // A later repetition wins, so a regex that is replaced need not parse.
            let name = word.text.split('=').next();
            let replaced = options[at + 1..].iter().any(|later| later.text.split('=').next() == name);
            if replaced && matches!(kind, DestinationErrorKind::Regex { .. }) {
                continue;
            }
            errors.push(DestinationError { kind, range: word.range.clone() });
        }
    }
    let place = |option: &str| {
        let word = options.iter().rev().find(|word| word.text.split('=').next() == Some(option));
        word.unwrap_or(first).range.clone()
    };
    for kind in conflicts(&written.destination) {
        let (DestinationErrorKind::Zero { option } | DestinationErrorKind::Udp { option }) = kind else {
            continue;
        };
        errors.push(DestinationError { range: place(option), kind });
    }
    if errors.is_empty() { Ok(written) } else { Err(errors) }
}

fn is_option(name: &str) -> bool {
    keys::OPTIONS.contains(&name) || matchers::condition(name).is_some()
}

/// Reports options that contradict each other.
pub(super) fn conflicts(destination: &Destination) -> Vec<DestinationErrorKind> {
    let options = &destination.options;
    let mut conflicts: Vec<_> =
        option::zeros(options).into_iter().map(|option| DestinationErrorKind::Zero { option }).collect();
    if destination.transport == Transport::Udp {
        let flags = [("pickle", options.pickle), ("spool", options.spool)];
        let set = flags.into_iter().filter(|(_, set)| *set);
        conflicts.extend(set.map(|(option, _)| DestinationErrorKind::Udp { option }));
    }
    conflicts
}

fn set(written: &mut Written, word: &str) -> Result<(), DestinationErrorKind> {
    let unknown = || {
        let name = word.split('=').next().unwrap_or(word);
        let names = keys::OPTIONS.iter().copied().chain(Condition::ALL.map(Condition::name));
        let near = if name == "substr" { Some("sub") } else { keys::nearest(name, names) };
        DestinationErrorKind::UnknownOption { word: word.to_owned(), near }
    };
    let (name, value) = word.split_once('=').ok_or_else(unknown)?;
    if let Some(condition) = matchers::condition(name) {
        if value.is_empty() {
            return Err(malformed(condition.name(), value, "a text", "servers."));
        }
        return set_condition(&mut written.matcher, condition, value)
            .map_err(|error| DestinationErrorKind::Regex { option: condition, error });
    }
    let option = keys::OPTIONS.iter().copied().find(|option| *option == name).ok_or_else(unknown)?;
    let destination = &mut written.destination;
    match option::kind(option).ok_or_else(unknown)? {
        Kind::Flag => {
            let flag = value.parse().map_err(|_| malformed(option, value, "`true` or `false`", "true"))?;
            destination.options.pickle = flag;
        }
        Kind::Word(words) => {
            if !words.contains(&value) {
                return Err(malformed(option, value, &one_of(words), words[0]));
            }
            option::set_word(destination, option, value);
        }
        Kind::Number => {
            let number = number(option, value)?;
            if let Some(place) = option::number_mut(&mut destination.options, option) {
                *place = number;
            }
        }
    }
    Ok(())
}

/// Lists the words for a message.
fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.as_slice() {
        [others @ .., last] if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        all => all.concat(),
    }
}

fn number(option: &'static str, value: &str) -> Result<Late<u64>, DestinationErrorKind> {
    let template = Template::from(value);
    if !template.is_closed() {
        return Ok(Late::AtStart(template));
    }
    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed(option, value, "a whole number", &option::default_text(option)));
    }
    let number = value.parse::<i64>().map_err(|_| DestinationErrorKind::OutOfRange { option })?;
    Ok(number.unsigned_abs().into())
}

fn malformed(option: &'static str, value: &str, expected: &str, example: &str) -> DestinationErrorKind {
    let (value, expected, example) = (value.to_owned(), expected.to_owned(), example.to_owned());
    DestinationErrorKind::Malformed { option, value, expected, example }
}

impl fmt::Display for DestinationErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingAddress => f.write_str("a destination needs an address"),
            Self::UnknownOption { word, .. } => write!(f, "unknown destination option `{word}`"),
            Self::Malformed { option, value, expected, .. } => {
                write!(f, "`{option}` cannot be `{value}`, expected {expected}")
            }
            Self::OutOfRange { option } => write!(f, "`{option}` is out of range"),
            Self::Zero { option } => write!(f, "`{option}` must not be 0"),
            Self::Udp { option } => write!(f, "`{option}` needs `protocol=tcp`"),
            Self::Regex { option, error } => write!(f, "`{}` does not parse: {}", option.name(), error.why),
        }
    }
}
