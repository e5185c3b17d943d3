//! What `--version` says: the relay's version, and what it was built from, out of the manifest.
//!
//! A manifest that cannot be read, or lacks a value, leaves out its line.

use serde::Deserialize;

/// The values of the manifest that tell relays apart.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Built {
    tool: String,
    version: String,
    config: String,
    environment: Option<String>,
    config_sha256: String,
    plan_sha256: String,
    rustc: String,
    profile: String,
    target: String,
}

/// The text: the first line is `static-relay VERSION`, the others are `NAME: VALUE`.
pub(super) fn version(manifest: &str) -> String {
    let Built { tool, version, config, environment, config_sha256, plan_sha256, rustc, profile, target } =
        serde_json::from_str(manifest).unwrap_or_default();
    let environment = environment.map(|name| format!(", environment {name}")).unwrap_or_default();
    let lines = [
        (
            "configuration",
            format!("{config} (sha256 {config_sha256}){environment}"),
            !config_sha256.is_empty(),
        ),
        ("plan", format!("sha256 {plan_sha256}"), !plan_sha256.is_empty()),
        ("built by", format!("{tool} {version} with {rustc}"), !tool.is_empty()),
        ("built for", format!("{target}, profile {profile}"), !target.is_empty()),
    ];
    let known = lines.into_iter().filter(|(_, _, is_known)| *is_known);
    let mut text = format!("static-relay {}\n", env!("CARGO_PKG_VERSION"));
    for (name, value, _) in known {
        text.extend([name, ": ", &value, "\n"]);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_names_configuration_plan_and_tool() {
        let manifest = r#"{"tool":"relay-build","version":"0.1.0","config":"relay.toml","environment":"prod",
            "config_sha256":"c0","plan_sha256":"f1","rustc":"rustc 1.95","profile":"server","target":"x86_64",
            "variables":[]}"#;
        let (first, rest) =
            version(manifest).split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        assert_eq!(first, format!("static-relay {}", env!("CARGO_PKG_VERSION")));
        assert_eq!(
            rest,
            "configuration: relay.toml (sha256 c0), environment prod\nplan: sha256 f1\n\
             built by: relay-build 0.1.0 with rustc 1.95\nbuilt for: x86_64, profile server\n"
        );
        assert_eq!(version("{}").lines().count(), 1);
    }
}
