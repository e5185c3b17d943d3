//! Checks the pages of all codes: the code is reported for the wrong example, and no error for the right one.
//!
//! Also follows the help texts and checks that they mend their examples.

use relay_build::{
    config::{Checked, Options, Source, check_text, routeless, unsupported},
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
    if snippet.whole {
        checked.diagnostics.extend(routeless(&checked));
    }
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

/// Codes whose help says what to do in a way that no edit of the file follows from, each read by a person.
const PROSE: [u16; 22] = [
    // Where something is said of another file, of the command line, or of what the author knows.
    2, 1, 203, 208, 506, 507, 508, 509, 601, 602, 604, 605, 606, 607, 701, 702, 703, 704, 708, 815, 1001, 1002,
];

/// "Followed literally, it mends the configuration": what a help says is done to the page's wrong example, which must then have
/// neither that finding nor an error.
#[test]
fn every_help_mends_its_example() {
    let mut wrong = Vec::new();
    for (code, page) in codes::ALL.iter().filter(|(code, _)| !PROSE.contains(&code.0)) {
        for snippet in snippets(page).iter().filter(|snippet| !snippet.right) {
            let checked = check(snippet);
            let found = checked.diagnostics.iter().find(|one| one.code == *code).unwrap();
            let help = found.help.as_deref().unwrap_or_default();
            let span = found.place.as_ref().map(|(span, _)| span.start..span.end).unwrap_or_default();
            let text = &checked.source.text;
            let is_mended = |text: String| {
                let snippet = Snippet {
                    whole: true,
                    right: true,
                    text,
                    variables: snippet.variables.clone(),
                    environment: snippet.environment.clone(),
                    sample: snippet.sample.clone(),
                };
                let checked = check(&snippet);
                let is_error = |one: &relay_build::diagnostics::Diagnostic| {
                    one.code == *code || (one.severity == Severity::Error && one.code.0 < 900)
                };
                !checked.diagnostics.iter().any(is_error)
            };
            if !edits(help, text, span).into_iter().any(is_mended) {
                wrong.push(format!("{code}: {help}"));
            }
        }
    }
    assert!(wrong.is_empty(), "these helps mend nothing:\n{}", wrong.join("\n"));
}

/// The texts that come of doing what a help says, in each way in which it can be read.
fn edits(help: &str, text: &str, span: std::ops::Range<usize>) -> Vec<String> {
    let quoted: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
    let filled = |text: &str| {
        let values = [
            ("<host>", "10.9.9.9"),
            ("<port>", "2003"),
            ("<metric>", "a.b"),
            ("<text>", "a"),
            ("<value>", "ams"),
        ];
        values.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    };
    let line_of = |at: usize| {
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        start..text[at..].find('\n').map_or(text.len(), |end| at + end + 1)
    };
    let with = |range: std::ops::Range<usize>, new: &str| {
        format!("{}{new}{}", &text[..range.start], &text[range.end..])
    };
    let block_end = |start: usize| text[start..].find("\n[").map_or(text.len(), |end| start + end + 1);
    let removes = ["remove", "keep one"].iter().any(|word| help.contains(word));
    let mut edits = Vec::new();
    for new in quoted.iter().map(|new| filled(new)) {
        let key = new.split_once(" = ").map(|(key, _)| key.to_owned());
        // In place of what is underlined, of the whole value, and of the line of the key.
        edits.push(with(span.clone(), &new));
        edits.push(with(span.clone(), &format!("\"{new}\"")));
        let line = line_of(span.start);
        if let Some((before, _)) = text[line.clone()].split_once(" = ") {
            edits.push(with(line.clone(), &format!("{before} = '{new}'\n")));
            edits.push(with(line.clone(), &format!("{before} = {new}\n")));
        }
        if let Some(key) = key {
            edits.push(with(line_of(span.start), &format!("{new}\n")));
            for (at, _) in text.match_indices(&format!("{key} =")) {
                edits.push(with(line_of(at), &format!("{new}\n")));
            }
            // As a new line: of the section that is underlined, of the one around it, or before all sections.
            let around = text[..span.start].rfind("\n[").map_or(0, |start| start + 1);
            for start in [span.start, around] {
                edits.push(with(block_end(start)..block_end(start), &format!("{new}\n")));
            }
            edits.push(format!("{new}\n{text}"));
        }
        // Something is removed: a line, a word, or what stands between two.
        for (at, word) in text.match_indices(new.as_str()).filter(|_| removes) {
            edits.push(with(line_of(at), ""));
            edits.push(with(at..at + word.len(), ""));
            edits.push(with(at..at + word.len(), "").replace(" \"", "\""));
        }
    }
    if !removes {
        return edits;
    }
    // What is underlined goes: a line, a section, an entry of a list.
    edits.push(with(line_of(span.start), ""));
    edits.push(with(span.start..block_end(span.start), ""));
    for around in [", ", ",", ""] {
        let end = span.end + if text[span.end..].starts_with(around) { around.len() } else { 0 };
        edits.push(with(span.start..end, ""));
        let start = if text[..span.start].ends_with(around) { span.start - around.len() } else { span.start };
        edits.push(with(start..span.end, ""));
    }
    edits
}
