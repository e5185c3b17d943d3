//! Compiles a relay configuration into a relay that does only what the configuration asks for.
//!
//! From a build script, with relay-build among the build dependencies and relay-runtime among the dependencies:
//!
//! ```no_run
//! // Writes $OUT_DIR/relay.rs; a bad configuration is a build error with place, quote and help.
//! relay_build::compile("relay.toml").unwrap();
//! ```
//!
//! See [`compile`] for the program around it, and relay-runtime's page for how to ask its `Table`.
//!
//! Read the modules in this order; each consumes what the one before it returns:
//! [`config`] reads and checks, with [`diagnostics`] for its author; [`analyses`] finds facts and chooses strategies;
//! [`codegen`] writes them down as Rust; [`driver`] makes a relay of that. [`testing`] runs a configuration's tests, [`diff`]
//! compares two configurations, [`mod@bench`] measures one, and [`package`] packs a relay.

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
mod runtime_dependency;
pub mod testing;

mod compile;

pub use compile::{CompileError, compile, compile_text};
