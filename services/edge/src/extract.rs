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

    let mut request = Value::Object(fields);
    write_whole_numbers_plainly(&mut request);
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

/// To JSON Schema 5.0 is an integer; to the services it becomes one here.
fn write_whole_numbers_plainly(value: &mut Value) {
    match value {
        Value::Number(number) if number.is_f64() => {
            let plain = number.to_string().strip_suffix(".0").and_then(|whole| whole.parse::<i64>().ok());
            if let Some(whole) = plain {
                *value = Value::from(whole);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(write_whole_numbers_plainly),
        Value::Object(object) => object.values_mut().for_each(write_whole_numbers_plainly),
        _ => {}
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_numbers_are_whole_however_they_are_written() {
        let read = r#"{"a":5.0,"b":[{"c":-7.00,"d":2e3}],"e":1.5,"f":1e300,"g":3,"h":"5.0"}"#;
        let mut value: Value = serde_json::from_str(read).unwrap();
        write_whole_numbers_plainly(&mut value);
        let expected = json!({ "a": 5, "b": [{ "c": -7, "d": 2000 }], "e": 1.5, "f": 1e300, "g": 3, "h": "5.0" });
        assert_eq!(value, expected);
    }
}
