//! The engine of static-relay.
//!
//! Follow a line through the modules in this order:
//! [`plan`] holds what was configured: [`settings`] for the process, [`table`] for the lines.
//! [`regex`] is the dialect that patterns are written in; [`matcher`], [`rewriter`] and [`template`] run
//! single rules.
//! [`protocol`] finds whole lines in a stream, [`validate`] takes only what is a line, [`order`] only what is newer:
//! [`admission`] is both, for whoever takes lines.
//! A line then goes through [`dispatch`], the seam behind which either the interpreter ([`interpret`]) or generated
//! code (with the engines of [`matching`]; all that it names is in [`generated`]) sits, with [`select`] (and under it [`ring`]) for the routes that choose
//! among their destinations, and what it decides is collected by [`gather`], or by [`aggregate`]; [`trace`] and [`explain`] show it instead, and [`replay`] runs it in virtual time.
//! [`pipeline`] is all of that in one pass over what was read, counted in [`counts`].
//! Each [`destination`] delivers what it gets, with a [`spool`] on disk for what it cannot yet; the [`ledger`] says what became of every line.
//! [`memory`] says who may hold how much.
//! [`engine`] runs it on sockets and threads, [`logging`] tells of it, `record` copies lines for whoever wants a corpus, and
//! [`serve`] is the `main` of a relay;
//! [`measure`] is that of a program that times tables.

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
