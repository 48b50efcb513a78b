//! `fields=`: only these of an answer.

use crate::routes::Route;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use subjects::request::Method;
use subjects::{Kind, Violation};

/// The query parameter.
pub const PARAMETER: &str = "fields";
/// How much of a name is repeated to the one who sent it.
const SHOWN_CHARACTERS: usize = 64;
/// Where an entity has its links, which stay whatever is chosen.
const LINKS: &str = "_links";

/// The fields that were chosen, each with those within it; nothing within means all of it.
#[derive(Debug, Default, PartialEq)]
pub struct Projection(BTreeMap<String, Projection>);

/// Whether a route's answer can be chosen from.
pub fn are_chosen_at(route: &Route) -> bool {
    let is_entity = route.rest.text.is_none() && route.operation.kind == Kind::Request;
    route.rest.method == Method::Get && is_entity && !route.answer.fields.0.is_empty()
}

/// Reads the parameter: names separated by commas, inner ones behind a dot.
///
/// # Errors
/// Everything that is wrong with it.
pub fn read(text: &str, route: &Route) -> Result<Projection, Vec<Violation>> {
    let mut projection = Projection::default();
    let mut violations = vec![];
    let mut refuse = |message: String| violations.push(Violation::new(format!("/{PARAMETER}"), message));
    let mut named = BTreeSet::new();
    for name in text.split(',') {
        let shown: String = name.chars().take(SHOWN_CHARACTERS).collect();
        if name.is_empty() {
            refuse("names nothing between two commas".to_owned());
        } else if !named.insert(name) {
            refuse(format!("names {shown:?} more than once"));
        } else if !route.answer.fields.have(name) {
            refuse(format!("names {shown:?}, which the answer does not have"));
        } else {
            projection.choose(name);
        }
    }
    if violations.is_empty() { Ok(projection) } else { Err(violations) }
}

impl Projection {
    fn choose(&mut self, dotted: &str) {
        let (name, inner) = dotted.split_once('.').map_or((dotted, None), |(name, inner)| (name, Some(inner)));
        let is_new = !self.0.contains_key(name);
        let within = self.0.entry(name.to_owned()).or_default();
        match inner {
            // What was chosen as a whole stays whole.
            Some(inner) if is_new || !within.0.is_empty() => within.choose(inner),
            Some(_) => {}
            None => within.0.clear(),
        }
    }

    /// Leaves of an entity, or of each item of a list, only what was chosen, and its links.
    pub fn apply(&self, answer: &mut Value, is_list: bool) {
        if !is_list {
            return self.keep(answer);
        }
        for items in ["/items", "/_embedded/items"] {
            if let Some(items) = answer.pointer_mut(items) {
                self.keep(items);
            }
        }
    }

    fn keep(&self, value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.keep(item)),
            Value::Object(object) if !self.0.is_empty() => {
                let all: Map<String, Value> = std::mem::take(object);
                for (name, mut inner) in all {
                    if let Some(chosen) = self.0.get(&name) {
                        chosen.keep(&mut inner);
                        object.insert(name, inner);
                    } else if name == LINKS {
                        object.insert(name, inner);
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn projection(names: &[&str]) -> Projection {
        let mut projection = Projection::default();
        names.iter().for_each(|name| projection.choose(name));
        projection
    }

    #[test]
    fn what_is_not_chosen_goes() {
        let mut clinic = json!({ "id": 1, "address": { "city": "Solo", "street": "x" }, "days": [{ "a": 1, "b": 2 }] });
        projection(&["id", "address.city", "days.b", "phone"]).apply(&mut clinic, false);
        assert_eq!(clinic, json!({ "id": 1, "address": { "city": "Solo" }, "days": [{ "b": 2 }] }));
    }

    #[test]
    fn a_whole_contains_its_parts_in_either_order() {
        for names in [["address", "address.city"], ["address.city", "address"]] {
            let mut clinic = json!({ "id": 1, "address": { "city": "Solo", "street": "x" } });
            projection(&names).apply(&mut clinic, false);
            assert_eq!(clinic, json!({ "address": { "city": "Solo", "street": "x" } }));
        }
    }

    #[test]
    fn of_a_list_only_the_items_are_chosen_from() {
        let mut page = json!({ "items": [{ "id": 1, "name": "a" }], "nextCursor": "x" });
        projection(&["name"]).apply(&mut page, true);
        assert_eq!(page, json!({ "items": [{ "name": "a" }], "nextCursor": "x" }));
    }
}
