//! Compares single rules with the recorded answers of carbon-relay-ng's own code.
//!
//! Where that answer is a bug of carbon-relay-ng, the vectors also have the right one.

use relay_runtime::{
    matcher::Matcher,
    rewriter::{Rewriter, RewriterError},
    table::{self, Condition, Pattern},
};
use serde_json::Value;

mod vectors;
use vectors::{bytes, cases, is_utf8};

#[test]
fn matchers_answer_by_plain_regex_semantics() {
    let mut inputs = 0;
    for case in cases(include_str!("vectors/matcher.jsonl")).filter(is_utf8) {
        let mut conditions = table::Matcher::default();
        for condition in Condition::ALL {
            conditions.set(condition, case[condition.name()].as_str().unwrap_or_default());
        }
        let matcher = Matcher::new(&conditions);
        assert_eq!(matcher.is_ok(), case["ok"] == true, "{conditions:?}: {:?}", matcher.err());
        let Ok(matcher) = matcher else { continue };
        for input in case["cases"].as_array().into_iter().flatten() {
            // Where `match` differs from `want`, upstream requires a prefix that the regex does not: BUG-37.
            let name = bytes(input, "in");
            let answer = matcher.matches(&name);
            assert_eq!(Value::from(answer), input["want"], "{conditions:?} on {}", name.escape_ascii());
            inputs += 1;
        }
    }
    assert!(inputs > 6000, "{inputs}");
}

#[test]
fn rewriters_write_what_go_writes() {
    let mut inputs = 0;
    for case in cases(include_str!("vectors/rewriter.jsonl")).filter(is_utf8) {
        let rewriter = rewriter(&case);
        assert_eq!(rewriter.is_ok(), case["ok"] == true, "{case}: {:?}", rewriter.err());
        let Ok(rewriter) = rewriter else { continue };
        for input in case["cases"].as_array().into_iter().flatten() {
            let (name, mut out) = (bytes(input, "in"), Vec::new());
            let changed = rewriter.apply(&name, &mut out);
            let result = if changed { &out } else { &name };
            let rule = (&case["old"], &case["new"], &case["not"], &case["max"]);
            assert_eq!(
                result.escape_ascii().to_string(),
                bytes(input, "out").escape_ascii().to_string(),
                "{rule:?}"
            );
            assert!(!changed || out != name, "{rule:?}");
            inputs += 1;
        }
    }
    assert!(inputs > 4000, "{inputs}");
}

/// `max` below -1 cannot be written in a table; the front end refuses it, here it is refused with it.
fn rewriter(case: &Value) -> Result<Rewriter, Option<RewriterError>> {
    let text = |key: &str| case[key].as_str().unwrap_or_default();
    let max = match case["max"].as_i64() {
        Some(-1) | None => None,
        Some(max) => Some(u32::try_from(max).map_err(|_| None)?),
    };
    let not = Some(text("not")).filter(|not| !not.is_empty()).map(Pattern::parse);
    let rule = table::Rewriter { old: Pattern::parse(text("old")), new: text("new").to_owned(), not, max };
    Rewriter::new(&rule).map_err(Some)
}
