//! `relay!("relay.toml")`: a compiled relay inside your own program.
