//! Prints what a line costs in memory for every table, compiled and interpreted: nanoseconds, and instructions
//! as callgrind counts them.
//!
//! `memory [--format json] [--without-callgrind] [TABLE…]`. A time is the best of several rounds; the rounds of
//! all tables alternate, so that a noisy moment affects all of them. Compare times of one run only.
//! Instructions are the difference between two runs of different lengths, so that start-up does not count; they
//! are the same on every run.

use relay_benches::{Engine, gathered, pipeline_of, tables, take, thinning};
use std::{
    env,
    process::{Command, ExitCode},
    time::Instant,
};

const LINES: u64 = 100_000;
const ROUNDS: usize = 7;

/// The numbers of lines of the two runs under callgrind. The first run is long enough for everything that is
/// allocated for the first lines.
const COUNTED: [u64; 2] = [5_000, 25_000];

/// One row of the table.
struct Figure {
    table: &'static str,
    engine: Engine,
    lines: u64,
    nanoseconds: f64,
    instructions: Option<f64>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [first, table, engine, lines] = arguments.as_slice()
        && first == "--worker"
    {
        return work(table, engine, lines.parse().unwrap_or_default());
    }
    let is_json = arguments.windows(2).any(|pair| pair == ["--format", "json"]);
    let has_callgrind = !arguments.iter().any(|one| one == "--without-callgrind") && callgrind_is_there();
    let wanted: Vec<_> =
        tables::ALL.into_iter().filter(|name| arguments.iter().any(|one| one == name)).collect();
    let tables = if wanted.is_empty() { tables::ALL.to_vec() } else { wanted };
    let figures = measure(&tables, has_callgrind);
    if is_json {
        print_json(&figures)
    } else {
        print_text(&figures)
    }
    ExitCode::SUCCESS
}

fn measure(tables: &[&'static str], has_callgrind: bool) -> Vec<Figure> {
    let both = |&table: &&'static str| Engine::ALL.map(|engine| (table, engine));
    let figure = |(table, engine)| {
        let lines = LINES / thinning(table, engine);
        Figure { table, engine, lines, nanoseconds: f64::INFINITY, instructions: None }
    };
    let mut figures: Vec<_> = tables.iter().flat_map(both).map(figure).collect();
    let mut ready: Vec<_> = figures
        .iter()
        .map(|one| {
            let pipeline = pipeline_of(one.table, one.engine).expect("a table of this name");
            (pipeline, gathered(one.table), tables::lines(one.table, one.lines))
        })
        .collect();
    for _ in 0..ROUNDS {
        for (figure, (pipeline, gathered, lines)) in figures.iter_mut().zip(&mut ready) {
            let started = Instant::now();
            let taken = take(lines, &mut **pipeline, gathered);
            assert_eq!(taken, figure.lines, "{}: a line is missing", figure.table);
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            let nanoseconds = started.elapsed().as_nanos() as f64 / taken as f64;
            figure.nanoseconds = figure.nanoseconds.min(nanoseconds);
        }
    }
    if has_callgrind {
        for figure in &mut figures {
            eprintln!("callgrind: {} {}", figure.table, figure.engine.name());
            figure.instructions = instructions(figure.table, figure.engine);
        }
    }
    figures
}

/// What runs under callgrind: one table, `lines` lines.
fn work(table: &str, engine: &str, lines: u64) -> ExitCode {
    let found = Engine::ALL.into_iter().find(|one| one.name() == engine);
    let Some((engine, mut pipeline)) = found.and_then(|one| Some((one, pipeline_of(table, one)?))) else {
        eprintln!("no table `{table}`");
        return ExitCode::from(2);
    };
    // Both runs make both texts, so they differ only in the lines that they run.
    let [few, many] = counted(table, engine);
    let [few, more] = [few, many - few].map(|count| tables::lines(table, count));
    let mut gathered = gathered(table);
    let mut taken = take(&few, &mut *pipeline, &mut gathered);
    if lines > taken {
        taken += take(&more, &mut *pipeline, &mut gathered);
    }
    if taken == lines { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn counted(table: &str, engine: Engine) -> [u64; 2] {
    COUNTED.map(|lines| lines / thinning(table, engine))
}

fn callgrind_is_there() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// Instructions per line.
fn instructions(table: &str, engine: Engine) -> Option<f64> {
    let count = |lines: u64| -> Option<f64> {
        let output = Command::new("valgrind")
            .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
            .arg(env::current_exe().ok()?)
            .args(["--worker", table, engine.name(), &lines.to_string()])
            .output()
            .ok()?;
        let said = String::from_utf8_lossy(&output.stderr);
        // ==1234== Collected : 123456
        said.lines().find_map(|line| line.split_once("Collected : "))?.1.trim().parse().ok()
    };
    let [few, many] = counted(table, engine);
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    Some((count(many)? - count(few)?) / (many - few) as f64)
}

fn print_text(figures: &[Figure]) {
    println!("| table | engine | ns per line | lines per second | instructions per line |");
    println!("|:--|:--|--:|--:|--:|");
    for one in figures {
        let instructions = one.instructions.map_or("-".to_owned(), |count| format!("{count:.0}"));
        let (table, engine, nanoseconds) = (one.table, one.engine.name(), one.nanoseconds);
        println!("| {table} | {engine} | {nanoseconds:.1} | {:.0} | {instructions} |", 1e9 / nanoseconds);
    }
}

fn print_json(figures: &[Figure]) {
    for one in figures {
        let instructions = one.instructions.map_or("null".to_owned(), |count| format!("{count:.1}"));
        println!(
            r#"{{"table":"{}","engine":"{}","lines":{},"ns_per_line":{:.2},"lines_per_second":{:.0},"instructions_per_line":{instructions}}}"#,
            one.table,
            one.engine.name(),
            one.lines,
            one.nanoseconds,
            1e9 / one.nanoseconds,
        );
    }
}
