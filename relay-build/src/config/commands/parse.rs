//! Parses commands word by word.
//!
//! Errors contain the place in the command and what is expected there. Nothing here changes a plan.

use super::{Command, CommandError, CommandErrorKind, route, words::Word};
use crate::config::{matchers, regexes};
use relay_runtime::table::{Aggregator, Condition, Function, Matcher, Pattern, Rewriter};

const ADD_BLOCK: &str = "addBlock <prefix|notPrefix|sub|notSub|regex|notRegex> <pattern>";
const ADD_AGG: &str = "addAgg <function> <regex> [<matcher>=…] <format> <interval> <wait> [cache=true|false] [dropRaw=true|false]";
const ADD_REWRITER: &str = "addRewriter <old> <new> <max>";
const MOD_ROUTE: &str = "modRoute <key> <matcher>=… [stop=true|false]";
const MOD_DEST: &str = "modDest <key> <index> [addr=…] [<matcher>=…]";
const DEL_ROUTE: &str = "delRoute <key>";

/// Reads the words of one command.
pub(super) fn parse_words(words: &[Word], end: usize) -> Result<Command, CommandError> {
    let mut cursor = Cursor { words, at: 0, end };
    let Some(first) = cursor.peek() else {
        return Err(CommandErrorKind::UnknownCommand { word: String::new() }.at(0..end));
    };
    cursor.at = 1;
    match first.text.as_str() {
        "addBlock" | "addBlack" => add_block(&mut cursor),
        "addAgg" => add_aggregator(&mut cursor),
        "addRewriter" => add_rewriter(&mut cursor),
        "addRoute" => route::add_route(&mut cursor),
        "addDest" => Err(CommandErrorKind::NotImplemented.at(first.range.clone())),
        "modRoute" => mod_route(&mut cursor),
        "modDest" => mod_destination(&mut cursor),
        "delRoute" => {
            Ok(Command::DeleteRoute { key: cursor.plain(DEL_ROUTE, "the route's key")?.text.clone() })
        }
        _ => Err(CommandErrorKind::UnknownCommand { word: first.text.clone() }.at(first.range.clone())),
    }
}

/// The words that are not parsed yet.
pub(super) struct Cursor<'a> {
    pub(super) words: &'a [Word],
    pub(super) at: usize,
    pub(super) end: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.at)
    }

    /// Returns the next word, or `None` at a separator.
    pub(super) fn word(
        &mut self,
        usage: &'static str,
        expected: &'static str,
    ) -> Result<&'a Word, CommandError> {
        match self.peek() {
            Some(word) if !word.is_separator() => {
                self.at += 1;
                Ok(word)
            }
            other => {
                let range = other.map_or(self.end..self.end, |word| word.range.clone());
                Err(CommandErrorKind::Usage { usage, expected }.at(range))
            }
        }
    }

    /// Returns the next word. An option here is an error, because it means that a word is missing.
    pub(super) fn plain(
        &mut self,
        usage: &'static str,
        expected: &'static str,
    ) -> Result<&'a Word, CommandError> {
        let word = self.word(usage, expected)?;
        let name = word.text.split_once('=').map_or("", |(name, _)| name);
        if matchers::condition(name).is_some() || ["addr", "cache", "dropRaw", "stop"].contains(&name) {
            return Err(CommandErrorKind::Usage { usage, expected }.at(word.range.clone()));
        }
        Ok(word)
    }

    /// A whole number without sign.
    pub(super) fn number(
        &mut self,
        usage: &'static str,
        expected: &'static str,
    ) -> Result<u64, CommandError> {
        let word = self.word(usage, expected)?;
        number(&word.text, usage, expected).map_err(|kind| kind.at(word.range.clone()))
    }

    /// Reads conditions until a separator or a word that is not a condition.
    pub(super) fn conditions(&mut self) -> Result<Vec<(Condition, String)>, CommandError> {
        let mut conditions = Vec::new();
        while let Some(word) = self.peek() {
            let Some((condition, value)) = condition(word) else { break };
            conditions.push((condition, checked(condition, value, word)?));
            self.at += 1;
        }
        Ok(conditions)
    }

    /// Reads the options of a route: conditions and `stop` (ours), in any order.
    pub(super) fn route_options(&mut self, usage: &'static str) -> Result<RouteOptions, CommandError> {
        let mut options = RouteOptions::default();
        loop {
            options.conditions.extend(self.conditions()?);
            let Some(word) = self.peek() else { return Ok(options) };
            let Some(value) = word.text.strip_prefix("stop=") else { return Ok(options) };
            let malformed = CommandErrorKind::Usage { usage, expected: "`stop=true` or `stop=false`" };
            options.stop = Some(value.parse().map_err(|_| malformed.at(word.range.clone()))?);
            self.at += 1;
        }
    }

    fn expect_end(&self) -> Result<(), CommandError> {
        match self.peek() {
            None => Ok(()),
            Some(word) => {
                Err(CommandErrorKind::UnexpectedWord { word: word.text.clone() }.at(word.range.clone()))
            }
        }
    }
}

/// The options of a route in a command, without its kind.
#[derive(Default)]
pub(super) struct RouteOptions {
    pub(super) conditions: Vec<(Condition, String)>,
    pub(super) stop: Option<bool>,
}

/// Parses a whole number without a sign.
pub(super) fn number(
    text: &str,
    usage: &'static str,
    expected: &'static str,
) -> Result<u64, CommandErrorKind> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(CommandErrorKind::Usage { usage, expected });
    }
    let out_of_range = CommandErrorKind::OutOfRange { expected: "a number of 64 bits" };
    text.parse::<i64>().map(i64::unsigned_abs).map_err(|_| out_of_range)
}

/// Returns the condition that a word `name=value` sets.
pub(super) fn condition(word: &Word) -> Option<(Condition, &str)> {
    let (name, value) = word.text.split_once('=')?;
    Some((matchers::condition(name)?, value))
}

/// Checks a condition's value: it must not be empty, and a regex must parse.
pub(super) fn checked(condition: Condition, value: &str, word: &Word) -> Result<String, CommandError> {
    if value.is_empty() {
        let kind = CommandErrorKind::Usage { usage: "<matcher>=<text>", expected: "a text after `=`" };
        return Err(kind.at(word.range.clone()));
    }
    if matchers::is_regex(condition) {
        let start = word.range.end - value.len();
        regexes::parse(value).map_err(|error| regex_error(error, start))?;
    }
    Ok(value.to_owned())
}

fn regex_error(error: crate::config::MalformedRegex, start: usize) -> CommandError {
    let at = start + error.at;
    CommandErrorKind::Regex { error }.at(at..at + 1)
}

/// Makes a matcher of these conditions; if one is repeated, the last wins.
pub(super) fn matcher(conditions: Vec<(Condition, String)>) -> Matcher {
    let mut matcher = Matcher::default();
    for (condition, text) in conditions {
        matcher.set(condition, text);
    }
    matcher
}

fn add_block(cursor: &mut Cursor<'_>) -> Result<Command, CommandError> {
    let expected = "`prefix`, `notPrefix`, `sub`, `notSub`, `regex` or `notRegex`";
    let method = cursor.word(ADD_BLOCK, expected)?;
    let condition = matchers::condition(&method.text)
        .ok_or_else(|| CommandErrorKind::Usage { usage: ADD_BLOCK, expected }.at(method.range.clone()))?;
    let pattern = cursor.word(ADD_BLOCK, "a pattern")?;
    Ok(Command::AddBlock(matcher(vec![(condition, checked(condition, &pattern.text, pattern)?)])))
}

fn add_aggregator(cursor: &mut Cursor<'_>) -> Result<Command, CommandError> {
    let expected = "`avg`, `count`, `delta`, `derive`, `last`, `max`, `min`, `stdev` or `sum`";
    let word = cursor.word(ADD_AGG, expected)?;
    let function = Function::OF_COMMANDS
        .into_iter()
        .find(|function| function.name() == word.text)
        .ok_or_else(|| CommandErrorKind::Usage { usage: ADD_AGG, expected }.at(word.range.clone()))?;
    let mut conditions = Vec::new();
    if cursor.peek().is_some_and(|word| condition(word).is_none()) {
        let bare = cursor.word(ADD_AGG, "a regex")?;
        conditions.push((Condition::Regex, checked(Condition::Regex, &bare.text, bare)?));
    }
    conditions.extend(cursor.conditions()?);
    let matcher = matcher(conditions);
    if matcher.regex.is_none() {
        let place = cursor.peek().map_or(cursor.end..cursor.end, |word| word.range.clone());
        return Err(CommandErrorKind::Usage { usage: ADD_AGG, expected: "a regex" }.at(place));
    }
    let format = cursor.plain(ADD_AGG, "the output metric")?.text.clone();
    let interval_place = cursor.peek().map_or(cursor.end..cursor.end, |word| word.range.clone());
    let interval = seconds(cursor, "the interval in seconds")?;
    if interval == 0 {
        return Err(CommandErrorKind::OutOfRange { expected: "at least 1 second" }.at(interval_place));
    }
    let wait = seconds(cursor, "the wait in seconds")?;
    let mut aggregator = Aggregator { interval, wait, ..Aggregator::new(function, matcher, format) };
    while let Some(word) = cursor.peek() {
        let place = match word.text.split_once('=') {
            Some(("cache", _)) => &mut aggregator.cache,
            Some(("dropRaw", _)) => &mut aggregator.drop_raw,
            _ => break,
        };
        let value = word.text.split_once('=').and_then(|(_, value)| value.parse().ok());
        let usage = CommandErrorKind::Usage { usage: ADD_AGG, expected: "`true` or `false`" };
        *place = value.ok_or_else(|| usage.at(word.range.clone()))?;
        cursor.at += 1;
    }
    cursor.expect_end()?;
    Ok(Command::AddAggregator(aggregator))
}

fn seconds(cursor: &mut Cursor<'_>, expected: &'static str) -> Result<u32, CommandError> {
    let place = cursor.peek().map_or(cursor.end..cursor.end, |word| word.range.clone());
    let number = cursor.number(ADD_AGG, expected)?;
    u32::try_from(number)
        .map_err(|_| CommandErrorKind::OutOfRange { expected: "a number of 32 bits" }.at(place))
}

fn add_rewriter(cursor: &mut Cursor<'_>) -> Result<Command, CommandError> {
    let old = cursor.word(ADD_REWRITER, "what to replace")?;
    let new = cursor.word(ADD_REWRITER, "the replacement")?.text.clone();
    let word = cursor.word(ADD_REWRITER, "how many to replace, -1 for all")?;
    let digits = word.text.strip_prefix('-').unwrap_or(&word.text);
    let magnitude = number(digits, ADD_REWRITER, "how many to replace, -1 for all")
        .map_err(|kind| kind.at(word.range.clone()))?;
    let all = word.text.starts_with('-');
    let old_pattern = Pattern::parse(&old.text);
    let is_regex = matches!(old_pattern, Pattern::Regex(_));
    let out_of_range = |expected| CommandErrorKind::OutOfRange { expected }.at(word.range.clone());
    if let Pattern::Regex(regex) = &old_pattern {
        regexes::parse(regex).map_err(|error| regex_error(error, old.range.start + 1))?;
    }
    if all && magnitude > 1 {
        return Err(out_of_range("-1 or more"));
    }
    if is_regex && !(all && magnitude == 1) {
        return Err(out_of_range("-1, as a regex replaces every match"));
    }
    let max = if all && magnitude == 1 {
        None
    } else {
        Some(u32::try_from(magnitude).map_err(|_| out_of_range("a number of 32 bits"))?)
    };
    Ok(Command::AddRewriter(Rewriter { old: old_pattern, new, not: None, max }))
}

fn mod_route(cursor: &mut Cursor<'_>) -> Result<Command, CommandError> {
    let key = cursor.plain(MOD_ROUTE, "the route's key")?.text.clone();
    let RouteOptions { conditions, stop } = cursor.route_options(MOD_ROUTE)?;
    require(cursor, MOD_ROUTE, !conditions.is_empty() || stop.is_some())?;
    Ok(Command::ModRoute { key, conditions, stop })
}

fn mod_destination(cursor: &mut Cursor<'_>) -> Result<Command, CommandError> {
    let key = cursor.plain(MOD_DEST, "the route's key")?.text.clone();
    let index = cursor.number(MOD_DEST, "the destination's position, from 0")?;
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let mut conditions = cursor.conditions()?;
    let mut address = None;
    while let Some(word) = cursor.peek() {
        let Some(written) = word.text.strip_prefix("addr=") else { break };
        if written.is_empty() {
            return Err(
                CommandErrorKind::Usage { usage: MOD_DEST, expected: "an address" }.at(word.range.clone())
            );
        }
        address = Some(written.to_owned());
        cursor.at += 1;
        conditions.extend(cursor.conditions()?);
    }
    if address.is_none() || cursor.peek().is_some() {
        require(cursor, MOD_DEST, !conditions.is_empty())?;
    }
    Ok(Command::ModDestination { key, index, address, conditions })
}

/// Checks that there is at least one option and nothing after the options.
fn require(cursor: &Cursor<'_>, usage: &'static str, has_option: bool) -> Result<(), CommandError> {
    match cursor.peek() {
        Some(word) => Err(CommandErrorKind::UnknownOption { word: word.text.clone() }.at(word.range.clone())),
        None if !has_option => {
            let expected = "at least one option";
            Err(CommandErrorKind::Usage { usage, expected }.at(cursor.end..cursor.end))
        }
        None => Ok(()),
    }
}
