//! The outcome of tests: as text, as JSON, and as `JUnit` XML for CI.
//!
//! All three show the same report; deciding whether a test passed is left to `compare`.

use super::{Case, Report};
use relay_runtime::counted;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// As text: every failure with its place, the wanted and the actual value, then the totals.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    for case in report.cases.iter().filter(|case| !case.failures.is_empty()) {
        let _ = writeln!(out, "failed: {}: {}", place(case), case.name);
        let _ = writeln!(out, "  line: {}", case.line);
        for failure in &case.failures {
            let _ = writeln!(out, "  {}: wanted {}, got {}", failure.what, failure.wanted, failure.got);
        }
        let trace = serde_json::to_string(&case.trace).unwrap_or_default();
        let _ = writeln!(out, "  what became of it: {trace}\n");
    }
    let (tests, failed) = (report.cases.len(), report.failed());
    let coverage = &report.coverage;
    for unreached in &coverage.unreached {
        let _ = writeln!(out, "not reached: {}:{}: {}", unreached.file, unreached.line, unreached.rule);
    }
    let _ = writeln!(
        out,
        "{}, {failed} failed; {} of {} reached ({:.0}%)",
        counted(tests, "test"),
        coverage.reached,
        counted(coverage.rules, "rule"),
        coverage.percent()
    );
    out
}

/// As JSON for programs.
#[must_use]
pub fn json(report: &Report) -> Value {
    let case = |case: &Case| {
        json!({
            "name": case.name,
            "file": case.file.display().to_string(),
            "line": case.place.0,
            "column": case.place.1,
            "input": case.line,
            "passed": case.failures.is_empty(),
            "failures": case.failures,
            "trace": case.trace,
        })
    };
    json!({
        "tests": report.cases.len(),
        "passed": report.cases.len() - report.failed(),
        "failed": report.failed(),
        "cases": report.cases.iter().map(case).collect::<Vec<_>>(),
        "coverage": {
            "rules": report.coverage.rules,
            "reached": report.coverage.reached,
            "percent": report.coverage.percent(),
            "unreached": report.coverage.unreached,
        },
    })
}

/// As `JUnit` XML for CI: one suite with a case per test.
#[must_use]
pub fn junit(report: &Report, suite: &str) -> String {
    let (suite, tests, failed) = (escaped(suite), report.cases.len(), report.failed());
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{tests}\" failures=\"{failed}\">\n\
         <testsuite name=\"{suite}\" tests=\"{tests}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\" time=\"0\">\n"
    );
    for case in &report.cases {
        let (name, file) = (escaped(&case.name), escaped(&case.file.display().to_string()));
        let _ = write!(
            out,
            "<testcase name=\"{name}\" classname=\"{file}\" file=\"{file}\" line=\"{}\" time=\"0\"",
            case.place.0
        );
        if case.failures.is_empty() {
            out.push_str("/>\n");
            continue;
        }
        out.push_str(">\n");
        for failure in &case.failures {
            let message = format!("{}: wanted {}, got {}", failure.what, failure.wanted, failure.got);
            let body = format!("{}: {}\nline: {}", place(case), message, case.line);
            let _ = writeln!(
                out,
                "<failure message=\"{}\" type=\"{}\">{}</failure>",
                escaped(&message),
                failure.what,
                escaped(&body)
            );
        }
        out.push_str("</testcase>\n");
    }
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

fn place(case: &Case) -> String {
    format!("{}:{}", case.file.display(), case.place.0)
}

/// Escapes a text for XML. Characters that XML does not allow become U+FFFD.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => out.push(c),
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_takes_any_text() {
        assert_eq!(escaped("a<b>&\"'\u{1}é"), "a&lt;b&gt;&amp;&quot;&apos;\u{fffd}é");
    }
}
