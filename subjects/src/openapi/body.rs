//! Request bodies: the request without the fields that the path holds.

use super::route::Route;
use crate::documents::SCHEMA_REFERENCE;
use serde_json::{Map, Value, json};

/// The request body of all routes that share a path and a method; none where no field is left for it.
pub(super) fn request_body(sharing: &[Route<'_>], schemas: &mut Map<String, Value>) -> Option<Value> {
    let mut bodies = vec![];
    let mut required = true;
    for route in sharing.iter().filter(|route| route.rest.method.has_body()) {
        let Some(body) = body_schema(route, schemas) else { continue };
        required &= route.remaining_fields().any(|(name, _)| route.request.required.contains(name));
        bodies.push(body);
    }
    let schema = match bodies.as_slice() {
        [] => return None,
        [only] => only.clone(),
        several => json!({ "oneOf": several }),
    };
    Some(json!({ "required": required, "content": { "application/json": { "schema": schema } } }))
}

fn body_schema(route: &Route<'_>, schemas: &mut Map<String, Value>) -> Option<Value> {
    let remaining: Map<String, Value> =
        route.remaining_fields().map(|(name, schema)| (name.to_owned(), schema.clone())).collect();
    if remaining.is_empty() {
        return None;
    }
    let request_name = route.request.name.clone().unwrap_or_else(|| route.operation_id.clone());
    // The document tells what the edge takes, and the edge refuses unknown fields.
    let required: Vec<&String> = route.request.required.iter().filter(|name| remaining.contains_key(*name)).collect();
    let body = json!({
        "type": "object",
        "description": route.request.description,
        "properties": remaining,
        "required": required,
        "additionalProperties": false,
    });
    let is_whole = remaining.len() == route.request.fields.len();
    let name = if is_whole { request_name } else { format!("{request_name}Body") };
    Some(reference_to(&name, body, schemas))
}

/// Puts the body among the schemas and refers to it. Two routes of one operation may leave different bodies:
/// the later one then stands in place.
fn reference_to(name: &str, body: Value, schemas: &mut Map<String, Value>) -> Value {
    match schemas.get(name) {
        Some(other) if *other != body => body,
        _ => {
            schemas.insert(name.to_owned(), body);
            json!({ "$ref": format!("{SCHEMA_REFERENCE}{name}") })
        }
    }
}
