//! Streams from clients. However a stream is cut into reads, the same lines must come of it, in the same order within each
//! series. (Across series the order may differ: a turn's lines leave by the destinations that they go to.)

use relay_build::config::{Options, Source, check_text};
use relay_runtime::{
    counts::Counts,
    gather::Gathered,
    interpret::Interpreter,
    pipeline::{LinePipeline, Pipeline},
    protocol::{InputLimits, Protocol, Violation},
    select::Liveness,
    table::Table,
};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, LazyLock},
};

const NOW_S: u64 = 1_700_000_000;

/// Small, so that limits are met.
const LIMITS: InputLimits = InputLimits { line_bytes: 200, frame_bytes: 4_096 };

/// One table for each way to validate, with something of everything that looks at names.
static TABLES: LazyLock<Vec<(Table, Arc<Interpreter>)>> = LazyLock::new(|| {
    let levels = ["none", "medium", "strict"].into_iter().flat_map(|legacy| {
        let metrics20 = ["none", "medium"].into_iter();
        metrics20.map(move |metrics20| (legacy, metrics20))
    });
    let tables = levels.map(|(legacy, metrics20)| {
        let text = CONFIG.replace("{legacy}", legacy).replace("{metrics20}", metrics20);
        let source = Source { path: PathBuf::from("relay.toml"), text };
        let checked = check_text(source, &Options::default());
        assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
        let interpreter = Interpreter::new(&checked.plan.table).expect("a plan without errors");
        (checked.plan.table, Arc::new(interpreter))
    });
    tables.collect()
});

const CONFIG: &str = r#"
instance = "fuzz"
log_level = "info"
bad_metrics_max_age = "24h"
validation_level_legacy = "{legacy}"
validation_level_m20 = "{metrics20}"
reject_nan = true
blocklist = ["sub bad"]

[[rewriter]]
old = "aa"
new = "b..b"
max = -1

[[route]]
key = "all"
type = "sendAllMatch"
destinations = ["127.0.0.1:1"]

[[route]]
key = "some"
type = "sendAllMatch"
prefix = "b"
destinations = ["127.0.0.1:2"]
"#;

/// The first byte chooses how to validate, the second how long reads are.
pub(crate) fn lines(data: &[u8]) {
    compare(Protocol::Plain, data);
}

/// The same with pickles.
pub(crate) fn pickle(data: &[u8]) {
    compare(Protocol::Pickle, data);
}

fn compare(protocol: Protocol, data: &[u8]) {
    let Some(([level, length], stream)) = data.split_first_chunk() else { return };
    let (table, interpreter) = &TABLES[usize::from(*level) % TABLES.len()];
    let take = |length: usize| {
        let liveness = Liveness::all_up(table.destinations.len());
        let pipeline = Pipeline::new(Arc::clone(interpreter), table, LIMITS.line_bytes, liveness);
        take(protocol, stream, length, pipeline, table.destinations.len())
    };
    let (whole, cut) = (take(usize::MAX), take(usize::from(*length) + 1));
    assert_eq!(whole, cut, "reads of {} bytes", usize::from(*length) + 1);
}

/// What came of a stream: what each destination gets by series, the counts, and why it ended early.
#[derive(Debug, PartialEq)]
struct Outcome {
    delivered: Vec<BTreeMap<Vec<u8>, Vec<u8>>>,
    counts: Counts,
    violation: Option<Violation>,
}

fn take(
    protocol: Protocol,
    stream: &[u8],
    length: usize,
    mut pipeline: Pipeline<Interpreter>,
    destinations: usize,
) -> Outcome {
    let mut gathered = Gathered::new(destinations);
    let mut delivered = vec![Vec::new(); destinations];
    let mut decoder = protocol.decoder(LIMITS);
    let pipeline: &mut dyn LinePipeline = &mut pipeline;
    let mut violation = None;
    for read in stream.chunks(length) {
        if let Err(why) = decoder.feed(read, NOW_S, pipeline, &mut gathered) {
            violation = Some(why);
            break;
        }
        drain(&mut gathered, &mut delivered);
    }
    if violation.is_none() {
        decoder.finish(true, NOW_S, pipeline, &mut gathered);
    }
    drain(&mut gathered, &mut delivered);
    assert!(gathered.counts.is_balanced(), "{:?}", gathered.counts);
    for lines in &delivered {
        assert!(lines.last().is_none_or(|last| *last == b'\n'), "{}", lines.escape_ascii());
        let longest = lines.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
        // A rewriter makes a line at most twice as long.
        assert!(longest <= Some(2 * LIMITS.line_bytes), "{longest:?}");
    }
    let delivered = delivered.iter().map(|lines| by_series(lines)).collect();
    Outcome { delivered, counts: gathered.counts, violation }
}

fn by_series(lines: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut series = BTreeMap::<_, Vec<u8>>::new();
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        let name = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        series.entry(name.to_vec()).or_default().extend_from_slice(line);
    }
    series
}

fn drain(gathered: &mut Gathered, delivered: &mut [Vec<u8>]) {
    gathered.drain(|to, chunk| {
        for destination in to {
            delivered[destination.get()].extend_from_slice(chunk.bytes());
        }
    });
}
