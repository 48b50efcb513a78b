//! Path, query and body become one JSON object: the request as the service reads it.

use crate::fields::{self, Projection};
use crate::routes::Route;
use platform::validate::{FieldType, UnknownFields, escape};
use serde_json::{Map, Value};
use subjects::{Fault, Violation};

/// A request, and what its client wants of the answer.
pub struct Extracted {
    /// The message.
    pub request: Value,
    /// The fields that were chosen; none: all of them.
    pub projection: Option<Projection>,
}

/// Puts a request together.
///
/// # Errors
/// `bad_request` with everything that is wrong with it, each with its JSON Pointer.
pub fn request(
    route: &Route,
    path: &[(String, String)],
    query: Vec<(String, String)>,
    body: Map<String, Value>,
) -> Result<Extracted, Fault> {
    let takes_body = route.rest.method.has_body();
    let mut violations = vec![];
    let mut fields = Map::new();

    for (name, value) in body {
        let at = pointer(&name);
        if !takes_body {
            violations.push(Violation::new(at, "does not belong in a body: this method takes none"));
        } else if route.path_fields.contains(&name.as_str()) {
            violations.push(Violation::new(at, "comes from the path"));
        } else {
            // What the schema does not know stays, for the schema to refuse in its own words.
            fields.insert(name, value);
        }
    }
    let mut projection = None;
    for (name, text) in query {
        let at = pointer(&name);
        if name == fields::PARAMETER && fields::are_chosen_at(route) {
            match projection {
                Some(_) => violations.push(Violation::new(at, "is given more than once")),
                None => match fields::read(&text, route) {
                    Ok(chosen) => projection = Some(chosen),
                    Err(wrong) => violations.extend(wrong),
                },
            }
            continue;
        }
        match route.schema.field_type(&name) {
            Some(_) if route.path_fields.contains(&name.as_str()) => {
                violations.push(Violation::new(at, "comes from the path"));
            }
            Some(_) if takes_body => violations.push(Violation::new(at, "belongs in the body")),
            Some(FieldType::Array) => match fields.entry(name).or_insert_with(|| Value::Array(vec![])) {
                Value::Array(items) => items.push(Value::String(text)),
                _ => violations.push(Violation::new(at, "is not a list")),
            },
            Some(kind) if !fields.contains_key(&name) => {
                fields.insert(name, coerce(kind, text));
            }
            Some(_) => violations.push(Violation::new(at, "is given more than once")),
            None => violations.push(Violation::new(at, "is not a known parameter")),
        }
    }
    for (name, text) in path {
        let kind = route.schema.field_type(name).unwrap_or(FieldType::String);
        fields.insert(name.clone(), coerce(kind, text.clone()));
    }

    let request = Value::Object(fields);
    violations.extend(route.schema.violations(&request, UnknownFields::Refuse));
    if violations.is_empty() {
        return Ok(Extracted { request, projection });
    }
    violations.sort();
    violations.dedup();
    Err(Fault::invalid(violations))
}

fn pointer(name: &str) -> String {
    format!("/{}", escape(name))
}

/// The value that a text in a path or query stands for. A text that does not fit stays a text: the schema then says
/// what it should have been.
fn coerce(kind: FieldType, text: String) -> Value {
    let value = match kind {
        FieldType::Integer => text.parse::<i64>().ok().map(Value::from),
        FieldType::Number => text.parse::<f64>().ok().filter(|number| number.is_finite()).map(Value::from),
        FieldType::Boolean => text.parse::<bool>().ok().map(Value::from),
        FieldType::String | FieldType::Array | FieldType::Object => None,
    };
    value.unwrap_or(Value::String(text))
}
