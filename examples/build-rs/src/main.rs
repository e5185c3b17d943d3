//! A program with a relay in it: `cargo run -p example-build-rs`.
//!
//! It accepts the arguments of any relay, such as `trace` and `--config`.

mod relay {
    #![allow(unreachable_pub, reason = "generated for any module")]
    include!(concat!(env!("OUT_DIR"), "/relay.rs"));
}

fn main() -> std::process::ExitCode {
    relay::main()
}
