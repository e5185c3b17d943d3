//! The names of an aggregation's outputs: its format, filled with what the groups of its regex matched in the
//! metric.
//!
//! The interpreter uses this; a compiled table writes the same name from
//! [`NameGroups`](crate::matching::NameGroups).

use crate::{
    regex::{Haystack, Regex, RegexError},
    table::Aggregator,
    template::Template,
};

/// The format of one rule, ready to be filled in.
#[derive(Clone, Debug)]
pub struct OutputName {
    regex: Option<Regex>,
    format: Template,
}

impl OutputName {
    /// Makes the format ready. Fails if the regex is not valid, which a checked plan excludes.
    pub fn new(rule: &Aggregator) -> Result<Self, RegexError> {
        let regex = rule.matcher.regex.as_deref().map(Regex::new).transpose()?;
        let whole = [None];
        let format = Template::parse(&rule.format, regex.as_ref().map_or(&whole, Regex::groups));
        Ok(Self { regex, format })
    }

    /// Appends the output's name, without the suffix of a function, for a name that the rule's matcher matches.
    /// The result may be a name that [cannot be sent](crate::rewriter::is_usable).
    pub fn write(&self, name: &[u8], out: &mut Vec<u8>) {
        match &self.regex {
            Some(regex) => {
                let text = Haystack::new(name);
                if let Some(captures) = regex.captures(&text) {
                    self.format.expand_match(out, &text, &captures);
                }
            }
            // Without a regex, group 0 is the whole name (BUG-20).
            None => self.format.expand(out, |group| (group == 0).then_some(name)),
        }
    }

    /// The output's name; `None` if it cannot be sent.
    #[must_use]
    pub fn of(&self, name: &[u8]) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.write(name, &mut out);
        crate::rewriter::is_usable(&out).then_some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Function, Matcher};

    #[test]
    fn outputs_that_cannot_be_sent_are_none() {
        let output = |regex: Option<&str>, format: &str, name: &str| {
            let matcher = Matcher { regex: regex.map(str::to_owned), ..Matcher::default() };
            let output = OutputName::new(&Aggregator::new(Function::Sum, matcher, format)).unwrap();
            output.of(name.as_bytes()).map(|output| String::from_utf8(output).unwrap())
        };
        assert_eq!(output(Some("^a(x*)"), "$1", "ab"), None);
        assert_eq!(output(Some("^a(.)"), "o $1", "ab"), None);
        assert_eq!(output(Some("^a(.)"), "o.$1", "abc"), Some("o.b".to_owned()));
        assert_eq!(output(None, "o.$0.$1", "a.b"), Some("o.a.b.".to_owned()));
    }
}
