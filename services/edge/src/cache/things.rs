//! What answers are made of, and what events are about.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use subjects::cache::Tag;
use subjects::{Operation, catalogue};
use uuid::Uuid;

/// Something that is heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Thing {
    /// One aggregate of an entity.
    One(&'static str, Uuid),
    /// Any aggregate of an entity.
    Any(&'static str),
    /// A stretch of an entity's events that was not heard: any of them may have been about anything.
    Gap(&'static str),
}

/// As it is written in Redis.
impl fmt::Display for Thing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Thing::One(entity, id) => write!(formatter, "{entity}:{id}"),
            Thing::Any(entity) => formatter.write_str(entity),
            Thing::Gap(entity) => write!(formatter, "{entity}:*"),
        }
    }
}

/// A part of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub thing: Thing,
    /// Whether another service tells of it than the one that answers, which then hears of it no sooner than the edge.
    pub is_foreign: bool,
}

/// How an operation's answers are made.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// The operation's subject.
    pub subject: &'static str,
    tags: Vec<(Tag, bool)>,
}

impl Recipe {
    /// The recipe of an operation whose answers may be kept. None for any other, and for one that is made of something
    /// that no event tells of.
    pub fn of(operation: &Operation) -> Option<Recipe> {
        let mut tags = Vec::new();
        for tag in operation.cache?.made_of {
            tags.push((*tag, source(tag.entity())? != operation.service));
        }
        Some(Recipe { subject: operation.subject, tags })
    }

    /// The entities whose events make its answers old.
    pub fn entities(&self) -> impl Iterator<Item = &'static str> {
        self.tags.iter().map(|(tag, _)| tag.entity())
    }

    /// What an answer is made of. None: the answer does not say.
    pub fn parts(&self, answer: &BTreeMap<String, Value>) -> Option<Vec<Part>> {
        let mut parts = Vec::new();
        for (tag, is_foreign) in &self.tags {
            let thing = match tag {
                Tag::One { entity, id_field } => Thing::One(entity, id(answer.get(*id_field)?)?),
                Tag::All { entity } => Thing::Any(entity),
            };
            parts.push(Part { thing, is_foreign: *is_foreign });
            parts.push(Part { thing: Thing::Gap(tag.entity()), is_foreign: *is_foreign });
        }
        Some(parts)
    }
}

/// The service that tells of an entity.
pub fn source(entity: &str) -> Option<&'static str> {
    catalogue::events().find(|event| event.entity() == entity).map(|event| event.service)
}

/// The entities that any answer which may be kept is made of, each with the service that tells of it.
pub fn followed() -> BTreeSet<(&'static str, &'static str)> {
    let tags = catalogue::operations().filter_map(|operation| operation.cache).flat_map(|cache| cache.made_of);
    tags.filter_map(|tag| Some((source(tag.entity())?, tag.entity()))).collect()
}

/// The id of the aggregate that an event's body is about: by the convention of the contract, `<entity>Id`.
pub fn subject_of(entity: &str, body: &[u8]) -> Option<Uuid> {
    let body: BTreeMap<String, Value> = serde_json::from_slice(body).ok()?;
    id(body.get(&id_field(entity))?)
}

/// The field of an event's body that holds the aggregate's id.
pub fn id_field(entity: &str) -> String {
    format!("{entity}Id")
}

fn id(value: &Value) -> Option<Uuid> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::validate::schema_document;
    use serde_json::json;

    fn cached() -> impl Iterator<Item = &'static Operation> {
        catalogue::operations().filter(|operation| operation.cache.is_some())
    }

    /// The properties of an object with this schema.
    fn properties(document: &Value) -> BTreeSet<String> {
        let mut schema = document;
        while let Some(reference) = schema["$ref"].as_str() {
            schema = document.pointer(reference.strip_prefix('#').unwrap()).unwrap();
        }
        schema["properties"].as_object().unwrap_or_else(|| panic!("{document}")).keys().cloned().collect()
    }

    #[test]
    fn every_part_of_a_kept_answer_is_told_of_and_stands_in_it() {
        let subjects: Vec<&str> = cached().map(|operation| operation.subject).collect();
        for expected in ["vendor.findOne", "clinic.findOne", "service.findOne"] {
            assert!(subjects.contains(&expected), "{subjects:?}");
        }
        for operation in cached() {
            let subject = operation.subject;
            assert!(operation.access.is_public() && operation.effect.is_read(), "{subject}");
            let recipe = Recipe::of(operation).unwrap_or_else(|| panic!("{subject}: no events tell of a part"));
            for (tag, _) in &recipe.tags {
                if let Tag::One { id_field, .. } = tag {
                    assert!(
                        properties(&schema_document(operation.reply_schema)).contains(*id_field),
                        "{subject}: {id_field}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_event_of_a_part_names_its_aggregate() {
        for (_, entity) in followed() {
            for event in catalogue::events().filter(|event| event.entity() == entity) {
                assert!(properties(&schema_document(event.schema)).contains(&id_field(entity)), "{}", event.event_type);
            }
        }
    }

    #[test]
    fn a_clinic_is_made_of_itself_and_its_vendor() {
        let (clinic, vendor) = (Uuid::now_v7(), Uuid::now_v7());
        let recipe = Recipe::of(catalogue::find("clinic.findOne").unwrap()).unwrap();
        let answer = |value: Value| serde_json::from_value::<BTreeMap<String, Value>>(value).unwrap();
        let parts = recipe.parts(&answer(json!({ "id": clinic, "vendorId": vendor, "version": 3 }))).unwrap();
        let things: Vec<Thing> = parts.iter().map(|part| part.thing).collect();
        assert_eq!(
            things,
            [Thing::One("clinic", clinic), Thing::Gap("clinic"), Thing::One("vendor", vendor), Thing::Gap("vendor"),]
        );
        assert!(parts.iter().all(|part| !part.is_foreign));
        assert_eq!(recipe.parts(&answer(json!({ "id": clinic }))), None);
        assert_eq!(recipe.parts(&answer(json!({ "id": clinic, "vendorId": "nobody" }))), None);
    }
}
