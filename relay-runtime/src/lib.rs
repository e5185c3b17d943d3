//! The engine of static-relay.
//!
//! Follow a line through the modules in this order:
//! [`plan`] holds what was configured: [`settings`] for the process, [`table`] for the lines.
//! [`regex`] is the dialect that patterns are written in; [`matcher`], [`rewriter`] and [`template`] run
//! single rules.
//! [`validate`] takes only what is a line, [`order`] only what is newer.
//! A line then goes through [`dispatch`], the seam behind which either the interpreter ([`interpret`]) or
//! generated code sits, with [`select`] (and under it [`ring`]) for the routes that choose among their
//! destinations, and what it decides is collected by [`gather`]; [`trace`] and [`explain`] show it instead.

pub mod plan;
pub mod settings;
pub mod table;

pub mod regex;

pub mod matcher;
pub mod rewriter;
pub mod template;

pub mod order;
pub mod validate;

pub mod dispatch;
pub mod interpret;

pub mod ring;
pub mod select;

pub mod counts;
pub mod gather;

pub mod explain;
pub mod trace;
