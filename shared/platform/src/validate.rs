//! Reading requests: every violation at once, each with its JSON Pointer.
//!
//! serde stops at the first wrong type and garde knows only Rust's field names, so the generated JSON Schema says
//! what is wrong, and only when something is.

use crate::codec::ContentType;
use garde::Validate;
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use schemars::SchemaGenerator;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serde_path_to_error::Segment;
use std::collections::BTreeSet;
use subjects::{Fault, Operation, Violation};

/// What to do about fields that a schema does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownFields {
    /// Inside the mesh: tolerated, so that versions can live side by side.
    Allow,
    /// At the edge: a violation.
    Refuse,
}

/// The JSON type of a field, as far as it matters for reading it from a path or a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Text, ids and times included.
    String,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// Anything else.
    Object,
}

/// The compiled schema of a request.
pub struct RequestSchema {
    document: Value,
    lenient: jsonschema::Validator,
    strict: jsonschema::Validator,
}

impl RequestSchema {
    /// Compiles the request schema of an operation.
    ///
    /// # Errors
    /// The schema is not valid, which a test over the whole contract rules out.
    pub fn of(operation: &Operation) -> anyhow::Result<RequestSchema> {
        let document = schema_document(operation.request_schema);
        let lenient = compile(&document)?;
        let mut closed = document.clone();
        close_objects(&mut closed);
        let strict = compile(&closed)?;
        Ok(RequestSchema { document, lenient, strict })
    }

    /// All that is wrong with a value.
    pub fn violations(&self, value: &Value, unknown_fields: UnknownFields) -> Vec<Violation> {
        let validator = match unknown_fields {
            UnknownFields::Allow => &self.lenient,
            UnknownFields::Refuse => &self.strict,
        };
        let mut violations: Vec<Violation> = validator.iter_errors(value).flat_map(|error| explain(&error)).collect();
        violations.sort();
        violations.dedup();
        violations
    }

    /// The type of a field of the request itself. None: there is no such field.
    pub fn field_type(&self, name: &str) -> Option<FieldType> {
        let property = self.root().get("properties")?.get(name)?;
        Some(self.type_of(property))
    }

    /// The names of the request's fields.
    pub fn field_names(&self) -> impl Iterator<Item = &str> {
        self.root().get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str)
    }

    fn root(&self) -> &Value {
        self.resolve(&self.document)
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        target.and_then(|pointer| self.document.pointer(pointer)).unwrap_or(schema)
    }

    fn type_of(&self, schema: &Value) -> FieldType {
        let schema = self.resolve(schema);
        let named = match schema.get("type") {
            Some(Value::String(name)) => Some(name.as_str()),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
            _ => None,
        };
        if let Some(name) = named {
            return match name {
                "string" => FieldType::String,
                "integer" => FieldType::Integer,
                "number" => FieldType::Number,
                "boolean" => FieldType::Boolean,
                "array" => FieldType::Array,
                _ => FieldType::Object,
            };
        }
        let alternatives = ["anyOf", "oneOf"].into_iter().find_map(|keyword| schema.get(keyword)?.as_array());
        let is_null = |schema: &Value| schema.get("type").and_then(Value::as_str) == Some("null");
        match alternatives.and_then(|list| list.iter().find(|alternative| !is_null(alternative))) {
            Some(alternative) => self.type_of(alternative),
            None if schema.get("enum").is_some() || schema.get("const").is_some() => FieldType::String,
            None => FieldType::Object,
        }
    }
}

/// Formats count: an id that is not a UUID is wrong where it stands, not somewhere in the request.
fn compile(document: &Value) -> anyhow::Result<jsonschema::Validator> {
    Ok(jsonschema::options().should_validate_formats(true).build(document)?)
}

/// A schema as a document of its own.
pub fn schema_document(schema: fn(&mut SchemaGenerator) -> schemars::Schema) -> Value {
    let mut generator = SchemaGenerator::default();
    let mut document = schema(&mut generator).to_value();
    let definitions = generator.take_definitions(true);
    if let Some(object) = document.as_object_mut()
        && !definitions.is_empty()
    {
        object.insert("$defs".to_owned(), Value::Object(definitions));
    }
    document
}

/// Makes every object refuse properties that its schema does not name, those without any among them.
fn close_objects(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let is_object = object.get("type").and_then(Value::as_str) == Some("object");
            if (is_object || object.contains_key("properties")) && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), json!(false));
                // Without it, what is said of such a property would not name it.
                object.entry("properties").or_insert_with(|| json!({}));
            }
            object.values_mut().for_each(close_objects);
        }
        Value::Array(items) => items.iter_mut().for_each(close_objects),
        _ => {}
    }
}

fn explain(error: &ValidationError<'_>) -> Vec<Violation> {
    let pointer = error.instance_path().to_string();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            vec![Violation::new(format!("{pointer}/{}", escape(name)), "is required")]
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => unexpected
            .iter()
            .map(|name| Violation::new(format!("{pointer}/{}", escape(name)), "is not a known field"))
            .collect(),
        // A field that may be null has the alternative of its own schema: what is wrong by that is what is wrong.
        ValidationErrorKind::AnyOf { context } => match of_the_right_type(error, context).as_slice() {
            [only] => only.iter().flat_map(explain).collect(),
            _ => vec![masked(error, pointer)],
        },
        ValidationErrorKind::Pattern { pattern } => match subjects::pattern_in_words(pattern) {
            Some(words) => vec![Violation::new(pointer, words)],
            None => vec![masked(error, pointer)],
        },
        _ => vec![masked(error, pointer)],
    }
}

/// The value itself is not repeated: it may be huge, or a secret.
fn masked(error: &ValidationError<'_>, pointer: String) -> Violation {
    Violation::new(pointer, error.masked().to_string())
}

/// Of what is wrong by each alternative, that by those which do not want another type of value altogether.
fn of_the_right_type<'a, 'v>(
    error: &ValidationError<'_>,
    alternatives: &'a [Vec<ValidationError<'v>>],
) -> Vec<&'a Vec<ValidationError<'v>>> {
    let wants_another_type = |wrong: &ValidationError<'_>| {
        matches!(wrong.kind(), ValidationErrorKind::Type { .. }) && wrong.instance_path() == error.instance_path()
    };
    alternatives.iter().filter(|wrong| !wrong.iter().any(wants_another_type)).collect()
}

/// A name as a reference token of a JSON Pointer (RFC 6901).
pub fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Reads and validates a request.
///
/// # Errors
/// `bad_request` with every violation.
pub(crate) fn read_request<R: DeserializeOwned + Validate<Context = ()>>(
    content_type: ContentType,
    body: &[u8],
    schema: &RequestSchema,
) -> Result<R, Fault> {
    match content_type.decode::<R>(body) {
        Ok(request) => match request.validate() {
            Ok(()) => Ok(request),
            Err(report) => Err(Fault::invalid(broken_rules(content_type, body, schema, &report))),
        },
        Err(_) => Err(Fault::invalid(unreadable::<R>(content_type, body, schema))),
    }
}

fn unreadable<R: DeserializeOwned>(content_type: ContentType, body: &[u8], schema: &RequestSchema) -> Vec<Violation> {
    match content_type.decode::<Value>(body) {
        Ok(value) => {
            let violations = schema.violations(&value, UnknownFields::Allow);
            if violations.is_empty() { stricter_than_schema::<R>(value) } else { violations }
        }
        Err(error) => vec![Violation::new("", format!("not {}: {error}", content_type.as_str()))],
    }
}

/// Some values are stricter in Rust than in the schema: a time zone, for example, has to be one that there is. The value
/// is not repeated, nor is what serde says of it.
fn stricter_than_schema<R: DeserializeOwned>(value: Value) -> Vec<Violation> {
    let pointer = match serde_path_to_error::deserialize::<_, R>(value) {
        Ok(_) => String::new(),
        Err(error) => error.path().iter().map(reference_token).collect(),
    };
    vec![Violation::new(pointer, "is not a valid value")]
}

fn reference_token(segment: &Segment) -> String {
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escape(key)),
        Segment::Enum { .. } | Segment::Unknown => String::new(),
    }
}

fn broken_rules(
    content_type: ContentType,
    body: &[u8],
    schema: &RequestSchema,
    report: &garde::Report,
) -> Vec<Violation> {
    let value = content_type.decode::<Value>(body).unwrap_or(Value::Null);
    let mut violations = schema.violations(&value, UnknownFields::Allow);
    let known: BTreeSet<String> = violations.iter().map(|violation| violation.pointer.clone()).collect();
    for (path, error) in report.iter() {
        let pointer = json_pointer(&path.to_string());
        if !known.contains(&pointer) {
            violations.push(Violation::new(pointer, error.message()));
        }
    }
    violations
}

/// garde's path (`pet.birth_date`, `items[3].name`) as a JSON Pointer in the wire's spelling.
fn json_pointer(garde_path: &str) -> String {
    let mut pointer = String::new();
    for part in garde_path.split(['.', '[']).map(|part| part.trim_end_matches(']')).filter(|part| !part.is_empty()) {
        pointer.push('/');
        pointer.push_str(&escape(&camel_case(part)));
    }
    pointer
}

fn camel_case(snake_case: &str) -> String {
    let mut words = snake_case.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            name.extend(first.to_uppercase());
            name.push_str(letters.as_str());
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn garde_paths_become_json_pointers() {
        assert_eq!(json_pointer("pet.birth_date"), "/pet/birthDate");
        assert_eq!(json_pointer("items[3].name"), "/items/3/name");
        assert_eq!(json_pointer(""), "");
    }

    #[test]
    fn what_is_wrong_in_a_field_that_may_be_null_is_told_where_it_is() {
        let allergy = json!({ "type": "object", "properties": { "severity": { "enum": ["mild", "severe"] } } });
        let document =
            json!({ "type": "object", "properties": { "allergy": { "anyOf": [allergy, { "type": "null" }] } } });
        let (lenient, strict) = (compile(&document).unwrap(), compile(&document).unwrap());
        let schema = RequestSchema { document, lenient, strict };
        let pointers = |value: Value| -> Vec<String> {
            let violations = schema.violations(&value, UnknownFields::Refuse);
            violations.into_iter().map(|violation| violation.pointer).collect()
        };
        assert_eq!(pointers(json!({ "allergy": { "severity": "awful" } })), ["/allergy/severity"]);
        assert_eq!(pointers(json!({ "allergy": 5 })), ["/allergy"]);
        assert!(pointers(json!({ "allergy": null })).is_empty());
    }
}
