//! Writes the list of a relay's components as a `CycloneDX` document: every package whose code is linked into it, with its licence and the checksum of its source.
//!
//! Packages that are needed only for building or testing are not listed. The document contains no time and no
//! serial number, so the same relay has the same document.

use super::Manifest;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The document for a relay with this manifest. `linked` has a line per package, `name vVERSION …` and its
/// licence, separated by a tab; `lock` is the lock file, which has the checksums; `crate_name` is the
/// generated crate's.
pub(super) fn sbom(manifest: &Manifest, lock: &str, linked: &str, crate_name: &str) -> Value {
    let checksums = checksums(lock);
    let packages: BTreeSet<_> = linked.lines().filter_map(package).collect();
    let components: Vec<Value> = packages
        .into_iter()
        .filter(|one| one.name != crate_name)
        .map(|one| component(&one, checksums.get(&(one.name, one.version)).map(String::as_str)))
        .collect();
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

/// A package that is linked.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Package<'a> {
    name: &'a str,
    version: &'a str,
    licence: &'a str,
}

fn package(line: &str) -> Option<Package<'_>> {
    let (id, licence) = line.split_once('\t').unwrap_or((line, ""));
    let mut words = id.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    Some(Package { name, version, licence: licence.trim_end_matches(" (*)").trim() })
}

/// The checksum of each package's source, by name and version.
fn checksums(lock: &str) -> BTreeMap<(&str, &str), String> {
    let mut checksums = BTreeMap::new();
    for package in lock.split("[[package]]").skip(1) {
        let text = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""))?;
            line.strip_suffix('"')
        };
        if let (Some(name), Some(version), Some(sum)) = (text("name"), text("version"), text("checksum")) {
            checksums.insert((name, version), sum.to_owned());
        }
    }
    checksums
}

fn component(Package { name, version, licence }: &Package<'_>, checksum: Option<&str>) -> Value {
    let purl = format!("pkg:cargo/{name}@{version}");
    let mut component =
        json!({ "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl });
    if !licence.is_empty() {
        // Older packages separate alternatives by a slash, which is not valid in SPDX.
        component["licenses"] = json!([{ "expression": licence.replace('/', " OR ") }]);
    }
    if let Some(checksum) = checksum {
        component["hashes"] = json!([sha256(checksum)]);
    }
    component
}

fn sha256(hash: &str) -> Value {
    json!({ "alg": "SHA-256", "content": hash })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_a_component_with_its_licence_and_checksum() {
        let lock = "version = 4\n[[package]]\nname = \"mio\"\nversion = \"1.2.0\"\nchecksum = \"ab\"\n\
                    [[package]]\nname = \"proptest\"\nversion = \"1.12.0\"\nchecksum = \"ef\"\n";
        let linked = "relay-0 v0.0.0 (/cache/crate/relay-0)\t\nmio v1.2.0\tMIT\nmio v1.2.0 (*)\tMIT\n\
                      old v0.1.0\tMIT/Apache-2.0\nrelay-runtime v0.1.0 (/cache/runtime)\tMIT OR Apache-2.0\n";
        let manifest = Manifest { binary_sha256: Some("cd".to_owned()), ..Manifest::default() };
        let document = sbom(&manifest, lock, linked, "relay-0");
        let names: Vec<_> =
            document["components"].as_array().unwrap().iter().map(|one| &one["name"]).collect();
        assert_eq!(names, ["mio", "old", "relay-runtime"]);
        assert_eq!(document["components"][0]["hashes"][0]["content"], "ab");
        assert_eq!(document["components"][0]["purl"], "pkg:cargo/mio@1.2.0");
        assert_eq!(document["components"][0]["licenses"][0]["expression"], "MIT");
        assert_eq!(document["components"][1]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(document["metadata"]["component"]["hashes"][0]["content"], "cd");
    }
}
