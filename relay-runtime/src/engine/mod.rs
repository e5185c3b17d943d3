//! The event loops: the only place of the data path with system calls and a clock.
//!
//! [`Engine::start`] opens the listeners and starts the workers; [`Engine::ledger`] asks them for their books;
//! [`Engine::stop`] ends them in an order that loses nothing: no new clients, then what connections hold,
//! then what destinations still have to take, within a deadline.
//!
//! Each worker owns its connections and, dealt out in turn, the destinations. Nothing is shared but mailboxes,
//! the number of connections per worker, and who is up.
//! Absent: signals, files, the environment. They belong to [`crate::serve`].

mod connection;
mod event;
mod listener;
mod mailbox;
mod outlet;
mod outstanding;
mod resolve;
mod spools;
mod worker;

use crate::{
    destination::{DropReason, Limits},
    ledger::{Ledger, WorkerLedger},
    pipeline::LinePipeline,
    protocol::{InputLimits, Protocol},
    select::Liveness,
    table::Transport,
};
use event::{Event, Notice};
use mailbox::{Mail, Mailbox, Order};
use mio::{Poll, Waker};
use std::{
    fmt, io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
        mpsc::{Receiver, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use worker::{Company, Worker};

pub use listener::BindError;
pub use spools::SpoolSetup;

/// How long workers may take to answer. They answer within a turn; this only bounds the harm of a bug.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// How often a wait looks whether it should be cut short.
const LOOK: Duration = Duration::from_millis(20);

/// Everything that the engine must know, completed and checked.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Where it listens; with none, nowhere.
    pub inputs: Vec<Input>,
    /// What bounds a client.
    pub input_limits: InputLimits,
    /// Event loops, at least one.
    pub workers: usize,
    /// Inbound connections at a time.
    pub connections_max: usize,
    /// In the order of the table.
    pub destinations: Vec<Outgoing>,
    /// Bytes of all spools together.
    pub spool_bytes_max: u64,
    /// The keys of the routes, for the ledger.
    pub routes: Vec<String>,
    /// Where destinations note whether they are up.
    pub liveness: Liveness,
}

/// An address to listen on, over TCP and UDP.
#[derive(Clone, Debug)]
pub struct Input {
    /// What clients speak there.
    pub protocol: Protocol,
    /// `host:port`, `[ipv6]:port`, or `:port` for all addresses.
    pub address: String,
    /// Silence after which a connection is closed.
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
    /// What bounds it.
    pub limits: Limits,
    /// Where it spools, if it does.
    pub spool: Option<SpoolSetup>,
}

/// Why an engine does not start.
#[derive(Debug)]
pub enum EngineError {
    /// An address cannot be listened on.
    Bind(BindError),
    /// A spool cannot be opened.
    Spool {
        /// Where.
        directory: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The system does not give what an event loop needs.
    EventLoop(io::Error),
}

/// A running engine.
#[derive(Debug)]
pub struct Engine {
    setup: Arc<Setup>,
    /// In the order of the inputs.
    addresses: Vec<SocketAddr>,
    mailboxes: Vec<Mailbox>,
    notices: Receiver<Notice>,
    threads: Vec<JoinHandle<()>>,
}

impl Engine {
    /// Opens the listeners and starts the workers, each with a copy of `pipeline`.
    pub fn start(setup: Setup, pipeline: &dyn LinePipeline) -> Result<Self, EngineError> {
        let listening = setup.inputs.iter().map(|input| listener::listen(&input.address));
        let mut listening = listening.collect::<Result<Vec<_>, _>>().map_err(EngineError::Bind)?;
        let addresses: Vec<_> = listening.iter().map(|listening| listening.address).collect();
        let mut spools = spools::open(&setup.destinations, setup.spool_bytes_max)?;
        let setup = Arc::new(setup);
        let (sender, notices) = channel();
        let loads: Arc<[AtomicUsize]> = (0..setup.workers).map(|_| AtomicUsize::new(0)).collect();
        let holds: Arc<[AtomicBool]> = (0..setup.workers).map(|_| AtomicBool::new(false)).collect();
        let (mut polls, mut mailboxes) = (Vec::new(), Vec::new());
        for _ in 0..setup.workers {
            let poll = Poll::new()?;
            mailboxes.push(Mailbox::new(Waker::new(poll.registry(), worker::WAKER)?));
            polls.push(poll);
        }
        let mut threads = Vec::new();
        for (index, poll) in polls.into_iter().enumerate() {
            let company = Company {
                setup: Arc::clone(&setup),
                mailboxes: mailboxes.clone(),
                notices: sender.clone(),
                loads: Arc::clone(&loads),
                holds: Arc::clone(&holds),
            };
            let owned = spools.iter_mut().skip(index).step_by(setup.workers).map(Option::take).collect();
            // The first worker accepts for all.
            let listening = std::mem::take(&mut listening);
            let worker = Worker::new(index, poll, company, listening, owned, pipeline.for_another_worker())?;
            let run = move || {
                if let Err(error) = worker.run() {
                    tracing::error!(%error, "an event loop ended");
                }
            };
            threads.push(thread::Builder::new().name(format!("worker-{index}")).spawn(run)?);
        }
        for (Input { protocol, .. }, address) in setup.inputs.iter().zip(&addresses) {
            tracing::info!(%address, protocol = protocol.name(), transport = "tcp", "listening");
            tracing::info!(%address, protocol = protocol.name(), transport = "udp", "listening");
        }
        Ok(Self { setup, addresses, mailboxes, notices, threads })
    }

    /// Where it listens for clients that speak `protocol`, with the port that the system chose for port 0.
    #[must_use]
    pub fn address(&self, protocol: Protocol) -> Option<SocketAddr> {
        let at = self.setup.inputs.iter().position(|input| input.protocol == protocol)?;
        self.addresses.get(at).copied()
    }

    /// Whether all workers run.
    #[must_use]
    pub fn is_running(&self) -> bool {
        !self.threads.iter().any(JoinHandle::is_finished)
    }

    /// The books. `None` when a worker does not answer.
    #[must_use]
    pub fn ledger(&self) -> Option<Ledger> {
        // Whatever an earlier question left behind is not an answer to this one.
        while self.notices.try_recv().is_ok() {}
        self.order_all(Order::Report);
        self.gather_ledgers(Instant::now() + ANSWER_MAX)
    }

    /// Takes what has come in already, delivers within `deliver_max`, and ends. `is_cut_short` is asked now
    /// and then whether to give up at once. Gives the last books, or `None` when a worker does not answer.
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
        self.order_all(Order::Finish(deadline));
        let mut ledgers = vec![None; self.mailboxes.len()];
        let mut last = deadline + ANSWER_MAX;
        while ledgers.iter().any(Option::is_none) && Instant::now() < last {
            if is_cut_short() && last > Instant::now() + ANSWER_MAX {
                self.order_all(Order::Finish(Instant::now()));
                last = Instant::now() + ANSWER_MAX;
            }
            if let Ok(Notice { worker, event: Event::Finished(ledger) }) = self.notices.recv_timeout(LOOK) {
                ledgers[worker] = Some(*ledger);
            }
        }
        let ledgers: Option<Vec<_>> = ledgers.into_iter().collect();
        let mut ledger = self.to_ledger(ledgers?);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        self.count_undelivered_mail(&mut ledger);
        Some(ledger)
    }

    /// A stop that is cut short may leave chunks that their owner did not wait for.
    fn count_undelivered_mail(&self, ledger: &mut Ledger) {
        for mailbox in &self.mailboxes {
            let mut mail = Mail::default();
            mailbox.take(&mut mail);
            for (destination, chunk) in mail.chunks {
                let counts = &mut ledger.destinations[destination.get()].1;
                counts.routed += u64::from(chunk.lines());
                counts.drop_lines(DropReason::Shutdown, u64::from(chunk.lines()));
            }
        }
    }

    fn order_all(&self, order: Order) {
        for mailbox in &self.mailboxes {
            mailbox.send_order(order);
        }
    }

    fn gather_ledgers(&self, last: Instant) -> Option<Ledger> {
        let mut ledgers = vec![None; self.mailboxes.len()];
        while ledgers.iter().any(Option::is_none) {
            let notice = self.notices.recv_timeout(last.saturating_duration_since(Instant::now())).ok()?;
            if let Event::Report(ledger) = notice.event {
                ledgers[notice.worker] = Some(*ledger);
            }
        }
        Some(self.to_ledger(ledgers.into_iter().flatten().collect()))
    }

    fn to_ledger(&self, workers: Vec<WorkerLedger>) -> Ledger {
        let names: Vec<_> =
            self.setup.destinations.iter().map(|destination| destination.name.clone()).collect();
        Ledger::new(workers, &names, &self.setup.routes)
    }

    /// Waits for so many events of a kind, but not past the deadline.
    fn await_events(
        &self,
        mut count: usize,
        deadline: Instant,
        is_cut_short: impl Fn() -> bool,
        is_wanted: impl Fn(&Event) -> bool,
    ) {
        while count > 0 && Instant::now() < deadline && !is_cut_short() {
            if let Ok(notice) = self.notices.recv_timeout(LOOK)
                && is_wanted(&notice.event)
            {
                count -= 1;
            }
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
            Self::Bind(error) => error.fmt(f),
            Self::Spool { directory, error } => {
                let directory = directory.display();
                write!(
                    f,
                    "cannot open the spool in `{directory}`: {error}; set `spool_dir` to a directory that this user may write to"
                )
            }
            Self::EventLoop(error) => write!(f, "cannot make an event loop: {error}"),
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bind(error) => Some(error),
            Self::Spool { error, .. } | Self::EventLoop(error) => Some(error),
        }
    }
}
