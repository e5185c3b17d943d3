//! Benchmarks of static-relay. Run them with `cargo bench -p relay-benches`.
