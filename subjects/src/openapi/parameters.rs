//! Parameters: fields in the path, fields in the query, and the headers that the edge understands.

use super::content::{are_fields_chosen, field_schema};
use super::places::takes_version;
use super::route::Route;
use crate::request::{Effect, Method};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The parameters of all routes that share a path and a method.
pub(super) fn parameters(sharing: &[Route<'_>], schemas: &mut Map<String, Value>) -> Value {
    // By place and name, since routes that share a path share its parameters.
    let mut by_name: BTreeMap<(u8, String), Value> = BTreeMap::new();
    for route in sharing {
        for name in route.rest.path_fields() {
            let schema = route.request.fields.get(name).cloned().unwrap_or_else(|| json!({ "type": "string" }));
            by_name.insert((0, name.to_owned()), parameter(name, "path", true, without_null(schema)));
        }
        if !route.rest.method.has_body() {
            for (name, schema) in route.remaining_fields() {
                let required = route.request.required.contains(name);
                by_name.insert((1, name.to_owned()), parameter(name, "query", required, without_null(schema.clone())));
            }
        }
        if route.operation.effect == Effect::Keyed {
            by_name.insert((2, "Idempotency-Key".to_owned()), component("idempotencyKey"));
        }
        if route.operation.cache.is_some() {
            by_name.insert((2, "X-Minimum-Version".to_owned()), component("minimumVersion"));
        }
        if are_fields_chosen(route) {
            by_name.insert((1, "fields".to_owned()), fields(route, schemas));
        }
        match route.rest.method {
            Method::Put | Method::Patch => {
                by_name.insert((2, "If-Match".to_owned()), component("ifMatch"));
            }
            Method::Get if route.is_stream() => {
                by_name.insert((2, "Last-Event-ID".to_owned()), component("lastEventId"));
            }
            Method::Get => {
                by_name.insert((2, "If-None-Match".to_owned()), component("ifNoneMatch"));
                by_name.insert((2, "If-Match".to_owned()), component("ifMatchOfRead"));
            }
            _ if takes_version(route.rest) => {
                by_name.insert((2, "If-Match".to_owned()), component("ifMatchAtWill"));
            }
            _ => {}
        }
    }
    Value::Array(by_name.into_values().chain(["correlationId", "traceparent"].map(component)).collect())
}

/// A list of names separated by commas.
fn fields(route: &Route<'_>, schemas: &mut Map<String, Value>) -> Value {
    let mut parameter = json!({
        "name": "fields",
        "in": "query",
        "required": false,
        "description": "Only these fields of the entity, or of each item of a list. Inner ones stand behind a dot.",
        "style": "form",
        "explode": false,
    });
    let names = json!({ "type": "array", "items": field_schema(route, schemas), "minItems": 1, "uniqueItems": true });
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.insert("schema".to_owned(), names);
    }
    parameter
}

fn component(name: &str) -> Value {
    json!({ "$ref": format!("#/components/parameters/{name}") })
}

fn parameter(name: &str, place: &str, required: bool, mut schema: Value) -> Value {
    let description = schema.as_object_mut().and_then(|object| object.remove("description"));
    let mut parameter = Map::new();
    parameter.insert("name".to_owned(), json!(name));
    parameter.insert("in".to_owned(), json!(place));
    parameter.insert("required".to_owned(), json!(required));
    if let Some(description) = description {
        parameter.insert("description".to_owned(), description);
    }
    parameter.insert("schema".to_owned(), schema);
    Value::Object(parameter)
}

/// Neither a path nor a query can say `null`: a field that is not given is simply left out.
fn without_null(mut schema: Value) -> Value {
    let Some(object) = schema.as_object_mut() else { return schema };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = object.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    let Some(Value::Array(mut choices)) = object.remove("anyOf") else { return schema };
    choices.retain(|choice| choice.get("type") != Some(&json!("null")));
    match choices.as_slice() {
        [Value::Object(only)] => {
            for (key, inner) in only {
                object.entry(key.clone()).or_insert_with(|| inner.clone());
            }
        }
        _ => {
            object.insert("anyOf".to_owned(), Value::Array(choices));
        }
    }
    schema
}

/// The header parameters, kept once.
pub(super) fn components() -> Value {
    json!({
        "idempotencyKey": {
            "name": "Idempotency-Key",
            "in": "header",
            "required": false,
            "description": "Made by the caller, one for each thing that it wants done. Repeating a request with its key and body replays the stored answer.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$" },
        },
        "ifMatch": {
            "name": "If-Match",
            "in": "header",
            "required": true,
            "description": "The version that the change is based on: the `ETag` of the last read.",
            "schema": { "type": "string", "pattern": "^\"[0-9]{1,18}\"$" },
            "example": "\"3\"",
        },
        "ifMatchAtWill": {
            "name": "If-Match",
            "in": "header",
            "required": false,
            "description": "Done only if this is still the version: the `ETag` of the last read.",
            "schema": { "type": "string", "pattern": "^\"[0-9]{1,18}\"$" },
        },
        "ifMatchOfRead": {
            "name": "If-Match",
            "in": "header",
            "required": false,
            "description": "Answered only if one of these is still the `ETag`, or if it is `*`; 412 otherwise.",
            "schema": { "type": "string" },
        },
        "ifNoneMatch": {
            "name": "If-None-Match",
            "in": "header",
            "required": false,
            "description": "The `ETag` of what the client has, several, or `*`: 304 without a body where it still holds.",
            "schema": { "type": "string" },
        },
        "lastEventId": {
            "name": "Last-Event-ID",
            "in": "header",
            "required": false,
            "description": "The `id` of the last event that was received: the stream goes on after it. Where that is not possible any more, it begins with `reset`.",
            "schema": { "type": "string", "pattern": "^[0-9]+-[0-9]+(-[0-9a-f]{32})?$" },
        },
        "minimumVersion": {
            "name": "X-Minimum-Version",
            "in": "header",
            "required": false,
            "description": "The version below which the caller does not want to see it, as a rule that of its own change: an older answer that was kept is not given.",
            "schema": { "type": "string", "pattern": "^[0-9]{1,18}$" },
        },
        "traceparent": {
            "name": "traceparent",
            "in": "header",
            "required": false,
            "description": "W3C Trace Context: the span that the request belongs to. What is not one is passed over.",
            "schema": { "type": "string" },
        },
        "correlationId": {
            "name": "x-correlation-id",
            "in": "header",
            "required": false,
            "description": "Comes back in the answer and stands in every log line of the request. One is made where none is given, or where it is not 1 to 128 letters, digits and `.`, `_`, `:`, `-`.",
            "schema": { "type": "string" },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_never_null() {
        assert_eq!(without_null(json!({ "type": ["string", "null"], "default": null })), json!({ "type": "string" }));
        assert_eq!(
            without_null(json!({ "description": "Which.", "anyOf": [{ "$ref": "#/x" }, { "type": "null" }] })),
            json!({ "description": "Which.", "$ref": "#/x" }),
        );
    }
}
