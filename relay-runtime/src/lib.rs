//! The engine of static-relay: everything that a relay does at run time, except the code that is generated
//! for its table.
//!
//! Follow a line through the modules in this order:
//!
//! * [`plan`] is the checked configuration: [`settings`] for the process, [`table`] for the lines.
//! * [`regex`] is the dialect of patterns; [`matcher`], [`rewriter`] and [`template`] run single rules.
//! * [`protocol`] finds whole lines in a stream, [`validate`] accepts valid lines only, [`order`] only newer
//!   ones; [`admission`] is all that decides whether a line is accepted.
//! * [`dispatch`] is the interface to the table. Either the interpreter ([`interpret`]) runs the table, or
//!   generated code does (with the engines of [`matching`]; [`generated`] lists everything that it uses).
//!   [`select`], on top of [`ring`], serves routes that choose among their destinations.
//! * [`gather`] and [`aggregate`] collect what the table decides; [`trace`] and [`explain`] show it instead,
//!   and [`replay`] runs it in virtual time.
//! * [`pipeline`] does all of this in one pass over what was read, counted in [`counts`].
//! * Each [`destination`] sends what it gets, with a [`spool`] on disk for lines that it cannot send yet. The
//!   [`ledger`] accounts for every line.
//! * [`memory`] divides the memory.
//! * [`engine`] runs everything on sockets and threads, [`logging`] reports it, and `record` copies lines for a
//!   recorder.
//! * [`serve`] is the `main` of a relay, [`measure`] that of a program that times tables.

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
mod stream;

pub mod measure;
