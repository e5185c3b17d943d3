//! Prints what a million live series of 100 aggregations cost: memory per bucket, nanoseconds per line for new
//! and for known names, and how long a flush takes and delays a worker.
//!
//! `series [SERIES]`. Every metric is a series of its own, the worst case: nothing is folded. Memory is the
//! growth of the process' resident memory, so it includes what the allocator wastes.

use relay_benches::{Engine, gathered, pipeline_of, tables, take};
use relay_runtime::{
    aggregate::{Aggregates, Cursor, ready},
    table::AggregatorIndex,
};
use std::{
    env,
    fmt::Write as _,
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

const RULES: u64 = 100;
const SERIES: u64 = 1_000_000;

/// The time at which the lines come; the first full bucket begins then.
const NOW_S: u64 = 1_700_000_040;
const INTERVAL_S: u64 = 60;

/// The number of shards with a lock each in which a relay's workers share its open buckets.
const SHARDS: usize = 16;

/// The number of series that an engine emits in one turn.
const STEP: usize = 1_000;

fn main() {
    let series = env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(SERIES);
    println!("{series} series, {RULES} aggregations\n\n| what | figure |\n|:--|--:|");
    buckets(series);
    relay(series);
}

/// The cost of the buckets alone, in as many shards as a relay has.
fn buckets(series: u64) {
    let rules = ready(&tables::table(tables::SERIES).aggregators);
    let mut shards: Vec<_> = (0..SHARDS).map(|_| Aggregates::new(Arc::clone(&rules), 0)).collect();
    let mut name = String::new();
    let before = resident_bytes();
    let mut fill = |seconds| -> u64 {
        let each = (0..series).map(|at| {
            name.clear();
            let written = write!(name, "sum.team{:02}.{}", at % RULES, metric(at));
            debug_assert!(written.is_ok(), "a string takes everything");
            let shard = usize::try_from(at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32).unwrap_or(0) % SHARDS;
            shards[shard].add(index(at), name.as_bytes(), 1.0, seconds, NOW_S);
            name.len() as u64
        });
        each.sum()
    };
    let name_bytes = fill(seconds(NOW_S));
    let one = resident_bytes() - before;
    row("bytes per live bucket, its series' name not counted", per(one - name_bytes, series));
    fill(seconds(NOW_S + INTERVAL_S));
    row("bytes per second bucket of a series", per(resident_bytes() - before - one, series));
    let open: u64 = shards.iter().flat_map(Aggregates::counts).map(|counts| counts.open).sum();
    assert_eq!(open, 2 * series, "a bucket is missing");
}

/// The cost of a worker and the buckets that it shares.
fn relay(series: u64) {
    let mut pipeline = pipeline_of(tables::SERIES, Engine::Compiled).expect("a table of this name");
    let mut gathered = gathered(tables::SERIES);
    let before = resident_bytes();
    for (second, what) in [
        (NOW_S, "ns per line, names and series new"),
        (NOW_S + 1, "ns per line, names and series known"),
        (NOW_S + INTERVAL_S, "ns per line, names known, each in a new bucket"),
        (NOW_S + INTERVAL_S + 1, "ns per line, known again"),
    ] {
        let lines = lines(series, second);
        let started = Instant::now();
        assert_eq!(take(&lines, &mut *pipeline, &mut gathered), series, "a line is missing");
        row(what, per(started.elapsed().as_nanos() as u64, series));
        if second == NOW_S {
            drop(lines);
            row("MB resident with a worker's memory of all names", (resident_bytes() - before) as f64 / 1e6);
        }
    }
    let shared = pipeline.aggregation().expect("there are rules");
    let started = Instant::now();
    let (mut cursor, mut emitted, mut longest, mut is_over) = (Cursor::default(), 0, Duration::ZERO, false);
    while !is_over {
        let step = Instant::now();
        let mut budget = STEP;
        is_over = shared.flush(&mut cursor, NOW_S + 2 * INTERVAL_S, &mut budget, &mut |_| emitted += 1);
        longest = longest.max(step.elapsed());
    }
    assert_eq!(emitted, series, "a bucket is missing");
    row("ns per series flushed", per(started.elapsed().as_nanos() as u64, series));
    row(&format!("longest step of a flush ({STEP} series), µs"), longest.as_nanos() as f64 / 1e3);
}

fn row(what: &str, figure: f64) {
    println!("| {what} | {figure:.0} |");
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn per(total: u64, count: u64) -> f64 {
    total as f64 / count as f64
}

fn index(at: u64) -> AggregatorIndex {
    AggregatorIndex::new(usize::try_from(at % RULES).unwrap_or(0))
}

fn seconds(at: u64) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn metric(at: u64) -> String {
    format!("web{:05}.requests.{:02}.mean", at / 100, at % 7)
}

fn lines(series: u64, second: u64) -> Vec<u8> {
    let mut text = String::new();
    for at in 0..series {
        let written = writeln!(text, "team{:02}.{} {}.5 {second}", at % RULES, metric(at), at % 1_000);
        debug_assert!(written.is_ok(), "a string takes everything");
    }
    text.into_bytes()
}

/// The resident memory of this process in bytes (`statm`, see proc(5)).
fn resident_bytes() -> u64 {
    const PAGE_BYTES: u64 = 4096;
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE_BYTES
}
