//! The JSON Schema of a configuration, for completion and checks in editors.
//!
//! What each key means stands in one place, the tables of docs/configuration.md; types, defaults and words to choose from are
//! read from there, and which keys there are from [`keys`]. A test fails when docs/relay.schema.json is
//! not what this gives.

use super::keys;
use relay_runtime::table::Function;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const REFERENCE: &str = include_str!("../../packed/configuration.md");

const ROUTE_TYPES: [&str; 15] = [
    "sendAllMatch",
    "sendFirstMatch",
    "consistentHashing",
    "consistentHashing-v2",
    "carbon_ch",
    "fnv1a_ch",
    "mmh3_ch",
    "jump_fnv1a_ch",
    "roundRobin",
    "failover",
    "blackhole",
    "grafanaNet",
    "kafkaMdm",
    "pubsub",
    "cloudWatch",
];

/// What the reference says of one key.
struct Row {
    kind: String,
    default: String,
    meaning: String,
}

/// The rows of one section of the reference, by key.
type Rows = BTreeMap<String, Row>;

/// The schema.
#[must_use]
pub fn schema() -> Value {
    let rows = |heading: &str| rows(REFERENCE, heading);
    let matcher = object(&rows("Matchers"), &[keys::MATCHER]);
    let with_matcher = |mut fields: Map<String, Value>| {
        fields.extend(matcher.clone());
        fields
    };
    let destination = with_matcher(object(&rows("Destinations"), &[keys::DESTINATION, keys::OPTIONS]));
    let mut of_routes = rows("[[route]]");
    for kind in ["grafanaNet", "kafkaMdm", "pubsub", "cloudWatch"] {
        add_rows(&mut of_routes, rows(&format!("Routes of type {kind}")), kind);
    }
    let mut route = with_matcher(object(
        &of_routes,
        &[
            keys::ROUTE,
            keys::CARBON,
            keys::HASH,
            keys::GRAFANA_NET,
            keys::KAFKA_MDM,
            keys::PUBSUB,
            keys::CLOUD_WATCH,
        ],
    ));
    route.insert(
        "type".to_owned(),
        json!({ "enum": ROUTE_TYPES, "description": "What the route does with a line." }),
    );
    route.insert("destination".to_owned(), list(destination));
    let mut document = object(&rows("Global keys"), &[keys::GLOBAL]);
    let section = |heading: &str, known: &[&str]| closed(object(&rows(heading), &[known]));
    document.insert("amqp".to_owned(), section("[amqp]", keys::AMQP));
    document.insert("instrumentation".to_owned(), section("[instrumentation]", keys::INSTRUMENTATION));
    document.insert("run".to_owned(), section("[run]", keys::RUN));
    document.insert("init".to_owned(), section("[init]", keys::INIT));
    document.insert(
        "aggregation".to_owned(),
        list(with_matcher(object(&rows("[[aggregation]]"), &[keys::AGGREGATION]))),
    );
    document.insert("rewriter".to_owned(), list(object(&rows("[[rewriter]]"), &[keys::REWRITER])));
    document.insert("route".to_owned(), list(route));
    document.insert("test".to_owned(), list(object(&rows("[[test]]"), &[keys::TEST])));
    // An environment has what the configuration has, and variables.
    let mut environment = document.clone();
    environment.insert(
        "vars".to_owned(),
        json!({ "type": "object", "additionalProperties": { "type": ["string", "integer", "boolean"] } }),
    );
    document
        .insert("env".to_owned(), json!({ "type": "object", "additionalProperties": closed(environment) }));
    let mut schema = closed(document);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("A configuration of static-relay");
    schema["required"] = json!(["instance", "log_level", "bad_metrics_max_age"]);
    schema
}

/// Adds what the reference says of the keys of one type of routes. Types that share a key may mean different things by it.
fn add_rows(rows: &mut Rows, more: Rows, kind: &str) {
    for (key, row) in more {
        let meaning = format!("{kind}: {}, default {}", row.meaning, row.default);
        match rows.get_mut(&key) {
            Some(known) => known.meaning = format!("{}; {meaning}", known.meaning),
            None => _ = rows.insert(key, Row { meaning, default: String::new(), ..row }),
        }
    }
}

/// The properties for these keys, with what the reference says of each.
fn object(rows: &Rows, known: &[&[&str]]) -> Map<String, Value> {
    let property = |key: &&str| ((*key).to_owned(), rows.get(*key).map_or_else(|| json!({}), Row::property));
    known.iter().copied().flatten().map(property).collect()
}

fn closed(properties: Map<String, Value>) -> Value {
    let mut schema = json!({ "type": "object", "additionalProperties": false });
    schema["properties"] = Value::Object(properties);
    schema
}

fn list(properties: Map<String, Value>) -> Value {
    json!({ "type": "array", "items": closed(properties) })
}

impl Row {
    fn property(&self) -> Value {
        // `${NAME}` may stand for anything.
        let kinds = match self.kind.as_str() {
            kind if kind.starts_with("string or `false`") => json!({ "type": ["string", "boolean"] }),
            kind if kind.starts_with("functions") => json!({ "type": "array", "items": function() }),
            kind if kind.starts_with("function") => function(),
            kind if kind.starts_with("numbers") => json!({ "type": "array", "items": { "type": "number" } }),
            "tables" => json!({ "type": "array", "items": { "type": "object" } }),
            "pairs" => {
                json!({ "type": "array", "items": { "type": "array", "items": { "type": "string" } } })
            }
            "number" => json!({ "type": ["number", "string"] }),
            kind if kind.starts_with("strings or tables") => {
                json!({ "type": "array", "items": { "type": ["string", "object"] } })
            }
            kind if kind.starts_with("strings") || kind.starts_with("array") => {
                json!({ "type": "array", "items": { "type": "string" } })
            }
            kind if kind.starts_with("boolean") => json!({ "type": ["boolean", "string"] }),
            kind if kind.starts_with("integer") => json!({ "type": ["integer", "string"] }),
            kind if kind.starts_with("duration") => json!({ "type": ["string", "integer"] }),
            _ => json!({ "type": "string" }),
        };
        let mut property = kinds;
        let choices = choices(&self.meaning);
        if property["type"] == "string" && choices.len() > 1 {
            property = json!({ "anyOf": [{ "enum": choices }, { "type": "string", "pattern": "\\$" }] });
        }
        let default = self.default.trim_matches('`');
        let default = if default.is_empty() { String::new() } else { format!(" Default: {default}.") };
        property["description"] = json!(format!("{} ({}).{default}", self.meaning, self.kind));
        property
    }
}

/// What an aggregation computes.
fn function() -> Value {
    let names = Function::ALL.map(Function::name);
    json!({ "anyOf": [{ "enum": names }, { "type": "string", "pattern": "^p[0-9]{1,3}([._][0-9]{1,3})?$|\\$" }] })
}

/// The words that a cell begins with: `` `a` `b` `c` ``.
fn choices(cell: &str) -> Vec<&str> {
    let words = cell.split(' ').map_while(|word| word.strip_prefix('`')?.strip_suffix('`'));
    words.collect()
}

/// The tables below a heading, up to the next one.
fn rows(text: &str, heading: &str) -> Rows {
    let mut rows = Rows::new();
    let starts = |line: &str| line.trim_start_matches("## ").replace('`', "").starts_with(heading);
    let lines = text.lines().skip_while(|line| !(line.starts_with("## ") && starts(line))).skip(1);
    let mut columns: Vec<&str> = Vec::new();
    for line in lines.take_while(|line| !line.starts_with("## ")) {
        let Some(cells) = line.strip_prefix('|').and_then(|rest| rest.strip_suffix('|')) else { continue };
        let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
        if cells[0].starts_with("key") || cells[0].ends_with("option") {
            columns = cells;
            continue;
        }
        let cell = |wanted: &[&str]| {
            let at = columns.iter().position(|column| wanted.iter().any(|one| column.starts_with(one)));
            at.and_then(|at| cells.get(at)).copied().unwrap_or_default().to_owned()
        };
        let names = cells[0].split('`').skip(1).step_by(2);
        for name in names {
            let row = Row {
                kind: cell(&["type"]),
                default: cell(&["default"]),
                meaning: cell(&["meaning", "example"]),
            };
            rows.insert(name.to_owned(), row);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schema_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/relay.schema.json");
        let published: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        assert!(published == schema(), "run `relay-build schema > docs/relay.schema.json`");
    }

    #[test]
    fn keys_have_the_types_and_words_of_the_reference() {
        let schema = schema();
        let of = |path: &str| schema.pointer(path).cloned().unwrap_or_default();
        assert_eq!(of("/properties/max_connections/type"), json!(["integer", "string"]));
        assert_eq!(of("/properties/log_level/anyOf/0/enum/0"), "trace");
        assert_eq!(of("/properties/blocklist/items/type"), "string");
        let option =
            of("/properties/route/items/properties/destination/items/properties/redo_bytes/description");
        assert!(option.as_str().unwrap().contains("8388608"), "{option}");
        assert_eq!(
            of("/properties/aggregation/items/properties/function/anyOf/0/enum").as_array().map(Vec::len),
            Some(Function::ALL.len())
        );
        assert!(of("/properties/env/additionalProperties/properties/vars").is_object());
        assert_eq!(of("/properties/route/items/properties/hash/anyOf/0/enum/3"), "jump_fnv1a_ch");
        let mut bare = Vec::new();
        without_description("", &schema, &mut bare);
        assert_eq!(bare, Vec::<String>::new(), "keys of which nothing is said");
    }

    fn without_description(at: &str, schema: &Value, bare: &mut Vec<String>) {
        let Some(object) = schema.as_object() else { return };
        for (key, value) in object.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let is_section = value.get("properties").is_some()
                || value.get("items").is_some_and(|items| items.get("properties").is_some())
                || value.get("additionalProperties").is_some();
            if !is_section && value.get("description").is_none() {
                bare.push(format!("{at}/{key}"));
            }
        }
        object.iter().for_each(|(key, value)| without_description(&format!("{at}/{key}"), value, bare));
    }
}
