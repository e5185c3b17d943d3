//! The command language as carbon-relay-ng answers it (recorded), except where the specification wants otherwise:
//! BUG-15 (words are classified by position), BUG-16 (`consistentHashing-v2`), BUG-17 (zeros that crash) and BUG-21
//! (`modDest addr=` counts at once).

use relay_build::config::commands::{apply, parse};
use relay_runtime::{
    plan::Plan,
    table::{HashAlgorithm, Matcher, Route, RouteKind},
};
use serde_json::{Value, json};

#[test]
fn every_recorded_command_answers_the_same() {
    let (mut wrong, mut excused) = (Vec::new(), 0);
    for (at, line) in include_str!("vectors/commands.jsonl").lines().enumerate() {
        let case: Value = serde_json::from_str(line).unwrap();
        match check(&case) {
            Ok(Excused(is_excused)) => excused += usize::from(is_excused),
            Err(why) => wrong.push(format!("line {}: {why}", at + 1)),
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(excused < EXCUSED_MAX, "{excused} cases are excused by a bug that is not copied");
}

/// Cases that are answered differently because of a listed bug. What is wanted there is in the unit tests of the command
/// language.
const EXCUSED_MAX: usize = 68;

struct Excused(bool);

fn check(case: &Value) -> Result<Excused, String> {
    let mut plan = Plan::default();
    let (mut excused, mut differs) = (false, false);
    for (command, result) in
        case["commands"].as_array().unwrap().iter().zip(case["results"].as_array().unwrap())
    {
        let command = command.as_str().unwrap();
        let ours = parse(command).and_then(|command| apply(&command, &mut plan));
        excused |= wanted_otherwise(command, result);
        if ours.is_ok() == (result["ok"] == true) {
            continue;
        }
        differs = true;
        if !excused {
            return Err(format!("`{command}`: ours {ours:?}, recorded {result}"));
        }
    }
    let table = ours(&plan);
    let same = case["table"].is_null() || table == recorded(&case["table"]);
    if excused || same {
        return Ok(Excused(differs || !same));
    }
    Err(format!("{}: table\n  ours     {table}\n  recorded {}", case["commands"], recorded(&case["table"])))
}

/// Where the specification's "Want" differs, or a file is looked at that this front end does not read.
fn wanted_otherwise(command: &str, result: &Value) -> bool {
    let error = result["error"].as_str().unwrap_or_default();
    let bug_15 = result["ok"] == false
        && command.split_whitespace().skip(1).any(|word| {
            let value = word.split_once('=').map_or(word, |(_, value)| value);
            ["true", "false", "\"", "prefix=", "sub=", "spool="]
                .iter()
                .any(|keyword| value.starts_with(keyword) || word.starts_with(&format!("{keyword} ")))
                || value.bytes().all(|byte| byte.is_ascii_digit())
                || matches!(
                    word,
                    "avg" | "sum" | "min" | "max" | "count" | "last" | "delta" | "derive" | "stdev"
                )
                || word.starts_with("prefix=")
                || word.starts_with("codec=")
                || word.starts_with("topic=")
        });
    let bug_15 = bug_15 || command.contains('\t') || error.contains("bad prefix option");
    // A keyword of upstream's ends where the next word begins, with or without a space: `delRoutekey`.
    let first = command.split_whitespace().next().unwrap_or_default();
    let glued = !matches!(
        first,
        "addBlock" | "addBlack" | "addAgg" | "addRewriter" | "addRoute" | "modRoute" | "modDest" | "delRoute"
    ) || (first == "addRoute" && result["ok"] == true && parse(command).is_err());
    let bug_15 = bug_15 || (glued && result["ok"] == true);
    let bug_16 = command.starts_with("addRoute consistentHashing-v2");
    let bug_17 = result["category"] == "crash"
        || command
            .split_whitespace()
            .any(|word| matches!(word, "flush=0" | "reconn=0" | "iobuf=0" | "spoolsyncperiod=0"));
    let bug_21 = command.starts_with("modDest") && command.contains("addr=");
    let files = command.contains("bad-schemas.conf") || command.contains("nosuch");
    bug_15 || bug_16 || bug_17 || bug_21 || files
}

fn matcher(matcher: &Matcher) -> Value {
    relay_runtime::table::Condition::ALL
        .into_iter()
        .map(|condition| (condition.name().to_owned(), json!(matcher.get(condition).unwrap_or_default())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn ours(plan: &Plan) -> Value {
    let table = &plan.table;
    json!({
        "blocklist": table.blocklist.iter().map(matcher).collect::<Vec<_>>(),
        "rewriters": table.rewriters.iter().map(|one| json!({
            "old": one.old.written(), "new": one.new, "max": one.max.map_or(-1, i64::from),
        })).collect::<Vec<_>>(),
        "aggregators": table.aggregators.iter().map(|one| json!({
            "key": one.key(), "interval": one.interval, "wait": one.wait, "cache": one.cache, "dropRaw": one.drop_raw,
        })).collect::<Vec<_>>(),
        "routes": table.routes.iter().map(|route| json!({
            "key": route.key, "matcher": matcher(&route.matcher), "type": type_name(route),
            "dests": destinations(plan, route),
        })).collect::<Vec<_>>(),
    })
}

fn destinations(plan: &Plan, route: &Route) -> Vec<Value> {
    let matchers: Vec<_> = match &route.kind {
        RouteKind::SendAllMatch { destinations } | RouteKind::SendFirstMatch { destinations } => {
            destinations.iter().map(|one| one.matcher.clone()).collect()
        }
        _ => vec![Matcher::default(); route.destinations().len()],
    };
    let list = route.destinations();
    list.iter().zip(matchers).map(|(index, own)| {
        let destination = &plan.table.destinations[index.get()];
        json!({
            "addr": destination.address.0, "instance": destination.instance.clone().unwrap_or_default(),
            "matcher": matcher(&own), "pickle": destination.options.pickle, "spool": destination.options.spool,
        })
    }).collect()
}

fn type_name(route: &Route) -> &'static str {
    match &route.kind {
        RouteKind::SendAllMatch { .. } => "sendAllMatch",
        RouteKind::SendFirstMatch { .. } => "sendFirstMatch",
        RouteKind::ConsistentHash(ring) if ring.algorithm == HashAlgorithm::ConsistentHashingV1 => {
            "consistentHashing"
        }
        RouteKind::ConsistentHash(_) => "consistentHashing-v2",
        RouteKind::GrafanaNet(_) => "GrafanaNet",
        RouteKind::KafkaMdm(_) => "KafkaMdm",
        RouteKind::PubSub(_) => "pubsub",
        _ => "",
    }
}

/// The same parts of the recorded table, in the same form.
fn recorded(table: &Value) -> Value {
    let pick = |one: &Value, keys: &[&str]| {
        keys.iter().map(|key| ((*key).to_owned(), one[*key].clone())).collect::<serde_json::Map<_, _>>()
    };
    let list = |name: &str| table[name].as_array().cloned().unwrap_or_default();
    let blank = matcher(&Matcher::default());
    let full = |one: &Value| {
        let mut all = blank.clone();
        for (key, value) in one.as_object().into_iter().flatten() {
            if let Some(place) = all.get_mut(key) {
                *place = value.clone();
            }
        }
        all
    };
    let routes = list("routes")
        .iter()
        .map(|route| {
            json!({
                "key": route["key"], "matcher": full(&route["matcher"]), "type": route["type"],
                "dests": route["dests"].as_array().into_iter().flatten().map(|one| json!({
                    "addr": one["addr"], "instance": one["instance"], "matcher": full(&one["matcher"]),
                    "pickle": one["pickle"], "spool": one["spool"],
                })).collect::<Vec<_>>(),
            })
        })
        .collect::<Vec<_>>();
    json!({
        "blocklist": list("blocklist").iter().map(full).collect::<Vec<_>>(),
        "rewriters": list("rewriters").iter().map(|one| pick(one, &["old", "new", "max"])).collect::<Vec<_>>(),
        "aggregators": list("aggregators").iter().map(|one| pick(one, &["key", "interval", "wait", "cache", "dropRaw"])).collect::<Vec<_>>(),
        "routes": routes,
    })
}
