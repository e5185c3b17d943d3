//! Runs the tests of a configuration: compares what happens to the line of each `[[test]]` with what the test
//! requires.
//!
//! The tests run in the interpreter, with which compiled tables are compared elsewhere. Every test starts
//! with new state: what round-robin routes and the order check remember of one line does not influence the
//! next test. `report` shows the outcome, and `coverage` the rules that no test reached. `sample` checks a
//! configuration against lines recorded in production.

mod compare;
mod coverage;
mod glob;
mod report;
mod sample;

use crate::config::{Checked, Options, Reported, Source, Test, TestFile, check_tests};
use relay_runtime::{
    admission::Admission,
    engine::seconds_now,
    interpret::{Error, Interpreter},
    trace::{Trace, Tracer},
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub use compare::Failure;
pub use coverage::{Coverage, Unreached};
pub use glob::glob;
pub use report::{json, junit, text};
pub use sample::{SampleError, check_sample};

/// The outcome of one test.
#[derive(Clone, Debug)]
pub struct Case {
    /// The test's name, or its line if it has none.
    pub name: String,
    /// The file that it is written in.
    pub file: PathBuf,
    /// The line and column where the test starts.
    pub place: (usize, usize),
    /// The line that was traced.
    pub line: String,
    /// Where the outcome differs from what is wanted; empty if the test passed.
    pub failures: Vec<Failure>,
    /// What happened to the line.
    pub trace: Trace,
}

/// The outcome of all tests.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of files and of places in them.
    pub cases: Vec<Case>,
    /// Which rules the tests reached.
    pub coverage: Coverage,
}

impl Report {
    /// How many tests failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.failures.is_empty()).count()
    }
}

/// The path of the test file that belongs to a configuration: `relay.test.toml` beside `relay.toml`.
#[must_use]
pub fn test_file_of(config: &Path) -> PathBuf {
    config.with_extension("test.toml")
}

/// Reads test files. A file with problems is added to the files of `checked`, so that they are reported.
pub fn read_files(checked: &mut Checked, paths: &[PathBuf], options: &Options) -> io::Result<Vec<TestFile>> {
    let routes: Vec<String> = checked.plan.table.routes.iter().map(|route| route.key.clone()).collect();
    // Variables that the named environment sets for the configuration can be used by its tests as well.
    let options = &Options { environment_values: checked.variables.clone(), ..options.clone() };
    let mut files = Vec::new();
    for path in paths {
        let source = Source { path: path.clone(), text: fs::read_to_string(path)? };
        let file = check_tests(source, options, &routes);
        if !file.diagnostics.is_empty() {
            let (source, diagnostics) = (file.source.clone(), file.diagnostics.clone());
            checked.files.push(Reported { source, diagnostics });
        }
        files.push(file);
    }
    Ok(files)
}

/// Runs the tests of a configuration and those of `files`. Fails if a regex of the table cannot be compiled.
pub fn run(checked: &Checked, files: &[TestFile]) -> Result<Report, Error> {
    let table = &checked.plan.table;
    let interpreter = Interpreter::new(table)?;
    let mut coverage = coverage::Counter::new(table)?;
    let mut cases = Vec::new();
    let in_config = checked.tests.iter().map(|test| (test, &checked.source));
    let in_files = files.iter().flat_map(|file| file.tests.iter().map(|test| (test, &file.source)));
    for (test, source) in in_config.chain(in_files) {
        let admission = Admission::of(&checked.plan, |name| std::env::var(name).ok());
        let trace = Tracer::new(table, &interpreter, admission).trace(test.line.as_bytes(), seconds_now());
        if let Some(name) = trace.name.as_deref().filter(|_| trace.reason.is_none()) {
            coverage.follow(name.as_bytes(), &interpreter);
        }
        cases.push(case(test, source, trace, checked));
    }
    Ok(Report { cases, coverage: coverage.finish(checked) })
}

fn case(test: &Test, source: &Source, trace: Trace, checked: &Checked) -> Case {
    Case {
        name: test.name.clone().unwrap_or_else(|| test.line.clone()),
        file: source.path.clone(),
        place: source.line_column(test.span.start),
        line: test.line.clone(),
        failures: compare::compare(&test.wanted, &trace, &checked.plan.table),
        trace,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check_text;

    const CONFIG: &str = "instance = 'a'\nlog_level = 'info'\nbad_metrics_max_age = '24h'\n\
        blocklist = ['prefix debug.', 'prefix never.']\n\
        [[rewriter]]\nold = 'web'\nnew = 'www'\nmax = -1\n\
        [[aggregation]]\nfunction = 'sum'\nregex = '^www\\.(.*)'\nformat = 'sum.$1'\ninterval = 10\nwait = 20\n\
        [[route]]\nkey = 'www'\ntype = 'sendAllMatch'\nprefix = 'www.'\ndestinations = ['10.0.0.1:2003', '10.0.0.2:2003:b']\n\
        [[route]]\nkey = 'rest'\ntype = 'sendAllMatch'\nnotPrefix = 'www.'\ndestinations = ['10.0.0.3:2003']\n";

    fn report(tests: &str) -> Report {
        let source = Source { path: "relay.toml".into(), text: format!("{CONFIG}{tests}") };
        let checked = check_text(source, &Options::default());
        assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
        run(&checked, &[]).unwrap()
    }

    #[track_caller]
    fn check(test: &str, failures: &[&str]) {
        let report = report(&format!("[[test]]\n{test}\n"));
        let found: Vec<_> = report.cases[0].failures.iter().map(|one| one.what).collect();
        assert_eq!(found, failures, "{test}: {:?}", report.cases[0]);
    }

    #[test]
    fn what_is_wanted_is_compared_and_nothing_else_is() {
        check("metric = 'web.a'\nrewritten = 'www.a'\nroutes = ['www']\nblocked = false", &[]);
        check("metric = 'web.a'\nroutes = ['rest']", &["routes"]);
        check("metric = 'web.a'\nrewritten = false", &["rewritten"]);
        check("metric = 'x'\nrewritten = false\naggregators = []\naccepted = true", &[]);
        check("metric = 'web.a'\naggregators = ['sum.$1']\ndropped_raw = false", &[]);
        check("metric = 'web.a'\naggregators = []", &["aggregators"]);
        check("metric = 'debug.a'\nblocked = true\nblocked_by = 'prefix debug.'\nroutes = []", &[]);
        check("metric = 'debug.a'\nblocked_by = 'prefix never.'", &["blocked_by"]);
        check("line = 'a b'\naccepted = false\nreason = 'wrong_num_fields'", &[]);
        check("line = 'a b'\nreason = 'empty_key'", &["reason"]);
        check("metric = 'web.a'\ndestinations = ['10.0.0.1:2003', '10.0.0.2:2003:b']", &[]);
        check("metric = 'web.a'\ndestinations = ['10.0.0.1:2003']", &["destinations"]);
        check("metric = 'web.a'\nroutes = [{ key = 'www', destinations = ['10.0.0.1:2003'] }]", &["routes"]);
        check("metric = 'x'\nroutes = [{ key = 'rest', destinations = ['10.0.0.3:2003'] }]", &[]);
    }

    #[test]
    fn rules_that_no_test_reached_are_named_with_their_places() {
        let report = report(
            "[[test]]\nmetric = 'web.a'\naccepted = true\n[[test]]\nmetric = 'debug.a'\nblocked = true\n",
        );
        let coverage = &report.coverage;
        assert_eq!((coverage.reached, coverage.rules), (4, 6));
        let unreached: Vec<_> = coverage.unreached.iter().map(|one| (one.line, one.rule.as_str())).collect();
        assert_eq!(unreached, [(4, "blocklist prefix never."), (20, "route `rest`")]);
        assert!((coverage.percent() - 66.67).abs() < 0.1);
        assert_eq!(report.failed(), 0);
    }

    #[test]
    fn a_failure_says_where_what_and_how_else() {
        let report = report("[[test]]\nname = 'webs'\nmetric = 'web.a'\nroutes = ['rest']\n");
        let shown = text(&report);
        assert!(shown.contains("relay.toml:25: webs"), "{shown}");
        assert!(shown.contains("routes: wanted rest, got www"), "{shown}");
        let value = json(&report);
        assert_eq!((&value["failed"], &value["cases"][0]["passed"]), (&1.into(), &false.into()));
        let xml = junit(&report, "relay.toml");
        assert!(xml.contains("<testsuite name=\"relay.toml\" tests=\"1\" failures=\"1\""), "{xml}");
        assert!(xml.contains("<failure message=\"routes: wanted rest, got www\""), "{xml}");
    }
}
