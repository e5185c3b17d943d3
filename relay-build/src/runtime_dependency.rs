//! Whether the crate that a table is compiled into depends on relay-runtime, which generated code uses by that name.
//!
//! Asked before anything is generated, so that a missing dependency is one sentence and not a hundred errors in code that
//! nobody wrote. A manifest that cannot be read is cargo's affair.

use std::path::Path;

const RUNTIME: [&str; 2] = ["relay-runtime", "relay_runtime"];

/// Returns whether the package in `directory` lacks the dependency. What workspaces, targets and tests add counts as there.
pub(crate) fn is_missing(directory: &Path) -> bool {
    let text = std::fs::read_to_string(directory.join("Cargo.toml")).unwrap_or_default();
    text.parse().is_ok_and(|manifest: toml::Table| !has_dependency(&manifest))
}

fn has_dependency(manifest: &toml::Table) -> bool {
    let is_runtime =
        manifest.get("package").and_then(|package| package.get("name")?.as_str()) == Some(RUNTIME[0]);
    let targets =
        manifest.get("target").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::values);
    let places = targets.filter_map(toml::Value::as_table).chain([manifest]);
    let sections = places.flat_map(|place| ["dependencies", "dev-dependencies"].map(|name| place.get(name)));
    let mut sections = sections.flatten();
    is_runtime || sections.any(|section| RUNTIME.iter().any(|name| section.get(name).is_some()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_counts_wherever_it_is_written() {
        let has = |text: &str| has_dependency(&text.parse().unwrap());
        assert!(!has("[package]\nname = 'a'\n[dependencies]\nrelay-macros = '0.1'\n"));
        assert!(!has("[build-dependencies]\nrelay-runtime = '0.1'\n"));
        for section in ["dependencies", "dev-dependencies", "target.'cfg(unix)'.dependencies"] {
            assert!(has(&format!("[{section}]\nrelay-runtime = '0.1'\n")), "{section}");
        }
        assert!(has("[dependencies]\nrelay_runtime.workspace = true\n"));
        assert!(has("[package]\nname = 'relay-runtime'\n"));
    }
}
