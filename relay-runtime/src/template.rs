//! Replacement texts and aggregation formats, with references to the groups of a regex (spec §8).
//!
//! References are `$name`, `${name}`, `$1`, `${1}` and `$$`, by Go's rules: a bare name is the longest run of
//! letters, digits and `_`, so `$1_x` is the group *named* `1_x`; a number with a leading zero is a name; a
//! reference to a group that does not exist is empty; a `$` that starts no reference means itself.

use crate::regex::{Captures, Haystack, is_letter_or_digit};

/// A parsed text; each reference is resolved to the number of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// A part of a template. No literal is empty, and no two literals are adjacent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that is copied.
    Literal(String),
    /// The text that the group matched; nothing if it took no part in the match. Group 0 is the whole match.
    Group(usize),
    /// The text of the first of these groups that took part in the match: several groups may share a name.
    FirstOf(Vec<usize>),
}

impl Template {
    /// Parses a text. `groups` has the name of each group by number, the whole match (0) included.
    #[must_use]
    pub fn parse(text: &str, groups: &[Option<String>]) -> Self {
        let mut template = Self::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            template.push_literal(before);
            if let Some(after) = after.strip_prefix('$') {
                template.push_literal("$");
                rest = after;
            } else if let Some((name, after)) = reference(after) {
                template.push_reference(name, groups);
                rest = after;
            } else {
                template.push_literal("$");
                rest = after;
            }
        }
        template.push_literal(rest);
        template
    }

    /// The parts, in order.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Appends the text for one match to `out`. `group` returns what a group matched, if it took part.
    pub fn expand<'t>(&self, out: &mut Vec<u8>, group: impl Fn(usize) -> Option<&'t [u8]>) {
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Group(index) => out.extend_from_slice(group(*index).unwrap_or_default()),
                Piece::FirstOf(candidates) => {
                    let first = candidates.iter().find_map(|&index| group(index));
                    out.extend_from_slice(first.unwrap_or_default());
                }
            }
        }
    }

    /// Appends the text for a match of a [`Regex`](crate::regex::Regex).
    pub fn expand_match(&self, out: &mut Vec<u8>, text: &Haystack<'_>, captures: &Captures) {
        self.expand(out, |group| captures.get(group).map(|range| text.original(range)));
    }

    fn push_literal(&mut self, text: &str) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Literal(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Literal(text.to_owned())),
        }
    }

    fn push_reference(&mut self, name: &str, groups: &[Option<String>]) {
        if let Some(number) = number(name) {
            if number < groups.len() {
                self.pieces.push(Piece::Group(number));
            }
            return;
        }
        let named =
            |(index, group): (usize, &Option<String>)| (group.as_deref() == Some(name)).then_some(index);
        let candidates: Vec<usize> = groups.iter().enumerate().filter_map(named).collect();
        match candidates[..] {
            [] => {}
            [index] => self.pieces.push(Piece::Group(index)),
            _ => self.pieces.push(Piece::FirstOf(candidates)),
        }
    }
}

/// The name of the reference at the start of `text`, which follows a `$`, and the rest of the text.
fn reference(text: &str) -> Option<(&str, &str)> {
    let (braced, text) = text.strip_prefix('{').map_or((false, text), |inner| (true, inner));
    let end = text.find(|char: char| char != '_' && !is_letter_or_digit(char)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return None;
    }
    let rest = if braced { rest.strip_prefix('}')? } else { rest };
    Some((name, rest))
}

/// The number that `name` is, if it is one and below Go's limit.
fn number(name: &str) -> Option<usize> {
    let decimal = name.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = name.len() > 1 && name.starts_with('0');
    (decimal && !leading_zero && name.len() <= 9).then(|| name.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(template: &str, want: &str) {
        let groups = [None, Some("n".to_owned()), Some("1_x".to_owned()), None, Some("n".to_owned())];
        let texts = [Some("whole"), None, Some("B"), Some("C"), Some("D")];
        let mut out = Vec::new();
        Template::parse(template, &groups).expand(&mut out, |group| Some(texts[group]?.as_bytes()));
        assert_eq!(String::from_utf8(out).unwrap(), want, "{template}");
    }

    #[test]
    fn a_bare_name_is_as_long_as_it_can_be() {
        check("$3.x", "C.x");
        check("$3-x", "C-x");
        check("$1_x", "B");
        check("$3x", "");
        check("$3é", "");
        check("$3\u{301}", "C\u{301}");
        check("${3}x", "Cx");
    }

    #[test]
    fn numbers_are_groups_unless_they_start_with_zero() {
        check("$0", "whole");
        check("$03", "");
        check("$9", "");
        check("$99999999999999999999", "");
    }

    #[test]
    fn what_took_no_part_is_empty() {
        check("a${1}b", "ab");
        check("a$1b", "a");
        check("a${unknown}b", "ab");
    }

    #[test]
    fn of_groups_that_share_a_name_the_first_that_took_part_counts() {
        check("$n", "D");
    }

    #[test]
    fn a_malformed_dollar_stands_for_itself() {
        for text in ["$", "a$", "$.", "${", "${}", "${3", "${3.}", "$ 3", "${n-}"] {
            check(text, text);
        }
        check("$$", "$");
        check("$$3", "$3");
        check("$$$3", "$C");
    }
}
