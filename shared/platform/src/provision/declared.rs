//! Streams and consumers as they are declared: the fields of JetStream's configuration that the code decides about.

use crate::ejection::{AWAY, AWAY_SUBJECTS};
use crate::events::ConsumerDeclaration;
use crate::nats::NatsConfig;
use crate::provision::DEAD_LETTERS;
use serde_json::{Map, Value, json};
use std::time::Duration;
use subjects::catalogue;
use subjects::event::stream_name;

/// How long events are kept in JetStream.
const STREAM_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long it is told of a dead letter.
const DEAD_LETTERS_MAX_AGE: Duration = Duration::from_secs(14 * 24 * 3600);
/// The places of replicas that are away take next to nothing.
const AWAY_MAX_BYTES: i64 = 1 << 20;
/// In which time a message id that comes again is not stored again.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// How many events a consumer may have out at a time.
const MAX_ACK_PENDING: i64 = 1_024;
/// How long a replica stays pinned that does not ask for events.
const PINNED_FOR: Duration = Duration::from_secs(10);

/// What is declared of a stream or a consumer.
pub(super) struct Declared {
    /// For people.
    pub name: String,
    /// The endings of the API's subjects: where it is looked at, made and changed.
    pub info: String,
    pub create: String,
    pub update: String,
    /// How the API wants a configuration.
    pub kind: Kind,
    /// What it is made with and kept at.
    pub fields: Map<String, Value>,
    /// What it is only made with: JetStream does not change it.
    pub fixed: Map<String, Value>,
}

pub(super) enum Kind {
    Stream,
    Consumer { stream: String },
}

/// The stream of a service's events.
pub(super) fn event_stream(nats: &NatsConfig, service: &str) -> Declared {
    stream(
        &stream_name(service),
        &json!({
            "description": format!("Events of the {service} service"),
            "subjects": catalogue::stream_subjects(service),
            "max_age": nanoseconds(STREAM_MAX_AGE),
            "max_bytes": nats.stream_bytes,
            "duplicate_window": nanoseconds(DUPLICATE_WINDOW),
            "num_replicas": nats.replicas,
            "allow_direct": true,
            "discard": "old",
        }),
    )
}

/// The stream that tells of dead letters.
pub(super) fn dead_letter_stream(nats: &NatsConfig) -> Declared {
    stream(
        DEAD_LETTERS,
        &json!({
            "description": "Events that no handler could deal with",
            "subjects": ["dead_letter.>"],
            "max_age": nanoseconds(DEAD_LETTERS_MAX_AGE),
            // A table has them all.
            "max_bytes": nats.stream_bytes / 4,
            "duplicate_window": nanoseconds(DUPLICATE_WINDOW),
            "num_replicas": nats.replicas,
            "allow_direct": true,
            "discard": "old",
        }),
    )
}

/// The stream of the places of those who may be away from their queue groups: see [`crate::ejection`].
pub(super) fn away_stream(nats: &NatsConfig) -> Declared {
    stream(
        AWAY,
        &json!({
            "description": "Replicas that are away from their queue groups",
            "subjects": [AWAY_SUBJECTS],
            "max_msgs_per_subject": 1,
            "max_bytes": AWAY_MAX_BYTES,
            "num_replicas": nats.replicas,
            // Each place says for how long it is taken.
            "allow_msg_ttl": true,
            "discard": "old",
        }),
    )
}

fn stream(name: &str, fields: &Value) -> Declared {
    Declared {
        name: format!("stream {name}"),
        info: format!("STREAM.INFO.{name}"),
        create: format!("STREAM.CREATE.{name}"),
        update: format!("STREAM.UPDATE.{name}"),
        kind: Kind::Stream,
        fields: object(fields),
        fixed: object(&json!({ "name": name, "storage": "file", "retention": "limits" })),
    }
}

/// A durable consumer.
pub(super) fn consumer(declaration: &ConsumerDeclaration) -> Declared {
    let (stream, durable, filter) = (declaration.stream(), declaration.durable_name(), declaration.filter());
    let mut fields = object(&json!({
        "description": format!("{} in {}", declaration.handler, declaration.service),
        "filter_subject": filter,
        "ack_wait": nanoseconds(declaration.ack_wait()),
        "max_ack_pending": MAX_ACK_PENDING,
        // How often is the handler's affair: what is away may be away for long.
        "max_deliver": -1,
    }));
    if declaration.ordered {
        fields.extend(object(&json!({
            "priority_policy": "pinned_client",
            "priority_groups": [ConsumerDeclaration::ORDERED_GROUP],
            "priority_timeout": nanoseconds(PINNED_FOR),
        })));
    }
    // The filter stands in the subject, too, where permissions can see it.
    let create = format!("CONSUMER.CREATE.{stream}.{durable}.{filter}");
    Declared {
        name: format!("consumer {durable}"),
        info: format!("CONSUMER.INFO.{stream}.{durable}"),
        update: create.clone(),
        create,
        kind: Kind::Consumer { stream },
        fields,
        fixed: object(&json!({
            "name": durable,
            "durable_name": durable,
            "deliver_policy": "all",
            "ack_policy": "explicit",
            "replay_policy": "instant",
        })),
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}
