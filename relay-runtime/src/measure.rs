//! The `main` of a program that measures tables: what a line costs in memory, compiled and interpreted.
//!
//! `relay-build bench` generates such a program: for each table the same code that a relay would get, without
//! sockets. It measures framing, validating, dispatching and gathering, in blocks as large as a worker's reads.
//!
//! ```text
//! time CORPUS ROUNDS ENGINE:TABLE…         rounds of all tables alternate; prints one JSON array on stdout
//! count CORPUS LINES PASSES ENGINE:TABLE   runs the first lines several times and prints nothing: for callgrind
//! ```
//!
//! The order check is off, because the same lines come again and again. A relay contains none of this: code
//! that it does not call is not linked.

use crate::{
    counts::Counts,
    dispatch::Dispatch,
    gather::Gathered,
    interpret::Interpreter,
    pipeline::{LinePipeline, Pipeline},
    plan::Plan,
    select::Liveness,
    table::Table,
};
use serde::Serialize;
use std::{
    env, fmt, fs,
    hint::black_box,
    io,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

/// The most bytes that a worker reads at a time.
const READ_BYTES: usize = 256 * 1024;

/// A corpus is repeated until it has this many bytes, so that even a few lines are read as traffic is: in large
/// blocks.
const TEXT_BYTES_MIN: usize = 64 * 1024;

/// The intended length of a round: long enough for the clock, short enough for many rounds.
const ROUND: Duration = Duration::from_millis(60);

/// After this time, a slow table gets no more rounds.
const PATIENCE: Duration = Duration::from_secs(8);

/// The longest line in bytes.
const LINE_BYTES_MAX: usize = 65_535;

/// A table that the program contains.
pub struct Entry {
    /// The name on the command line.
    pub name: &'static str,
    /// The plan, as JSON.
    pub plan: &'static str,
    /// Makes the pipeline of the compiled table; see [`compiled`].
    pub pipeline: fn(&Table) -> Box<dyn LinePipeline>,
}

/// Why nothing was measured.
#[derive(Debug)]
pub enum MeasureError {
    /// The arguments are not valid.
    Usage,
    /// There is no such table or engine.
    Unknown(String),
    /// The corpus could not be read.
    Corpus(io::Error),
    /// The corpus contains no line.
    Empty,
    /// The built-in plan cannot be used.
    Plan(String),
}

/// The figures of one table.
#[derive(Debug, Serialize)]
struct Figures {
    name: String,
    /// Nanoseconds per line of each round.
    rounds: Vec<f64>,
    /// How many times each round ran the whole corpus.
    passes: u64,
    /// The number of lines in the corpus.
    lines: u64,
    outcomes: Outcomes,
}

/// How many lines of the corpus ended in which way.
#[derive(Debug, Serialize)]
struct Outcomes {
    invalid: u64,
    blocked: u64,
    aggregated_away: u64,
    unroutable: u64,
    routed: u64,
}

/// A worker's pipeline, from bytes to chunks, for a compiled table.
#[must_use]
pub fn compiled<D: Dispatch + 'static>(dispatch: D, table: &Table) -> Box<dyn LinePipeline> {
    let liveness = Liveness::all_up(table.destinations.len());
    Box::new(Pipeline::new(Arc::new(dispatch), table, LINE_BYTES_MAX, liveness))
}

/// Runs the program with its command line.
#[must_use]
pub fn main(entries: &[Entry]) -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(entries, &arguments) {
        Ok(Some(text)) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(entries: &[Entry], arguments: &[String]) -> Result<Option<String>, MeasureError> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["time", corpus, rounds, tables @ ..] => {
            let rounds = rounds.parse().map_err(|_| MeasureError::Usage)?;
            let corpus = Corpus::read(corpus)?;
            let subjects = tables.iter().map(|table| Subject::new(entries, table));
            let figures = time(&corpus, rounds, subjects.collect::<Result<_, _>>()?);
            serde_json::to_string(&figures).map(Some).map_err(|error| MeasureError::Plan(error.to_string()))
        }
        ["count", corpus, lines, passes, table] => {
            let (lines, passes): (usize, u32) = match (lines.parse(), passes.parse()) {
                (Ok(lines), Ok(passes)) => (lines, passes),
                _ => return Err(MeasureError::Usage),
            };
            let corpus = Corpus::read(corpus)?;
            let mut subject = Subject::new(entries, table)?;
            for _ in 0..passes {
                subject.take(corpus.first(lines));
            }
            Ok(None)
        }
        _ => Err(MeasureError::Usage),
    }
}

/// Runs the rounds of all tables alternately, so that a noisy moment affects all of them.
fn time(corpus: &Corpus, rounds: usize, mut subjects: Vec<Subject>) -> Vec<Figures> {
    let mut figures: Vec<_> = subjects.iter_mut().map(|subject| begin(corpus, subject)).collect();
    let started = Instant::now();
    let patience = PATIENCE * u32::try_from(subjects.len()).unwrap_or(u32::MAX);
    for round in 0..rounds.max(1) {
        if round > 1 && started.elapsed() > patience {
            break;
        }
        for (figures, subject) in figures.iter_mut().zip(&mut subjects) {
            let started = Instant::now();
            for _ in 0..figures.passes {
                subject.take(&corpus.text);
            }
            let lines = figures.passes * corpus.copies * corpus.lines;
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            figures.rounds.push(started.elapsed().as_nanos() as f64 / lines as f64);
        }
    }
    for figures in &mut figures {
        figures.passes *= corpus.copies;
    }
    figures
}

/// Warms up, counts how the lines end, and finds how many passes make a round.
fn begin(corpus: &Corpus, subject: &mut Subject) -> Figures {
    subject.take(&corpus.text);
    let outcomes = Outcomes::new(&subject.gathered.counts, corpus.copies);
    let started = Instant::now();
    subject.take(&corpus.text);
    let passes = ROUND.as_nanos() / started.elapsed().as_nanos().max(1);
    let passes = u64::try_from(passes).unwrap_or(u64::MAX).clamp(1, 10_000);
    Figures { name: subject.name.clone(), rounds: Vec::new(), passes, lines: corpus.lines, outcomes }
}

/// The lines, repeated until they have a certain length.
struct Corpus {
    text: Vec<u8>,
    copies: u64,
    lines: u64,
}

impl Corpus {
    fn read(path: &str) -> Result<Self, MeasureError> {
        Self::new(fs::read(path).map_err(MeasureError::Corpus)?)
    }

    fn new(mut one: Vec<u8>) -> Result<Self, MeasureError> {
        if one.last().is_some_and(|last| *last != b'\n') {
            one.push(b'\n');
        }
        let lines = memchr::memchr_iter(b'\n', &one).count() as u64;
        if lines == 0 {
            return Err(MeasureError::Empty);
        }
        let copies = TEXT_BYTES_MIN.div_ceil(one.len());
        Ok(Self { text: one.repeat(copies), copies: copies as u64, lines })
    }

    /// The first `lines` lines, or all if there are fewer.
    fn first(&self, lines: usize) -> &[u8] {
        let end = memchr::memchr_iter(b'\n', &self.text).nth(lines.saturating_sub(1));
        &self.text[..end.map_or(self.text.len(), |end| end + 1)]
    }
}

/// A table that is being measured.
struct Subject {
    name: String,
    pipeline: Box<dyn LinePipeline>,
    gathered: Gathered,
}

impl Subject {
    /// Parses `compiled:NAME` or `interpreted:NAME`.
    fn new(entries: &[Entry], written: &str) -> Result<Self, MeasureError> {
        let unknown = || MeasureError::Unknown(written.to_owned());
        let (engine, name) = written.split_once(':').ok_or_else(unknown)?;
        let entry = entries.iter().find(|entry| entry.name == name).ok_or_else(unknown)?;
        let plan = Plan::from_json(entry.plan).map_err(|error| MeasureError::Plan(error.to_string()))?;
        let mut table = plan.table;
        table.validation.order = false;
        let pipeline = match engine {
            "compiled" => (entry.pipeline)(&table),
            "interpreted" => {
                let interpreter = Interpreter::new(&table);
                compiled(interpreter.map_err(|error| MeasureError::Plan(error.to_string()))?, &table)
            }
            _ => return Err(unknown()),
        };
        Ok(Self { name: written.to_owned(), pipeline, gathered: Gathered::new(table.destinations.len()) })
    }

    /// Passes whole lines through the pipeline, one read at a time as a worker does, and empties what was
    /// gathered.
    fn take(&mut self, lines: &[u8]) {
        let mut rest = lines;
        while !rest.is_empty() {
            let read = &rest[..rest.len().min(READ_BYTES)];
            let taken = self.pipeline.take_lines(black_box(read), 1_700_000_000, &mut self.gathered);
            self.gathered.drain(|destinations, chunk| drop(black_box((destinations.len(), chunk))));
            if taken == 0 {
                // A line that is too long: a relay would close the connection.
                let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
                rest = &rest[end..];
            } else {
                rest = &rest[taken..];
            }
        }
    }
}

impl Outcomes {
    fn new(counts: &Counts, copies: u64) -> Self {
        let of = |count: u64| count / copies.max(1);
        Self {
            invalid: of(counts.invalid_total()),
            blocked: of(counts.blocked),
            aggregated_away: of(counts.aggregated_away),
            unroutable: of(counts.unroutable),
            routed: of(counts.routed),
        }
    }
}

impl fmt::Display for MeasureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage => f.write_str(
                "usage: time CORPUS ROUNDS ENGINE:TABLE…, or count CORPUS LINES PASSES ENGINE:TABLE",
            ),
            Self::Unknown(name) => write!(f, "there is no `{name}` here"),
            Self::Corpus(error) => write!(f, "cannot read the corpus: {error}"),
            Self::Empty => f.write_str("the corpus has no line"),
            Self::Plan(error) => write!(f, "the plan cannot be used: {error}"),
        }
    }
}

impl std::error::Error for MeasureError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Matcher;

    fn entry() -> Entry {
        let mut table = Table::default();
        table.blocklist.push(Matcher { prefix: Some("b.".to_owned()), ..Matcher::default() });
        let plan = serde_json::to_string(&Plan { table, ..Plan::default() }).unwrap();
        Entry {
            name: "t",
            plan: String::leak(plan),
            pipeline: |table| compiled(Interpreter::new(table).unwrap(), table),
        }
    }

    #[test]
    fn every_line_is_counted_once_however_often_it_was_taken() {
        let corpus = Corpus::new(b"a 1 1\nb.c 1 1\nbad\nb.d 1 1".to_vec()).unwrap();
        assert!(corpus.text.len() >= TEXT_BYTES_MIN);
        let subjects =
            ["compiled:t", "interpreted:t"].map(|name| Subject::new(&[entry()], name).unwrap()).into();
        for figures in time(&corpus, 3, subjects) {
            let Outcomes { invalid, blocked, aggregated_away, unroutable, routed } = figures.outcomes;
            assert_eq!([invalid, blocked, aggregated_away, unroutable, routed], [1, 2, 0, 1, 0]);
            assert_eq!((figures.rounds.len(), figures.lines), (3, 4));
            assert!(figures.rounds.iter().all(|round| *round > 0.0));
        }
    }

    #[test]
    fn the_first_lines_are_whole_ones() {
        let corpus = Corpus::new(b"a 1 1\nb 1 1\n".to_vec()).unwrap();
        assert_eq!(corpus.first(1), b"a 1 1\n");
        assert_eq!(corpus.first(3), b"a 1 1\nb 1 1\na 1 1\n");
        assert!(matches!(Corpus::new(Vec::new()), Err(MeasureError::Empty)));
        assert!(matches!(Subject::new(&[entry()], "other:t"), Err(MeasureError::Unknown(_))));
    }
}
