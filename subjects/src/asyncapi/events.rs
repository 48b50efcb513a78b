//! Events: a channel for each type, over all partitions.

use super::{Parts, message, message_of_channel, tags};
use crate::documents::{Shape, summary};
use crate::event::{PARTITIONS, stream_name};
use crate::operation::EventType;
use schemars::SchemaGenerator;
use serde_json::{Value, json};

/// Adds an event type.
pub(super) fn add(event: &EventType, generator: &mut SchemaGenerator, parts: &mut Parts) {
    let event_type = event.event_type;
    let schema = (event.schema)(generator);
    let description = Shape::of(&schema, generator).description;
    let channel_name = format!("event.{event_type}");
    let stream = stream_name(event.service);

    let mut body = json!({
        "name": event_type,
        "title": event.document_name.unwrap_or(event_type),
        "summary": summary(&description),
        "description": description,
        "contentType": "application/json",
        "payload": Value::from(schema),
    });
    if let (Some(name), Some(body)) = (event.document_name, body.as_object_mut()) {
        body.insert("x-petpro-document-name".to_owned(), json!(name));
    }
    parts.messages.insert(channel_name.clone(), body);
    parts.channels.insert(
        channel_name.clone(),
        json!({
            "address": format!("event.{event_type}.{{partition}}"),
            "description": format!("Kept in the JetStream stream `{stream}`."),
            "parameters": {
                "partition": {
                    "description": format!("A stable hash of the aggregate's id, from 0 to {}.", PARTITIONS - 1),
                    "examples": ["0", "17"],
                },
            },
            "messages": { "event": message(&channel_name) },
            "x-petpro-stream": stream,
        }),
    );
    parts.operations.insert(
        format!("tell-{}", event_type.replace('.', "-")),
        json!({
            "action": "send",
            "title": event_type,
            "summary": summary(&description),
            "channel": { "$ref": format!("#/channels/{channel_name}") },
            "messages": [message_of_channel(&channel_name, "event")],
            "tags": tags(event.service, event.entity()),
        }),
    );
}
