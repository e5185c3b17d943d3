//! Destinations in both forms: strings, and tables `[[route.destination]]`.
//!
//! `string` only parses words, without files or variables, so that commands on a running relay can use it
//! too. `check_string` and `check_table` complete variables and report problems with their places. Two routes
//! to the same address, instance, transport and options share one destination of the plan.

mod address;
mod option;
mod string;
mod table;

use super::{
    check::Check,
    matchers,
    raw::Text,
    regexes::{self, MalformedRegex},
};
use crate::diagnostics::{Diagnostic, Span, codes};
use relay_runtime::table::{Condition, Destination, DestinationIndex, Matcher, Table};
use std::ops::Range;

pub use address::{AddressProblem, split_instance};
pub(super) use string::parse_words;
pub use string::{DestinationError, DestinationErrorKind, Word, words};
pub(super) use table::check_table;

/// A destination as one route writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The destination.
    pub destination: Destination,
    /// The metrics of the route that it gets.
    pub matcher: Matcher,
}

/// Reads a destination string: `<host:port>[:<instance>] [option=value]...`.
pub fn parse(text: &str) -> Result<Written, Vec<DestinationError>> {
    string::parse_words(&words(text), text.len())
}

/// Reads a destination string of the configuration. If `closed` is true, the address must not have open
/// variables.
pub(super) fn check_string(check: &mut Check<'_>, text: &Text, closed: bool) -> Option<Written> {
    let words: Vec<Word> = words(&text.text)
        .into_iter()
        .enumerate()
        .map(|(at, word)| complete(check, &text.slice(word.range.clone()), word.range, at == 0, closed))
        .collect();
    match string::parse_words(&words, text.text.len()) {
        Ok(written) => {
            let span = words.first().map_or(text.span, |word| text.part(word.range.clone()));
            check_address(check, &written.destination, span).then_some(written)
        }
        Err(errors) => {
            // A wrong option does not hide a wrong address.
            if let Some(word) = words.first().filter(|word| !word.text.contains('=')) {
                let (address, _) = split_instance(&word.text);
                check_address(check, &Destination::new(address), text.part(word.range.clone()));
            }
            for error in errors {
                report(check, &error, text);
            }
            None
        }
    }
}

/// Completes the variables of one word. Those that influence routing must have a value; others are completed
/// if a value was given.
pub(super) fn complete(
    check: &mut Check<'_>,
    word: &Text,
    range: Range<usize>,
    first: bool,
    closed: bool,
) -> Word {
    let text = if first {
        let (address, instance) = split_instance(&word.text);
        let end = address.len();
        let address = word.slice(0..end);
        let address = if closed { check.fix(&address).text } else { check.open(&address).0 };
        match instance {
            Some(_) => format!("{address}:{}", check.fix(&word.slice(end + 1..word.text.len())).text),
            None => address,
        }
    } else if option::may_stay_open(&word.text) {
        check.open(word).0
    } else {
        check.fix(word).text
    };
    Word { text, range }
}

/// Returns the position of a destination in the table; a new one is added.
pub fn intern(table: &mut Table, destination: Destination) -> DestinationIndex {
    let at = table.destinations.iter().position(|known| *known == destination).unwrap_or_else(|| {
        table.destinations.push(destination);
        table.destinations.len() - 1
    });
    DestinationIndex::new(at)
}

/// The same for a destination with a place in the configuration. Reports an address that occurs with
/// different options.
pub(super) fn intern_at(check: &mut Check<'_>, destination: Destination, span: Span) -> DestinationIndex {
    note_origin(check, &destination, span);
    intern(&mut check.plan.table, destination)
}

/// Remembers where a destination was first written and warns when the same address has other options elsewhere.
pub(super) fn note_origin(check: &mut Check<'_>, destination: &Destination, span: Span) {
    if check.destinations.iter().any(|(known, _)| known == destination) {
        return;
    }
    let twin = check
        .destinations
        .iter()
        .find(|(known, _)| known.address == destination.address && known.instance == destination.instance);
    if let Some(&(_, first)) = twin {
        check.report(
            Diagnostic::warning(
                codes::DIFFERENT_OPTIONS,
                span,
                format!("`{}` is written with different options", destination.written()),
            )
            .label("a connection and a queue of its own")
            .related(first, "other options here")
            .help("give it the same options in both places if one connection is meant"),
        );
    }
    check.destinations.push((destination.clone(), span));
}

/// Reports an address that is not valid; returns false if that is an error.
pub(super) fn check_address(check: &mut Check<'_>, destination: &Destination, span: Span) -> bool {
    let Some(problem) = address::problem(&destination.address) else { return true };
    match problem {
        AddressProblem::Malformed { example } => {
            let message = format!("`{}` is not an address", destination.address);
            check.report(
                Diagnostic::error(codes::MALFORMED_ADDRESS, span, message)
                    .label("write an IPv6 address in brackets, with port and instance after them")
                    .help(format!("write `{example}`")),
            );
            false
        }
        AddressProblem::NoPort { host } => {
            let message = format!("`{}` has no usable port", destination.address);
            check.report(
                Diagnostic::error(codes::NO_PORT, span, message)
                    .label("expected `<host>:<port>`, with a port from 1 to 65535")
                    .help(format!("write `{host}:2003`")),
            );
            false
        }
    }
}

/// Reports an error in a destination string.
pub(super) fn report(check: &mut Check<'_>, error: &DestinationError, text: &Text) {
    let span = text.part(error.range.clone());
    let diagnostic = match &error.kind {
        DestinationErrorKind::MissingAddress => {
            Diagnostic::error(codes::MISSING_ADDRESS, span, "a destination needs an address")
                .label("expected `<host>:<port>` first")
                .help("write `<host>:<port>` before the options")
        }
        DestinationErrorKind::UnknownOption { word, near } => {
            let help = match near {
                Some(near) => format!("an option with a similar name exists: `{near}=`"),
                None => "options are written `name=value`; remove this one".to_owned(),
            };
            Diagnostic::error(codes::UNKNOWN_OPTION, span, format!("unknown destination option `{word}`"))
                .help(help)
        }
        DestinationErrorKind::Malformed { option, value, expected, example } => {
            let message = format!("`{option}` cannot be `{value}`");
            Diagnostic::error(codes::MALFORMED_OPTION, span, message)
                .label(format!("expected {expected}"))
                .help(format!("write `{option}={example}`"))
        }
        DestinationErrorKind::OutOfRange { option } => {
            Diagnostic::error(codes::OUT_OF_RANGE, span, format!("`{option}` is out of range"))
                .label(format!("expected at most {}", i64::MAX))
                .help(format!("write `{option}={}`", option::default_text(option)))
        }
        DestinationErrorKind::Zero { option } => {
            Diagnostic::error(codes::ZERO_OPTION, span, format!("`{option}` must not be 0"))
                .label("expected at least 1")
                .help(format!("write `{option}={}`, which is the default", option::default_text(option)))
        }
        DestinationErrorKind::Udp { option } => {
            Diagnostic::error(codes::UDP_OPTION, span, format!("`{option}` needs `protocol=tcp`"))
                .label("over UDP the relay cannot know what arrived")
                .help(format!("remove `{option}=true` or `protocol=udp`"))
        }
        DestinationErrorKind::Regex { option, error } => {
            return report_regex(check, *option, error, text, span);
        }
    };
    check.report(diagnostic);
}

fn report_regex(check: &mut Check<'_>, option: Condition, error: &MalformedRegex, text: &Text, span: Span) {
    let start = span.start + option.name().len() + 1;
    let at = start + error.at;
    let exact = text.at.is_some() && at < span.end;
    let span = if exact { Span { start: at, end: at + 1 } } else { span };
    check.report(
        Diagnostic::error(
            codes::MALFORMED_REGEX,
            span,
            format!("the destination's `{}` does not parse", option.name()),
        )
        .label(error.why.clone())
        .help(error.help.clone()),
    );
}

/// Checks a condition and adds it to the matcher; used by both forms.
fn set_condition(matcher: &mut Matcher, condition: Condition, value: &str) -> Result<(), MalformedRegex> {
    if matchers::is_regex(condition) {
        regexes::parse(value)?;
    }
    matcher.set(condition, value);
    Ok(())
}
