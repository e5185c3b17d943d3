//! The engine of static-relay: what a compiled relay is linked against, and what a program asks that has a table inside.
//!
//! relay-build and relay-macros make a `Table` of a configuration; [`interpret::Interpreter`] runs one without compiling it. Either
//! is asked in the same way:
//!
//! ```
//! use relay_runtime::{admission::Admission, interpret::Interpreter, plan::Plan, table::*, trace::Tracer};
//!
//! let mut plan = Plan::default();
//! plan.table.destinations.push(Destination::new("graphite.example:2003"));
//! let all = RouteDestination { destination: DestinationIndex::new(0), matcher: Matcher::default() };
//! let servers = Matcher { prefix: Some("servers.".to_owned()), ..Matcher::default() };
//! plan.table.routes.push(Route::new("servers", servers, RouteKind::SendAllMatch { destinations: vec![all] }));
//!
//! let table = Interpreter::new(&plan.table)?;
//! let mut tracer = Tracer::new(&plan.table, &table, Admission::of(&plan, |_| None));
//! let trace = tracer.trace(b"servers.web1.cpu 0.5 1700000000", 1_700_000_000);
//! assert_eq!(trace.routes[0].destinations, ["graphite.example:2003"]);
//! assert!(tracer.trace_name(b"apps.shop").routes.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`serve::Relay`] runs a table as a whole relay, on sockets, inside a program or a test.
//!
//! Follow a line through the modules in this order:
//!
//! * [`plan`] is the checked configuration: [`settings`] for the process, [`table`] for the lines.
//! * [`regex`] is the dialect of patterns; [`matcher`], [`rewriter`] and [`template`] run single rules.
//! * [`protocol`] finds whole lines in a stream, [`validate`] accepts valid lines only, [`order`] only newer
//!   ones; [`admission`] is all that decides whether a line is accepted.
//! * [`dispatch`] is the seam to the table, which either the interpreter ([`interpret`]) runs or generated code
//!   (with the engines of [`matching`]; [`generated`] lists all that it uses). [`select`], on top of [`ring`],
//!   serves routes that choose among their destinations.
//! * [`gather`] and [`aggregate`] collect what the table decides; [`trace`] and [`explain`] show it instead,
//!   and [`replay`] runs it in virtual time.
//! * [`pipeline`] does all of this in one pass over what was read, counted in [`counts`].
//! * Each [`destination`] sends what it gets, with a [`spool`] on disk for lines that it cannot send yet. The
//!   [`ledger`] accounts for every line.
//! * [`memory`] divides the memory.
//! * [`engine`] runs everything on sockets and threads, [`logging`] reports it, and `record` copies lines for a
//!   recorder.
//! * [`serve`] is the `main` of a relay, [`measure`] that of a program that times tables.

mod counted;
mod parts;
pub mod plan;
pub mod settings;
pub mod table;

pub mod regex;

pub mod matcher;
pub mod rewriter;
pub mod template;

pub mod protocol;

pub mod admission;
pub mod order;
pub mod validate;

pub mod dispatch;
pub mod generated;
pub mod interpret;
pub mod matching;

pub mod ring;
pub mod select;

pub mod aggregate;
pub mod counts;
pub mod gather;
pub mod pipeline;

pub mod explain;
#[cfg(feature = "tools")]
pub mod export;
pub mod replay;
pub mod trace;

pub mod destination;
pub mod ledger;
pub mod spool;

pub mod memory;

pub mod engine;
mod lock;
pub mod logging;
#[cfg(feature = "tools")]
mod record;
pub mod serve;
mod shortage;
mod stream;

pub mod measure;

pub use counted::{Counted, counted};
