//! The commands of `[init] cmds`: completes their variables, carries them out on the plan, and reports errors
//! with their place.
//!
//! A command with an error changes nothing, and the commands after it are still checked.

use super::{
    Command, CommandError, CommandErrorKind, NewRoute, apply,
    parse::parse_words,
    words::{self, Word},
};
use crate::config::{
    braces,
    check::Check,
    destinations::{self, DestinationError},
    fields::Fields,
    raw::{Text, Value},
    routes::RouteType,
};
use crate::diagnostics::{Code, Diagnostic, codes};

/// Reads one command and carries it out on the plan.
pub(in crate::config) fn check_text(check: &mut Check<'_>, text: &Text) {
    let words = complete(check, text);
    let command = match parse_words(&words, text.text.len()) {
        Ok(command) => command,
        Err(error) => return report(check, &error, text),
    };
    if let Command::AddRoute { kind: NewRoute::Carbon(_, written), .. } = &command {
        for one in written {
            destinations::note_origin(check, &one.destination, text.span);
            if !destinations::check_address(check, &one.destination, text.span) {
                return;
            }
        }
    }
    let position = deleted(check, &command);
    if let Err(error) = apply(&command, &mut check.plan) {
        return report(check, &error, text);
    }
    note_origins(check, &command, position, text);
}

/// Reads `init = [ … ]`, the style before carbon-relay-ng 0.9: reports how to write it now, and checks the
/// commands too. Returns whether the key was there.
pub(in crate::config) fn check_old(check: &mut Check<'_>, fields: &Fields<'_>) -> bool {
    let Some(Value::Array(items)) = fields.node("init").map(|node| &node.value) else { return false };
    let is_commands = items.iter().all(|item| matches!(item.value, Value::Text(_)));
    if !is_commands {
        return false;
    }
    let place = fields.key_span("init").unwrap_or_default();
    check.report(
        Diagnostic::error(codes::OLD_INIT, place, "commands belong into the section `[init]`")
            .label("this is the style before carbon-relay-ng 0.9")
            .help("after all global keys, write `[init]` and below it `cmds = [ … ]`"),
    );
    for text in fields.texts(check, "init") {
        check_text(check, text);
    }
    true
}

/// The position of the route that a command deletes.
fn deleted(check: &Check<'_>, command: &Command) -> Option<usize> {
    let Command::DeleteRoute { key } = command else { return None };
    check.plan.table.routes.iter().position(|route| route.key == *key)
}

fn note_origins(check: &mut Check<'_>, command: &Command, deleted: Option<usize>, text: &Text) {
    match command {
        Command::AddBlock(_) => check.origins.blocklist.push(text.span),
        Command::AddAggregator(_) => check.origins.aggregators.push(text.span),
        Command::AddRewriter(_) => check.origins.rewriters.push(text.span),
        Command::AddRoute { kind, .. } => {
            let destinations = if let NewRoute::Carbon(_, written) = kind { written.len() } else { 0 };
            check.origins.routes.push(text.span);
            check.origins.route_destinations.push(vec![text.span; destinations]);
        }
        Command::DeleteRoute { .. } => {
            if let Some(at) = deleted {
                check.origins.routes.remove(at);
                check.origins.route_destinations.remove(at);
            }
        }
        Command::ModDestination { address: Some(_), .. } => {
            let known = |one: &_| check.destinations.iter().any(|(known, _)| known == one);
            let new: Vec<_> =
                check.plan.table.destinations.iter().filter(|one| !known(one)).cloned().collect();
            for destination in new {
                destinations::check_address(check, &destination, text.span);
                destinations::note_origin(check, &destination, text.span);
            }
        }
        Command::ModRoute { .. } | Command::ModDestination { .. } => {}
    }
}

/// Completes the variables word by word. Words after the first separator of `addRoute` are destinations,
/// whose variables may stay open; all other words influence routing.
fn complete(check: &mut Check<'_>, text: &Text) -> Vec<Word> {
    let written = words::words(&text.text);
    let route_type = match written.as_slice() {
        [first, second, ..] if first.text == "addRoute" => RouteType::parse(&second.text),
        _ => None,
    };
    let has_template =
        written.first().is_some_and(|word| ["addAgg", "addRewriter"].contains(&word.text.as_str()));
    let mut behind_separator = false;
    let mut first_of_destination = false;
    let mut completed = Vec::new();
    for word in written {
        if word.is_separator() {
            behind_separator = true;
            first_of_destination = true;
            completed.push(word);
            continue;
        }
        let part = text.slice(word.range.clone());
        let new = match route_type {
            Some(route_type) if behind_separator && route_type.is_carbon() => {
                let closed = matches!(route_type, RouteType::Hash(_));
                destinations::complete(check, &part, word.range.clone(), first_of_destination, closed).text
            }
            Some(_) if behind_separator => check.open(&part).0,
            _ if has_template => {
                let part = check.fix(&part);
                braces::undouble(check, part).text
            }
            _ => check.fix(&part).text,
        };
        first_of_destination = false;
        completed.push(Word { text: new, range: word.range });
    }
    completed
}

fn report(check: &mut Check<'_>, error: &CommandError, text: &Text) {
    if let CommandErrorKind::Destination(kind) = &error.kind {
        let error = DestinationError { kind: kind.clone(), range: error.range.clone() };
        return destinations::report(check, &error, text);
    }
    let span = text.part(error.range.clone());
    let (code, help) = code_and_help(&error.kind);
    let message = format!("the command cannot be carried out: {}", error.kind);
    let message = if matches!(error.kind, CommandErrorKind::UnknownCommand { .. }) {
        error.kind.to_string()
    } else {
        message
    };
    check.report(Diagnostic::error(code, span, message).help(help));
}

fn code_and_help(kind: &CommandErrorKind) -> (Code, String) {
    match kind {
        CommandErrorKind::UnknownCommand { .. } => {
            let list = "`addBlock`, `addAgg`, `addRewriter`, `addRoute <type>`, `modRoute`, `modDest` and `delRoute`";
            (codes::UNKNOWN_COMMAND, format!("commands are {list}, each followed by one space"))
        }
        CommandErrorKind::Usage { usage, .. } => (codes::MALFORMED_COMMAND, format!("write `{usage}`")),
        CommandErrorKind::UnexpectedWord { word } | CommandErrorKind::UnknownOption { word } => (
            codes::COMMAND_OPTION,
            format!("remove `{word}`; two spaces separate a route's destinations from its options"),
        ),
        CommandErrorKind::OutOfRange { expected } => {
            (codes::OUT_OF_RANGE, format!("write a number that is {expected}"))
        }
        CommandErrorKind::Regex { error } => (codes::MALFORMED_REGEX, error.help.clone()),
        CommandErrorKind::Destination(_) => {
            (codes::MALFORMED_REGEX, "write the destination as `<host>:<port>` with its options".to_owned())
        }
        CommandErrorKind::TooFewDestinations { .. } => (
            codes::TOO_FEW_DESTINATIONS,
            "add two spaces and `<host>:<port>` for each destination".to_owned(),
        ),
        CommandErrorKind::MatcherNotAllowed => (
            codes::MATCHER_NOT_ALLOWED,
            "remove the destination's matcher, or put it on the route".to_owned(),
        ),
        CommandErrorKind::NoSuchRoute { .. } => {
            (codes::NO_SUCH_ROUTE, "add the route with an earlier command".to_owned())
        }
        CommandErrorKind::NoSuchDestination { .. } => {
            (codes::NO_SUCH_DESTINATION, "destinations are counted from 0".to_owned())
        }
        CommandErrorKind::NotImplemented => {
            (codes::NOT_IMPLEMENTED, "give all destinations in `addRoute`".to_owned())
        }
    }
}
