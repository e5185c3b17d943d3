//! What one worker gathers in one turn of its event loop: bytes, by the destinations that get them.
//!
//! Lines with the same destinations share one chunk, so fan-out copies a line once, and runs of such lines
//! move as one copy. The turn ends with `drain`, which hands each chunk to all of its destinations.

mod chunk;

pub use chunk::Chunk;
