//! Compares relays over loopback by what they cost per line, in CPU time as the operating system counts it.
//!
//! `cargo run --release -p relay-benches --bin loopback` runs three programs in turn, for several rounds: a
//! floor that only copies bytes from one connection to another, our relay, and carbon-c-relay. A time counts
//! only if every line and every byte that was sent was counted at the other end; otherwise the run is invalid,
//! and the loss is printed.
//!
//! Follow a run through the modules in this order: [`options`] reads the command line, [`scenario`] writes each
//! relay's configuration and the lines, [`contender`] starts one relay, [`traffic`] sends and counts,
//! [`process`] reads what it cost, [`report`] prints and saves the figures. [`floor`] is the floor itself.
//!
//! Needs Linux (`/proc`). Uses loopback addresses only.

mod contender;
mod floor;
mod machine;
mod options;
mod process;
mod report;
mod scenario;
mod traffic;

use contender::Contender;
use options::{Command, Options};
use report::{Report, Run};
use scenario::Scenario;
use std::{process::ExitCode, time::Duration};
use traffic::{Delivered, Sinks};

fn main() -> ExitCode {
    let result = match options::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => {
            print!("{}", options::HELP);
            Ok(true)
        }
        Ok(Command::Floor { listen, to, buffer_bytes }) => {
            floor::run(listen, to, buffer_bytes).map(|()| true).map_err(|error| error.to_string())
        }
        Ok(Command::Compare(options)) => compare(&options),
        Err(error) => Err(error),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("loopback: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything. Returns whether all runs are valid.
fn compare(options: &Options) -> Result<bool, String> {
    let mut report = Report::new(options);
    let sinks = Sinks::listen(&scenario::sinks(options.port))?;
    for scenario in &options.scenarios {
        eprintln!("{}: {}", scenario.name(), scenario.shows());
        compare_one(*scenario, options, &sinks, &mut report)?;
    }
    report.keep(&options.out)?;
    print!("{}", if options.json { report.json() } else { report.text() });
    Ok(report.is_valid())
}

fn compare_one(
    scenario: Scenario,
    options: &Options,
    sinks: &Sinks,
    report: &mut Report,
) -> Result<(), String> {
    let lines = Scenario::lines();
    let contenders = contender::prepare(scenario, options, &mut report.notes)?;
    for round in 0..options.rounds {
        for contender in &contenders {
            let run = measure(contender, sinks, &lines, options)
                .unwrap_or_else(|why| Run::invalid(format!("invalid: {why}")));
            eprintln!("  round {}: {:16} {}", round + 1, contender.name, run.summary());
            report.add(scenario, contender.name, run);
        }
    }
    Ok(())
}

/// Starts the contender, warms it up, sends the lines, and reads its CPU time when all of them have arrived.
fn measure(contender: &Contender, sinks: &Sinks, lines: &[u8], options: &Options) -> Result<Run, String> {
    let started = contender.start()?;
    let mut sender = traffic::Sender::connect(contender.listen, options.connections)?;
    sinks.reset();
    let warm_up = scenario::LINES_IN_BUFFER.min(options.lines);
    sender.send(lines, warm_up)?;
    sinks.wait_for(&Delivered::of(warm_up), &started)?;
    // Work that a relay does once after its first lines must not count.
    std::thread::sleep(Duration::from_millis(200));

    sinks.reset();
    let before = started.cpu()?;
    let clock = std::time::Instant::now();
    sender.send(lines, options.lines)?;
    let delivered = sinks.wait_for(&Delivered::of(options.lines), &started)?;
    let wall = clock.elapsed();
    let cpu = started.cpu()?.since(&before);
    let memory = started.memory_peak_bytes()?;
    Ok(Run::valid(options.lines, cpu, wall, memory, delivered))
}
