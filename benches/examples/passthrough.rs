//! Takes N ordinary lines through the whole in-memory path at passthrough, for callgrind: with
//! `passthrough 100000` and `passthrough 200000`, the difference of the instruction counts is what 100,000
//! lines cost, without start-up. Prints nanoseconds per line too, beside those of a plain search for LF.
//!
//! `passthrough N memchr` does only the latter.

use relay_runtime::{
    dispatch::{Dispatch, Scratch, Sink},
    gather::Gathered,
    pipeline::{LinePipeline, Pipeline},
    select::Liveness,
    table::{Destination, DestinationIndex, RouteIndex, Table},
};
use std::{hint::black_box, sync::Arc, time::Instant};

/// What a relay reads at a time.
const READ_BYTES: usize = 256 * 1024;

/// One route without conditions, to one destination.
struct Passthrough;

impl Dispatch for Passthrough {
    #[inline]
    fn dispatch<S: Sink>(&self, name: &[u8], scratch: &mut Scratch, sink: &mut S) {
        self.route(name, scratch, sink);
    }

    #[inline]
    fn route<S: Sink>(&self, _: &[u8], _: &mut Scratch, sink: &mut S) {
        sink.route(RouteIndex(0));
        sink.deliver(DestinationIndex(0));
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: usize = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(1_000_000);
    let only_memchr = arguments.next().is_some_and(|what| what == "memchr");
    let read = lines();
    let lines_per_read = read.iter().filter(|&&byte| byte == b'\n').count();
    let reads = count.div_ceil(lines_per_read);
    let report = |what: &str, lines: usize, started: Instant| {
        let nanoseconds = started.elapsed().as_secs_f64() * 1e9;
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let per_line = nanoseconds / lines as f64;
        println!("{what}: {lines} lines, {per_line:.1} ns per line");
    };
    let started = Instant::now();
    report("newlines only", count_newlines(&read, reads), started);
    if !only_memchr {
        let started = Instant::now();
        report("frame, validate, dispatch, gather", pass_through(&read, reads), started);
    }
}

/// Lines of about 55 to 65 bytes, as many as fit a read.
fn lines() -> Vec<u8> {
    let mut lines = Vec::with_capacity(READ_BYTES);
    for number in 0_u32.. {
        let (host, value, fraction) = (number % 10_000, number % 97, number % 1_000);
        let line = format!(
            "servers.web{host:04}.cpu{}.user.percent.average {value}.{fraction:03} {}\n",
            number % 16,
            1_700_000_000 + number / 100
        );
        if lines.len() + line.len() > READ_BYTES {
            break;
        }
        lines.extend_from_slice(line.as_bytes());
    }
    lines
}

fn count_newlines(read: &[u8], reads: usize) -> usize {
    let count = |bytes: &[u8]| {
        let (mut rest, mut lines) = (bytes, 0);
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            rest = &rest[end + 1..];
            lines += 1;
        }
        lines
    };
    (0..reads).map(|_| count(black_box(read))).sum()
}

fn pass_through(read: &[u8], reads: usize) -> usize {
    let table = Table { destinations: vec![Destination::new("127.0.0.1:2003")], ..Table::default() };
    let mut pipeline = Pipeline::new(Arc::new(Passthrough), &table, 65_535, Liveness::all_up(1));
    let pipeline: &mut dyn LinePipeline = &mut pipeline;
    let mut gathered = Gathered::new(1);
    for _ in 0..reads {
        pipeline.take_lines(black_box(read), 1_700_000_000, &mut gathered);
        gathered.drain(|destinations, chunk| drop(black_box((destinations.len(), chunk))));
    }
    assert!(gathered.counts.is_balanced());
    usize::try_from(gathered.counts.routed).unwrap_or(usize::MAX)
}
