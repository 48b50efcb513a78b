//! For every route of the contract a request that its schema takes, and ways to spoil it.

use platform::validate::schema_document;
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use subjects::{Operation, Rest, RouteCaller, catalogue};

const ID: &str = "0190a000-0000-7000-8000-000000000001";

#[derive(Clone)]
pub struct Sample {
    pub operation: Operation,
    pub rest: Rest,
    /// The request's schema, with its definitions.
    document: Value,
    /// Fields in the path as they stand there.
    path: Vec<(String, String)>,
    /// All other fields.
    rest_of_it: Map<String, Value>,
    /// In the query, or in the body where the method takes one; or the other way round.
    is_turned: bool,
}

/// One sample for each route.
pub fn routes() -> Vec<Sample> {
    let mut samples = vec![];
    for operation in catalogue::operations() {
        for rest in operation.rest {
            samples.push(Sample::of(operation, rest));
        }
    }
    assert!(samples.len() > 50);
    samples
}

impl Sample {
    fn of(operation: &Operation, rest: &Rest) -> Sample {
        let document = schema_document(operation.request_schema);
        let Value::Object(message) = example(&document, &document) else {
            panic!("{} is no object", operation.subject)
        };
        let in_path: Vec<&str> = rest.path_fields().collect();
        let properties = &resolve(&document, &document)["properties"];
        // A path may name a field that is not required elsewhere.
        let text = |name: &str| example(&properties[name], &document).as_str().unwrap().to_owned();
        let path = in_path.iter().map(|name| ((*name).to_owned(), text(name))).collect();
        let rest_of_it = message.into_iter().filter(|(name, _)| !in_path.contains(&name.as_str())).collect();
        Sample { operation: *operation, rest: *rest, document, path, rest_of_it, is_turned: false }
    }

    pub fn name(&self) -> String {
        format!("{} {}", self.rest.method.as_str(), self.rest.path)
    }

    pub fn takes_token(&self) -> bool {
        self.rest.caller != RouteCaller::Anonymous
    }

    pub fn answers_nothing(&self) -> bool {
        schema_document(self.operation.reply_schema)["type"] == "null"
    }

    /// The names of all fields that are not in the path.
    pub fn fields(&self) -> Vec<String> {
        let is_elsewhere = |name: &&String| !self.path.iter().any(|(in_path, _)| in_path == *name);
        self.properties().keys().filter(is_elsewhere).cloned().collect()
    }

    pub fn requires(&self, field: &str) -> bool {
        let required = resolve(&self.document, &self.document)["required"].as_array();
        required.is_some_and(|names| names.iter().any(|name| name == field))
    }

    /// JSON Pointers of the fields within objects of a body.
    pub fn inner_fields(&self) -> Vec<String> {
        let mut pointers = vec![];
        if self.rest.method.has_body() {
            for (name, value) in &self.rest_of_it {
                collect(value, &format!("/{name}"), &mut pointers);
            }
        }
        pointers
    }

    pub fn without(&self, field: &str) -> Sample {
        let mut other = self.clone();
        other.rest_of_it.remove(field);
        other
    }

    /// With another value for a field. None: a query cannot say that.
    pub fn with(&self, field: &str, value: Value) -> Option<Sample> {
        let mut other = self.clone();
        let can_be_said = self.rest.method.has_body() || (!value.is_null() && !value.is_array() && !value.is_object());
        other.rest_of_it.insert(field.to_owned(), value);
        can_be_said.then_some(other)
    }

    pub fn with_inner(&self, pointer: &str, value: Value) -> Sample {
        let mut other = self.clone();
        let mut whole = Value::Object(std::mem::take(&mut other.rest_of_it));
        *whole.pointer_mut(pointer).unwrap() = value;
        other.rest_of_it = whole.as_object().unwrap().clone();
        other
    }

    pub fn with_extra(&self, name: &str) -> Sample {
        let mut other = self.clone();
        other.rest_of_it.insert(name.to_owned(), json!("blue"));
        other
    }

    /// A body where a query is meant, and the other way round.
    pub fn with_other_kind_of_input(&self) -> Sample {
        let mut other = self.with_extra("colour");
        other.is_turned = true;
        other
    }

    pub fn with_path(&self, field: &str, text: &str) -> Sample {
        let mut other = self.clone();
        for (name, value) in &mut other.path {
            if name == field {
                text.clone_into(value);
            }
        }
        other
    }

    /// The message that it stands for, as the edge reads it.
    pub fn message(&self) -> Value {
        let mut message = self.rest_of_it.clone();
        if !self.rest.method.has_body() {
            for (name, value) in &mut message {
                *value = self.as_read_from_query(name, value);
            }
        }
        message.extend(self.path.iter().map(|(name, text)| (name.clone(), json!(text))));
        Value::Object(message)
    }

    fn as_read_from_query(&self, name: &str, value: &Value) -> Value {
        let text = plain(value);
        let Some(property) = self.properties().get(name) else { return json!(text) };
        let kind = kind(property, &self.document);
        let read = match kind.as_str() {
            "integer" => text.parse::<i64>().ok().map(Value::from),
            "number" => text.parse::<f64>().ok().map(Value::from),
            "boolean" => text.parse::<bool>().ok().map(Value::from),
            "array" => Some(json!([text])),
            _ => None,
        };
        read.unwrap_or(json!(text))
    }

    fn properties(&self) -> &Map<String, Value> {
        static NONE: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);
        resolve(&self.document, &self.document)["properties"].as_object().unwrap_or(&NONE)
    }

    fn url(&self, edge: SocketAddr) -> String {
        let mut path = self.rest.path.to_owned();
        for (name, value) in &self.path {
            path = path.replace(&format!("{{{name}}}"), value);
        }
        format!("http://{edge}{}{path}", if self.rest.versioned { "/api/v1" } else { "" })
    }

    /// Method and path.
    pub fn bare_request(&self, http: &reqwest::Client, edge: SocketAddr) -> reqwest::RequestBuilder {
        http.request(self.rest.method.as_str().parse().unwrap(), self.url(edge))
    }

    pub fn request(&self, http: &reqwest::Client, edge: SocketAddr) -> reqwest::RequestBuilder {
        let request = self.bare_request(http, edge);
        if self.rest.method.has_body() != self.is_turned {
            return request.json(&self.rest_of_it);
        }
        let query: Vec<(&String, String)> = self.rest_of_it.iter().map(|(name, value)| (name, plain(value))).collect();
        request.query(&query)
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn collect(value: &Value, at: &str, pointers: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (name, inner) in object {
                pointers.push(format!("{at}/{name}"));
                collect(inner, &format!("{at}/{name}"), pointers);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                collect(inner, &format!("{at}/{index}"), pointers);
            }
        }
        _ => {}
    }
}

fn resolve<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.map_or(schema, |pointer| resolve(document.pointer(pointer).unwrap(), document))
}

/// The schema itself, or the first of its choices that is not null.
fn chosen<'a>(schema: &'a Value, document: &'a Value) -> &'a Value {
    let schema = resolve(schema, document);
    let choices = ["anyOf", "oneOf"].into_iter().find_map(|keyword| schema[keyword].as_array());
    let choice = choices.and_then(|choices| choices.iter().find(|choice| choice["type"] != "null"));
    choice.map_or(schema, |choice| chosen(choice, document))
}

fn kind(schema: &Value, document: &Value) -> String {
    let schema = chosen(schema, document);
    match &schema["type"] {
        Value::String(kind) => kind.clone(),
        Value::Array(kinds) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default().to_owned()
        }
        _ => "string".to_owned(),
    }
}

/// Something that a schema takes: what is required, with everything as small as it may be.
pub fn example(schema: &Value, document: &Value) -> Value {
    let schema = chosen(schema, document);
    if let Some(value) = schema.get("const").or_else(|| schema["enum"].get(0)) {
        return value.clone();
    }
    match kind(schema, document).as_str() {
        "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "number" => schema.get("minimum").cloned().unwrap_or(json!(1.5)),
        "boolean" => json!(true),
        "null" => json!(null),
        "array" => {
            let count = schema["minItems"].as_u64().unwrap_or(1);
            Value::Array((0..count.max(1)).map(|_| example(&schema["items"], document)).collect())
        }
        "object" => {
            let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let field = |name: &str| (name.to_owned(), example(&schema["properties"][name], document));
            Value::Object(required.map(field).collect())
        }
        _ => json!(text(schema)),
    }
}

/// The first of some texts that the schema takes, formats and patterns included.
fn text(schema: &Value) -> String {
    let shortest = "a".repeat(usize::try_from(schema["minLength"].as_u64().unwrap_or(1).max(1)).unwrap());
    let texts = [
        shortest.as_str(),
        ID,
        "2030-01-07",
        "2030-01-07T09:00:00Z",
        "08:30",
        "sari@example.com",
        "https://example.com",
        "+62 812 3456 789",
        "ID",
        "7",
        "57131",
        "360000000000001",
    ];
    let validator = jsonschema::options().should_validate_formats(true).build(schema).unwrap();
    let fitting = texts.into_iter().find(|text| validator.is_valid(&json!(text)));
    fitting.unwrap_or_else(|| panic!("none of the texts here fits {schema}")).to_owned()
}
