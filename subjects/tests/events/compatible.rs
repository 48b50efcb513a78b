//! Which changes of an event's schema break those who listen.
//!
//! Both ways have to work: an event that was told by the old code is read by the new one, and while replicas of both
//! run, the other way round. So all that there was stays as it was, and what is new is optional.

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What of the change breaks, in words; nothing: both sides read each other.
pub fn breaks(kept: &Value, now: &Value) -> Vec<String> {
    let mut comparison = Comparison { kept, now, compared: BTreeSet::new(), breaks: Vec::new() };
    comparison.compare("", &kept["body"], &now["body"]);
    comparison.breaks
}

struct Comparison<'a> {
    kept: &'a Value,
    now: &'a Value,
    /// Schemas that refer to themselves end here.
    compared: BTreeSet<(String, String)>,
    breaks: Vec<String>,
}

impl Comparison<'_> {
    fn compare(&mut self, place: &str, kept: &Value, now: &Value) {
        let names = (reference(kept), reference(now));
        if let (Some(kept_name), Some(now_name)) = &names
            && !self.compared.insert((kept_name.clone(), now_name.clone()))
        {
            return;
        }
        let kept = names.0.map_or(kept, |name| &self.kept["$defs"][name]).clone();
        let now = names.1.map_or(now, |name| &self.now["$defs"][name]).clone();
        for keyword in ["type", "format", "const", "pattern"] {
            if kept.get(keyword) != now.get(keyword) {
                self.say(place, &format!("{keyword} was {} and is {}", word(&kept, keyword), word(&now, keyword)));
            }
        }
        self.compare_values(place, &kept, &now);
        self.compare_fields(place, &kept, &now);
        for inner in ["items", "additionalProperties"] {
            if let (Some(kept), Some(now)) = (kept.get(inner), now.get(inner)) {
                self.compare(&format!("{place}/*"), kept, now);
            } else if kept.get(inner).is_some() != now.get(inner).is_some() {
                self.say(place, &format!("{inner} was {} and is {}", word(&kept, inner), word(&now, inner)));
            }
        }
        for choice in ["anyOf", "oneOf", "allOf", "prefixItems"] {
            let (kept, now) = (list(&kept, choice), list(&now, choice));
            if kept.len() != now.len() {
                self.say(place, &format!("{choice} had {} kinds and has {}", kept.len(), now.len()));
            }
            for (kept, now) in kept.iter().zip(&now) {
                self.compare(place, kept, now);
            }
        }
    }

    fn compare_values(&mut self, place: &str, kept: &Value, now: &Value) {
        let (kept, now) = (list(kept, "enum"), list(now, "enum"));
        for value in kept.iter().filter(|value| !now.contains(value)) {
            self.say(place, &format!("the value {value} is gone, and events that have it are in the streams"));
        }
        for value in now.iter().filter(|value| !kept.contains(value)) {
            self.say(place, &format!("the value {value} is new, and whoever does not know it cannot read the event"));
        }
    }

    fn compare_fields(&mut self, place: &str, kept: &Value, now: &Value) {
        let (kept_fields, now_fields) = (fields(kept), fields(now));
        let (kept_required, now_required) = (required(kept), required(now));
        for (name, kept_field) in &kept_fields {
            let place = format!("{place}/{name}");
            match now_fields.get(name) {
                None => self.say(&place, "the field is gone"),
                Some(now_field) => self.compare(&place, kept_field, now_field),
            }
        }
        for name in now_required.difference(&kept_required) {
            self.say(&format!("{place}/{name}"), "the field is required, and events without it are in the streams");
        }
        for name in kept_required.difference(&now_required).filter(|name| now_fields.contains_key(*name)) {
            self.say(&format!("{place}/{name}"), "the field is optional now, and those who listen rely on it");
        }
    }

    fn say(&mut self, place: &str, what: &str) {
        let place = if place.is_empty() { "/" } else { place };
        self.breaks.push(format!("{place}: {what}"));
    }
}

fn reference(schema: &Value) -> Option<String> {
    Some(schema.get("$ref")?.as_str()?.rsplit('/').next()?.to_owned())
}

fn word(schema: &Value, keyword: &str) -> String {
    schema.get(keyword).map_or_else(|| "not there".to_owned(), Value::to_string)
}

fn list(schema: &Value, keyword: &str) -> Vec<Value> {
    schema.get(keyword).and_then(Value::as_array).cloned().unwrap_or_default()
}

fn fields(schema: &Value) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

fn required(schema: &Value) -> BTreeSet<String> {
    list(schema, "required").iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema(body: Value) -> Value {
        json!({ "body": { "$ref": "#/$defs/Body" }, "$defs": { "Body": body, "Kind": { "enum": ["cat", "dog"] } } })
    }

    fn body() -> Value {
        json!({
            "type": "object",
            "properties": {
                "id": { "type": "string", "format": "uuid" },
                "kind": { "$ref": "#/$defs/Kind" },
                "notes": { "type": "array", "items": { "type": "string" } }
            },
            "required": ["id", "kind"]
        })
    }

    fn check(change: impl FnOnce(&mut Value), expected: &[&str]) {
        let kept = schema(body());
        let mut now = kept.clone();
        change(&mut now);
        let breaks = breaks(&kept, &now);
        assert_eq!(breaks.len(), expected.len(), "{breaks:?}");
        for (found, expected) in breaks.iter().zip(expected) {
            assert!(found.contains(expected), "{found}, not {expected}");
        }
    }

    #[test]
    fn a_new_optional_field_is_the_one_change_that_all_can_read() {
        check(|now| now["$defs"]["Body"]["properties"]["later"] = json!({ "type": "string" }), &[]);
        check(|now| now["$defs"]["Body"]["description"] = json!("in other words"), &[]);
    }

    #[test]
    fn every_other_change_is_found_and_named() {
        let properties = |now: &mut Value| now["$defs"]["Body"]["properties"].as_object_mut().unwrap().clone();
        check(
            |now| {
                let mut fields = properties(now);
                fields.remove("notes");
                now["$defs"]["Body"]["properties"] = fields.into();
            },
            &["/notes: the field is gone"],
        );
        check(|now| now["$defs"]["Body"]["required"] = json!(["id"]), &["/kind: the field is optional now"]);
        check(
            |now| now["$defs"]["Body"]["required"] = json!(["id", "kind", "notes"]),
            &["/notes: the field is required"],
        );
        check(
            |now| now["$defs"]["Body"]["properties"]["id"]["format"] = json!("date"),
            &["/id: format was \"uuid\" and is \"date\""],
        );
        check(
            |now| now["$defs"]["Body"]["properties"]["notes"]["items"] = json!({ "type": "integer" }),
            &["/notes/*: type was \"string\" and is \"integer\""],
        );
        check(
            |now| now["$defs"]["Kind"]["enum"] = json!(["cat", "rabbit"]),
            &["/kind: the value \"dog\" is gone", "/kind: the value \"rabbit\" is new"],
        );
    }
}
