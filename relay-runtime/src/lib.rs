//! The engine of static-relay.
//!
//! Follow a line through the modules in this order:
//! [`plan`] holds what was configured: [`settings`] for the process, [`table`] for the lines.
//! A line then goes through [`dispatch`], the seam behind which either the interpreter or generated code sits,
//! with [`select`] (and under it [`ring`]) for the routes that choose among their destinations,
//! and what it decides is collected by [`gather`].
//! Each [`destination`] delivers what it gets; the [`ledger`] says what became of every line.
//! [`engine`] runs all that on sockets and threads, and [`serve`] is the `main` of a relay.

pub mod plan;
pub mod settings;
pub mod table;

pub mod order;
pub mod protocol;
pub mod validate;

pub mod dispatch;

pub mod ring;
pub mod select;

pub mod counts;
pub mod gather;
pub mod pipeline;

pub mod destination;
pub mod ledger;

pub mod engine;
pub mod logging;
pub mod serve;
