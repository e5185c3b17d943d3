//! The main part of the parser: concatenation, alternation, groups, flags, repetition.
//!
//! One pass over the pattern with an explicit stack of open groups, so no pattern can overflow the call stack
//! here. What is accepted, and in which order errors are found, follows Go's `regexp/syntax`.

use super::{
    class::{self, Class},
    error::{RegexError, RegexErrorKind as Kind},
    escape, unicode,
};
use regex_syntax::hir::{Capture, Dot, Hir, Look, Repetition};
use std::ops::Range;

/// A parsed pattern.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The expression. Its groups have no names.
    pub hir: Hir,
    /// The name of each group by number, if it has one; group 0 is the whole match and has none. Groups may
    /// share a name.
    pub groups: Vec<Option<String>>,
}

/// Parses a pattern and the names of its groups.
pub fn parse_groups(pattern: &str) -> Result<Parsed, RegexError> {
    let mut parser = Parser::new(pattern);
    while let Some(next) = parser.peek() {
        parser.parse_item(next)?;
    }
    parser.finish()
}

/// Go's limit on `{n}`, and on the product of nested counts.
const REPETITIONS_MAX: u32 = 1000;

/// How deeply operators may be nested, as in Go. All users of the result walk it recursively.
const HEIGHT_MAX: u32 = 1000;

/// The flags of `(?imsU)`.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    /// `i`: letters match in any case, by Unicode's simple folding.
    pub(super) fold: bool,
    /// `m`: `^` and `$` match at line ends too.
    multi_line: bool,
    /// `s`: `.` matches LF.
    dot_newline: bool,
    /// `U`: `x*` is lazy and `x*?` greedy.
    swap_greed: bool,
}

pub(super) struct Parser<'p> {
    pattern: &'p str,
    at: usize,
    pub(super) flags: Flags,
    /// The open groups, innermost last; the first one is the whole pattern, which is not a group.
    open: Vec<Group>,
    names: Vec<Option<String>>,
    /// Where the previous item starts, if it was a repetition.
    last_repetition: Option<usize>,
}

/// A part of the pattern, with the figures that are limited.
struct Node {
    hir: Hir,
    /// The largest product of nested repetition counts.
    copies: u32,
    height: u32,
}

/// A group that is not closed yet.
struct Group {
    /// The position of its parenthesis.
    at: usize,
    /// Its number, if it captures.
    capture: Option<u32>,
    /// The flags that apply again after it.
    flags: Flags,
    alternatives: Vec<Node>,
    sequence: Vec<Node>,
}

impl<'p> Parser<'p> {
    fn new(pattern: &'p str) -> Self {
        let whole = Group::new(0, None, Flags::default());
        let (names, flags) = (vec![None], Flags::default());
        Self { pattern, at: 0, flags, open: vec![whole], names, last_repetition: None }
    }

    fn parse_item(&mut self, next: char) -> Result<(), RegexError> {
        let at = self.at;
        let mut repetition = None;
        match next {
            '(' => self.parse_group()?,
            ')' => self.close_group()?,
            '|' => {
                self.bump(next);
                self.group().end_alternative();
            }
            '^' => self.push_look(1, if self.flags.multi_line { Look::StartLF } else { Look::Start }),
            '$' => self.push_look(1, if self.flags.multi_line { Look::EndLF } else { Look::End }),
            '.' => {
                self.bump(next);
                let dot = if self.flags.dot_newline { Dot::AnyChar } else { Dot::AnyCharExceptLF };
                self.push(Hir::dot(dot));
            }
            '[' => {
                let class = class::parse_bracketed(self)?;
                self.push(class.into_hir());
            }
            '*' | '+' | '?' => {
                self.bump(next);
                let (min, max) = match next {
                    '*' => (0, None),
                    '+' => (1, None),
                    _ => (0, Some(1)),
                };
                self.repeat(at, min, max)?;
                repetition = Some(at);
            }
            '{' => {
                if let Some(counts) = self.parse_counts() {
                    let (min, max) = counts.ok_or_else(|| {
                        self.error(at, Kind::RepetitionCount(self.pattern[at..self.at].to_owned()))
                    })?;
                    self.repeat(at, min, max)?;
                    repetition = Some(at);
                } else {
                    self.bump(next);
                    self.push_literal(next);
                }
            }
            '\\' => self.parse_backslash()?,
            _ => {
                self.bump(next);
                self.push_literal(next);
            }
        }
        self.last_repetition = repetition;
        Ok(())
    }

    fn finish(mut self) -> Result<Parsed, RegexError> {
        let whole = self.group().close();
        if self.open.len() > 1 {
            let at = self.group().at;
            return Err(RegexError { range: at..at + 1, kind: Kind::MissingParenthesis });
        }
        self.check_height(&whole)?;
        Ok(Parsed { hir: whole.hir, groups: self.names })
    }

    /// Parses `(`, `(?:`, `(?P<name>` or `(?<name>`, `(?flags:` or the flag change `(?flags)`.
    fn parse_group(&mut self) -> Result<(), RegexError> {
        let at = self.at;
        if !self.rest().starts_with("(?") {
            self.bump('(');
            self.open_capture(at, None);
            return Ok(());
        }
        for opening in ["(?P<", "(?<"] {
            if self.rest().starts_with(opening) {
                return self.parse_named_group(opening);
            }
        }
        self.at += "(?".len();
        let outer = self.flags;
        let (mut flags, mut value, mut seen) = (outer, true, false);
        while let Some(next) = self.peek() {
            self.bump(next);
            match next {
                'i' => flags.fold = value,
                'm' => flags.multi_line = value,
                's' => flags.dot_newline = value,
                'U' => flags.swap_greed = value,
                '-' if value => value = false,
                ':' | ')' if value || seen => {
                    if next == ':' {
                        self.open.push(Group::new(at, None, outer));
                    }
                    self.flags = flags;
                    return Ok(());
                }
                _ => break,
            }
            seen = next != '-';
        }
        Err(self.error(at, Kind::UnsupportedGroup(self.pattern[at..self.at].to_owned())))
    }

    fn parse_named_group(&mut self, opening: &str) -> Result<(), RegexError> {
        let (at, rest) = (self.at, self.rest());
        let length = rest.find('>').map_or(rest.len(), |end| end + 1);
        self.at += length;
        let name = rest[opening.len()..length].strip_suffix('>').unwrap_or_default();
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.is_empty() || !name.bytes().all(legal) {
            return Err(self.error(at, Kind::GroupName(rest[..length].to_owned())));
        }
        self.open_capture(at, Some(name.to_owned()));
        Ok(())
    }

    fn open_capture(&mut self, at: usize, name: Option<String>) {
        let index = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.push(name);
        self.open.push(Group::new(at, Some(index), self.flags));
    }

    fn close_group(&mut self) -> Result<(), RegexError> {
        let at = self.at;
        self.bump(')');
        if self.open.len() == 1 {
            return Err(self.error(at, Kind::UnexpectedParenthesis));
        }
        let mut node = self.group().close();
        let (capture, flags) = (self.group().capture, self.group().flags);
        self.open.pop();
        self.flags = flags;
        if let Some(index) = capture {
            node.hir = Hir::capture(Capture { index, name: None, sub: Box::new(node.hir) });
            node.height += 1;
        }
        self.check_height(&node)?;
        self.group().sequence.push(node);
        Ok(())
    }

    fn parse_backslash(&mut self) -> Result<(), RegexError> {
        match self.rest().as_bytes().get(1) {
            Some(b'A') => self.push_look(2, Look::Start),
            Some(b'z') => self.push_look(2, Look::End),
            Some(b'b') => self.push_look(2, Look::WordAscii),
            Some(b'B') => self.push_look(2, Look::WordAsciiNegate),
            Some(b'Q') => self.parse_quoted(),
            Some(b'p' | b'P') => {
                let class = unicode::parse_class(self)?;
                self.push(Class::from(class).into_hir());
            }
            _ => {
                if let Some(class) = class::parse_perl(self) {
                    self.push(Class::from(class).into_hir());
                } else {
                    let code_point = escape::parse_escape(self)?;
                    self.push_code_point(code_point);
                }
            }
        }
        Ok(())
    }

    /// Parses `\Q…\E`, or `\Q…` to the end of the pattern.
    fn parse_quoted(&mut self) {
        let rest = &self.rest()["\\Q".len()..];
        let (text, length) = match rest.find("\\E") {
            Some(end) => (&rest[..end], end + "\\E".len()),
            None => (rest, rest.len()),
        };
        self.at += "\\Q".len() + length;
        for char in text.chars() {
            self.push_literal(char);
        }
    }

    /// Parses `{n}`, `{n,}` or `{n,m}`. Returns `None` if it has another form, in which `{` means itself, and
    /// `Some(None)` if the counts are invalid.
    #[expect(clippy::option_option, reason = "the two absences mean different things and live for one call")]
    fn parse_counts(&mut self) -> Option<Option<(u32, Option<u32>)>> {
        let rest = self.rest();
        let inner = &rest[1..rest.find('}')?];
        let (min, max) = match inner.split_once(',') {
            None => (inner, Some(inner)),
            Some((min, "")) => (min, None),
            Some((min, max)) => (min, Some(max)),
        };
        let min = parse_count(min)?;
        let max = match max {
            Some(max) => Some(parse_count(max)?),
            None => None,
        };
        self.at += inner.len() + 2;
        let largest = max.unwrap_or(min);
        Some((min <= largest && largest <= REPETITIONS_MAX).then_some((min, max)))
    }

    /// Applies the repetition that starts at `at` and has been read, except for a `?` that may follow.
    fn repeat(&mut self, at: usize, min: u32, max: Option<u32>) -> Result<(), RegexError> {
        let lazy = self.peek() == Some('?');
        if lazy {
            self.bump('?');
        }
        let text = |from: usize| self.pattern[from..self.at].to_owned();
        if let Some(last) = self.last_repetition {
            return Err(self.error(last, Kind::NestedRepetition(text(last))));
        }
        let greedy = lazy == self.flags.swap_greed;
        let text = text(at);
        let Some(Node { hir, copies, height }) = self.group().sequence.pop() else {
            return Err(self.error(at, Kind::NothingToRepeat(text)));
        };
        let copies = match max {
            Some(0) => 1,
            _ => copies * max.unwrap_or(min).max(1),
        };
        if copies > REPETITIONS_MAX {
            return Err(self.error(at, Kind::RepetitionCount(text)));
        }
        let hir = Hir::repetition(Repetition { min, max, greedy, sub: Box::new(hir) });
        let node = Node { hir, copies, height: height + 1 };
        self.check_height(&node)?;
        self.group().sequence.push(node);
        Ok(())
    }

    fn check_height(&self, node: &Node) -> Result<(), RegexError> {
        if node.height > HEIGHT_MAX {
            return Err(RegexError { range: 0..self.pattern.len(), kind: Kind::TooDeep });
        }
        Ok(())
    }

    fn push_look(&mut self, length: usize, look: Look) {
        self.at += length;
        self.push(Hir::look(look));
    }

    fn push_literal(&mut self, char: char) {
        self.push_code_point(char.into());
    }

    fn push_code_point(&mut self, code_point: u32) {
        let mut class = Class::empty();
        class.add_range(code_point, code_point, self.flags.fold);
        self.push(class.into_hir());
    }

    fn push(&mut self, hir: Hir) {
        self.group().sequence.push(Node { hir, copies: 1, height: 1 });
    }

    fn group(&mut self) -> &mut Group {
        self.open.last_mut().expect("the whole pattern's entry is never popped")
    }

    /// The part of the pattern that has not been read yet.
    pub(super) fn rest(&self) -> &'p str {
        &self.pattern[self.at..]
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn bump(&mut self, char: char) {
        self.at += char.len_utf8();
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(super) const fn position(&self) -> usize {
        self.at
    }

    /// The pattern from `start` to the current position.
    pub(super) fn since(&self, start: usize) -> String {
        self.pattern[start..self.at].to_owned()
    }

    /// An error about the pattern from `start` to the current position.
    pub(super) fn error(&self, start: usize, kind: Kind) -> RegexError {
        let range: Range<usize> = start..self.at;
        RegexError { range, kind }
    }
}

impl Group {
    const fn new(at: usize, capture: Option<u32>, flags: Flags) -> Self {
        Self { at, capture, flags, alternatives: Vec::new(), sequence: Vec::new() }
    }

    fn end_alternative(&mut self) {
        let sequence = std::mem::take(&mut self.sequence);
        self.alternatives.push(Node::of(sequence, Hir::concat));
    }

    fn close(&mut self) -> Node {
        self.end_alternative();
        Node::of(std::mem::take(&mut self.alternatives), Hir::alternation)
    }
}

impl Node {
    fn of(mut parts: Vec<Self>, join: fn(Vec<Hir>) -> Hir) -> Self {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let copies = parts.iter().map(|part| part.copies).max().unwrap_or(1);
        let height = 1 + parts.iter().map(|part| part.height).max().unwrap_or(0);
        Self { hir: join(parts.into_iter().map(|part| part.hir).collect()), copies, height }
    }
}

/// Parses a decimal number without leading zeros. A number that overflows becomes one above every limit.
fn parse_count(digits: &str) -> Option<u32> {
    let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    (decimal && !leading_zero).then(|| digits.parse().unwrap_or(u32::MAX))
}
