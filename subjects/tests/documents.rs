//! The generated documents: whole, consistent in themselves, and the same until someone means to change them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops where something is not as it should be"
)]

mod events;

use serde_json::Value;
use std::collections::BTreeSet;
use subjects::{asyncapi, catalogue, openapi};

/// Calls `visit` with every object of a document.
fn each_object(value: &Value, visit: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|inner| each_object(inner, visit));
        }
        Value::Array(items) => items.iter().for_each(|inner| each_object(inner, visit)),
        _ => {}
    }
}

fn check_references(document: &Value) {
    let mut count = 0;
    each_object(document, &mut |object| {
        let Some(Value::String(reference)) = object.get("$ref") else { return };
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        count += 1;
    });
    assert!(count > 0);
}

#[test]
fn openapi_is_as_it_was() {
    insta::assert_json_snapshot!("openapi", openapi::document());
}

#[test]
fn asyncapi_is_as_it_was() {
    insta::assert_json_snapshot!("asyncapi", asyncapi::document());
}

#[test]
fn every_reference_resolves() {
    check_references(&openapi::document());
    check_references(&asyncapi::document());
}

#[test]
fn every_route_is_in_the_openapi_document() {
    let document = openapi::document();
    for operation in catalogue::operations() {
        for rest in operation.rest {
            let item = &document["paths"][rest.path][rest.method.as_str().to_lowercase()];
            let subjects = item["x-petpro-subjects"].as_array();
            let names_it = subjects.is_some_and(|subjects| subjects.iter().any(|name| name == operation.subject));
            assert!(names_it, "{} {} does not lead to {}", rest.method.as_str(), rest.path, operation.subject);
            assert!(item["responses"].get(rest.status.to_string()).is_some(), "{}", operation.subject);
        }
    }
}

#[test]
fn operation_ids_are_unique_and_each_operation_has_a_summary() {
    let document = openapi::document();
    let mut ids = BTreeSet::new();
    each_object(&document["paths"], &mut |object| {
        let Some(Value::String(id)) = object.get("operationId") else { return };
        assert!(ids.insert(id.clone()), "{id} twice");
        assert!(object["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{id} lacks a summary");
    });
    assert!(!ids.is_empty());
}

#[test]
fn every_path_field_is_a_field_of_the_request() {
    for operation in catalogue::operations() {
        let mut generator = schemars::SchemaGenerator::default();
        let schema = (operation.request_schema)(&mut generator);
        let reference = schema.get("$ref").and_then(Value::as_str).unwrap_or_default();
        let name = reference.rsplit('/').next().unwrap_or_default();
        let fields = generator.definitions().get(name).and_then(|schema| schema["properties"].as_object());
        for rest in operation.rest {
            for field in rest.path_fields() {
                let known = fields.is_some_and(|fields| fields.contains_key(field));
                assert!(known, "{} of {} is not a field of {}", field, rest.path, operation.subject);
            }
        }
    }
}

#[test]
fn every_query_field_can_be_written_in_a_query() {
    let document = openapi::document();
    each_object(&document["paths"], &mut |object| {
        if object.get("in").is_none_or(|place| place != "query" && place != "path") {
            return;
        }
        let name = &object["name"];
        let mut schema = &object["schema"];
        if let Some(Value::String(reference)) = schema.get("$ref") {
            schema = document.pointer(&reference[1..]).expect("it resolves");
        }
        let kind = schema["type"].as_str().unwrap_or_default();
        let is_choice = schema.get("enum").is_some() || schema.get("oneOf").is_some() || schema.get("const").is_some();
        let item_kind = schema["items"]["type"].as_str().unwrap_or("string");
        let fits = is_choice
            || matches!(kind, "string" | "integer" | "number" | "boolean")
            || (kind == "array" && item_kind == "string");
        assert!(fits, "{name} of type {schema} cannot stand in a path or query");
    });
}

#[test]
fn every_subject_and_event_is_in_the_asyncapi_document() {
    let document = asyncapi::document();
    for operation in catalogue::operations() {
        for subject in operation.subjects() {
            assert_eq!(document["channels"][subject]["address"], subject);
            let answering = &document["operations"][subjects::operation::endpoint_name(subject)];
            assert_eq!(answering["bindings"]["nats"]["queue"], operation.service);
        }
    }
    for event in catalogue::events() {
        let channel = &document["channels"][format!("event.{}", event.event_type)];
        assert_eq!(channel["address"], format!("event.{}.{{partition}}", event.event_type));
        if let Some(name) = event.document_name {
            let message = &document["components"]["messages"][format!("event.{}", event.event_type)];
            assert_eq!(message["title"], name);
        }
    }
}
