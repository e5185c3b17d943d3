//! Settings by their values: of the process, of validation, and of the destinations that both configurations have.

use relay_runtime::plan::Plan;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A setting with two values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SettingChange {
    /// What it is called in the plan.
    pub path: String,
    /// Before; null when there was none.
    pub old: Value,
    /// After; null when there is none.
    pub new: Value,
}

/// Parts of the names of settings whose values are not shown.
const HIDDEN: [&str; 4] = ["password", "api_key", "secret", "token"];

/// Everything that differs.
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

/// Every setting by its path. Destinations that only one of the two has show themselves by what is sent to them.
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
