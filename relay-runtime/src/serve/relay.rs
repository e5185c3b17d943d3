//! A relay inside a program: started from a plan, asked for its ledger, stopped.
//!
//! Needs no arguments and no signals, so tests use it too.

use super::{
    any_table::AnyTable,
    complete::{self, Incomplete},
    setup::{self, setup},
};
use crate::{
    dispatch::Dispatch,
    engine::{Engine, EngineError, Inherited},
    ledger::Ledger,
    memory::{Memory, TooSmall},
    pipeline::LinePipeline,
    plan::Plan,
    protocol::Protocol,
};
use mio::event::Source;
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

/// A running relay.
#[derive(Debug)]
pub struct Relay {
    engine: Engine,
    deliver_max: Duration,
}

/// Why a relay does not start.
#[derive(Debug)]
pub enum StartError {
    /// A value is still open.
    Incomplete(Incomplete),
    /// The configuration needs more memory than it allows.
    Memory(TooSmall),
    /// The engine cannot start.
    Engine(EngineError),
}

/// The memory that a relay of this plan may use. Variables are read from the environment.
pub fn memory(plan: &Plan) -> Result<Memory, StartError> {
    memory_with(plan, complete::from_environment)
}

/// Like [`memory`], with variables from `lookup`.
pub fn memory_with(plan: &Plan, lookup: impl Fn(&str) -> Option<String>) -> Result<Memory, StartError> {
    setup::memory(&complete::complete(plan, lookup)?)
}

impl Relay {
    /// Starts to serve. Variables are read from the environment.
    pub fn start<D: Dispatch + 'static>(plan: &Plan, dispatch: D) -> Result<Self, StartError> {
        let table = Arc::new(dispatch) as Arc<dyn AnyTable>;
        Self::start_table(plan, &table, |pipeline| pipeline, Inherited::default(), None)
    }

    /// Like [`Self::start`], with something in front of the pipeline, and a bell for [`Engine::start`].
    pub(super) fn start_table(
        plan: &Plan,
        table: &Arc<dyn AnyTable>,
        before: impl Fn(Box<dyn LinePipeline>) -> Box<dyn LinePipeline>,
        inherited: Inherited,
        bell: Option<&mut dyn Source>,
    ) -> Result<Self, StartError> {
        let plan = complete::complete(plan, complete::from_environment)?;
        let setup = setup(&plan)?;
        let deliver_max = plan.settings.shutdown_ms.resolve(|_| None).unwrap_or_default();
        let liveness = setup.liveness.clone();
        let pipeline = Arc::clone(table).pipeline(&plan.table, setup.input_limits.line_bytes, liveness);
        let engine = Engine::start(setup, &*before(pipeline), inherited, bell).map_err(StartError::Engine)?;
        Ok(Self { engine, deliver_max: Duration::from_millis(deliver_max) })
    }

    /// The address on which it listens for lines, with the port that the system chose for port 0.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.engine.address(Protocol::Plain)
    }

    /// The address on which it listens for pickles.
    #[must_use]
    pub fn pickle_address(&self) -> Option<SocketAddr> {
        self.engine.address(Protocol::Pickle)
    }

    /// Whether all workers are running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.engine.is_running()
    }

    /// See [`Engine::is_run_by_caller`].
    pub(super) const fn is_run_by_caller(&self) -> bool {
        self.engine.is_run_by_caller()
    }

    /// See [`Engine::wait`].
    pub(super) fn wait(&self, longest: Duration, is_enough: impl FnMut() -> bool) {
        self.engine.wait(longest, is_enough);
    }

    /// The ledger; `None` if a worker does not answer.
    #[must_use]
    pub fn ledger(&self) -> Option<Ledger> {
        self.engine.ledger()
    }

    /// The ledger; logs an error if it does not balance. `None` if a worker does not answer.
    pub fn check_books(&self) -> Option<Ledger> {
        let ledger = self.ledger()?;
        if let Some(difference) = ledger.difference() {
            tracing::error!(%difference, "the ledger does not balance: this is a bug");
        }
        Some(ledger)
    }

    /// Stops in good order, within the plan's `shutdown_timeout` or until `is_cut_short` returns true. Returns
    /// the last ledger.
    pub fn stop(self, is_cut_short: impl Fn() -> bool) -> Option<Ledger> {
        self.engine.stop(self.deliver_max, is_cut_short)
    }
}

impl From<Incomplete> for StartError {
    fn from(error: Incomplete) -> Self {
        Self::Incomplete(error)
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incomplete(error) => error.fmt(f),
            Self::Memory(error) => {
                write!(f, "{error}: raise `memory`, or lower the limits that need so much")
            }
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Incomplete(error) => Some(error),
            Self::Memory(error) => Some(error),
            Self::Engine(error) => Some(error),
        }
    }
}
