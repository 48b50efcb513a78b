//! Request subjects: a channel for each subject and alias, one channel for the replies.

use super::{Parts, message, message_of_channel, tags};
use crate::documents::{Shape, access_sentence, entity, is_empty_reply, summary};
use crate::fallback::Fallback;
use crate::operation::{Kind, Operation, endpoint_name};
use crate::request::Effect;
use schemars::SchemaGenerator;
use serde_json::{Value, json};

/// Adds an operation with its aliases.
pub(super) fn add(operation: &Operation, generator: &mut SchemaGenerator, parts: &mut Parts) {
    let subject = operation.subject;
    let request_schema = (operation.request_schema)(generator);
    let reply_schema = (operation.reply_schema)(generator);
    let description = Shape::of(&request_schema, generator).description;
    let request_name = format!("{subject}.request");
    let reply_name = format!("{subject}.reply");
    let reply_summary = if is_empty_reply(&reply_schema) { "Done; there is nothing to tell." } else { "The answer." };

    parts.messages.insert(
        request_name.clone(),
        json!({
            "name": request_name,
            "summary": summary(&description),
            "contentType": "application/json",
            "correlationId": { "location": "$message.header#/x-correlation-id" },
            "payload": Value::from(request_schema),
        }),
    );
    let is_stream = operation.kind == Kind::Stream;
    let mut reply = json!({
        "name": reply_name,
        "summary": if is_stream { "One of many answers." } else { reply_summary },
        "contentType": "application/json",
        "payload": Value::from(reply_schema),
    });
    if let (true, Some(reply)) = (is_stream, reply.as_object_mut()) {
        reply.insert("headers".to_owned(), stream_headers());
    }
    if let (false, Some(reply)) = (operation.fallbacks.is_empty(), reply.as_object_mut()) {
        reply.insert("headers".to_owned(), fallback_header(operation.fallbacks));
    }
    parts.messages.insert(reply_name.clone(), reply);

    parts.channels.insert(
        reply_name.clone(),
        json!({
            "address": null,
            "description": "The inbox that the request names as its reply subject.",
            "messages": { "reply": message(&reply_name), "fault": message("fault") },
        }),
    );
    for name in operation.subjects() {
        parts.channels.insert(
            name.to_owned(),
            json!({
                "address": name,
                "messages": { "request": message(&request_name) },
            }),
        );
        parts.operations.insert(endpoint_name(name), answering(operation, name, &description, &reply_name));
    }
}

/// The header of an answer that stands in for a better one.
fn fallback_header(fallbacks: &[Fallback]) -> Value {
    let names: Vec<&str> = fallbacks.iter().map(|fallback| fallback.as_str()).collect();
    json!({
        "type": "object",
        "properties": {
            "Fallback": {
                "type": "string",
                "enum": names,
                "description": "The answer stands in for a better one, because a part is away.",
            },
        },
    })
}

/// The headers of a stream's answers.
fn stream_headers() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    json!({
        "type": "object",
        "properties": {
            "Petpro-Stream": {
                "type": "string",
                "enum": ["reset", "snapshot", "ready", "change", "alive", "end"],
                "description": "What the answer is. Only `snapshot` and `change` have a body.",
            },
            "Petpro-Place": text("The place that is reached with it, to go on from with `Petpro-Stream-From`."),
            "Petpro-Stream-Item": text("Id and version of the item's aggregate."),
            "Petpro-Stream-Count": text("How many answers of the lease came before it."),
            "Petpro-Stream-Reason": text("Why it is the last: `lease`, `credit`, `leaving`, `lagging` or `failed`."),
        },
        "required": ["Petpro-Stream", "Petpro-Stream-Count"],
    })
}

/// The operation of answering one of the subjects.
fn answering(operation: &Operation, name: &str, description: &str, reply_name: &str) -> Value {
    let subject = operation.subject;
    let alias = match name == subject {
        true => String::new(),
        false => format!("An older name of `{subject}`. "),
    };
    let reasons: Vec<&str> = (operation.errors)().iter().map(|own| own.reason).collect();
    json!({
        "action": "receive",
        "title": name,
        "summary": summary(description),
        "description": format!("{alias}{}\n\n{}", description.trim(), access_sentence(operation)),
        "channel": { "$ref": format!("#/channels/{name}") },
        "messages": [message_of_channel(name, "request")],
        "tags": tags(operation.service, entity(operation)),
        "bindings": { "nats": { "queue": operation.service, "bindingVersion": "0.1.0" } },
        "reply": {
            "address": { "location": "$message.header#/reply", "description": "NATS carries it beside the headers." },
            "channel": { "$ref": format!("#/channels/{reply_name}") },
            "messages": [message_of_channel(reply_name, "reply"), message_of_channel(reply_name, "fault")],
        },
        "x-petpro-subject": subject,
        "x-petpro-kind": match operation.kind {
            Kind::Request => "one answer",
            Kind::Stream => "many answers, by leases",
        },
        "x-petpro-effect": effect(operation.effect),
        "x-petpro-refusals": reasons,
    })
}

const fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Read => "changes nothing",
        Effect::Idempotent => "may be repeated",
        Effect::Keyed => "may be repeated with the same Idempotency-Key",
        Effect::Once => "must not be repeated",
    }
}
