//! Compiles `relay.toml` into `$OUT_DIR/relay.rs`.

fn main() -> Result<(), relay_build::CompileError> {
    relay_build::compile("relay.toml")
}
