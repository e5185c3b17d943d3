//! Facts about a plan. They never change its meaning.
//!
//! [`literals`] says what a regex demands, [`strategy`] chooses how each matcher and the table as a whole
//! will run, and [`explain`](fn@explain) tells the author.

mod explain;
pub mod literals;
pub mod strategy;

pub use explain::{Explained, explain};
pub use strategy::{Force, Strategy};
