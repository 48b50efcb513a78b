//! What the generated documents share: schemas by name, shapes of messages, stable order.

use crate::access::Who;
use crate::operation::Operation;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Where both documents keep their schemas.
pub(crate) const SCHEMAS_PATH: &str = "/components/schemas";
/// The beginning of every reference to a schema.
pub(crate) const SCHEMA_REFERENCE: &str = "#/components/schemas/";

/// A generator whose named schemas live below `components`.
pub(crate) fn generator(mut settings: SchemaSettings) -> SchemaGenerator {
    settings.definitions_path = SCHEMAS_PATH.into();
    settings.meta_schema = None;
    settings.into_generator()
}

/// An object schema taken apart.
#[derive(Debug, Default, Clone)]
pub(crate) struct Shape {
    /// The name that it has among the named schemas, where it has one.
    pub name: Option<String>,
    /// The type's doc comment.
    pub description: String,
    /// Schemas of the fields by their JSON names.
    pub fields: Map<String, Value>,
    /// Fields that must be given.
    pub required: BTreeSet<String>,
}

impl Shape {
    /// Follows references until the schema itself, and takes it apart.
    pub(crate) fn of(schema: &Schema, generator: &SchemaGenerator) -> Shape {
        let mut name = None;
        let mut current = schema.as_value().clone();
        while let Some(target) = reference_name(&current) {
            let Some(next) = generator.definitions().get(&target) else { break };
            current = next.clone();
            name = Some(target);
        }
        let text = |key: &str| current.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Shape {
            name,
            description: text("description"),
            fields: current.get("properties").and_then(Value::as_object).cloned().unwrap_or_default(),
            required: current
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
        }
    }

    /// Whether it has a field of that name.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }
}

/// The name that a schema refers to, when it is nothing but a reference.
pub(crate) fn reference_name(schema: &Value) -> Option<String> {
    let target = schema.get("$ref")?.as_str()?;
    target.strip_prefix(SCHEMA_REFERENCE).map(str::to_owned)
}

/// Whether a schema stands for `()`.
pub(crate) fn is_empty_reply(schema: &Schema) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

/// The first sentence of a doc comment, without its full stop.
pub(crate) fn summary(description: &str) -> String {
    let first_paragraph = description.split("\n\n").next().unwrap_or_default();
    let one_line = first_paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let first_sentence = one_line.split(". ").next().unwrap_or_default();
    first_sentence.trim_end_matches('.').to_owned()
}

/// Who may call an operation, as a sentence.
pub(crate) fn access_sentence(operation: &Operation) -> String {
    let kinds: Vec<String> = operation
        .access
        .0
        .iter()
        .map(|who| match who {
            Who::Public => "everybody".to_owned(),
            Who::SignedIn => "any signed-in user".to_owned(),
            Who::Role(role) => format!("users with the role `{}`", role.as_str()),
            Who::Permitted => format!("users with the permission `{}`", operation.permission.unwrap_or_default()),
            Who::Member(role) => format!("members of the vendor from `{}` up", role.as_str()),
            Who::Owner => "the owner".to_owned(),
            Who::Service => "other services".to_owned(),
        })
        .collect();
    format!("For {}.", kinds.join(", "))
}

/// The entity that an operation is about: the first token of its subject.
pub(crate) fn entity(operation: &Operation) -> &'static str {
    operation.subject.split('.').next().unwrap_or(operation.subject)
}

/// The same document with the keys of every object in alphabetical order, whatever map `serde_json` was built with.
pub(crate) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().map(|(key, inner)| (key, sorted(inner))).collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// Drops the schemas that nothing in the document refers to, directly or through another schema.
pub(crate) fn drop_unused_schemas(document: &mut Value) {
    let Some(schemas) = document.pointer_mut(SCHEMAS_PATH).map(Value::take) else { return };
    let Value::Object(schemas) = schemas else { return };
    let mut used = BTreeSet::new();
    let mut unread = vec![];
    collect_references(document, &mut unread);
    while let Some(name) = unread.pop() {
        if let Some(schema) = schemas.get(&name)
            && used.insert(name)
        {
            collect_references(schema, &mut unread);
        }
    }
    let kept = schemas.into_iter().filter(|(name, _)| used.contains(name)).collect();
    if let Some(place) = document.pointer_mut(SCHEMAS_PATH) {
        *place = Value::Object(kept);
    }
}

/// The names of all schemas that something refers to directly, as often as it does.
pub(crate) fn collect_references(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            names.extend(reference_name(value));
            map.values().for_each(|inner| collect_references(inner, names));
        }
        Value::Array(items) => items.iter().for_each(|inner| collect_references(inner, names)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_summary_is_the_first_sentence() {
        assert_eq!(summary("Books a visit\nfor a pet. Asks the vendor first.\n\nMore."), "Books a visit for a pet");
        assert_eq!(summary(""), "");
    }

    #[test]
    fn schemas_that_only_unused_ones_refer_to_go_too() {
        let mut document = json!({
            "paths": { "$ref": "#/components/schemas/Used" },
            "components": { "schemas": {
                "Used": { "items": { "$ref": "#/components/schemas/Inner" } },
                "Inner": {},
                "Unused": { "$ref": "#/components/schemas/OnlyOfUnused" },
                "OnlyOfUnused": {},
            } },
        });
        drop_unused_schemas(&mut document);
        assert_eq!(document.pointer("/components/schemas").unwrap().as_object().unwrap().len(), 2);
    }
}
