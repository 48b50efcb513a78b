//! Holds every answer of the tests against the OpenAPI document: its status, its headers, its media type, its body.

use jsonschema::Validator;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use subjects::openapi::{self, PREFIXES};

pub static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);

/// What belongs to the connection, to the body as a whole, or to what stands around the API: CORS, compression, HSTS.
const NOT_OF_THE_API: [&str; 15] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "strict-transport-security",
    "transfer-encoding",
    // Compression and CORS have it at every answer.
    "vary",
    "keep-alive",
];

/// Those that were needed so far, by their schema.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Fails where an answer is not as the document has it, its body among it where that is JSON. What the document leaves out
/// as a whole is passed over: unknown paths, methods that a path does not have, OPTIONS.
#[track_caller]
pub fn check(method: &Method, path: &str, status: u16, headers: &HeaderMap, body: &[u8]) {
    let Some(operation) = find(method, path) else { return };
    let seen = format!("{method} {path}: {status}");
    let response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "{seen} is not documented");
    let response = resolved(response);
    let known: Vec<String> = response["headers"]
        .as_object()
        .map(|headers| headers.keys().map(|name| name.to_lowercase()).collect())
        .unwrap_or_default();
    for name in headers.keys().map(|name| name.as_str()) {
        let is_known = NOT_OF_THE_API.contains(&name) || known.iter().any(|known| known == name);
        assert!(is_known, "{seen} has the header {name}, which is not documented");
    }
    let Some(media_type) = headers.get("content-type").and_then(|value| value.to_str().ok()) else { return };
    let essence = media_type.split(';').next().unwrap().trim();
    let content = &response["content"];
    let content = content.get(essence).or(content.get("*/*"));
    let content = content.unwrap_or_else(|| panic!("{seen} is {essence}, which is not documented"));
    let is_json = essence.ends_with("json") && method != Method::HEAD;
    if let Some(schema) = content.get("schema").filter(|_| is_json) {
        let body: Value = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{seen} has no JSON: {error}"));
        let wrong: Vec<String> = validator(schema).iter_errors(&body).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{seen} is not what the document says of it: {wrong:?} {body:.1000}");
    }
}

fn validator(schema: &'static Value) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap();
    let compile = || {
        let mut schemas = Map::new();
        collect(schema, &mut schemas);
        let document = json!({ "allOf": [schema], "components": { "schemas": schemas } });
        Arc::new(jsonschema::options().should_validate_formats(true).build(&document).unwrap())
    };
    validators.entry(schema.to_string()).or_insert_with(compile).clone()
}

/// All that a schema refers to, and what that refers to.
fn collect(schema: &Value, schemas: &mut Map<String, Value>) {
    match schema {
        Value::Object(object) => {
            let name = schema["$ref"].as_str().and_then(|target| target.strip_prefix("#/components/schemas/"));
            if let Some(name) = name.filter(|name| !schemas.contains_key(*name)) {
                let target = &DOCUMENT["components"]["schemas"][name];
                schemas.insert(name.to_owned(), target.clone());
                collect(target, schemas);
            }
            object.values().for_each(|inner| collect(inner, schemas));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect(inner, schemas)),
        _ => {}
    }
}

pub fn resolved(value: &Value) -> &Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(value, |pointer| DOCUMENT.pointer(pointer).unwrap())
}

/// The operation of the document that a request belongs to: a path without fields before one with.
fn find(method: &Method, path: &str) -> Option<&'static Value> {
    let method = if method == Method::HEAD { "get".to_owned() } else { method.as_str().to_lowercase() };
    let mut found: Vec<(usize, &Value)> = vec![];
    for (template, item) in DOCUMENT["paths"].as_object().unwrap() {
        let is_alone = item.get("servers").is_some();
        let prefixes = PREFIXES.iter().filter(|prefix| prefix.is_empty() || !is_alone);
        if prefixes.filter_map(|prefix| path.strip_prefix(prefix)).any(|rest| is_at(template, rest))
            && let Some(operation) = item.get(&method)
        {
            found.push((template.matches('{').count(), operation));
        }
    }
    found.sort_by_key(|(fields, _)| *fields);
    found.first().map(|(_, operation)| *operation)
}

fn is_at(template: &str, path: &str) -> bool {
    let (expected, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    expected.len() == given.len()
        && expected.iter().zip(given).all(|(expected, given)| match expected.split_once('}') {
            Some((_, suffix)) => !given.is_empty() && given.ends_with(suffix),
            None => *expected == given,
        })
}
