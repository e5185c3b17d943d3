//! The books of a relay. STUB
pub mod names;
