//! `[[test]]`: a line and what must become of it, in the configuration or in a file of its own (ours).
//!
//! Nothing of it gets into a relay. What is not wanted of a line is not looked at; a test that wants nothing is an error,
//! for it could not fail. Running them is [`testing`](crate::testing)'s.

use super::{
    Options, Source,
    check::Check,
    fields::{Fields, wrong_type},
    keys,
    raw::{self, Node, Table, Text, Value},
    unquoted,
};
use crate::diagnostics::{Diagnostic, Span, codes};
use relay_runtime::validate::Reason;

/// A line and what must become of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Test {
    /// What it is called, if anything.
    pub name: Option<String>,
    /// Where it is written.
    pub span: Span,
    /// The line, without its end.
    pub line: String,
    /// What must become of it.
    pub wanted: Wanted,
}

/// What must become of a line; `None` is anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Whether validation lets it in and the rewriters leave it a usable name.
    pub accepted: Option<bool>,
    /// Why not.
    pub reason: Option<String>,
    /// Whether an entry of the blocklist drops it.
    pub blocked: Option<bool>,
    /// Which one.
    pub blocked_by: Option<String>,
    /// The metric after all rewriters; `Some(None)` when they must leave it alone.
    pub rewritten: Option<Option<String>>,
    /// The aggregators that take it, each by its key or its `format`.
    pub aggregators: Option<Vec<String>>,
    /// Whether an aggregator hides it from the routes.
    pub dropped_raw: Option<bool>,
    /// The routes that take it, in order.
    pub routes: Option<Vec<WantedRoute>>,
    /// Every destination that gets it, in the order of sending.
    pub destinations: Option<Vec<String>>,
}

/// A route that must take the line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WantedRoute {
    /// Its key.
    pub key: String,
    /// Where it must send it, in order; `None` is anywhere.
    pub destinations: Option<Vec<String>>,
}

/// A file of tests.
#[derive(Clone, Debug, Default)]
pub struct TestFile {
    /// What was read.
    pub source: Source,
    /// What is in it.
    pub tests: Vec<Test>,
    /// Every problem, in order of place.
    pub diagnostics: Vec<Diagnostic>,
}

/// What is completed when only a metric is given.
const REST_OF_LINE: &str = " 1 1700000000";

/// Reads a file that has nothing but tests. `routes` are the keys of the configuration's routes.
#[must_use]
pub fn check_tests(source: Source, options: &Options, routes: &[String]) -> TestFile {
    let mut check = Check::new(options);
    let expanded = unquoted::expand(&source.text, options);
    for (name, span) in &expanded.missing {
        check.report_missing(name, *span);
    }
    let document = raw::parse(&expanded, &mut check.diagnostics);
    if check.diagnostics.is_empty() {
        let fields = Fields::read(&mut check, &document, "a file of tests", &[&["test"]]);
        for table in fields.tables(&mut check, "test") {
            self::check(&mut check, table);
        }
    }
    let mut tests = std::mem::take(&mut check.tests);
    check_routes(&mut check, &tests, routes);
    tests.sort_by_key(|test| test.span.start);
    let mut diagnostics = check.diagnostics;
    diagnostics.sort_by_key(|one| one.place.as_ref().map_or(usize::MAX, |(span, _)| span.start));
    TestFile { source, tests, diagnostics }
}

/// Reads one section.
pub(super) fn check(check: &mut Check<'_>, table: &Table) {
    let fields = Fields::read(check, table, "a test", &[keys::TEST]);
    let name = fields.fixed(check, "name").map(|text| text.text);
    let line = fields.fixed(check, "line").map(|text| text.text);
    let metric = fields.fixed(check, "metric").map(|text| text.text);
    if line.is_some() && metric.is_some() {
        let diagnostic = Diagnostic::error(
            codes::TEST_LINE_TWICE,
            fields.span_of("metric"),
            "a test has either a `line` or a `metric`",
        );
        check.report(
            diagnostic
                .related(fields.span_of("line"), "the line is written here")
                .help("remove one of the two"),
        );
        return;
    }
    let Some(line) = line.or_else(|| metric.map(|metric| metric + REST_OF_LINE)) else {
        fields.missing(check, "line", "\"a.b.c 1 1700000000\"");
        return;
    };
    let before = check.diagnostics.len();
    let wanted = wanted(check, &fields);
    if wanted == Wanted::default() && check.diagnostics.len() == before {
        check.report(
            Diagnostic::error(
                codes::TEST_WANTS_NOTHING,
                table.span,
                "this test wants nothing, so it cannot fail",
            )
            .help("write what must become of the line, such as `routes = [\"<key>\"]` or `blocked = true`"),
        );
        return;
    }
    check.tests.push(Test { name, span: table.span, line, wanted });
}

/// Reports wanted routes that the configuration does not have.
pub(super) fn check_routes(check: &mut Check<'_>, tests: &[Test], routes: &[String]) {
    for test in tests {
        let wanted = test.wanted.routes.iter().flatten();
        for route in wanted.filter(|route| !routes.contains(&route.key)) {
            let diagnostic = Diagnostic::error(
                codes::TEST_ROUTE,
                test.span,
                format!("this test wants the route `{}`, which does not exist", route.key),
            );
            let near = keys::nearest(&route.key, routes.iter().map(String::as_str));
            check.report(diagnostic.help(match near {
                Some(near) => format!("a route with a similar key exists: `{near}`"),
                None => "write the `key` of a route".to_owned(),
            }));
        }
    }
}

fn wanted(check: &mut Check<'_>, fields: &Fields<'_>) -> Wanted {
    let reasons: Vec<&'static str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    Wanted {
        accepted: fields.boolean(check, "accepted"),
        reason: fields.choice(check, "reason", &reasons).map(str::to_owned),
        blocked: fields.boolean(check, "blocked"),
        blocked_by: fields.fixed(check, "blocked_by").map(|text| text.text),
        rewritten: rewritten(check, fields),
        aggregators: list(check, fields, "aggregators"),
        dropped_raw: fields.boolean(check, "dropped_raw"),
        routes: fields.node("routes").is_some().then(|| routes(check, fields)),
        destinations: list(check, fields, "destinations"),
    }
}

/// A metric, or `false`.
#[expect(clippy::option_option, reason = "a key that may be left out, and may be `false`")]
fn rewritten(check: &mut Check<'_>, fields: &Fields<'_>) -> Option<Option<String>> {
    let node = fields.node("rewritten")?;
    match &node.value {
        Value::Boolean(false) => Some(None),
        Value::Text(text) => Some(Some(check.fix(text).text)),
        other => {
            wrong_type(check, node, "rewritten", "a metric or `false`", other);
            None
        }
    }
}

fn list(check: &mut Check<'_>, fields: &Fields<'_>, key: &str) -> Option<Vec<String>> {
    fields.node(key)?;
    let texts = fields.texts(check, key);
    Some(texts.into_iter().map(|text| check.fix(text).text).collect())
}

/// Keys, or tables with a key and destinations.
fn routes(check: &mut Check<'_>, fields: &Fields<'_>) -> Vec<WantedRoute> {
    let items = fields.array(check, "routes");
    items.iter().filter_map(|item| route(check, item)).collect()
}

fn route(check: &mut Check<'_>, item: &Node) -> Option<WantedRoute> {
    match &item.value {
        Value::Text(text) => Some(WantedRoute { key: fix(check, text), destinations: None }),
        Value::Table(table) => {
            let fields = Fields::read(check, table, "a route of a test", &[keys::TEST_ROUTE]);
            let key = fields.fixed(check, "key").map(|text| text.text);
            if key.is_none() {
                fields.missing(check, "key", "\"<key>\"");
            }
            Some(WantedRoute { key: key?, destinations: list(check, &fields, "destinations") })
        }
        other => {
            wrong_type(check, item, "routes", "keys of routes", other);
            None
        }
    }
}

fn fix(check: &mut Check<'_>, text: &Text) -> String {
    check.fix(text).text
}
