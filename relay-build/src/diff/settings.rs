//! Compares settings by their values: of the process, of validation, and of destinations.
//!
//! Values of secrets are hidden: a change is reported without showing them.

use relay_runtime::plan::Plan;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A setting with its old and new value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SettingChange {
    /// Its name in the plan, such as `settings.log_level`.
    pub path: String,
    /// The value before; null if there was none.
    pub old: Value,
    /// The value after; null if there is none.
    pub new: Value,
}

/// The value of a setting is hidden if its name contains one of these.
const HIDDEN: [&str; 4] = ["password", "api_key", "secret", "token"];

/// All settings that differ.
pub(super) fn compare(old: &Plan, new: &Plan) -> Vec<SettingChange> {
    let (olds, news) = (flat(old), flat(new));
    let mut changes = Vec::new();
    let paths: std::collections::BTreeSet<&String> = olds.keys().chain(news.keys()).collect();
    for path in paths {
        let value = |of: &BTreeMap<String, Value>| of.get(path).cloned().unwrap_or(Value::Null);
        let (mut old, mut new) = (value(&olds), value(&news));
        if old != new {
            if HIDDEN.iter().any(|word| path.contains(word)) {
                (old, new) = (json!("(not shown)"), json!("(not shown)"));
            }
            changes.push(SettingChange { path: path.clone(), old, new });
        }
    }
    changes
}

/// Every setting of the plan by its path, those of every destination included.
fn flat(plan: &Plan) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let value = |part: Result<Value, serde_json::Error>| part.unwrap_or_default();
    flatten("settings", &value(serde_json::to_value(&plan.settings)), &mut all);
    flatten("validation", &value(serde_json::to_value(plan.table.validation)), &mut all);
    for destination in &plan.table.destinations {
        let path = format!("destination {}", destination.written());
        flatten(&path, &value(serde_json::to_value(&destination.options)), &mut all);
        flatten(&format!("{path}.transport"), &value(serde_json::to_value(destination.transport)), &mut all);
    }
    all
}

fn flatten(path: &str, value: &Value, all: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| flatten(&format!("{path}.{key}"), value, all));
        }
        other => {
            all.insert(path.to_owned(), other.clone());
        }
    }
}
