//! Verifies an artifact: builds it a second time from its inputs and compares the bytes.
//!
//! `inputs.json` beside a relay contains the configuration's text and the values of its variables. The place
//! and time of the first build must not matter.

use super::{BuildError, BuildOptions, Manifest, Profile, build, read, sha256};
use crate::{
    analyses::Traffic,
    config::{Checked, Options, Source, check_text},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io, path::Path};

/// The file's name.
pub const INPUTS_FILE: &str = "inputs.json";

/// Everything that determines what a relay does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The configuration's file name, without directories.
    pub config_name: String,
    /// Its text.
    pub config: String,
    /// The environment that was named.
    pub environment: Option<String>,
    /// The variables that were given, with their values.
    pub given: BTreeMap<String, String>,
    /// The variables whose values came from the environment of the building process.
    pub from_environment: BTreeMap<String, String>,
    /// The counts for which strategies were chosen; they are not the corpus itself.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traffic: Option<Traffic>,
}

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The differences, one sentence each; empty if the artifact is what its manifest says.
    pub differences: Vec<String>,
    /// The digest of the relay in the directory.
    pub binary_sha256: String,
}

impl Inputs {
    /// The inputs of a checked configuration.
    #[must_use]
    pub fn of(checked: &Checked) -> Self {
        let is_given = |name: &str| !checked.from_environment.contains(name);
        let (given, from_environment) =
            checked.variables.clone().into_iter().partition(|(name, _)| is_given(name));
        let name = checked.source.path.file_name().map(|name| name.to_string_lossy().into_owned());
        Self {
            config_name: name.unwrap_or_default(),
            config: checked.source.text.clone(),
            environment: checked.environment.clone(),
            given,
            from_environment,
            traffic: checked.traffic.clone(),
        }
    }

    /// Checks the same configuration again.
    #[must_use]
    pub fn check(&self) -> Checked {
        let options = Options {
            variables: self.given.clone(),
            environment: self.from_environment.clone(),
            environment_name: self.environment.clone(),
            // The values from the environment's file are among the given ones.
            environment_file: self.environment.as_ref().map(|_| Source::default()),
            ..Options::default()
        };
        let source = Source { path: self.config_name.clone().into(), text: self.config.clone() };
        Checked { traffic: self.traffic.clone(), ..check_text(source, &options) }
    }
}

/// Builds the artifact in `directory` again, for the target and profile of its manifest, in `options.out`,
/// and compares.
pub fn verify(directory: &Path, options: &BuildOptions) -> Result<Verdict, BuildError> {
    let relay = read(&directory.join("relay"))?;
    let manifest: Manifest = read_json(&directory.join("manifest.json"))?;
    let inputs: Inputs = read_json(&directory.join(INPUTS_FILE))?;
    let binary_sha256 = sha256(&relay);
    let mut differences = Vec::new();
    if manifest.binary_sha256.as_ref() != Some(&binary_sha256) {
        let said = manifest.binary_sha256.as_deref().unwrap_or("nothing");
        differences.push(format!(
            "the manifest has the digest {said} for the relay, but the file's is {binary_sha256}"
        ));
    }
    let options = BuildOptions {
        profile: Profile::ALL.into_iter().find(|one| one.name() == manifest.profile).unwrap_or_default(),
        target: Some(manifest.target.clone()),
        cpu: Some(manifest.cpu.clone()),
        ..options.clone()
    };
    let again = build(&inputs.check(), &options, |_| {})?.manifest.unwrap_or_default();
    differences.extend(compare(&manifest, &again));
    Ok(Verdict { differences, binary_sha256 })
}

/// The differences between two manifests.
fn compare(one: &Manifest, other: &Manifest) -> Vec<String> {
    let fields = |manifest: &Manifest| match serde_json::to_value(manifest) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (ones, others) = (fields(one), fields(other));
    let differ = ones.iter().filter(|(key, value)| others.get(*key) != Some(*value));
    let sentence = |(key, value): (&String, &serde_json::Value)| {
        let built = others.get(key).unwrap_or(&serde_json::Value::Null);
        format!("`{key}` is {value} in the manifest and {built} when built again")
    };
    differ.map(sentence).collect()
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, BuildError> {
    let fail = |error: serde_json::Error| BuildError::File(path.to_owned(), io::Error::other(error));
    serde_json::from_slice(&read(path)?).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_the_same_again_from_its_inputs() {
        let text = "instance = \"a\"\nlog_level = \"info\"\nbad_metrics_max_age = \"24h\"\n\
                    blocklist = [\"prefix ${DC}.\"]\n[[route]]\nkey = \"r\"\ntype = \"sendAllMatch\"\n\
                    destinations = [\"${DC}.example:2003\", \"${TO}:2003\"]\n";
        let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let options =
            Options { environment: one("DC", "ams"), variables: one("TO", "x"), ..Options::default() };
        let checked =
            check_text(Source { path: "/some/where/relay.toml".into(), text: text.into() }, &options);
        assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
        let inputs = Inputs::of(&checked);
        assert_eq!(inputs.config_name, "relay.toml");
        assert_eq!((&inputs.given, &inputs.from_environment), (&one("TO", "x"), &one("DC", "ams")));
        // The address stays open, because the environment is used only for values that must be known.
        assert_eq!(inputs.check().plan, checked.plan);
        assert_eq!(checked.plan.table.destinations[0].address.0, "${DC}.example:2003");
    }

    #[test]
    fn what_differs_is_named() {
        let one = Manifest { rustc: "1".to_owned(), binary_bytes: Some(3), ..Manifest::default() };
        assert!(compare(&one, &one).is_empty());
        let differences = compare(&one, &Manifest { rustc: "2".to_owned(), ..one.clone() });
        assert_eq!(differences, ["`rustc` is \"1\" in the manifest and \"2\" when built again"]);
    }
}
