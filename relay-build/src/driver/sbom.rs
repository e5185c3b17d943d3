//! The list of what a relay consists of, as a `CycloneDX` document: every package of the lock file that it was built with.
//!
//! No time and no serial number, so that the same relay has the same document.

use super::Manifest;
use serde_json::{Value, json};

/// The document for a relay with this manifest, built with this lock file; `crate_name` is the generated crate's.
pub(super) fn sbom(manifest: &Manifest, lock: &str, crate_name: &str) -> Value {
    let lock: toml::Table = lock.parse().unwrap_or_default();
    let packages = lock.get("package").and_then(toml::Value::as_array);
    let packages = packages.into_iter().flatten();
    let components: Vec<Value> = packages.filter_map(|package| component(package, crate_name)).collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "tools": { "components": [
                { "type": "application", "name": manifest.tool, "version": manifest.version },
                { "type": "application", "name": "rustc", "version": manifest.rustc },
            ] },
            "component": {
                "type": "application",
                "bom-ref": "relay",
                "name": "relay",
                "version": manifest.version,
                "hashes": manifest.binary_sha256.iter().map(|hash| sha256(hash)).collect::<Vec<_>>(),
            },
        },
        "components": components,
        "dependencies": [{
            "ref": "relay",
            "dependsOn": components.iter().map(|one| one["bom-ref"].clone()).collect::<Vec<_>>(),
        }],
    })
}

fn component(package: &toml::Value, crate_name: &str) -> Option<Value> {
    let text = |key: &str| package.get(key).and_then(toml::Value::as_str);
    let (name, version) = (text("name")?, text("version")?);
    if name == crate_name {
        return None;
    }
    let purl = format!("pkg:cargo/{name}@{version}");
    let mut component =
        json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl });
    if let Some(checksum) = text("checksum") {
        component["hashes"] = json!([sha256(checksum)]);
    }
    Some(component)
}

fn sha256(hash: &str) -> Value {
    json!({ "alg": "SHA-256", "content": hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_but_the_generated_one_is_a_component_with_its_checksum() {
        let lock = "version = 4\n[[package]]\nname = \"mio\"\nversion = \"1.2.0\"\nchecksum = \"ab\"\n\
                    [[package]]\nname = \"relay-0\"\nversion = \"0.0.0\"\n\
                    [[package]]\nname = \"relay-runtime\"\nversion = \"0.1.0\"\n";
        let manifest = Manifest { binary_sha256: Some("cd".to_owned()), ..Manifest::default() };
        let document = sbom(&manifest, lock, "relay-0");
        let names: Vec<_> =
            document["components"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["mio", "relay-runtime"]);
        assert_eq!(document["components"][0]["hashes"][0]["content"], "ab");
        assert_eq!(document["components"][0]["purl"], "pkg:cargo/mio@1.2.0");
        assert_eq!(document["metadata"]["component"]["hashes"][0]["content"], "cd");
    }
}
