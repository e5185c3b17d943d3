//! The state that all checks share: the options, the plan so far, the problems found, and the completion of
//! variables. One check runs for one file.

use super::{
    options::Options,
    origins::Origins,
    raw::Text,
    tests::Test,
    variables::{self, Found},
};
use crate::diagnostics::{Diagnostic, Span, codes};
use relay_runtime::{
    plan::Plan,
    table::{Destination, Late, Template},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
};

/// A check under way.
pub(super) struct Check<'a> {
    pub(super) options: &'a Options,
    pub(super) plan: Plan,
    pub(super) origins: Origins,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// The variables that got their value in this build.
    pub(super) fixed: BTreeMap<String, String>,
    /// Every variable that the configuration uses.
    pub(super) used: BTreeSet<String>,
    /// Where each destination was first written.
    pub(super) destinations: Vec<(Destination, Span)>,
    /// Variables that were reported as missing, so that each is reported once.
    missing: BTreeSet<String>,
    /// `[run] show`.
    pub(super) show: Vec<SocketAddr>,
    /// `[[test]]`.
    pub(super) tests: Vec<Test>,
}

impl<'a> Check<'a> {
    pub(super) fn new(options: &'a Options) -> Self {
        Self {
            options,
            plan: Plan::default(),
            origins: Origins::default(),
            diagnostics: Vec::new(),
            fixed: BTreeMap::new(),
            used: BTreeSet::new(),
            destinations: Vec::new(),
            missing: BTreeSet::new(),
            show: Vec::new(),
            tests: Vec::new(),
        }
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Completes a text that influences routing: every variable gets its value now.
    pub(super) fn fix(&mut self, text: &Text) -> Text {
        self.fix_except(text, |_| false)
    }

    /// The same, but a name for which `keep` returns true is left as it is, because it is a group of the
    /// rule's regex.
    pub(super) fn fix_except(&mut self, text: &Text, keep: impl Fn(&str) -> bool) -> Text {
        self.replace(text, |check, found| {
            if keep(&found.name) {
                return None;
            }
            check.used.insert(found.name.clone());
            let value = check.options.fixed(&found.name).map(str::to_owned);
            match &value {
                Some(value) => check.note_fixed(&found.name, value),
                None => check.report_missing(&found.name, text.part(found.range.clone())),
            }
            value
        })
    }

    /// Completes a text whose variables may stay open until the start, using only values that were given for
    /// this build. Open variables keep their braces.
    pub(super) fn open(&mut self, text: &Text) -> Template {
        let closed = self.replace(text, |check, found| {
            check.used.insert(found.name.clone());
            let value = check.options.given(&found.name).map(str::to_owned);
            if let Some(value) = &value {
                check.note_fixed(&found.name, value);
            }
            Some(value.unwrap_or_else(|| format!("${{{}}}", found.name)))
        });
        Template(closed.text)
    }

    /// A number that may be a variable which stays open until the start.
    pub(super) fn late(&mut self, text: &Text) -> Option<Late<u64>> {
        let template = self.open(text);
        if !template.is_closed() {
            return Some(Late::AtStart(template));
        }
        template.0.parse().ok().map(Late::Known)
    }

    pub(super) fn note_fixed(&mut self, name: &str, value: &str) {
        self.used.insert(name.to_owned());
        self.fixed.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn report_missing(&mut self, name: &str, span: Span) {
        self.used.insert(name.to_owned());
        if !self.missing.insert(name.to_owned()) {
            return;
        }
        let message = format!("the variable `{name}` has no value");
        let help = if name == "HOST" {
            "give the relay's host name when building: `--var HOST=<name>`".to_owned()
        } else {
            format!(
                "give it when building: `--var {name}=<value>`, a line `{name}=<value>` in the variables file, or in the environment"
            )
        };
        self.report(
            Diagnostic::error(codes::MISSING_VARIABLE, span, message)
                .label("this decides what the relay does with a line, so it must be known now")
                .help(help),
        );
    }

    fn replace(&mut self, text: &Text, mut value: impl FnMut(&mut Self, &Found) -> Option<String>) -> Text {
        let mut completed = String::new();
        let mut copied = 0;
        for found in variables::find(&text.text) {
            let replacement = value(self, &found);
            completed.push_str(&text.text[copied..found.range.start]);
            completed.push_str(replacement.as_deref().unwrap_or(&text.text[found.range.clone()]));
            copied = found.range.end;
        }
        if copied == 0 {
            return text.clone();
        }
        completed.push_str(&text.text[copied..]);
        let at = text.at.filter(|_| completed == text.text);
        Text { text: completed, at, ..text.clone() }
    }
}
