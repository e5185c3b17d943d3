//! The command line of relay-build.

fn main() {}
