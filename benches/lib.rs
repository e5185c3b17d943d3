//! Benchmarks of static-relay: tables, lines and the pipeline that all of them share.
//!
//! `benches/run` runs all of them and prints the tables of docs/performance.md. They also run one by one:
//! `cargo bench -p relay-benches` times rings and, with `--features tables`, whole tables in memory, one file
//! per concept; `--bin memory` prints the same tables with instructions per line; `--bin loopback` compares
//! whole relays over loopback.

pub mod tables;

#[cfg(feature = "tables")]
mod compiled {
    #![allow(missing_docs, dead_code, unreachable_pub, clippy::all, clippy::pedantic, reason = "generated")]
    use super::{pipeline, tables};
    use relay_runtime::pipeline::LinePipeline;
    include!(concat!(env!("OUT_DIR"), "/tables.rs"));
}

use relay_runtime::{
    dispatch::Dispatch,
    gather::Gathered,
    interpret::Interpreter,
    pipeline::{LinePipeline, Pipeline},
    select::Liveness,
    table::Table,
};
use std::{hint::black_box, sync::Arc};

/// What runs a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The generated code.
    Compiled,
    /// The reference interpreter.
    Interpreted,
}

impl Engine {
    /// Both engines.
    pub const ALL: [Self; 2] = [Self::Compiled, Self::Interpreted];

    /// The name for command lines and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Compiled => "compiled",
            Self::Interpreted => "interpreted",
        }
    }
}

/// Only one line of this many is measured: the interpreter asks every rule about every line, so a large table
/// gets fewer lines.
#[must_use]
pub fn thinning(table: &str, engine: Engine) -> u64 {
    match (engine, table) {
        (Engine::Interpreted, "prefixes_100k") => 1_000,
        (Engine::Interpreted, "prefixes_10k") => 100,
        (Engine::Interpreted, "prefixes_1k" | "substrings_1k" | "regexes_100" | "aggregations_100") => 10,
        _ => 1,
    }
}

/// A worker's pipeline, from bytes to chunks, for a table of [`tables::ALL`]. Compiled tables need the feature
/// `tables`; `None` if there is no such table.
#[must_use]
pub fn pipeline_of(name: &str, engine: Engine) -> Option<Box<dyn LinePipeline>> {
    match engine {
        #[cfg(feature = "tables")]
        Engine::Compiled => compiled::compiled(name),
        #[cfg(not(feature = "tables"))]
        Engine::Compiled => None,
        Engine::Interpreted => {
            let table = tables::table(name);
            Some(pipeline(&table, Interpreter::new(&table).ok()?))
        }
    }
}

fn pipeline<D: Dispatch + 'static>(table: &Table, dispatch: D) -> Box<dyn LinePipeline> {
    let liveness = Liveness::all_up(table.destinations.len());
    Box::new(Pipeline::new(Arc::new(dispatch), table, 65_535, liveness))
}

/// The most bytes that a relay reads at a time.
pub const READ_BYTES: usize = 256 * 1024;

/// Passes all lines through `pipeline`, one read at a time as a worker does, and empties `gathered` after each
/// read. Returns the number of lines.
pub fn take(lines: &[u8], pipeline: &mut dyn LinePipeline, gathered: &mut Gathered) -> u64 {
    let before = gathered.counts.received;
    let mut rest = lines;
    while !rest.is_empty() {
        let read = &rest[..rest.len().min(READ_BYTES)];
        let taken = pipeline.take_lines(black_box(read), 1_700_000_000, gathered);
        gathered.drain(|destinations, chunk| drop(black_box((destinations.len(), chunk))));
        rest = &rest[taken..];
    }
    gathered.counts.received - before
}

/// An empty `Gathered` with room for all destinations of the table `name`.
#[must_use]
pub fn gathered(name: &str) -> Gathered {
    Gathered::new(tables::table(name).destinations.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use relay_runtime::{admission::Admission, trace::Tracer};
    use std::collections::BTreeSet;

    /// The destinations of each line.
    fn deliveries(name: &str, lines: &[u8]) -> Vec<Vec<String>> {
        let table = tables::table(name);
        let interpreter = Interpreter::new(&table).expect("good regexes");
        let mut tracer = Tracer::new(&table, &interpreter, Admission::new(table.validation, 65_535));
        let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let to =
            |line| tracer.trace(line, 0).routes.into_iter().flat_map(|route| route.destinations).collect();
        lines.map(to).collect()
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "averages")]
    fn the_table_that_is_like_those_in_production_is_what_is_said_of_it() {
        let table = tables::table("production_negated");
        let hosts: BTreeSet<_> = table.destinations.iter().map(|one| one.host().to_owned()).collect();
        assert_eq!((table.routes.len(), table.destinations.len(), hosts.len()), (215, 363, 363));
        let lines = tables::lines("production_negated", 2_000);
        let bytes = lines.len() as f64 / 2_000.0;
        assert!((171.0..173.0).contains(&bytes), "{bytes}");
        let negated = deliveries("production_negated", &lines);
        let each = negated.iter().map(Vec::len).sum::<usize>() as f64 / 2_000.0;
        assert!((3.35..3.45).contains(&each), "{each}");
        assert_eq!(negated, deliveries("production_stopped", &lines));
    }
}
