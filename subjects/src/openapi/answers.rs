//! What operations answer, taken apart: whether it is a list, what its items are called, which fields can be chosen.

use crate::documents::{Shape, reference_name};
use crate::operation::Operation;
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How deep fields are told apart: far deeper than any message goes.
const MAX_DEPTH: usize = 8;

/// The fields of an object in an answer, each with the fields within it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(pub BTreeMap<String, Fields>);

impl Fields {
    /// Every field, the inner ones behind a dot: `address`, `address.city`.
    pub fn names(&self) -> Vec<String> {
        let mut names = vec![];
        for (name, inner) in &self.0 {
            names.push(name.clone());
            names.extend(inner.names().into_iter().map(|inner_name| format!("{name}.{inner_name}")));
        }
        names
    }

    /// Whether there is such a field, spelled as in [`Fields::names`].
    pub fn have(&self, dotted: &str) -> bool {
        let mut within = self;
        for name in dotted.split('.') {
            let Some(inner) = within.0.get(name) else { return false };
            within = inner;
        }
        true
    }

    fn of(schema: &Value, definitions: &Map<String, Value>, depth: usize) -> Fields {
        let mut fields = Fields::default();
        if depth == MAX_DEPTH {
            return fields;
        }
        if let Some(target) = reference_name(schema).and_then(|name| definitions.get(&name)) {
            return Fields::of(target, definitions, depth);
        }
        if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                fields.0.insert(name.clone(), Fields::of(property, definitions, depth + 1));
            }
        }
        let choices = ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|keyword| schema.get(keyword)?.as_array());
        for part in choices.flatten().chain(schema.get("items")) {
            fields.0.extend(Fields::of(part, definitions, depth).0);
        }
        fields
    }
}

/// The shape of one operation's answer.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Whether it is a page of a list: `items`, and `nextCursor` where there are more.
    pub is_list: bool,
    /// The name of the schema of the entity, or of the items where it is a list.
    pub entity_schema: Option<String>,
    /// The fields of the entity, or of each item.
    pub fields: Fields,
}

impl Answer {
    /// The shape of an operation's answer. Names of schemas are those of `generator`.
    pub fn of(operation: &Operation, generator: &mut SchemaGenerator) -> Answer {
        let reply = (operation.reply_schema)(generator);
        Answer::of_schema(&reply, generator)
    }

    pub(super) fn of_schema(reply: &Schema, generator: &SchemaGenerator) -> Answer {
        let shape = Shape::of(reply, generator);
        let items = shape.fields.get("items").filter(|_| shape.has("nextCursor")).and_then(|list| list.get("items"));
        let entity = items.unwrap_or(reply.as_value());
        Answer {
            is_list: items.is_some(),
            entity_schema: reference_name(entity),
            fields: Fields::of(entity, generator.definitions(), 0),
        }
    }
}

/// A generator that names the schemas of all operations that it is used for alike.
pub fn answers_generator() -> SchemaGenerator {
    crate::documents::generator(SchemaSettings::draft2020_12())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn answer(subject: &str) -> Answer {
        Answer::of(catalogue::find(subject).unwrap(), &mut answers_generator())
    }

    #[test]
    fn items_of_a_list_are_what_can_be_chosen_from() {
        let clinics = answer("clinic.findAll");
        assert!(clinics.is_list);
        assert_eq!(clinics.entity_schema.as_deref(), Some("Clinic"));
        assert!(clinics.fields.have("address.city") && clinics.fields.have("name"));
        assert!(!clinics.fields.have("items") && !clinics.fields.have("address.moon"));
        let clinic = answer("clinic.findOne");
        assert!(!clinic.is_list);
        assert_eq!(clinic.fields, clinics.fields);
    }

    #[test]
    fn names_are_dotted() {
        let names = answer("booking.findOne").fields.names();
        assert!(names.contains(&"price.amount".to_owned()) && names.contains(&"price".to_owned()));
    }

    #[test]
    fn no_operation_takes_a_field_that_chooses_fields() {
        for operation in catalogue::operations() {
            let mut generator = answers_generator();
            let request = (operation.request_schema)(&mut generator);
            assert!(!Shape::of(&request, &generator).has("fields"), "{}", operation.subject);
        }
    }
}
