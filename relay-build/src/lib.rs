//! Compiles a relay configuration into a relay that does only what the configuration asks for.
//!
//! Read the modules in this order; each consumes what the one before it returns:
//! [`config`] reads and checks, with [`diagnostics`] for its author; [`analyses`] finds facts and chooses strategies;
//! [`codegen`] writes them down as Rust; [`driver`] makes a relay of that, [`testing`] runs a
//! configuration's tests, [`diff`] compares two
//! [`mod@bench`] measures one, and [`package`] packs a relay. [`compile`] is the door for build scripts.

pub mod config;

pub mod diagnostics;

pub mod analyses;
pub mod corpus;

pub mod codegen;
pub mod driver;

pub mod bench;
pub mod diff;
mod digest;
pub mod package;
mod private;
pub mod testing;

mod compile;

pub use compile::{CompileError, compile, compile_text};
