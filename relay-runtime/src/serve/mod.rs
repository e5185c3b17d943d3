//! The `main` of a relay: what an artifact does with its arguments, its environment and its signals.
//!
//! ```text
//! relay               serve until SIGTERM or SIGINT
//! relay trace         read lines from stdin, print what happens to each as JSON
//! relay replay        the same for lines with times, in virtual time, ticks included
//! relay spool         list, drain or drop what is on disk
//! relay --config      print the built-in plan
//! relay --manifest    print what the relay was built from
//! ```
//!
//! SIGUSR1 prints the ledger as one line of JSON on stdout; a relay that ends prints the last one. Logs go to
//! stderr; SIGHUP reopens them. SIGTERM and SIGINT stop the relay in good order; a second one stops it at once,
//! and so does SIGQUIT. Exit codes: 0 done; 1 cannot start, cannot go on, or was stopped at once; 2 usage.
//!
//! The engine knows nothing of this, and [`Relay`] runs it inside another program or a test.

mod about;
mod any_table;
mod arguments;
mod books;
mod complete;
mod losses;
mod manager;
mod open_files;
mod output_files;
mod pid_file;
mod relay;
mod setup;
mod signals;
#[cfg(feature = "tools")]
mod tools;
#[cfg(not(feature = "tools"))]
#[path = "no_tools.rs"]
mod tools;

pub use arguments::usage;
pub use complete::{Incomplete, open_variables};
pub use open_files::raise_open_files_max;
pub use relay::{Relay, StartError, memory, memory_with};
#[cfg(feature = "tools")]
pub use tools::SpoolError;
pub use tools::ToolError;

#[cfg(feature = "tools")]
pub use crate::record::RecordError;

use crate::{
    counted,
    destination::{DestinationCounts, DropReason},
    dispatch::Dispatch,
    ledger::Ledger,
    logging,
    pipeline::LinePipeline,
    plan::Plan,
};
use any_table::AnyTable;
use arguments::Command;
use books::Books;
use losses::Losses;
use output_files::OutputFiles;
use pid_file::PidFile;
use signals::{Asked, Signals};
use std::{
    cell::Cell,
    fmt,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often a relay looks into its own books, whether they balance and whether lines are lost.
const SELF_CHECK: Duration = Duration::from_secs(2);

/// How often it checks whether its workers run.
const LOOK: Duration = Duration::from_millis(500);

/// How long the last ledger waits for a reader.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Why a relay does not start, or had to end.
#[derive(Debug)]
pub enum ServeError {
    /// The built-in plan cannot be read.
    Plan(serde_json::Error),
    /// The log level does not exist.
    Logging(logging::UnknownLevel),
    /// The pid file cannot be written.
    PidFile {
        /// The path of the pid file.
        path: String,
        /// The error of the operating system.
        error: io::Error,
    },
    /// Signals cannot be caught.
    Signals(io::Error),
    /// The thread that writes logs cannot be started.
    LogThread(io::Error),
    /// The relay cannot start for another reason.
    Start(StartError),
    /// A tool failed.
    Tool(ToolError),
    /// What was asked for cannot be written to stdout.
    Output(io::Error),
    /// A worker ended without having been stopped.
    WorkerEnded,
    /// The relay was asked to stop at once, and did.
    StoppedAtOnce {
        /// How many lines were dropped by that, for all destinations together.
        lines: u64,
    },
}

/// The `main` of an artifact; `plan` and `manifest` are built in, as JSON.
pub fn main<D: Dispatch + 'static>(plan: &str, manifest: &str, dispatch: D) -> ExitCode {
    main_of(plan, manifest, &(Arc::new(dispatch) as Arc<dyn AnyTable>))
}

fn main_of(plan: &str, manifest: &str, table: &Arc<dyn AnyTable>) -> ExitCode {
    let command = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            say(&format!("error: {error}\n\n{}", arguments::usage()));
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Help => print(&arguments::usage()),
        Command::Version => print(&about::version(manifest)),
        Command::Manifest => print(manifest),
        Command::Config => print(plan),
        Command::Tool(tool) => tools::run(&tool, plan, table.as_dispatch()).map_err(ServeError::Tool),
        Command::Serve => Plan::from_json(plan)
            .map_err(ServeError::Plan)
            .and_then(|read| run_table(&read, table, Some(plan))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            logging::flush();
            say(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Serves `plan` until a signal ends it. Variables are read from the environment.
pub fn run<D: Dispatch + 'static>(plan: &Plan, dispatch: D) -> Result<(), ServeError> {
    run_table(plan, &(Arc::new(dispatch) as Arc<dyn AnyTable>), None)
}

/// Serves a table. `built_in` is the plan as text, for a process that is a relay and nothing else: its lines
/// can be recorded.
fn run_table(plan: &Plan, table: &Arc<dyn AnyTable>, built_in: Option<&str>) -> Result<(), ServeError> {
    let inherited = manager::take_sockets();
    logging::start(&plan.settings.log_level).map_err(ServeError::Logging)?;
    raise_open_files_max();
    let mut signals = Signals::catch().map_err(ServeError::Signals)?;
    let output_files = OutputFiles::find();
    let lookup = complete::from_environment;
    let plan = complete::complete(plan, lookup).map_err(|error| ServeError::Start(error.into()))?;
    let books = Books { instance: plan.settings.instance.0.clone() };
    let _pid_file = match &plan.settings.pid_file {
        None => None,
        Some(path) => Some(
            PidFile::write(path.0.clone().into())
                .map_err(|error| ServeError::PidFile { path: path.0.clone(), error })?,
        ),
    };
    let recordable = |pipeline: Box<dyn LinePipeline>| match built_in {
        Some(built_in) => tools::recordable(pipeline, built_in),
        None => pipeline,
    };
    let relay = Relay::start_table(&plan, table, recordable, inherited, Some(signals.source()))
        .map_err(ServeError::Start)?;
    if !relay.is_run_by_caller() {
        logging::write_in_thread().map_err(ServeError::LogThread)?;
    }
    manager::tell_ready();
    let mut losses = Losses::of(&plan.table);
    let is_urgent = Cell::new(serve(&relay, &signals, &output_files, &books, &mut losses)?);
    if is_urgent.get() {
        tracing::warn!("stopping at once: what is not delivered is given up");
    } else {
        tracing::info!("stopping");
    }
    manager::tell_stopping();
    let ledger = stop(relay, &signals, &output_files, &is_urgent);
    if let Some(ledger) = &ledger {
        losses.log_all(ledger);
    }
    logging::flush();
    let ledger = ledger.ok_or(ServeError::WorkerEnded)?;
    books.print_last(&ledger, LAST_WORDS);
    if is_urgent.get() {
        let dropped = |(_, counts): &(_, DestinationCounts)| counts.dropped(DropReason::Shutdown);
        return Err(ServeError::StoppedAtOnce { lines: ledger.destinations.iter().map(dropped).sum() });
    }
    Ok(())
}

/// Serves until a signal asks for the end. Returns whether it has to end at once.
fn serve(
    relay: &Relay,
    signals: &Signals,
    output_files: &OutputFiles,
    books: &Books,
    losses: &mut Losses,
) -> Result<bool, ServeError> {
    let mut next_check = Instant::now() + SELF_CHECK;
    loop {
        write_waiting(relay);
        if Instant::now() >= next_check {
            next_check = Instant::now() + SELF_CHECK;
            if let Some(ledger) = relay.check_books() {
                losses.look(&ledger, Instant::now()).into_iter().for_each(losses::log);
            }
        }
        let Asked { ledger, reopen, stop, stop_now } = signals.take();
        if reopen {
            output_files.reopen();
        }
        if ledger && let Some(ledger) = relay.ledger() {
            books.print(&ledger, Duration::ZERO);
        }
        if stop || stop_now {
            return Ok(stop_now);
        }
        if !relay.is_running() {
            return Err(ServeError::WorkerEnded);
        }
        relay.wait(LOOK, logging::is_waiting);
    }
}

/// Stops in good order, unless it `is_urgent` or a second signal makes it so. A ledger that is asked for
/// meanwhile is the last one.
fn stop(
    relay: Relay,
    signals: &Signals,
    output_files: &OutputFiles,
    is_urgent: &Cell<bool>,
) -> Option<Ledger> {
    let writes_logs = relay.is_run_by_caller();
    relay.stop(|| {
        if writes_logs {
            logging::write_waiting();
        }
        let Asked { ledger: _, reopen, stop, stop_now } = signals.take();
        if reopen {
            output_files.reopen();
        }
        if (stop || stop_now) && !is_urgent.replace(true) {
            tracing::warn!("stopping at once: what is not delivered is given up");
        }
        is_urgent.get()
    })
}

/// Writes logs and ledgers, as far as their readers read. Waits for no reader.
fn write_waiting(relay: &Relay) {
    if relay.is_run_by_caller() && logging::is_waiting() {
        logging::write_waiting();
    }
    Books::write_waiting();
}

/// Prints a text on stdout. It is no failure if the reader has gone away.
fn print(text: &str) -> Result<(), ServeError> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done.map_err(ServeError::Output),
    }
}

/// Prints a text and a newline on stderr, if it takes any.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(error) => write!(f, "the plan in this relay cannot be read: {error}"),
            Self::Logging(error) => error.fmt(f),
            Self::PidFile { path, error } => write!(f, "cannot write pid file `{path}`: {error}"),
            Self::Signals(error) => write!(f, "cannot catch signals: {error}"),
            Self::LogThread(error) => write!(f, "cannot start the thread that writes logs: {error}"),
            Self::Start(error) => error.fmt(f),
            Self::Tool(error) => error.fmt(f),
            Self::Output(error) => write!(f, "cannot write to standard output: {error}"),
            Self::WorkerEnded => f.write_str("a worker ended unexpectedly"),
            Self::StoppedAtOnce { lines } => {
                write!(f, "stopped at once, as it was asked to: {} given up", counted(*lines, "line"))
            }
        }
    }
}

impl std::error::Error for ServeError {}
