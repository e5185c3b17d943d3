//! What carbon-relay-ng did with recorded lines and streams, against validation, order check, framing and
//! pipeline. Where the relay is meant to differ, the rule is here by the number of the bug that is not copied.

use relay_runtime::{
    dispatch::{Dispatch, Scratch, Sink},
    gather::Gathered,
    order::OrderCheck,
    pipeline::Pipeline,
    protocol::plain::PlainDecoder,
    select::Liveness,
    table::{Destination, DestinationIndex, LegacyLevel, Metrics20Level, RouteIndex, Table, Validation},
    validate::{Line, Reason, Validator},
};
use serde_json::Value;
use std::{collections::HashSet, sync::Arc};

const LINE_BYTES_MAX: usize = 65_535;

/// The time of arrival, where a timestamp asks for it.
const NOW_S: u32 = 1_600_000_000;

#[test]
fn validation_answers_as_recorded() {
    let mut checked = 0;
    for case in cases(include_str!("vectors/validate.jsonl")) {
        let line = base64(text(&case["line_b64"]));
        for (levels, want) in case["results"].as_object().expect("results by level") {
            let validator = Validator::new(rules(levels));
            let got = validator.check(&line, NOW_S.into()).map_err(|rejected| rejected.reason);
            let want = wanted(text(want), &line, levels);
            let got_name = got.map_or_else(Reason::name, |_| "ok");
            assert_eq!(got_name, want, "{levels}: {}", line.escape_ascii());
            if let Ok(got) = got {
                check_fields(&case, got, &line);
            }
            checked += 1;
        }
    }
    assert!(checked > 10_000, "{checked}");
}

/// The recorded answer, or what is wanted instead.
fn wanted<'a>(recorded: &'a str, line: &[u8], levels: &str) -> &'a str {
    let lossy = String::from_utf8_lossy(line);
    let fields: Vec<&[u8]> = lossy.split_whitespace().map(str::as_bytes).collect();
    let [name, value, timestamp] = fields[..] else { return recorded };
    // BUG-29: tags do not decide the class, so such a name is judged as if a dot ended its first node.
    if recorded != "ok" || levels.ends_with("none") {
        let path = name.split(|&byte| byte == b';').next().unwrap_or(name);
        let first_node = |name: &[u8]| name.split(|&byte| byte == b'.').next().unwrap_or_default().to_vec();
        let is_metrics20 = |node: &[u8]| node.contains(&b'=') || node.windows(4).any(|four| four == b"_is_");
        if is_metrics20(&first_node(name)) && !is_metrics20(&first_node(path)) {
            // Then the tags are at the very start, which is invalid from `medium` on.
            if name.starts_with(b";") && !levels.starts_with("none") {
                return "empty_key";
            }
            let dotted = [b"x.", name, b" ", value, b" ", timestamp].concat();
            let as_legacy = Validator::new(rules(levels)).check(&dotted, NOW_S.into());
            return as_legacy.map_or_else(|rejected| rejected.reason.name(), |_| "ok");
        }
    }
    // BUG-30: an empty name is refused.
    if name == b"." {
        return "empty_key";
    }
    // BUG-31: a timestamp that does not fit is refused.
    match recorded {
        "ok" => unfit(timestamp).unwrap_or("ok"),
        recorded => recorded,
    }
}

/// The number that a timestamp of the vectors stands for. Hexadecimals there are small.
fn number(timestamp: &[u8]) -> Option<f64> {
    String::from_utf8_lossy(timestamp).replace('_', "").parse().ok()
}

/// What is said of a timestamp that does not fit: its unit, if it is likely to have one.
fn unfit(timestamp: &[u8]) -> Option<&'static str> {
    let number = number(timestamp)?;
    let is_in_unit = |per_second: f64| 1e8 * per_second <= number && number < 4_294_967_296.0 * per_second;
    // -1 is the time of arrival, as Graphite has it; the original wraps it.
    if is_now(timestamp) || -1.0 < number && number < 4_294_967_296.0 {
        return None;
    }
    let units = [
        (1e3, "timestamp_in_milliseconds"),
        (1e6, "timestamp_in_microseconds"),
        (1e9, "timestamp_in_nanoseconds"),
    ];
    let unit = units.into_iter().find(|(per_second, _)| is_in_unit(*per_second));
    Some(unit.map_or("timestamp_out_of_range", |(_, reason)| reason))
}

fn is_now(timestamp: &[u8]) -> bool {
    number(timestamp).is_some_and(|number| -2.0 < number && number <= -1.0)
}

fn check_fields(case: &Value, got: Line<'_>, line: &[u8]) {
    let forwarded = [got.name, b" ", got.value, b" ", got.timestamp.as_bytes()].concat();
    if String::from_utf8_lossy(line).split_whitespace().nth(2).is_some_and(|text| is_now(text.as_bytes())) {
        assert_eq!(forwarded, [got.name, b" ", got.value, b" ", NOW_S.to_string().as_bytes()].concat());
        assert_eq!(got.seconds, NOW_S);
        return;
    }
    if let Some(want) = case["forwarded_b64"].as_str() {
        assert_eq!(forwarded, base64(want));
    }
    if let Some(want) = case["ts"].as_u64() {
        assert_eq!(u64::from(got.seconds), want, "{}", forwarded.escape_ascii());
    }
}

#[test]
fn order_answers_as_recorded() {
    let mut checked = 0;
    for case in cases(include_str!("vectors/order.jsonl")) {
        let validator = Validator::new(rules(&format!("{}/medium", text(&case["legacy"]))));
        let order = OrderCheck::new();
        let mut wrapped = HashSet::new();
        for point in case["lines"].as_array().expect("lines") {
            let line = text(&point["line"]);
            let want = point["reason"].as_str().unwrap_or("ok");
            let got = match validator.check(line.as_bytes(), NOW_S.into()) {
                Err(rejected) => rejected.reason.name(),
                Ok(line) => {
                    let name = line.name.strip_prefix(b".").unwrap_or(line.name);
                    // No timestamp is in the future of this clock.
                    if order.check(name, line.seconds, u64::from(u32::MAX)) { "ok" } else { "out_of_order" }
                }
            };
            // BUG-31: the original wraps such a timestamp, and what it then remembers is no measure.
            let mut fields = line.split_whitespace();
            let series = fields.next().unwrap_or_default().trim_start_matches('.').to_owned();
            let timestamp = fields.nth(1).unwrap_or_default().as_bytes();
            if got.starts_with("timestamp_in_") || got == "timestamp_out_of_range" || is_now(timestamp) {
                assert!(is_now(timestamp) || unfit(timestamp) == Some(got), "{line}");
                wrapped.insert(series);
            } else if !wrapped.contains(&series) {
                assert_eq!(got, want, "{line}");
                checked += 1;
            }
        }
    }
    assert!(checked > 2_300, "{checked}");
}

#[test]
fn streams_are_framed_as_recorded() {
    for case in cases(include_str!("vectors/plain_stream.jsonl")) {
        let stream: Vec<u8> = case["stream"].as_array().expect("parts").iter().flat_map(part).collect();
        let lines = case["lines"].as_array().expect("lines");
        let too_long = !case["error"].is_null();
        let step = if stream.len() > 1000 { 997 } else { 1 };
        for cut in (0..=stream.len()).step_by(step) {
            let gathered = fed(&[&stream[..cut], &stream[cut..]]);
            let refused = gathered.counts.invalid_for(Reason::LineTooLong);
            assert_eq!(refused, u64::from(too_long), "{} at {cut}", case["desc"]);
            assert_eq!(gathered.counts.received, lines.len() as u64 + refused, "{} at {cut}", case["desc"]);
            assert!(gathered.counts.is_balanced());
        }
    }
}

#[test]
fn no_split_tears_a_line() {
    let stream = b"a.b 1 1700000000\nservers.web0123.cpu.user.percent 12.345 1700000000\r\n\n x  nan\t5\n\
        a;b=c 1 2\nbad\n.a.b -0.9082725655427134 1700000000\nlast 1 2";
    let want = b"a.b 1 1700000000\nservers.web0123.cpu.user.percent 12.345 1700000000\nx nan 5\n\
        a;b=c 1 2\n.a.b -0.9082725655427134 1700000000\nlast 1 2\n";
    for first in 0..=stream.len() {
        for second in first..=stream.len() {
            let mut gathered = fed(&[&stream[..first], &stream[first..second], &stream[second..]]);
            let mut got = Vec::new();
            gathered.drain(|_, chunk| got.extend_from_slice(chunk.bytes()));
            assert_eq!(got.escape_ascii().to_string(), want.escape_ascii().to_string());
            assert_eq!((gathered.counts.received, gathered.counts.routed), (8, 6));
            assert_eq!(gathered.counts.invalid_for(Reason::WrongNumFields), 2);
        }
    }
}

#[test]
fn what_a_broken_connection_leaves_is_no_line() {
    let mut pipeline = pipeline(&Table::default());
    let mut gathered = Gathered::new(1);
    let mut decoder = PlainDecoder::new(LINE_BYTES_MAX);
    decoder.feed(b"a.b 1 1700000000\na.b 1 17", 0, &mut pipeline, &mut gathered).expect("short lines");
    decoder.finish(false, 0, &mut pipeline, &mut gathered);
    assert_eq!((gathered.counts.received, gathered.counts.routed), (2, 1));
    assert_eq!(gathered.counts.invalid_for(Reason::Unterminated), 1);
}

/// What a stream in these reads leads to, when it ends cleanly.
fn fed(reads: &[&[u8]]) -> Gathered {
    let mut pipeline = pipeline(&Table::default());
    let mut gathered = Gathered::new(1);
    let mut decoder = PlainDecoder::new(LINE_BYTES_MAX);
    let mut feed = |read: &&[u8]| decoder.feed(read, 0, &mut pipeline, &mut gathered).is_ok();
    if reads.iter().all(&mut feed) {
        decoder.finish(true, 0, &mut pipeline, &mut gathered);
    }
    gathered
}

fn pipeline(table: &Table) -> Pipeline<Passthrough> {
    let destinations = vec![Destination::new("127.0.0.1:2003")];
    let table = Table { destinations, ..table.clone() };
    Pipeline::new(Arc::new(Passthrough), &table, LINE_BYTES_MAX, Liveness::all_up(1))
}

struct Passthrough;

impl Dispatch for Passthrough {
    fn dispatch<S: Sink>(&self, name: &[u8], scratch: &mut Scratch, sink: &mut S) {
        self.route(name, scratch, sink);
    }

    fn route<S: Sink>(&self, _: &[u8], _: &mut Scratch, sink: &mut S) {
        sink.route(RouteIndex(0));
        sink.deliver(DestinationIndex(0));
    }
}

fn cases(lines: &str) -> impl Iterator<Item = Value> {
    lines.lines().map(|line| serde_json::from_str(line).expect("a case per line"))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn part(part: &Value) -> Vec<u8> {
    match part["repeat_a"].as_u64() {
        Some(count) => vec![b'a'; usize::try_from(count).expect("a small count")],
        None => base64(text(&part["b64"])),
    }
}

fn rules(levels: &str) -> Validation {
    let (legacy, metrics20) = levels.split_once('/').expect("two levels");
    let legacy = match legacy {
        "none" => LegacyLevel::None,
        "medium" => LegacyLevel::Medium,
        "strict" => LegacyLevel::Strict,
        other => panic!("unknown level {other}"),
    };
    let metrics20 = if metrics20 == "none" { Metrics20Level::None } else { Metrics20Level::Medium };
    Validation { legacy, metrics20, ..Validation::default() }
}

fn base64(text: &str) -> Vec<u8> {
    let digits = text.bytes().filter(|&byte| byte != b'=').map(|byte| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    });
    let digits: Vec<u32> = digits.map(u32::from).collect();
    let bytes = digits.chunks(4).flat_map(|four| {
        let bits = (0..4).fold(0, |bits, at| bits << 6 | four.get(at).copied().unwrap_or(0));
        bits.to_be_bytes().into_iter().skip(1).take(four.len() * 6 / 8)
    });
    bytes.collect()
}
