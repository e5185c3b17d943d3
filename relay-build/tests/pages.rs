//! Every code has a page, and what its page calls wrong is found wrong, what it calls right is not.

use relay_build::{
    config::{Checked, Options, Source, check_text, unsupported},
    diagnostics::{Code, Severity, codes, page, render, to_json},
    testing::check_sample,
};
use std::collections::BTreeMap;

const MANDATORY: &str = "instance = \"relay1\"\nlog_level = \"info\"\nbad_metrics_max_age = \"24h\"\n";

struct Snippet {
    right: bool,
    whole: bool,
    variables: BTreeMap<String, String>,
    environment: Option<String>,
    sample: Option<String>,
    text: String,
}

fn snippets(page: &str) -> Vec<Snippet> {
    let mut found = Vec::new();
    for block in page.split("```toml ").skip(1) {
        let (head, rest) = block.split_once('\n').unwrap();
        let variable = head.split_once("--var ").and_then(|(_, rest)| rest.split_once('='));
        found.push(Snippet {
            right: head.starts_with("right"),
            whole: head.contains("whole"),
            variables: variable
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into_iter()
                .collect(),
            environment: head.split_once("--env ").map(|(_, name)| name.trim().to_owned()),
            sample: head.split_once("--sample ").map(|(_, name)| format!("{name} 1 1700000000\n")),
            text: rest.split_once("```").unwrap().0.to_owned(),
        });
    }
    found
}

fn check(snippet: &Snippet) -> Checked {
    let text = if snippet.whole { snippet.text.clone() } else { format!("{MANDATORY}{}", snippet.text) };
    let options = Options {
        variables: snippet.variables.clone(),
        environment_name: snippet.environment.clone(),
        ..Options::default()
    };
    let mut checked = check_text(Source { path: "relay.toml".into(), text }, &options);
    let more = unsupported(&checked);
    checked.diagnostics.extend(more);
    if let Some(sample) = &snippet.sample {
        let found = check_sample(&checked, &mut sample.as_bytes()).unwrap();
        checked.diagnostics.extend(found);
    }
    checked
}

#[test]
fn what_a_page_calls_wrong_is_found_and_what_it_calls_right_is_not() {
    let mut wrong = Vec::new();
    for (code, page) in codes::ALL {
        assert!(page.starts_with(&format!("# {code}: ")), "the page of {code}");
        let snippets = snippets(page);
        assert!(*code == codes::NOT_UTF8 || snippets.len() == 2, "{code} needs a wrong and a right example");
        for snippet in snippets {
            let checked = check(&snippet);
            let has_code = checked.diagnostics.iter().any(|one| one.code == *code);
            let is_supported = |one: &&relay_build::diagnostics::Diagnostic| one.code.0 < 900;
            let errors =
                checked.diagnostics.iter().filter(is_supported).any(|one| one.severity == Severity::Error);
            if snippet.right && (has_code || errors) || !snippet.right && !has_code {
                let report = render(&checked.diagnostics, &checked.source, false);
                wrong.push(format!(
                    "{code} ({}):\n{}\n{report}",
                    if snippet.right { "right" } else { "wrong" },
                    checked.source.text
                ));
            }
            assert_eq!(
                to_json(&checked.diagnostics, &checked.source).as_array().unwrap().len(),
                checked.diagnostics.len()
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_number_that_is_no_code_has_no_page() {
    assert!(page(Code(9999)).is_none());
    assert!(page(codes::UNKNOWN_OPTION).is_some());
    assert_eq!("R0203".parse(), Ok(codes::UNKNOWN_OPTION));
    assert!("R203".parse::<Code>().is_err());
}

#[test]
fn a_report_points_at_the_word_and_says_what_to_write() {
    let text = format!(
        "{MANDATORY}[[route]]\ntype = \"sendAllMatch\"\ndestinations = [\"a:2003\", \"b:2003 spol=true\"]\n"
    );
    let checked = check_text(Source { path: "relay.toml".into(), text }, &Options::default());
    let report = render(&checked.diagnostics, &checked.source, false);
    assert!(report.contains("error[R0203]: unknown destination option `spol=true`"), "{report}");
    assert!(report.contains("--> relay.toml:6:35"), "{report}");
    assert!(report.contains("help: an option with a similar name exists: `spool=`"), "{report}");
}

#[test]
fn zz_print() {
    for (code, page) in codes::ALL {
        for snippet in snippets(page).iter().filter(|s| !s.right) {
            let checked = check(snippet);
            for one in checked.diagnostics.iter().filter(|one| one.code == *code) {
                let (span, label) = one.place.clone().unwrap_or_default();
                println!(
                    "{code} | {} | at `{}` ({label}) | HELP {:?}",
                    one.message,
                    checked.source.text.get(span.start..span.end).unwrap_or("").replace('\n', "⏎"),
                    one.help
                );
            }
        }
    }
}
