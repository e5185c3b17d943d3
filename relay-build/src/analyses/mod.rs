//! Facts about a plan. They never change its meaning.
//!
//! [`literals`] derives what a regex requires of a name, [`strategy`] chooses how each matcher and the table as
//! a whole are run, and [`explain`](fn@explain) describes the choices to the author of a configuration.
//! `language` decides which names matchers match; [`warnings`](fn@warnings) uses it to find rules that can
//! hardly be intended. [`samples`] makes names for rules.

mod explain;
pub(crate) mod language;
pub mod literals;
pub mod samples;
pub mod strategy;
mod warnings;

pub use explain::{Explained, explain};
pub use strategy::{Force, Strategy, Traffic, TrafficError};
pub(crate) use warnings::repetitions;
pub use warnings::{findings, warnings};
