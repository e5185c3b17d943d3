//! The event loops: the only place of the data path with system calls and a clock.
//!
//! [`Engine::start`] opens the listeners and starts the workers; [`Engine::ledger`] asks them for their
//! counters; [`Engine::stop`] ends them in an order that loses nothing: first no new clients, then what
//! connections have sent, then what destinations still have to get, within a deadline.
//!
//! Each worker owns its connections and its share of the destinations. Workers share only mailboxes, the number
//! of connections per worker, and which destinations are up. Signals, files and the environment belong to
//! [`crate::serve`].

mod aggregation;
mod connection;
mod crew;
mod cut;
mod descriptors;
mod disk;
mod edge;
mod event;
mod farewell;
mod gate;
mod inherited;
mod inlets;
mod intake;
mod keeper;
mod kernel_drops;
mod listener;
mod mailbox;
mod outage;
mod outlet;
mod outlets;
mod outstanding;
mod refused;
mod resolve;
mod spools;
mod state;
mod stuck;
mod token;
mod worker;

use crate::{
    aggregate::Shared,
    destination::{DropReason, Limits, QueueMemory},
    ledger::{Ledger, WorkerLedger},
    parts::Aggregating,
    pipeline::LinePipeline,
    protocol::{InputLimits, Protocol},
    select::Liveness,
    shortage::Explained,
    table::Transport,
};
use aggregation::Ticker;
use crew::Crew;
use descriptors::Descriptors;
use event::{Event, Notice};
use farewell::Farewell;
use keeper::{Finishing, Keeper};
use mailbox::{Mail, Mailbox, Order, Parcel};
use mio::{Poll, Waker, event::Source as EventSource};
use state::StateFiles;
use std::{
    cell::Cell,
    fmt, io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};
use stuck::Stuck;
use token::Source;
use worker::{Company, Worker};

pub use descriptors::TooFewDescriptors;
pub use edge::seconds_now;
pub use inherited::Inherited;
pub use listener::BindError;
pub use spools::SpoolSetup;
pub use state::StateSetup;

/// How long workers may take to answer. They answer within a turn; this only limits the harm of a bug.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How long saving the state of aggregations may take, even if the time for a stop is over.
const STATE_GRACE: Duration = Duration::from_secs(1);

/// How often to check whether a thread that writes has ended.
const PAUSE: Duration = Duration::from_millis(1);

/// How often a wait checks whether to end early.
const LOOK: Duration = Duration::from_millis(20);

/// Everything that the engine must know, completed and checked.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The inputs; without any, it does not listen.
    pub inputs: Vec<Input>,
    /// The limits of each client.
    pub input_limits: InputLimits,
    /// The number of event loops, at least one.
    pub workers: usize,
    /// The most inbound connections.
    pub connections_max: usize,
    /// The most bytes of unfinished lines of one worker's connections.
    pub unfinished_bytes_max: usize,
    /// The bytes in which one worker may remember names for aggregators.
    pub name_bytes_max: usize,
    /// The memory for lines that are queued for destinations.
    pub queue_memory: Arc<QueueMemory>,
    /// In the order of the table.
    pub destinations: Vec<Outgoing>,
    /// The most bytes of all spools together.
    pub spool_bytes_max: u64,
    /// The keys of the routes, for the ledger.
    pub routes: Vec<String>,
    /// Where destinations record whether they are up.
    pub liveness: Liveness,
    /// The most lines per second that aggregators emit.
    pub emit_rate: u64,
    /// Where open buckets are saved, if they are.
    pub state: Option<StateSetup>,
}

/// An address to listen on, over TCP and UDP.
#[derive(Clone, Debug)]
pub struct Input {
    /// The protocol of clients.
    pub protocol: Protocol,
    /// `host:port`, `[ipv6]:port`, or `:port` for all addresses.
    pub address: String,
    /// The time without data after which a connection is closed.
    pub idle_max: Option<Duration>,
}

/// A destination.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// `host:port`.
    pub address: String,
    /// Address and instance, for the ledger.
    pub name: String,
    /// How lines travel.
    pub transport: Transport,
    /// Its limits.
    pub limits: Limits,
    /// Its spool, if it has one.
    pub spool: Option<SpoolSetup>,
}

/// Why an engine cannot start.
#[derive(Debug)]
pub enum EngineError {
    /// The limit of open files is too small.
    Descriptors(TooFewDescriptors),
    /// The relay cannot listen on an address.
    Bind(BindError),
    /// A spool cannot be opened.
    Spool {
        /// The directory of the spool.
        directory: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The directory for open buckets cannot be used.
    State {
        /// The path of the directory.
        directory: PathBuf,
        /// The error of the operating system.
        error: io::Error,
    },
    /// The operating system does not provide what an event loop needs.
    EventLoop(io::Error),
}

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    setup: Arc<Setup>,
    /// The addresses on which it listens, in the order of the inputs.
    addresses: Vec<SocketAddr>,
    mailboxes: Vec<Mailbox>,
    notices: Receiver<Notice>,
    /// The number of the latest ledger that was requested.
    asked: Cell<u64>,
    crew: Crew,
    aggregation: Option<(Aggregating, Arc<Shared>)>,
    keeper: Option<Keeper>,
}

impl Engine {
    /// Opens the listeners that were not inherited and starts the workers, each with a copy of `pipeline` and a
    /// thread.
    ///
    /// When `bell` becomes ready, an [`Engine::wait`] ends. With a bell, a single worker gets no thread: it
    /// runs while the caller is in `wait` or in another method that waits, and [`Engine::is_run_by_caller`]
    /// returns true.
    pub fn start(
        setup: Setup,
        pipeline: &dyn LinePipeline,
        mut inherited: Inherited,
        bell: Option<&mut dyn EventSource>,
    ) -> Result<Self, EngineError> {
        let descriptors = Descriptors::of(&setup).map_err(EngineError::Descriptors)?;
        let listening = setup.inputs.iter().map(|input| listener::listen(&input.address, &mut inherited));
        let mut listening = listening.collect::<Result<Vec<_>, _>>().map_err(EngineError::Bind)?;
        inherited.close();
        let addresses: Vec<_> = listening.iter().map(|listening| listening.address).collect();
        let mut spools = spools::open(&setup.destinations, setup.spool_bytes_max)?;
        let setup = Arc::new(setup);
        let (sender, notices) = channel();
        let loads: Arc<[AtomicUsize]> = (0..setup.workers).map(|_| AtomicUsize::new(0)).collect();
        let stuck = Stuck::none(setup.destinations.len());
        let holds: Arc<[AtomicBool]> = (0..setup.workers).map(|_| AtomicBool::new(false)).collect();
        let (mut polls, mut mailboxes) = (Vec::new(), Vec::new());
        for _ in 0..setup.workers {
            let poll = Poll::new()?;
            mailboxes.push(Mailbox::new(Waker::new(poll.registry(), Source::Waker.token())?));
            polls.push(poll);
        }
        let aggregation = Aggregating::get().zip(pipeline.aggregation());
        let mut keeper = None;
        if let Some((_, shared)) = &aggregation {
            let now_s = edge::seconds_now();
            shared.begin(now_s);
            if let Some(wanted) = &setup.state {
                let error = |error| EngineError::State { directory: wanted.directory.clone(), error };
                let files = StateFiles::open(&wanted.directory).map_err(error)?;
                files.load(shared, now_s).map_err(error)?;
                keeper = Some(Keeper::start(files, Arc::clone(shared), wanted.checkpoint)?);
            }
        }
        // The first worker ticks for all.
        let notes = keeper.as_ref().map(Keeper::notes);
        let mut ticker = aggregation
            .clone()
            .map(|(part, shared)| Ticker::new(part, shared, notes, setup.emit_rate, Instant::now()));
        let mut workers = Vec::new();
        for (index, poll) in polls.into_iter().enumerate() {
            let company = Company {
                setup: Arc::clone(&setup),
                mailboxes: mailboxes.clone(),
                notices: sender.clone(),
                loads: Arc::clone(&loads),
                holds: Arc::clone(&holds),
                stuck: stuck.clone(),
                descriptors,
                addresses: addresses.clone(),
            };
            let owned = spools.iter_mut().skip(index).step_by(setup.workers).map(Option::take).collect();
            // The first worker accepts for all.
            let listening = std::mem::take(&mut listening);
            let mut pipeline = pipeline.for_another_worker();
            pipeline.bound_names(setup.name_bytes_max);
            workers.push(Worker::new(index, poll, company, listening, owned, pipeline, ticker.take())?);
        }
        let crew = Crew::start(workers, bell)?;
        for (Input { protocol, .. }, address) in setup.inputs.iter().zip(&addresses) {
            tracing::info!(%address, protocol = protocol.name(), transport = "tcp", "listening");
            tracing::info!(%address, protocol = protocol.name(), transport = "udp", "listening");
        }
        Ok(Self { setup, addresses, mailboxes, notices, asked: Cell::new(0), crew, aggregation, keeper })
    }

    /// The address on which it listens for `protocol`, with the port that the system chose for port 0.
    #[must_use]
    pub fn address(&self, protocol: Protocol) -> Option<SocketAddr> {
        let at = self.setup.inputs.iter().position(|input| input.protocol == protocol)?;
        self.addresses.get(at).copied()
    }

    /// Whether all workers are running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.crew.is_running()
    }

    /// Whether there is no other thread, so that lines only move while the caller waits here.
    #[must_use]
    pub const fn is_run_by_caller(&self) -> bool {
        self.crew.is_caller()
    }

    /// Waits for `longest`, or until the bell rings. If the caller runs the loop, it also ends when `is_enough`
    /// returns true after a turn.
    pub fn wait(&self, longest: Duration, is_enough: impl FnMut() -> bool) {
        self.crew.wait(longest, is_enough);
    }

    /// The ledger of all workers at one moment, with the lines between them; `None` if a worker does not answer.
    #[must_use]
    pub fn ledger(&self) -> Option<Ledger> {
        let number = self.asked.get() + 1;
        self.asked.set(number);
        self.order_all(Order::Report(number));
        self.gather_ledgers(number, Instant::now() + ANSWER_MAX)
    }

    /// Reads what has come in already, delivers within `deliver_max`, and ends. `is_cut_short` is called now
    /// and then, and ends the stop at once if it returns true. Returns the last ledger, or `None` if a worker
    /// does not answer.
    pub fn stop(mut self, deliver_max: Duration, is_cut_short: impl Fn() -> bool) -> Option<Ledger> {
        let deadline = Instant::now() + deliver_max;
        if let Some(first) = self.mailboxes.first() {
            first.send_order(Order::CloseListener);
            self.await_events(1, deadline, &is_cut_short, |event| matches!(event, Event::ListenerClosed));
        }
        self.order_all(Order::CloseInputs(deadline));
        self.await_events(self.mailboxes.len(), deadline, &is_cut_short, |event| {
            matches!(event, Event::InputsClosed)
        });
        if self.aggregation.is_some()
            && let Some(first) = self.mailboxes.first()
        {
            first.send_order(Order::FlushAggregates);
            self.await_events(1, deadline, &is_cut_short, |event| matches!(event, Event::AggregatesFlushed));
        }
        let finishing = self.save_aggregates();
        self.order_all(Order::Finish(deadline));
        let mut ledgers = vec![None; self.mailboxes.len()];
        let mut last = deadline + ANSWER_MAX;
        while ledgers.iter().any(Option::is_none) && Instant::now() < last {
            if is_cut_short() && last > Instant::now() + ANSWER_MAX {
                self.order_all(Order::Finish(Instant::now()));
                last = Instant::now() + ANSWER_MAX;
            }
            if let Some(Notice { worker, event: Event::Finished(ledger) }) = self.next_notice(LOOK) {
                ledgers[worker] = Some(*ledger);
            }
        }
        if let Some(finishing) = finishing {
            self.await_state(&finishing, deadline, &is_cut_short);
        }
        let ledgers: Option<Vec<_>> = ledgers.into_iter().collect();
        let mut ledger = self.to_ledger(ledgers?);
        self.crew.join();
        count_undelivered_mail(&self.mailboxes, &mut ledger);
        Some(ledger)
    }

    /// Saves the open buckets. Must be called after the last tick.
    fn save_aggregates(&mut self) -> Option<Finishing> {
        // A relay without aggregations has none of this.
        Aggregating::get()?;
        let (_, shared) = self.aggregation.as_ref()?;
        if let Some(keeper) = self.keeper.take() {
            return Some(keeper.finish());
        }
        let open: u64 = shared.counts().iter().map(|counts| counts.open).sum();
        if open > 0 {
            tracing::warn!(
                open,
                "open buckets of aggregations are lost; with `state_dir` they would be kept"
            );
        }
        None
    }

    /// Waits until the state is saved. Workers may continue meanwhile.
    fn await_state(&self, finishing: &Finishing, deadline: Instant, is_cut_short: impl Fn() -> bool) {
        if Aggregating::get().is_none() {
            return;
        }
        let at_least = Instant::now() + STATE_GRACE;
        let mut farewell = Farewell::default();
        farewell.begin(Instant::now());
        while !finishing.is_over() {
            let now = Instant::now();
            if farewell.is_due(now) {
                tracing::info!("stopping: waits for the disk of `state_dir`");
            }
            if now >= at_least && (now >= deadline || is_cut_short()) {
                return tracing::error!(
                    "open buckets of aggregations are lost: the disk of `state_dir` does not answer"
                );
            }
            self.crew.wait(PAUSE, || finishing.is_over());
        }
    }

    fn next_notice(&self, longest: Duration) -> Option<Notice> {
        self.crew.next_notice(&self.notices, longest)
    }

    fn order_all(&self, order: Order) {
        for mailbox in &self.mailboxes {
            mailbox.send_order(order);
        }
    }

    fn gather_ledgers(&self, number: u64, last: Instant) -> Option<Ledger> {
        let mut ledgers = vec![None; self.mailboxes.len()];
        while ledgers.iter().any(Option::is_none) {
            let notice = self.next_notice(last.saturating_duration_since(Instant::now()))?;
            if let Event::Report(of, ledger) = notice.event
                && of == number
            {
                ledgers[notice.worker] = Some(*ledger);
            }
        }
        Some(self.to_ledger(ledgers.into_iter().flatten().collect()))
    }

    fn to_ledger(&self, workers: Vec<WorkerLedger>) -> Ledger {
        let names: Vec<_> =
            self.setup.destinations.iter().map(|destination| destination.name.clone()).collect();
        let mut ledger = Ledger::new(workers, &names, &self.setup.routes);
        if let Some((_, shared)) = &self.aggregation {
            ledger.aggregators = shared.keys().map(str::to_owned).zip(shared.counts()).collect();
        }
        ledger
    }

    /// Waits for `count` events of a kind, but not past the deadline.
    fn await_events(
        &self,
        mut count: usize,
        deadline: Instant,
        is_cut_short: impl Fn() -> bool,
        is_wanted: impl Fn(&Event) -> bool,
    ) {
        while count > 0 && Instant::now() < deadline && !is_cut_short() {
            if let Some(notice) = self.next_notice(LOOK)
                && is_wanted(&notice.event)
            {
                count -= 1;
            }
        }
    }
}

/// Counts chunks that a stop which was cut short left in mailboxes.
fn count_undelivered_mail(mailboxes: &[Mailbox], ledger: &mut Ledger) {
    for mailbox in mailboxes {
        let mut mail = Mail::default();
        mailbox.take(&mut mail);
        for parcel in mail.parcels {
            let Parcel::Lines { destination, chunk, .. } = parcel else { continue };
            let counts = &mut ledger.destinations[destination.get()].1;
            counts.routed += u64::from(chunk.lines());
            counts.drop_lines(DropReason::Shutdown, u64::from(chunk.lines()));
        }
    }
}

impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        Self::EventLoop(error)
    }
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Descriptors(error) => error.fmt(f),
            Self::Bind(error) => error.fmt(f),
            Self::Spool { directory, error } => {
                let directory = directory.display();
                write!(
                    f,
                    "cannot open the spool in `{directory}`: {}; set `spool_dir` to a directory that this user may write to",
                    Explained(error)
                )
            }
            Self::State { directory, error } => {
                let directory = directory.display();
                write!(f, "cannot keep open buckets in `{directory}`: {}", Explained(error))
            }
            Self::EventLoop(error) => write!(f, "cannot make an event loop: {}", Explained(error)),
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Descriptors(error) => Some(error),
            Self::Bind(error) => Some(error),
            Self::Spool { error, .. } | Self::State { error, .. } | Self::EventLoop(error) => Some(error),
        }
    }
}
