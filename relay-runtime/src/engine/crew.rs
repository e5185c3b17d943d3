//! Runs the event loops: a thread each or, if there is only one, the thread that waits for the engine.
//!
//! The latter saves a relay all threads except the one that it was started with. Its caller must then return
//! here soon, because nothing moves except while it waits here.

use super::{
    event::Notice,
    token::Source,
    worker::{Turn, Worker},
};
use mio::{Events, Interest, Poll, event};
use std::{
    cell::RefCell,
    fmt, io,
    sync::mpsc::Receiver,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// The threads, or the loop that the caller runs.
#[derive(Debug)]
pub(super) enum Crew {
    /// A thread for each loop. A caller with a bell waits for the bell.
    Threads(Vec<JoinHandle<()>>, Option<RefCell<Bell>>),
    /// The caller runs the only loop.
    Caller(RefCell<OwnLoop>),
}

/// What the caller waits for while threads run the loops.
#[derive(Debug)]
pub(super) struct Bell {
    poll: Poll,
    events: Events,
}

/// The loop that the caller runs.
pub(super) struct OwnLoop {
    /// `None` after it has ended.
    worker: Option<Box<Worker>>,
    events: Events,
    /// Whether the bell rang and no wait has ended for it yet.
    has_rung: bool,
}

impl fmt::Debug for OwnLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnLoop").field("is_running", &self.worker.is_some()).finish_non_exhaustive()
    }
}

impl Crew {
    /// Starts the workers. When `bell`, if there is one, becomes ready, a [`Crew::wait`] ends.
    pub(super) fn start(mut workers: Vec<Worker>, bell: Option<&mut dyn event::Source>) -> io::Result<Self> {
        match bell {
            Some(bell)
                if workers.len() == 1
                    && let Some(worker) = workers.pop() =>
            {
                worker.register(bell, Source::Bell)?;
                Ok(Self::Caller(RefCell::new(OwnLoop::new(worker))))
            }
            bell => {
                let bell = bell.map(Bell::new).transpose()?.map(RefCell::new);
                let threads = workers.into_iter().enumerate().map(|(index, worker)| {
                    thread::Builder::new().name(format!("worker-{index}")).spawn(move || worker.run())
                });
                Ok(Self::Threads(threads.collect::<Result<_, _>>()?, bell))
            }
        }
    }

    /// Whether the caller runs the only loop.
    pub(super) const fn is_caller(&self) -> bool {
        matches!(self, Self::Caller(_))
    }

    /// Whether all loops are running.
    pub(super) fn is_running(&self) -> bool {
        match self {
            Self::Threads(threads, _) => !threads.iter().any(JoinHandle::is_finished),
            Self::Caller(own) => own.borrow().worker.is_some(),
        }
    }

    /// Waits for `longest`, or until the bell rings. If the caller runs the loop, it also ends when `is_enough`
    /// returns true after a turn.
    pub(super) fn wait(&self, longest: Duration, is_enough: impl FnMut() -> bool) {
        match self {
            Self::Threads(_, None) => thread::sleep(longest),
            Self::Threads(_, Some(bell)) => bell.borrow_mut().wait(longest),
            Self::Caller(own) => own.borrow_mut().wait(longest, is_enough),
        }
    }

    /// The next notice, if one comes within `longest`.
    pub(super) fn next_notice(&self, notices: &Receiver<Notice>, longest: Duration) -> Option<Notice> {
        match self {
            Self::Threads(..) => notices.recv_timeout(longest).ok(),
            Self::Caller(own) => {
                let mut notice = None;
                own.borrow_mut().run(longest, || {
                    notice = notices.try_recv().ok();
                    notice.is_some()
                });
                notice
            }
        }
    }

    /// Joins the threads. Must be called after the last notice.
    pub(super) fn join(self) {
        if let Self::Threads(threads, _) = self {
            for thread in threads {
                let _ = thread.join();
            }
        }
    }
}

impl Bell {
    fn new(source: &mut dyn event::Source) -> io::Result<Self> {
        let poll = Poll::new()?;
        poll.registry().register(source, Source::Bell.token(), Interest::READABLE)?;
        Ok(Self { poll, events: Events::with_capacity(1) })
    }

    fn wait(&mut self, longest: Duration) {
        // A caught signal interrupts it, and rings the bell.
        let _ = self.poll.poll(&mut self.events, Some(longest));
    }
}

impl OwnLoop {
    fn new(worker: Worker) -> Self {
        Self { worker: Some(Box::new(worker)), events: Worker::events(), has_rung: false }
    }

    fn wait(&mut self, longest: Duration, mut is_enough: impl FnMut() -> bool) {
        let until = Instant::now() + longest;
        while !self.has_rung && !self.turn(until) && !is_enough() {}
        self.has_rung = false;
    }

    fn run(&mut self, longest: Duration, mut is_enough: impl FnMut() -> bool) {
        let until = Instant::now() + longest;
        while !is_enough() && !self.turn(until) {}
    }

    /// Runs one turn, unless `until` has passed. Returns whether it has.
    fn turn(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        let Some(worker) = &mut self.worker else {
            thread::sleep(left);
            return true;
        };
        match worker.turn(&mut self.events, Some(left)) {
            Ok(Turn { has_rung, is_last }) => {
                self.has_rung |= has_rung;
                if is_last {
                    self.worker = None;
                }
            }
            Err(error) => {
                tracing::error!(%error, "an event loop ended");
                self.worker = None;
            }
        }
        false
    }
}
