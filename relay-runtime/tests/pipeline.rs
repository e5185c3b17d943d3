//! The fast pass over a block against the slow and obvious way of a line: each line by itself through the tracer.

use proptest::prelude::*;
use relay_runtime::{
    admission::Admission,
    gather::Gathered,
    interpret::Interpreter,
    pipeline::{LinePipeline, Pipeline},
    protocol::plain::PlainDecoder,
    select::Liveness,
    table::{
        Destination, DestinationIndex, HashAlgorithm, HashRing, Matcher, Pattern, Rewriter, Route,
        RouteDestination, RouteKind, Table,
    },
    trace::Tracer,
};
use std::{collections::BTreeMap, sync::Arc};

const LINE_BYTES_MAX: usize = 300;

/// What each destination got of each series, in order.
type Delivered = BTreeMap<(usize, Vec<u8>), Vec<Vec<u8>>>;

/// Routes of every kind: blocked, rewritten, all, first, hashed by one route, hashed by several with equal or
/// different rings, and hashed with more sets of destinations than get chunks of their own.
fn table() -> Table {
    let index = DestinationIndex::new;
    let to = |at| RouteDestination { destination: index(at), matcher: Matcher::default() };
    let prefix = |text: &str| Matcher { prefix: Some(text.to_owned()), ..Matcher::default() };
    let route = |key: &str, matcher, kind| Route::new(key, matcher, kind);
    let ring = |algorithm, replicas| {
        let destinations = (0..4).map(index).collect();
        RouteKind::ConsistentHash(HashRing { algorithm, replicas, diverse: false, destinations })
    };
    Table {
        destinations: (0..4).map(|at| Destination::new(format!("10.0.0.{at}:2003"))).collect(),
        blocklist: vec![prefix("c.")],
        rewriters: vec![Rewriter { old: Pattern::parse("bb"), new: "x".to_owned(), not: None, max: None }],
        routes: vec![
            route("all", prefix("a"), RouteKind::SendAllMatch { destinations: vec![to(0), to(1)] }),
            route("ring", prefix("ab"), ring(HashAlgorithm::CarbonCh, 1)),
            route("one", prefix("b"), RouteKind::SendFirstMatch { destinations: vec![to(3), to(2)] }),
            route("same ring", prefix("ab"), ring(HashAlgorithm::CarbonCh, 1)),
            route("same hash", prefix("ba"), ring(HashAlgorithm::FastCarbonCh, 1)),
            route("two", prefix("b"), ring(HashAlgorithm::ConsistentHashingV1, 2)),
            route("other", prefix("ba"), ring(HashAlgorithm::Fnv1aCh, 1)),
            route("others", prefix("bb"), ring(HashAlgorithm::JumpFnv1aCh, 3)),
            route("mmh3", prefix("x"), ring(HashAlgorithm::Mmh3Ch, 1)),
            route("in turn", prefix("bc"), RouteKind::RoundRobin { destinations: vec![index(0), index(2)] }),
        ],
        ..Table::default()
    }
}

fn fast(table: &Table, stream: &[u8], reads: &[usize]) -> (Delivered, Gathered) {
    let interpreter = Arc::new(Interpreter::new(table).unwrap());
    let mut pipeline = Pipeline::new(interpreter, table, LINE_BYTES_MAX, Liveness::all_up(4));
    let (mut gathered, mut delivered) = (Gathered::new(4), Delivered::new());
    let mut decoder = PlainDecoder::new(LINE_BYTES_MAX);
    let (mut rest, mut sizes) = (stream, reads.iter().cycle());
    while !rest.is_empty() {
        let (read, after) = rest.split_at(rest.len().min(*sizes.next().unwrap()));
        let pipeline: &mut dyn LinePipeline = &mut pipeline;
        decoder.feed(read, 1_700_000_000, pipeline, &mut gathered).expect("no line is too long");
        collect(&mut gathered, &mut delivered);
        rest = after;
    }
    decoder.finish(true, 1_700_000_000, &mut pipeline, &mut gathered);
    collect(&mut gathered, &mut delivered);
    (delivered, gathered)
}

fn collect(gathered: &mut Gathered, delivered: &mut Delivered) {
    gathered.drain(|destinations, chunk| {
        for line in chunk.bytes().split_inclusive(|&byte| byte == b'\n') {
            let name = line.split(|&byte| byte == b' ').next().unwrap_or_default();
            for destination in destinations {
                delivered.entry((destination.get(), name.to_vec())).or_default().push(line.to_vec());
            }
        }
    });
}

fn slow(table: &Table, stream: &[u8]) -> (Delivered, [u64; 4]) {
    let interpreter = Interpreter::new(table).unwrap();
    let mut tracer = Tracer::new(table, &interpreter, Admission::new(table.validation, LINE_BYTES_MAX));
    let (mut delivered, mut counts) = (Delivered::new(), [0; 4]);
    for line in stream.split_inclusive(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let trace = tracer.trace(line, 1_700_000_000);
        let kind = if !trace.accepted {
            0
        } else if trace.blocked_by.is_some() {
            1
        } else if trace.routes.is_empty() {
            2
        } else {
            3
        };
        counts[kind] += 1;
        if kind < 3 {
            continue;
        }
        let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | 0x0B | 0x0C);
        let mut fields = line.split(is_space).filter(|field| !field.is_empty());
        let name = trace.rewritten.or(trace.name).unwrap().into_bytes();
        let numbers: Vec<_> = fields.by_ref().skip(1).collect();
        // -1 is the time of arrival.
        let written: Option<f64> = std::str::from_utf8(numbers[1]).ok().and_then(|text| text.parse().ok());
        let is_now = written.is_some_and(|number| -2.0 < number && number <= -1.0);
        let sent = [&name[..], numbers[0], if is_now { b"1700000000" } else { numbers[1] }].join(&b' ');
        for to in trace.routes.iter().flat_map(|route| &route.destinations) {
            let at = table.destinations.iter().position(|one| one.written() == *to).unwrap();
            let line = [&sent[..], b"\n"].concat();
            delivered.entry((at, name.clone())).or_default().push(line);
        }
    }
    (delivered, counts)
}

fn line() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        8 => "[abc]{1,3}(\\.[abc]{1,4}){1,6}",
        1 => "[abc]{20,40}\\.a;t=[abc]",
        1 => "[.abc=_;\u{e9}\0-]{0,12}",
    ];
    let value = prop_oneof![8 => "-?[0-9]{1,6}(\\.[0-9]{1,12})?", 1 => "[-+.0-9exnaif]{0,8}"];
    let time = prop_oneof![8 => "1[67][0-9]{8}", 1 => "[-.0-9e]{0,12}"];
    let space = prop_oneof![9 => Just(" "), 1 => "[ \t]{1,3}".prop_map(|text| if text.len() > 1 { "  " } else { "\t" })];
    let end = prop_oneof![8 => Just("\n"), 1 => Just("\r\n"), 1 => Just(" \n")];
    (name, space, value, time, end)
        .prop_map(|(name, space, value, time, end)| format!("{name}{space}{value} {time}{end}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_block_is_taken_as_its_lines_would_be(
        lines in proptest::collection::vec(line(), 0..40),
        reads in proptest::collection::vec(1_usize..400, 1..8),
        ends in any::<bool>(),
    ) {
        let table = table();
        let mut stream = lines.concat().into_bytes();
        if ends {
            stream.pop();
        }
        let ((got, gathered), (want, [invalid, blocked, unroutable, routed])) =
            (fast(&table, &stream, &reads), slow(&table, &stream));
        let counts = &gathered.counts;
        prop_assert_eq!(
            [counts.invalid_total(), counts.blocked, counts.unroutable, counts.routed],
            [invalid, blocked, unroutable, routed]
        );
        prop_assert!(counts.is_balanced());
        prop_assert_eq!(got, want);
    }
}
