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
fn every_recorded_command_answers_as_recorded_or_as_wanted() {
    let wanted: Vec<Value> = include_str!("wanted/commands.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (mut wrong, mut used) = (Vec::new(), 0);
    for (at, line) in include_str!("vectors/commands.jsonl").lines().enumerate() {
        let case: Value = serde_json::from_str(line).unwrap();
        let commands = &case["commands"];
        let recorded = Answer {
            results: case["results"].as_array().unwrap().iter().map(|result| result["ok"] == true).collect(),
            table: (!case["table"].is_null()).then(|| recorded(&case["table"])),
        };
        let want = wanted.iter().find(|want| want["commands"] == *commands);
        used += usize::from(want.is_some());
        let want = want.map_or_else(|| recorded.clone(), Answer::wanted);
        let ours = Answer::ours(commands, want.table.is_some());
        if ours != want {
            wrong.push(format!("line {}: {commands}\n  ours     {ours:?}\n  wanted   {want:?}", at + 1));
        }
    }
    assert!(wrong.is_empty(), "{} cases differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(used, wanted.len(), "a case is listed that was not recorded, or twice");
}

/// What became of a sequence of commands.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    /// Which commands were taken.
    results: Vec<bool>,
    /// The table afterwards, unless the process ended.
    table: Option<Value>,
}

impl Answer {
    fn wanted(want: &Value) -> Self {
        let results = want["ok"].as_array().unwrap().iter().map(|ok| ok == true).collect();
        Self { results, table: Some(want["table"].clone()) }
    }

    fn ours(commands: &Value, with_table: bool) -> Self {
        let mut plan = Plan::default();
        let mut apply_one = |command: &Value| {
            parse(command.as_str().unwrap()).and_then(|command| apply(&command, &mut plan)).is_ok()
        };
        let results = commands.as_array().unwrap().iter().map(&mut apply_one).collect();
        Self { results, table: with_table.then(|| ours(&plan)) }
    }
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

#[test]
fn a_command_says_whether_a_route_stops() {
    let run = |commands: &[&str]| {
        let mut plan = Plan::default();
        for command in commands {
            apply(&parse(command).map_err(|error| error.to_string())?, &mut plan)
                .map_err(|error| error.to_string())?;
        }
        Ok::<_, String>(plan.table.routes.iter().map(|route| route.stop).collect::<Vec<_>>())
    };
    let add = "addRoute sendAllMatch a prefix=a. stop=true sub=b  127.0.0.1:2003";
    assert_eq!(run(&[add]), Ok(vec![true]));
    assert_eq!(run(&["addRoute sendAllMatch a prefix=a.  127.0.0.1:2003"]), Ok(vec![false]));
    assert_eq!(run(&[add, "modRoute a stop=false"]), Ok(vec![false]));
    assert_eq!(run(&[add, "modRoute a prefix=c."]), Ok(vec![true]));
    assert_eq!(run(&["addRoute blackhole b stop=true"]), Ok(vec![true]));
    for wrong in [
        "addRoute sendAllMatch a stop=yes  127.0.0.1:2003",
        "addRoute sendAllMatch a stop  127.0.0.1:2003",
        "addRoute sendAllMatch a  127.0.0.1:2003 stop=true",
        "modRoute a",
    ] {
        assert!(run(&[add, wrong]).is_err(), "{wrong}");
    }
}
