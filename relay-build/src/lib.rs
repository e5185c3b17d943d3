//! Compiles a relay configuration into a relay that does only what the configuration asks for.
//!
//! Read the modules in this order; each consumes what the one before it returns: [`config`] reads and checks,
//! with [`diagnostics`] for its author; [`analyses`] finds facts and chooses strategies; [`codegen`] writes
//! them as Rust; [`driver`] compiles that into a relay. [`testing`] runs a configuration's tests, [`diff`]
//! compares two configurations, [`mod@bench`] measures one, and [`package`] packs a relay. Build scripts call
//! [`compile`].

pub mod config;

pub mod diagnostics;

pub mod analyses;
pub mod corpus;

pub mod codegen;
pub mod driver;

pub mod bench;
pub mod diff;
pub mod package;
mod private;
pub mod testing;

mod compile;

pub use compile::{CompileError, compile, compile_text};
