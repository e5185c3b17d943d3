//! Compiles a relay configuration into a relay that does only what the configuration asks for.
//!
//! Read the modules in this order; each consumes what the one before it returns:
//! [`config`] reads and checks, with [`diagnostics`] for its author.

pub mod config;

pub mod diagnostics;

pub mod analyses;
pub mod codegen;
