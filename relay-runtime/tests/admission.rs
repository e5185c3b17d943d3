//! The relay's pipeline, `trace` and `replay` decide alike about any bytes: what is a line, why it is refused, where it goes
//! and what is sent.

mod support;

use proptest::prelude::*;
use relay_runtime::{
    admission::Admission,
    counts::Counts,
    gather::Gathered,
    interpret::Interpreter,
    pipeline::{LinePipeline, Pipeline},
    plan::Plan,
    protocol::plain::PlainDecoder,
    replay::replay_lines,
    select::Liveness,
    table::{
        Aggregator, Destination, DestinationIndex, Function, LegacyLevel, Matcher, Metrics20Level, Pattern,
        Rewriter, Route, RouteDestination, RouteKind, Table, Timestamps, Validation,
    },
    trace::{Tracer, trace_lines},
    validate::Reason,
};
use std::{collections::BTreeMap, io::Write as _, net::TcpStream, sync::Arc};
use support::{Peer, settled, wait_until};

const LINE_BYTES_MAX: usize = 60;
const NOW_S: u64 = 1_700_000_000;

/// What came of a stream: lines by what became of them, and what each destination gets, sorted.
#[derive(Debug, PartialEq)]
struct Outcome {
    received: u64,
    invalid: BTreeMap<&'static str, u64>,
    /// Blocked, aggregated away, unroutable, routed.
    others: [u64; 4],
    sent: BTreeMap<String, Vec<Vec<u8>>>,
}

impl Outcome {
    fn new(counts: &Counts, mut sent: BTreeMap<String, Vec<Vec<u8>>>) -> Self {
        assert!(counts.is_balanced());
        let invalid = Reason::ALL.iter().map(|reason| (reason.name(), counts.invalid_for(*reason)));
        for lines in sent.values_mut() {
            lines.sort();
        }
        Self {
            received: counts.received,
            invalid: invalid.filter(|(_, lines)| *lines > 0).collect(),
            others: [counts.blocked, counts.aggregated_away, counts.unroutable, counts.routed],
            sent,
        }
    }
}

/// Something of everything: blocked, rewritten, spoiled by a rewriter, hidden by an aggregator, routed, unroutable.
fn table(validation: Validation) -> Table {
    let prefix = |text: &str| Matcher { prefix: Some(text.to_owned()), ..Matcher::default() };
    let rewriter = |old: &str, new: &str| Rewriter {
        old: Pattern::parse(old),
        new: new.to_owned(),
        not: None,
        max: None,
    };
    let to = |at| RouteDestination { destination: DestinationIndex::new(at), matcher: Matcher::default() };
    let route = |key: &str, matcher, at| Route {
        key: key.to_owned(),
        matcher,
        stop: false,
        kind: RouteKind::SendAllMatch { destinations: vec![to(at)] },
    };
    Table {
        validation,
        blocklist: vec![prefix("c")],
        rewriters: vec![rewriter("bb", "x"), rewriter("ac", " ")],
        aggregators: vec![Aggregator {
            interval: 10,
            wait: 30,
            drop_raw: true,
            ..Aggregator::new(Function::Sum, prefix("d"), "sum")
        }],
        routes: vec![
            route("a", prefix("a"), 0),
            route("any", Matcher { sub: Some("a".to_owned()), ..Matcher::default() }, 1),
        ],
        destinations: (0..2).map(|at| Destination::new(format!("10.0.0.{at}:2003"))).collect(),
    }
}

fn by_pipeline(table: &Table, stream: &[u8], reads: &[usize]) -> (Outcome, bool) {
    let interpreter = Arc::new(Interpreter::new(table).unwrap());
    let mut pipeline = Pipeline::new(interpreter, table, LINE_BYTES_MAX, Liveness::all_up(2));
    let pipeline: &mut dyn LinePipeline = &mut pipeline;
    let (mut gathered, mut decoder) = (Gathered::new(2), PlainDecoder::new(LINE_BYTES_MAX));
    let (mut rest, mut sizes, mut is_whole) = (stream, reads.iter().cycle(), true);
    while !rest.is_empty() && is_whole {
        let (read, after) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        is_whole = decoder.feed(read, NOW_S, pipeline, &mut gathered).is_ok();
        rest = after;
    }
    if is_whole {
        decoder.finish(true, NOW_S, pipeline, &mut gathered);
    }
    let mut sent = BTreeMap::<_, Vec<_>>::new();
    gathered.drain(|destinations, chunk| {
        for destination in destinations {
            let to = table.destinations[destination.get()].written();
            sent.entry(to)
                .or_default()
                .extend(chunk.bytes().split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec));
        }
    });
    (Outcome::new(&gathered.counts, sent), is_whole)
}

fn by_replay(table: &Table, stream: &[u8]) -> Outcome {
    let interpreter = Interpreter::new(table).unwrap();
    let admission = Admission::new(table.validation, LINE_BYTES_MAX);
    let mut input = Vec::new();
    for line in stream.split_inclusive(|&byte| byte == b'\n') {
        input.extend_from_slice(format!("{NOW_S}\t").as_bytes());
        input.extend_from_slice(line);
    }
    let mut out = Vec::new();
    let until = Some(1_700_000_000.0);
    let ledger = replay_lines(table, &interpreter, admission, until, &mut &input[..], &mut out).unwrap();
    let mut sent = BTreeMap::<_, Vec<_>>::new();
    for line in out.split_inclusive(|&byte| byte == b'\n') {
        let mut parts = line.splitn(4, |&byte| byte == b'\t').skip(2);
        let to = String::from_utf8(parts.next().unwrap().to_vec()).unwrap();
        sent.entry(to).or_default().push(parts.next().unwrap().to_vec());
    }
    Outcome::new(&ledger.total(), sent)
}

fn by_trace(table: &Table, stream: &[u8]) -> Outcome {
    let interpreter = Interpreter::new(table).unwrap();
    let admission = Admission::new(table.validation, LINE_BYTES_MAX);
    let mut tracer = Tracer::new(table, &interpreter, admission.clone());
    let mut counts = Counts::default();
    let mut sent = BTreeMap::<_, Vec<_>>::new();
    for line in stream.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let trace = tracer.trace(line, NOW_S);
        counts.received += 1;
        if let Some(reason) = trace.reason {
            let reason = Reason::ALL.into_iter().find(|one| one.name() == reason).unwrap();
            counts.invalid[reason as usize] += 1;
        } else if trace.blocked_by.is_some() {
            counts.blocked += 1;
        } else if trace.dropped_raw {
            counts.aggregated_away += 1;
        } else if trace.routes.is_empty() {
            counts.unroutable += 1;
        } else {
            counts.routed += 1;
            // The trace shows text; what is sent are the line's own bytes.
            let taken = Admission::new(Validation { order: false, ..table.validation }, LINE_BYTES_MAX);
            let taken = taken.admit(line, NOW_S).unwrap();
            assert_eq!(trace.timestamp, Some(taken.seconds));
            let name = trace.rewritten.map_or_else(|| taken.name.to_vec(), |_| rewritten(taken.name));
            let text = [&name[..], b" ", taken.value, b" ", taken.timestamp.as_bytes(), b"\n"].concat();
            for to in trace.routes.into_iter().flat_map(|route| route.destinations) {
                sent.entry(to).or_default().push(text.clone());
            }
        }
    }
    Outcome::new(&counts, sent)
}

/// What the one rewriter that leaves usable names does.
fn rewritten(name: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = name;
    while let Some(at) = memchr::memmem::find(rest, b"bb") {
        out.extend_from_slice(&rest[..at]);
        out.push(b'x');
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
    out
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        6 => "[abcd]{1,3}(\\.[abcd]{1,4}){1,4}",
        1 => "[abcd]{1,70}",
        1 => "[.abc=_;\u{e9}\0-]{0,12}",
    ];
    let value =
        prop_oneof![6 => "-?[0-9]{1,3}(\\.[0-9]{1,3})?", 1 => "[-+.0-9exnaif]{0,8}", 1 => "nan|inf|1e400"];
    let time = prop_oneof![
        4 => "17[0-9]{8}",
        2 => Just("-1".to_owned()),
        1 => "[0-9]{12,20}",
        1 => "17[0-9]{8}(\\.[0-9])?([0-9]{3}){1,3}",
        1 => "[-.0-9e]{0,12}",
    ];
    let space = prop_oneof![9 => Just(" "), 1 => Just("\t"), 1 => Just("  "), 1 => Just("\u{a0}"), 1 => Just("\u{85}")];
    let end = prop_oneof![6 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" \n"), 1 => Just("\r\r\n"), 1 => Just("\0\n")];
    let whole = (name, space, value, time, end)
        .prop_map(|(name, space, value, time, end)| format!("{name}{space}{value} {time}{end}").into_bytes());
    prop_oneof![
        8 => whole,
        1 => proptest::collection::vec(any::<u8>(), 0..80),
        1 => Just(b"\n".to_vec()),
    ]
}

fn validation() -> impl Strategy<Value = Validation> {
    let legacy = prop_oneof![Just(LegacyLevel::None), Just(LegacyLevel::Medium), Just(LegacyLevel::Strict)];
    let metrics20 = prop_oneof![Just(Metrics20Level::None), Just(Metrics20Level::Medium)];
    let timestamps = prop_oneof![Just(Timestamps::Seconds), Just(Timestamps::Auto)];
    (legacy, metrics20, any::<bool>(), any::<bool>(), timestamps).prop_map(
        |(legacy, metrics20, order, finite, timestamps)| Validation {
            legacy,
            metrics20,
            order,
            finite,
            timestamps,
        },
    )
}

/// Up to and with the first line that is too long, which ends a connection.
fn until_too_long(stream: &[u8]) -> &[u8] {
    let mut end = 0;
    for line in stream.split_inclusive(|&byte| byte == b'\n') {
        end += line.len();
        if line.strip_suffix(b"\n").unwrap_or(line).len() > LINE_BYTES_MAX {
            break;
        }
    }
    &stream[..end]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn relay_trace_and_replay_decide_alike(
        lines in proptest::collection::vec(line(), 0..30),
        reads in proptest::collection::vec(1_usize..200, 1..8),
        ends in any::<bool>(),
        validation in validation(),
    ) {
        let table = table(validation);
        let mut stream = lines.concat();
        if ends {
            stream.pop();
        }
        let (got, is_whole) = by_pipeline(&table, &stream, &reads);
        let stream = if is_whole { &stream } else { until_too_long(&stream) };
        prop_assert_eq!(&got, &by_trace(&table, stream));
        prop_assert_eq!(&got, &by_replay(&table, stream));
    }
}

/// The settings that decide about lines reach `trace` too: those of the plan, in a running relay and beside it.
#[test]
fn a_running_relay_takes_the_lines_that_trace_takes() {
    let peer = Peer::start();
    let mut plan: Plan = support::plan(&[peer.address]);
    plan.settings.line_bytes_max = 40.into();
    plan.table.validation = Validation { order: true, timestamps: Timestamps::Auto, ..Validation::default() };
    let lines: [&[u8]; 12] = [
        b"a.b 1 1700000000",
        b"a.b 1 1700000000",
        b"a.b 1 1700000001\r",
        b"",
        b"c.d 1 1700000000123",
        b"e.f 1 17000000000",
        b"g.\xff 1 1700000000",
        b"h.\0 1 1700000000",
        b"i.j 1 1700000000 ",
        b"name.of.exactly.forty.bytes 1 1700000000",
        b"k.l 0x1p4 1.7e9",
        b"name.of.more.than.forty.bytes 1 1700000000",
    ];
    assert_eq!(lines[9].len(), 40);
    let text = lines.map(|line| [line, b"\n"].concat()).concat();

    let interpreter = Interpreter::new(&plan.table).unwrap();
    let (mut out, mut taken, mut refused) = (Vec::new(), 0, BTreeMap::<String, u64>::new());
    let admission = Admission::of(&plan, |_| None);
    trace_lines(&plan.table, &interpreter, admission, &|| NOW_S, &mut &text[..], &mut out).unwrap();
    for line in String::from_utf8(out).unwrap().lines() {
        let trace: serde_json::Value = serde_json::from_str(line).unwrap();
        match trace["reason"].as_str() {
            Some(reason) => *refused.entry(reason.to_owned()).or_default() += 1,
            None => taken += 1,
        }
    }
    assert_eq!((taken, refused.get("line_too_long")), (6, Some(&1)), "{refused:?}");

    let relay = support::start(&plan);
    TcpStream::connect(relay.address().unwrap()).unwrap().write_all(&text).unwrap();
    let ledger = settled(&relay, lines.len() as u64);
    let invalid = |reason: &Reason| (reason.name().to_owned(), ledger.total().invalid_for(*reason));
    let got: BTreeMap<_, _> = Reason::ALL.iter().map(invalid).filter(|(_, lines)| *lines > 0).collect();
    assert_eq!((ledger.total().routed, got), (taken, refused));
    wait_until("all arrived", || peer.line_count() as u64 == taken);
    assert!(peer.lines().contains(&"c.d 1 1700000000\n".to_owned()), "{:?}", peer.lines());
}
