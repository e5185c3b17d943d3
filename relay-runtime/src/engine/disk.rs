//! The thread that writes and reads spools: one for each `spool_dir`, so that a hanging file system delays
//! nothing else.
//!
//! Each spool has a [`Lane`]; the thread takes jobs from the lanes in turn and does one at a time, without a lock. A write that
//! fails is tried again every half second. Only the time of a wait is given from outside: see [`Way::wait`].

use crate::{
    gather::Chunk,
    spool::{Job, Lane, Outcome, SpoolRead, SpoolReading, SpoolRecord, SpoolTask, Store, Trouble, Wake, Way},
};
use std::{
    fmt, io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// How many bytes of each spool may wait to be written: twice what is handed over at once.
pub(crate) const AHEAD_BYTES: usize = 2 * super::intake::HAND_OVER_BYTES;

/// How long a record waits for room in the lane. A disk that needs longer does not answer.
const ROOM_PATIENCE: Duration = Duration::from_millis(20);

/// The pause after a write that failed.
const RETRY: Duration = Duration::from_millis(500);

/// How long the end of a spool waits for the disk.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// The thread. All clones are the same one; it ends with the last of them.
#[derive(Clone, Debug)]
pub(super) struct DiskThread(Arc<Owners>);

/// Ends the thread when it is dropped.
#[derive(Debug)]
struct Owners(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// There may be a job.
    job: Condvar,
    /// A job is done.
    done: Condvar,
}

#[derive(Debug, Default)]
struct State {
    spools: Vec<Spool>,
    is_ending: bool,
}

/// The thread's view of a spool.
struct Spool {
    lane: Lane,
    /// `None` while the thread works with it.
    store: Option<Box<dyn Store>>,
    retry_at: Option<Instant>,
    wake: Option<Wake>,
    /// Whether a wait has ended without an answer.
    is_awaited: bool,
    end: End,
}

/// The end of a spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It is in use.
    No,
    /// It must be closed when nothing is left to do.
    Wanted,
    /// It is closed.
    Done,
}

/// What the thread does next, with the number of the spool.
enum Work {
    Do(usize, Job, Box<dyn Store>),
    Close(usize, Box<dyn Store>),
}

/// The way of one spool through the thread.
#[derive(Debug)]
struct Through {
    thread: DiskThread,
    at: usize,
}

impl DiskThread {
    /// Starts the thread.
    pub(super) fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        thread::Builder::new().name("spool-disk".to_owned()).spawn(move || its.run())?;
        Ok(Self(Arc::new(Owners(shared))))
    }

    /// Makes a way to the files of `store`.
    pub(super) fn lead_to(&self, store: Box<dyn Store>) -> Box<dyn Way> {
        let mut state = self.shared().lock();
        state.spools.push(Spool {
            lane: Lane::new(AHEAD_BYTES),
            store: Some(store),
            retry_at: None,
            wake: None,
            is_awaited: false,
            end: End::No,
        });
        Box::new(Through { thread: self.clone(), at: state.spools.len() - 1 })
    }

    fn shared(&self) -> &Shared {
        &self.0.0
    }
}

impl Drop for Owners {
    fn drop(&mut self) {
        self.0.lock().is_ending = true;
        self.0.job.notify_all();
    }
}

impl Shared {
    /// Locks the state. It is consistent even after a panic elsewhere, because no code panics while it is locked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does jobs until the last owner is gone.
    fn run(&self) {
        let (mut state, mut turn) = (self.lock(), 0);
        loop {
            if let Some(work) = state.next(turn) {
                drop(state);
                state = match work {
                    Work::Do(at, job, mut store) => {
                        turn = at + 1;
                        let outcome = job.run(&mut *store);
                        let mut state = self.lock();
                        state.spools[at].finish(outcome, store);
                        state
                    }
                    Work::Close(at, store) => {
                        drop(store);
                        let mut state = self.lock();
                        state.spools[at].end = End::Done;
                        state
                    }
                };
                self.done.notify_all();
                continue;
            }
            if state.is_ending {
                return;
            }
            let retry = state.spools.iter().filter_map(|spool| spool.retry_at).min();
            let pause = retry.map(|at| at.saturating_duration_since(Instant::now()));
            state = match pause {
                None => self.job.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(pause) => {
                    let woken = self.job.wait_timeout(state, pause);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

impl State {
    /// Returns the next job of the spools, beginning with number `turn`.
    fn next(&mut self, turn: usize) -> Option<Work> {
        let (now, spools) = (Instant::now(), self.spools.len());
        for at in (0..spools).map(|step| (turn + step) % spools) {
            let spool = &mut self.spools[at];
            let Some(store) = spool.store.take() else { continue };
            let may_write = spool.retry_at.is_none_or(|retry| retry <= now);
            if may_write {
                // Also if nothing is left to write: a time that has passed would keep the thread from sleeping.
                spool.retry_at = None;
            }
            if let Some(job) = spool.lane.next(may_write) {
                return Some(Work::Do(at, job, store));
            }
            if spool.end == End::Wanted {
                return Some(Work::Close(at, store));
            }
            spool.store = Some(store);
        }
        None
    }
}

impl Spool {
    fn finish(&mut self, outcome: Outcome, store: Box<dyn Store>) {
        let is_answer = match &outcome {
            Outcome::Written(_, Ok(())) => std::mem::take(&mut self.is_awaited),
            Outcome::Written(_, Err(_)) => {
                self.retry_at = Some(Instant::now() + RETRY);
                true
            }
            Outcome::Done(done) => done.is_err(),
            Outcome::Read(_) => true,
        };
        self.lane.finish(outcome);
        self.store = Some(store);
        if is_answer && let Some(wake) = &self.wake {
            wake();
        }
    }
}

impl Through {
    fn spool<T>(&self, use_it: impl FnOnce(&mut Spool) -> T) -> T {
        use_it(&mut self.thread.shared().lock().spools[self.at])
    }

    /// Gives the thread something to do.
    fn give<T>(&self, put: impl FnOnce(&mut Spool) -> T) -> T {
        let result = self.spool(put);
        self.thread.shared().job.notify_one();
        result
    }

    /// Waits until `is_so`, at most this long. Returns whether it is.
    fn wait_until(&self, patience: Duration, is_so: impl Fn(&Spool) -> bool) -> bool {
        let shared = self.thread.shared();
        let waits = |state: &mut State| !is_so(&state.spools[self.at]);
        let waited = shared.done.wait_timeout_while(shared.lock(), patience, waits);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Way for Through {
    fn append(&mut self, record: SpoolRecord) -> io::Result<()> {
        let is_late = self.spool(|spool| spool.lane.is_full() && !spool.is_awaited);
        if is_late
            && !self.wait_until(ROOM_PATIENCE, |spool| !spool.lane.is_full() || spool.lane.is_failing())
        {
            self.spool(|spool| spool.is_awaited = true);
        }
        self.give(|spool| spool.lane.append(record))
    }

    fn order(&mut self, task: SpoolTask) -> Result<(), Trouble> {
        self.give(|spool| spool.lane.order(task));
        Ok(())
    }

    fn read(&mut self, reading: SpoolReading) -> Option<SpoolRead> {
        self.give(|spool| spool.lane.read(reading));
        None
    }

    fn take_read(&mut self) -> Option<SpoolRead> {
        self.spool(|spool| spool.lane.take_read())
    }

    fn unwritten(&self, line: u64) -> Option<Chunk> {
        self.spool(|spool| spool.lane.unwritten(line))
    }

    fn first_unwritten(&self) -> Option<u64> {
        self.spool(|spool| spool.lane.first_unwritten())
    }

    fn is_failing(&self) -> bool {
        self.spool(|spool| spool.lane.is_failing())
    }

    fn wait(&mut self, patience: Duration) -> bool {
        let has_answered = |spool: &Spool| spool.lane.is_failing() || spool.lane.first_unwritten().is_none();
        let is_answered = self.wait_until(patience, has_answered);
        self.spool(|spool| spool.is_awaited |= !is_answered);
        is_answered
    }

    fn abandon(&mut self) -> Option<u64> {
        self.spool(|spool| spool.lane.abandon())
    }

    fn take_trouble(&mut self) -> Option<Trouble> {
        self.spool(|spool| spool.lane.take_trouble())
    }

    fn on_answer(&mut self, wake: Wake) {
        self.spool(|spool| spool.wake = Some(wake));
    }

    fn into_store(self: Box<Self>) -> Option<Box<dyn Store>> {
        None
    }
}

impl Drop for Through {
    /// Closes the store: a spool without files removes its directory, and its lock ends.
    fn drop(&mut self) {
        self.give(|spool| (spool.end, spool.wake) = (End::Wanted, None));
        self.wait_until(CLOSE_PATIENCE, |spool| spool.end == End::Done);
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lane, store, retry_at, wake: _, is_awaited, end } = self;
        f.debug_struct("Spool")
            .field("lane", lane)
            .field("store", store)
            .field("retry_at", retry_at)
            .field("is_awaited", is_awaited)
            .field("end", end)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::{Budget, Faults, SimulatedStore, Spool, SpoolLimits};

    #[test]
    fn the_thread_sleeps_when_what_the_disk_refused_is_not_wanted_any_more() {
        let (thread, store) = (DiskThread::start().unwrap(), SimulatedStore::new(1));
        let limits = SpoolLimits::UNBOUNDED;
        let (mut spool, _) = Spool::open(Box::new(store.clone()), limits, Budget::new(u64::MAX)).unwrap();
        spool.go_by(|store| thread.lead_to(store));
        store.set_faults(Faults { capacity: Some(0), ..Faults::default() });
        spool.append(&Chunk::new(Arc::new(b"a\n".to_vec()), 1), 0).unwrap();
        assert!(spool.wait(Duration::from_mins(1)), "the disk refuses");
        assert_eq!(spool.abandon(), 1);
        let retries = || thread.shared().lock().spools[0].retry_at.is_some();
        let begun = Instant::now();
        while retries() {
            assert!(begun.elapsed() < Duration::from_mins(1), "it tries for ever");
            thread::sleep(Duration::from_millis(10));
        }
    }
}
