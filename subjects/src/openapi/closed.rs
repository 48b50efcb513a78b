//! The edge refuses fields that it does not know, however deep they stand in a body, and takes more of no answer: what
//! a body holds is closed in the document, what answers hold stays open for fields to come.

use crate::documents::{SCHEMA_REFERENCE, SCHEMAS_PATH, collect_references, reference_name};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What is added to the name of a schema that answers have too, where it stands in a body.
const SUFFIX: &str = "Input";

/// Closes the objects of all request bodies. A schema that answers have as well stays as it is, and gets a closed
/// companion for bodies.
pub(super) fn close_request_bodies(document: &mut Value) {
    let Some(Value::Object(mut schemas)) = document.pointer_mut(SCHEMAS_PATH).map(Value::take) else { return };
    let mut bodies = vec![];
    take_bodies(&mut document["paths"], &mut bodies);
    let in_bodies = reachable(bodies.iter().map(|(_, body)| body), &schemas);
    let elsewhere = reachable([&*document], &schemas);
    let open = leading_to_open_objects(&in_bodies, &schemas);

    let renamed: BTreeSet<String> = open.intersection(&elsewhere).cloned().collect();
    for name in &open {
        let Some(mut closed) = schemas.get(name).cloned() else { continue };
        close(&mut closed, &renamed);
        let name = if renamed.contains(name) { format!("{name}{SUFFIX}") } else { name.clone() };
        schemas.insert(name, closed);
    }
    for (pointer, mut body) in bodies {
        close(&mut body, &renamed);
        if let Some(place) = document.pointer_mut(&pointer) {
            *place = body;
        }
    }
    if let Some(place) = document.pointer_mut(SCHEMAS_PATH) {
        *place = Value::Object(schemas);
    }
}

/// Takes the request bodies out of the paths, each with its JSON Pointer.
fn take_bodies(paths: &mut Value, bodies: &mut Vec<(String, Value)>) {
    for (path, item) in paths.as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(body) = operation.get_mut("requestBody") {
                let path = path.replace('~', "~0").replace('/', "~1");
                bodies.push((format!("/paths/{path}/{method}/requestBody"), body.take()));
            }
        }
    }
}

/// The names of all schemas that something refers to, directly or through another schema.
fn reachable<'a>(roots: impl IntoIterator<Item = &'a Value>, schemas: &Map<String, Value>) -> BTreeSet<String> {
    let mut unread = vec![];
    roots.into_iter().for_each(|root| collect_references(root, &mut unread));
    let mut found = BTreeSet::new();
    while let Some(name) = unread.pop() {
        if let Some(schema) = schemas.get(&name)
            && found.insert(name)
        {
            collect_references(schema, &mut unread);
        }
    }
    found
}

/// Of some schemas those that hold an open object, in place or by reference.
fn leading_to_open_objects(names: &BTreeSet<String>, schemas: &Map<String, Value>) -> BTreeSet<String> {
    let holds_one = |name: &str| schemas.get(name).is_some_and(has_open_object);
    let leads_to_one = |name: &&String| {
        let behind = reachable(schemas.get(*name), schemas);
        holds_one(name) || behind.iter().any(|name| holds_one(name))
    };
    names.iter().filter(leads_to_one).cloned().collect()
}

fn is_open_object(schema: &Map<String, Value>) -> bool {
    schema.get("properties").is_some_and(Value::is_object) && !schema.contains_key("additionalProperties")
}

fn has_open_object(schema: &Value) -> bool {
    match schema {
        Value::Object(map) => is_open_object(map) || map.values().any(has_open_object),
        Value::Array(items) => items.iter().any(has_open_object),
        _ => false,
    }
}

/// Closes the objects of a schema, and has it refer to the companions of those schemas that have one.
fn close(schema: &mut Value, renamed: &BTreeSet<String>) {
    if let Some(name) = reference_name(schema).filter(|name| renamed.contains(name)) {
        schema["$ref"] = json!(format!("{SCHEMA_REFERENCE}{name}{SUFFIX}"));
    }
    match schema {
        Value::Object(map) => {
            if is_open_object(map) {
                map.insert("additionalProperties".to_owned(), json!(false));
            }
            map.values_mut().for_each(|inner| close(inner, renamed));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| close(inner, renamed)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_closed_at_every_depth_and_answers_stay_open() {
        let refer = |name: &str| json!({ "$ref": format!("{SCHEMA_REFERENCE}{name}") });
        let open = |field: &str, schema: Value| json!({ "type": "object", "properties": { field: schema } });
        let mut document = json!({
            "paths": { "/pets/{id}": { "put": {
                "requestBody": { "schema": refer("UpdatePet") },
                "responses": { "200": { "schema": refer("Pet") } },
            } } },
            "components": { "schemas": {
                "UpdatePet": open("home", refer("Home")),
                "Pet": open("home", refer("Home")),
                "Home": open("place", json!({ "anyOf": [refer("Point"), refer("Kind")] })),
                "Point": open("latitude", json!({ "type": "number" })),
                "Kind": { "enum": ["house"] },
            } },
        });
        close_request_bodies(&mut document);
        let schemas = &document["components"]["schemas"];
        for (name, is_closed) in [
            ("UpdatePet", true),
            ("HomeInput", true),
            ("PointInput", true),
            ("Pet", false),
            ("Home", false),
            ("Point", false),
        ] {
            assert_eq!(schemas[name].get("additionalProperties").is_some(), is_closed, "{name}");
        }
        assert_eq!(document["paths"]["/pets/{id}"]["put"]["requestBody"]["schema"], refer("UpdatePet"));
        assert_eq!(schemas["UpdatePet"]["properties"]["home"], refer("HomeInput"));
        assert_eq!(schemas["HomeInput"]["properties"]["place"]["anyOf"], json!([refer("PointInput"), refer("Kind")]));
        assert_eq!(schemas["Pet"]["properties"]["home"], refer("Home"));
        assert!(schemas.get("KindInput").is_none());
    }
}
