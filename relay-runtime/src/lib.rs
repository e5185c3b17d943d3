//! The engine of static-relay.
//!
//! Follow a line through the modules in this order:
//! [`plan`] holds what was configured: [`settings`] for the process, [`table`] for the lines.
//! [`regex`] is the dialect that its patterns are written in.
//! [`matcher`], [`rewriter`] and [`template`] run single rules.
//! A line then goes through [`dispatch`], the seam behind which either the interpreter or generated code sits ([`interpret`]),
//! and what it decides is collected by [`gather`].

pub mod plan;
pub mod settings;
pub mod table;

pub mod regex;

pub mod matcher;
pub mod rewriter;
pub mod template;

pub mod dispatch;
pub mod interpret;

pub mod gather;
