//! The engine of static-relay.
//!
//! Follow a line through the modules in this order:
//! [`plan`] holds what was configured: [`settings`] for the process, [`table`] for the lines.
//! A line then goes through [`dispatch`], the seam behind which either the interpreter or generated code sits,
//! and what it decides is collected by [`gather`].

pub mod plan;
pub mod settings;
pub mod table;

pub mod protocol;
pub mod validate;
pub mod order;

pub mod dispatch;

pub mod counts;
pub mod gather;
pub mod pipeline;

pub mod destination;

pub mod ledger;
