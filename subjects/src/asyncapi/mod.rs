//! The AsyncAPI 3.0 document of the mesh: request subjects with their replies, and events.

mod events;
mod requests;

use crate::catalogue;
use crate::documents;
use crate::error::Fault;
use crate::operation::{EventType, Operation};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// What every version of the document says about itself.
const DESCRIPTION: &str = "The messages of PetPro on NATS. Each request subject is answered by one service, in the \
queue group of its name; each event is kept by JetStream, in the stream of the service that tells it.\n\n\
Bodies are JSON unless the `Content-Type` header says `application/msgpack`. A reply with the headers \
`Nats-Service-Error` and `Nats-Service-Error-Code` is a fault (ADR-32).";

/// The document of the whole contract.
pub fn document() -> Value {
    document_of(catalogue::operations(), catalogue::events())
}

/// The document of some operations and events.
pub fn document_of<'a>(
    operations: impl IntoIterator<Item = &'a Operation>,
    events: impl IntoIterator<Item = &'a EventType>,
) -> Value {
    // AsyncAPI's own schema dialect is a superset of draft 07.
    let mut generator = documents::generator(SchemaSettings::draft07());
    let mut parts = Parts::default();
    parts.messages.insert("fault".to_owned(), json!({
        "name": "fault",
        "title": "Fault",
        "summary": "What went wrong, instead of a reply.",
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "properties": {
                "Nats-Service-Error": { "type": "string", "description": "The name of the fault's code." },
                "Nats-Service-Error-Code": { "type": "string", "description": "The HTTP status of the fault's code." },
            },
            "required": ["Nats-Service-Error", "Nats-Service-Error-Code"],
        },
        "payload": Value::from(generator.subschema_for::<Fault>()),
    }));
    for operation in operations {
        requests::add(operation, &mut generator, &mut parts);
    }
    for event in events {
        events::add(event, &mut generator, &mut parts);
    }

    documents::sorted(json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "PetPro",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": { "name": "Apache-2.0" },
        },
        "defaultContentType": "application/json",
        "servers": {
            "local": { "host": "localhost:4222", "protocol": "nats", "description": "The local stack, unless told otherwise." },
        },
        "channels": parts.channels,
        "operations": parts.operations,
        "components": { "messages": parts.messages, "schemas": generator.definitions() },
    }))
}

/// The document's parts while it is being made.
#[derive(Default)]
struct Parts {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    messages: Map<String, Value>,
}

/// A reference to a message kept among the components.
fn message(name: &str) -> Value {
    json!({ "$ref": format!("#/components/messages/{name}") })
}

/// A reference to a message as a channel lists it.
fn message_of_channel(channel: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/channels/{channel}/messages/{name}") })
}

/// The service and the entity, once where they have the same name.
fn tags(service: &str, entity: &str) -> Value {
    let mut names = vec![service, entity];
    names.dedup();
    names.into_iter().map(|name| json!({ "name": name })).collect()
}
