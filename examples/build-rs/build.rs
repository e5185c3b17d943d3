//! Compiles `relay.toml` into `$OUT_DIR/relay.rs`.
//!
//! A configuration with an error fails the build, and the compiler's output shows the diagnostic.

fn main() -> Result<(), relay_build::CompileError> {
    relay_build::compile("relay.toml")
}
