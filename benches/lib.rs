//! Benchmarks of static-relay.
//!
//! `cargo bench -p relay-benches` times parts of the engine in memory, one file per concept.
//! `cargo run --release -p relay-benches --bin loopback` compares whole relays over loopback.
