//! What travels over the wires, without the wires: bytes in, lines out.

pub mod plain;
