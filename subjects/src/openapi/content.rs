//! What successful answers hold, in each form in which they can be had.

use super::links::LinkRule;
use super::route::Route;
use crate::documents::{SCHEMA_REFERENCE, reference_name};
use crate::request::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// How deep schemas are written out where their fields can be chosen: far deeper than any message goes.
const MAX_DEPTH: usize = 8;

const EVENT_STREAM: &str = "text/event-stream";
const EVENTS: &str = "Server-Sent Events. `reset`: forget everything, a snapshot follows. `snapshot`: one item, as \
`contentSchema` has it. `ready`: the snapshot is complete. `change`: an item as it is now; a version comes once. `end`: \
there are no more, with `code` and `reason`. The data of the others is `{}`. The `id` is the place to come back to with \
`Last-Event-ID`.";

/// What is needed to write contents.
pub(super) struct Sources<'a> {
    /// Every named schema of the messages.
    pub definitions: &'a Map<String, Value>,
    /// The links of entities, by their schemas.
    pub links: &'a BTreeMap<String, Vec<LinkRule>>,
}

/// Whether the answer's fields can be chosen by `fields`.
pub(super) fn are_fields_chosen(route: &Route<'_>) -> bool {
    let is_entity = route.rest.text.is_none() && !route.is_stream();
    route.rest.method == Method::Get && is_entity && !route.answer.fields.0.is_empty()
}

/// The name of the schema of the names that `fields` takes.
pub(super) fn field_schema(route: &Route<'_>, schemas: &mut Map<String, Value>) -> Value {
    let entity = route.answer.entity_schema.clone().unwrap_or_else(|| route.operation_id.clone());
    let names = route.answer.fields.names();
    named(format!("{entity}Field"), json!({ "type": "string", "enum": names }), schemas)
}

/// The contents of a route's successful answer, by media type; none where it has no body.
pub(super) fn contents(
    route: &Route<'_>,
    sources: &Sources<'_>,
    schemas: &mut Map<String, Value>,
) -> Vec<(&'static str, Value)> {
    if let Some(media_type) = route.rest.text {
        let essence = media_type.split(';').next().unwrap_or(media_type);
        return vec![(essence, json!({ "type": "string" }))];
    }
    let Some(reply) = route.reply.clone().map(Value::from) else { return vec![] };
    if route.is_stream() {
        return vec![(EVENT_STREAM, events(reply))];
    }
    let name = route.reply_shape.name.clone().unwrap_or_else(|| route.operation_id.clone());
    let selection = without_required(&reply, sources.definitions, 0);
    let hal = named(format!("{name}Hal"), hal(route, &selection, sources), schemas);
    let json = if are_fields_chosen(route) {
        let mut selection = selection;
        describe(&mut selection, "Only the fields that were chosen with `fields`.");
        json!({ "anyOf": [reply, named(format!("{name}Selection"), selection, schemas)] })
    } else {
        reply
    };
    vec![("application/json", json), ("application/hal+json", hal)]
}

/// Server-Sent Events whose data is an item.
fn events(item: Value) -> Value {
    json!({
        "type": "string",
        "description": EVENTS,
        "contentMediaType": EVENT_STREAM,
        "contentSchema": item,
    })
}

/// The schema of the answer with links; where it is a list, items have their own.
fn hal(route: &Route<'_>, selection: &Value, sources: &Sources<'_>) -> Value {
    let entity = route.answer.entity_schema.as_deref().unwrap_or_default();
    let mut whole = selection.clone();
    describe(&mut whole, "With links (HAL).");
    let Some(properties) = whole.get_mut("properties").and_then(Value::as_object_mut) else { return whole };
    let own_links = links(sources.links.get(entity).map(Vec::as_slice).unwrap_or_default());
    if !route.answer.is_list {
        properties.insert("_links".to_owned(), own_links);
        set(&mut whole, "required", json!(["_links"]));
        return whole;
    }
    let mut item = properties.remove("items").and_then(|list| list.get("items").cloned()).unwrap_or_default();
    if let Some(item_properties) = item.get_mut("properties").and_then(Value::as_object_mut) {
        item_properties.insert("_links".to_owned(), own_links);
        set(&mut item, "required", json!(["_links"]));
    }
    let link = json!({ "$ref": format!("{SCHEMA_REFERENCE}HalLink") });
    let list_links =
        json!({ "type": "object", "properties": { "self": link.clone(), "next": link }, "required": ["self"] });
    properties.insert("_links".to_owned(), list_links);
    let embedded = json!({
        "type": "object",
        "properties": { "items": { "type": "array", "items": item } },
        "required": ["items"],
    });
    properties.insert("_embedded".to_owned(), embedded);
    set(&mut whole, "required", json!(["_links", "_embedded"]));
    whole
}

fn links(rules: &[LinkRule]) -> Value {
    let link = || json!({ "$ref": format!("{SCHEMA_REFERENCE}HalLink") });
    let by_rel: Map<String, Value> = rules.iter().map(|rule| (rule.rel.to_owned(), link())).collect();
    json!({
        "type": "object",
        "description": "Those that the entity's state allows and the caller's token does not rule out.",
        "properties": by_rel,
        "additionalProperties": false,
    })
}

/// The schema of a link.
pub(super) fn link_schema() -> Value {
    json!({
        "type": "object",
        "description": "A link (HAL). What is not followed by GET has a `method`, an extension of ours.",
        "properties": {
            "href": { "type": "string", "format": "uri-reference", "description": "Path and query to follow." },
            "title": { "type": "string", "description": "What it does, for people." },
            "method": { "type": "string", "enum": ["POST", "PUT", "PATCH", "DELETE"] },
        },
        "required": ["href"],
    })
}

/// A schema with nothing required in it, however deep, written out.
fn without_required(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> Value {
    if depth == MAX_DEPTH {
        return schema.clone();
    }
    if let Some(target) = reference_name(schema).and_then(|name| definitions.get(&name)) {
        let has_fields = target.get("properties").is_some();
        return if has_fields { without_required(target, definitions, depth) } else { schema.clone() };
    }
    let Value::Object(object) = schema else { return schema.clone() };
    let mut open = object.clone();
    open.remove("required");
    for (keyword, inner) in &mut open {
        match (keyword.as_str(), inner) {
            ("properties", Value::Object(properties)) => {
                properties.values_mut().for_each(|property| {
                    *property = without_required(property, definitions, depth + 1);
                });
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(choices)) => {
                choices.iter_mut().for_each(|choice| *choice = without_required(choice, definitions, depth + 1));
            }
            ("items", items) => *items = without_required(items, definitions, depth + 1),
            _ => {}
        }
    }
    Value::Object(open)
}

fn named(name: String, schema: Value, schemas: &mut Map<String, Value>) -> Value {
    let reference = json!({ "$ref": format!("{SCHEMA_REFERENCE}{name}") });
    schemas.insert(name, schema);
    reference
}

fn describe(schema: &mut Value, text: &str) {
    set(schema, "description", json!(text));
}

fn set(schema: &mut Value, key: &str, value: Value) {
    if let Value::Object(object) = schema {
        object.insert(key.to_owned(), value);
    }
}
