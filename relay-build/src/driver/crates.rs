//! How far cargo is: which crates it compiles, how many of how many are done, and how long that took last time.
//!
//! Cargo says on stderr what it begins and on stdout, as JSON, what is done; how many crates there are is asked of it before.
//! Times are kept in the cache for each profile and target, apart for a build that compiles crates of the runtime and for one
//! that compiles the relay alone.

use super::{process::Heard, write};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How far compiling is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Crates {
    /// The crates that are being compiled, in the order in which they were begun; empty while cargo looks for what to do.
    pub compiling: Vec<String>,
    /// How many are done, those that needed nothing included.
    pub done: usize,
    /// How many there are.
    pub all: usize,
    /// How long it has taken so far.
    pub elapsed: Duration,
    /// How long compiling as much took last time on this machine.
    pub last_time: Option<Duration>,
}

/// What cargo was heard to do.
pub(super) struct Watch {
    /// The crate of the relay itself.
    relay: String,
    begun: Instant,
    times: Times,
    /// Packages that are done. One may consist of several things to compile.
    done: BTreeSet<String>,
    /// The names of crates that were compiled, not found compiled.
    compiled: BTreeSet<String>,
    crates: Crates,
}

/// How long compiling took, in seconds, by what was compiled.
struct Times {
    path: PathBuf,
    seconds: BTreeMap<String, f64>,
    /// The profile and the target.
    key: String,
}

impl Watch {
    /// `tree` has a line for each crate, as cargo prints it.
    pub(super) fn new(relay: &str, tree: &str, cache: &Path, key: String) -> Self {
        let all: BTreeSet<_> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        Self {
            relay: relay.to_owned(),
            begun: Instant::now(),
            times: Times::read(cache.join("times.json"), key),
            done: BTreeSet::new(),
            compiled: BTreeSet::new(),
            crates: Crates { all: all.len(), ..Crates::default() },
        }
    }

    /// Takes in what cargo said. Returns how far it is.
    pub(super) fn hear(&mut self, heard: &Heard<'_>) -> &Crates {
        match heard {
            Heard::Err(line) => {
                if let Some(name) = line.trim_start().strip_prefix("Compiling ") {
                    let name = name.split(' ').next().unwrap_or_default();
                    self.crates.compiling.push(name.to_owned());
                    let is_whole = self.crates.compiling.iter().any(|name| *name != self.relay);
                    self.crates.last_time = self.times.last(is_whole || !self.compiled.is_empty());
                }
            }
            Heard::Out(line) => self.hear_artifact(line),
            Heard::Nothing => {}
        }
        self.crates.elapsed = self.begun.elapsed();
        &self.crates
    }

    fn hear_artifact(&mut self, line: &str) {
        let Ok(said) = serde_json::from_str::<Value>(line) else { return };
        let is_script =
            || said["target"]["kind"].as_array().is_some_and(|kinds| kinds.contains(&"custom-build".into()));
        if said["reason"] != "compiler-artifact" || is_script() {
            return;
        }
        let package = said["package_id"].as_str().unwrap_or_default();
        let name = package_name(package);
        if said["fresh"] == false {
            self.compiled.insert(name.to_owned());
        }
        self.crates.compiling.retain(|one| one != name);
        self.done.insert(package.to_owned());
        self.crates.done = self.done.len();
    }

    /// Cargo has done everything: remembers how long it took. Returns the names of the crates that were compiled.
    pub(super) fn finish(mut self) -> Vec<String> {
        if !self.compiled.is_empty() {
            let is_whole = self.compiled.iter().any(|name| *name != self.relay);
            self.times.keep(is_whole, self.begun.elapsed());
        }
        self.compiled.into_iter().collect()
    }
}

/// The name in an id such as `registry+https://…#serde@1.0.0` or `path+file:///…/relay-runtime#0.1.0`.
fn package_name(id: &str) -> &str {
    let (place, version) = id.rsplit_once('#').unwrap_or(("", id));
    match version.split_once('@') {
        Some((name, _)) => name,
        None => place.rsplit('/').next().unwrap_or_default(),
    }
}

impl Times {
    /// A file that is not there or not readable knows nothing.
    fn read(path: PathBuf, key: String) -> Self {
        let text = std::fs::read(&path).unwrap_or_default();
        Self { path, seconds: serde_json::from_slice(&text).unwrap_or_default(), key }
    }

    fn name(&self, is_whole: bool) -> String {
        format!("{} {}", self.key, if is_whole { "runtime" } else { "relay" })
    }

    fn last(&self, is_whole: bool) -> Option<Duration> {
        self.seconds.get(&self.name(is_whole)).and_then(|seconds| Duration::try_from_secs_f64(*seconds).ok())
    }

    fn keep(&mut self, is_whole: bool, took: Duration) {
        self.seconds.insert(self.name(is_whole), took.as_secs_f64());
        // It only serves to say something more.
        drop(write(&self.path, &serde_json::to_vec(&self.seconds).unwrap_or_default()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(id: &str, kind: &str, is_fresh: bool) -> String {
        let target = serde_json::json!({ "kind": [kind], "name": "x" });
        serde_json::json!({ "reason": "compiler-artifact", "package_id": id, "target": target, "fresh": is_fresh })
            .to_string()
    }

    #[test]
    fn crates_are_counted_once_and_times_are_kept() {
        let cache = tempfile::tempdir().unwrap();
        let tree = "relay-0 v0.0.0 (/c)\nrelay-runtime v0.1.0 (/r)\nserde v1.0.0\nserde v1.0.0 (*)\n";
        let watch = || Watch::new("relay-0", tree, cache.path(), "release here".to_owned());
        let mut first = watch();
        assert_eq!(first.hear(&Heard::Nothing).all, 3);
        first.hear(&Heard::Err("   Compiling serde v1.0.0"));
        let serde = "registry+https://somewhere#serde@1.0.0";
        first.hear(&Heard::Out(&artifact(serde, "custom-build", false)));
        let far = first.hear(&Heard::Err("   Compiling relay-runtime v0.1.0 (/r)")).clone();
        assert_eq!((far.done, far.compiling.len(), far.last_time), (0, 2, None));
        let far = first.hear(&Heard::Out(&artifact(serde, "lib", false))).clone();
        assert_eq!((far.done, far.compiling), (1, vec!["relay-runtime".to_owned()]));
        assert_eq!(first.finish(), ["serde"]);

        let mut second = watch();
        second.hear(&Heard::Out(&artifact(serde, "lib", true)));
        assert_eq!(second.hear(&Heard::Err("   Compiling relay-0 v0.0.0 (/c)")).last_time, None);
        assert!(second.hear(&Heard::Err("   Compiling relay-runtime v0.1.0 (/r)")).last_time.is_some());
        assert!(second.finish().is_empty());
    }

    #[test]
    fn names_are_read_from_both_forms_of_ids() {
        assert_eq!(package_name("path+file:///a/relay-runtime#0.1.0"), "relay-runtime");
        assert_eq!(package_name("path+file:///a/crate/relay-0#relay-0@0.0.0"), "relay-0");
    }
}
