//! Facts about a plan. They never change its meaning.
//!
//! [`literals`] says what a regex demands, [`strategy`] chooses how each matcher and the table as a whole
//! will run, and [`explain`](fn@explain) tells the author. `language` says which names matchers take, and with it
//! [`warnings`](fn@warnings) finds what the author can hardly have meant; [`samples`] makes names for rules.

mod explain;
pub(crate) mod language;
pub mod literals;
pub mod samples;
pub mod strategy;
mod warnings;

pub use explain::{Explained, explain};
pub use strategy::{Force, Strategy, Traffic, TrafficError};
pub use warnings::{findings, warnings};
