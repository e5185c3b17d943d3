//! Destination strings as carbon-relay-ng reads them (recorded), except where the specification wants otherwise:
//! BUG-15 (words are classified by position), BUG-17 (zeros that crash), BUG-18 (IPv6).

use relay_build::config::destinations::{self, DestinationErrorKind, Written, split_instance};
use relay_runtime::table::{Condition, Late};
use serde_json::Value;

#[test]
fn every_recorded_destination_string_reads_the_same() {
    let text = include_str!("vectors/destination_strings.jsonl");
    let mut wrong = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let case: Value = serde_json::from_str(line).unwrap();
        if let Err(why) = check(&case) {
            wrong.push(format!("line {}: {why}: {}", at + 1, case["destinations"]));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn check(case: &Value) -> Result<(), String> {
    let strings: Vec<&str> =
        case["destinations"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    let ours: Vec<_> = strings.iter().map(|string| destinations::parse(string)).collect();
    let allow_matcher = case["allow_matcher"].as_bool().unwrap();
    let refused = !allow_matcher && ours.iter().flatten().any(|one| !one.matcher.is_empty());
    let ok = ours.iter().all(Result::is_ok) && !refused;
    if case["ok"] == true {
        for (at, (string, ours)) in strings.iter().zip(&ours).enumerate() {
            match ours {
                Ok(_) if bug_15(string) || bug_18(string) => {}
                Ok(written) => compare(written, &case["parsed"][at])?,
                Err(errors)
                    if errors.iter().all(|error| matches!(error.kind, DestinationErrorKind::Zero { .. })) => {
                }
                Err(_) if bug_15(string) => {}
                Err(errors) => return Err(format!("refused: {errors:?}")),
            }
        }
        return if refused && !strings.iter().any(|string| bug_15(string)) {
            Err("matcher refused".into())
        } else {
            Ok(())
        };
    }
    if ok && !strings.iter().any(|string| bug_15(string)) {
        return Err("accepted".into());
    }
    Ok(())
}

/// Upstream looks for keywords at the start of every word and lets only a space end one.
fn bug_15(string: &str) -> bool {
    let keywords = ["true", "false", "add", "mod", "del", "\"", "##"];
    let options = [
        "prefix=",
        "notPrefix=",
        "sub=",
        "notSub=",
        "regex=",
        "notRegex=",
        "flush=",
        "reconn=",
        "pickle=",
        "spool=",
        "addr=",
    ];
    let special = |word: &str| {
        keywords.iter().chain(&options).any(|keyword| word.starts_with(keyword))
            || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
            || word.ends_with("##")
            || matches!(word, "avg" | "sum" | "min" | "max" | "count" | "last" | "delta" | "derive" | "stdev")
    };
    string.contains('\t')
        || string.split_whitespace().enumerate().any(|(at, word)| {
            let value = if at == 0 { word } else { word.split_once('=').map_or(word, |(_, value)| value) };
            let number = at > 0
                && ["prefix", "notPrefix", "sub", "notSub", "regex", "notRegex"]
                    .iter()
                    .all(|name| !word.starts_with(name));
            (special(value)
                && !(number && value.bytes().all(|byte| byte.is_ascii_digit()))
                && !matches!(word, "pickle=true" | "pickle=false" | "spool=true" | "spool=false"))
                || (at > 0 && word.ends_with('='))
        })
}

fn bug_18(string: &str) -> bool {
    let address = string.split_whitespace().next().unwrap_or_default();
    address.starts_with('[') || split_instance(address).0 == address && address.matches(':').count() == 2
}

fn compare(ours: &Written, want: &Value) -> Result<(), String> {
    let destination = &ours.destination;
    let options = &destination.options;
    let numbers = [
        ("flush_ms", &options.flush_ms),
        ("reconn_ms", &options.reconnect_ms),
        ("connbuf", &options.connbuf_lines),
        ("iobuf", &options.iobuf_bytes),
        ("spoolbuf", &options.spoolbuf_lines),
        ("spoolmaxbytesperfile", &options.spool_file_bytes_max),
        ("spoolsyncevery", &options.spool_sync_every),
        ("spoolsyncperiod_ms", &options.spool_sync_period_ms),
        ("spoolsleep_us", &options.spool_sleep_us),
        ("unspoolsleep_us", &options.unspool_sleep_us),
    ];
    for (name, value) in numbers {
        equal(name, value == &Late::Known(want[name].as_u64().unwrap_or_default()), want)?;
    }
    for condition in Condition::ALL {
        equal(
            condition.name(),
            ours.matcher.get(condition).unwrap_or_default() == want[condition.name()],
            want,
        )?;
    }
    equal("addr", destination.address.0 == want["addr"].as_str().unwrap_or_default(), want)?;
    equal("instance", destination.instance.as_deref().unwrap_or_default() == want["instance"], want)?;
    equal("pickle", options.pickle == want["pickle"], want)?;
    equal("spool", options.spool == want["spool"], want)
}

fn equal(name: &str, same: bool, want: &Value) -> Result<(), String> {
    if same { Ok(()) } else { Err(format!("`{name}` differs, want {}", want[name])) }
}
