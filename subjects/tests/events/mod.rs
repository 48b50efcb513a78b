//! Events outlive the code that told them: what was told by one release is read by the next, and the other way round
//! while both run.
//!
//! - `schemas/` keeps the schema of every event's body as it was last agreed on. A change that both sides can read is
//!   kept with `KEEP_EVENT_SCHEMAS=1 cargo test -p subjects --test documents events`; any other one is refused.
//! - `samples/` keeps events as releases have told them. None is ever changed or removed; a new event type needs one.

mod compatible;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use subjects::{EventType, catalogue};

const HOW_TO_KEEP: &str = "KEEP_EVENT_SCHEMAS=1 cargo test -p subjects --test documents events";

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/events").join(name)
}

/// The schema of an event's body, whole in itself.
fn schema(event: &EventType) -> Value {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let body = (event.schema)(&mut generator);
    let mut whole = json!({ "body": body, "$defs": generator.take_definitions(true) });
    without_words(&mut whole["body"]);
    whole["$defs"].as_object_mut().expect("an object").values_mut().for_each(without_words);
    whole
}

/// Descriptions may be mended at any time.
fn without_words(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            keywords.remove("description");
            for (keyword, inner) in keywords {
                match inner {
                    // Their keys are names of fields.
                    Value::Object(fields) if keyword == "properties" => fields.values_mut().for_each(without_words),
                    _ => without_words(inner),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(without_words),
        _ => {}
    }
}

fn read(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

#[test]
fn every_events_schema_is_the_one_that_was_agreed_on() {
    let keep = std::env::var_os("KEEP_EVENT_SCHEMAS").is_some();
    let mut complaints = Vec::new();
    for event in catalogue::events() {
        let path = folder("schemas").join(format!("{}.json", event.event_type));
        let now = schema(event);
        let kept = read(&path);
        if kept.as_ref() == Some(&now) {
            continue;
        }
        let breaks = kept.as_ref().map(|kept| compatible::breaks(kept, &now)).unwrap_or_default();
        if !breaks.is_empty() {
            complaints.push(format!(
                "{} is told in another shape, which breaks those who listen:\n  - {}\n  Leave it as it was (new fields have to \
                 be optional), or make a new type, such as {}_v2, that is told beside it until nobody listens to the old \
                 one.",
                event.event_type,
                breaks.join("\n  - "),
                event.event_type,
            ));
        } else if keep {
            let text = serde_json::to_string_pretty(&now).expect("it is JSON") + "\n";
            std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        } else {
            complaints.push(format!("{} has a new shape that all can read. Keep it: {HOW_TO_KEEP}", event.event_type));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn no_event_type_is_gone_while_its_events_are_in_a_stream() {
    let told: BTreeSet<String> = catalogue::events().map(|event| format!("{}.json", event.event_type)).collect();
    for kept in ["schemas", "samples"] {
        let files = std::fs::read_dir(folder(kept)).expect("the folder is there");
        let files: BTreeSet<String> =
            files.map(|file| file.expect("it can be read").file_name().to_string_lossy().into_owned()).collect();
        let (missing, gone): (Vec<_>, Vec<_>) =
            told.symmetric_difference(&files).partition(|name| told.contains(*name));
        assert!(missing.is_empty(), "{kept} lacks {missing:?}: put an event as it is told there");
        assert!(gone.is_empty(), "{gone:?}: an event type may go once no stream holds its events, with its {kept}");
    }
}

#[test]
fn every_event_that_was_ever_told_can_be_read() {
    for event in catalogue::events() {
        let sample = sample(event);
        let (id, version) = (event.read)(sample.to_string().as_bytes())
            .unwrap_or_else(|error| panic!("{}: what was told cannot be read any more: {error}", event.event_type));
        assert!(!id.is_nil() && version > 0, "{}: {sample}", event.event_type);
        let validator = jsonschema::validator_for(&whole(&schema(event))).expect("a schema");
        assert!(validator.is_valid(&sample), "{}: the sample is not of its schema", event.event_type);
    }
}

#[test]
fn fields_of_a_later_release_are_passed_over() {
    for event in catalogue::events() {
        let mut later = sample(event);
        let facts = (event.read)(later.to_string().as_bytes()).expect("it can be read");
        add_field_everywhere(&mut later);
        let read = (event.read)(later.to_string().as_bytes());
        let read = read.unwrap_or_else(|error| panic!("{} does not bear a new field: {error}", event.event_type));
        assert_eq!(read, facts, "{}", event.event_type);
    }
}

fn sample(event: &EventType) -> Value {
    let path = folder("samples").join(format!("{}.json", event.event_type));
    read(&path).unwrap_or_else(|| panic!("{} is missing", path.display()))
}

fn whole(schema: &Value) -> Value {
    let mut whole = schema["body"].clone();
    whole["$defs"] = schema["$defs"].clone();
    whole
}

/// Free maps, whose keys are data, get one more entry of the kind that they hold.
fn add_field_everywhere(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(add_field_everywhere);
            let later = match fields.values().next() {
                Some(Value::String(_)) if fields.values().all(Value::is_string) => json!("later"),
                _ => json!({ "of": ["a", "later", "release"] }),
            };
            fields.insert("aLaterField".to_owned(), later);
        }
        Value::Array(items) => items.iter_mut().for_each(add_field_everywhere),
        _ => {}
    }
}
