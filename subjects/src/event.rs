//! Durable domain events: what has happened, told to whoever listens.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// How many partitions the events of a type are spread over.
pub const PARTITIONS: u8 = 64;

/// Something that happened to an aggregate. The body is the aggregate's full public state with its version:
/// ids only, no personal data.
pub trait Event: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// `<entity>.<past tense in snake_case>`, for example `booking.created`.
    const TYPE: &'static str;
    /// The service that tells it.
    const SERVICE: &'static str;
    /// The name in the source documents, for example `BookingCreated`, where they have one.
    const DOCUMENT_NAME: Option<&'static str> = None;

    /// The id of the aggregate that it happened to.
    fn aggregate_id(&self) -> Uuid;
    /// The aggregate's version after it happened; each event of an aggregate has a higher one.
    fn version(&self) -> i64;
}

/// The partition of an aggregate's events, stable for ever: the low six bits of its id, which are random in
/// UUIDs of version 4 and 7.
pub fn partition(aggregate_id: Uuid) -> u8 {
    let low_byte = aggregate_id.as_u128() & u128::from(PARTITIONS - 1);
    u8::try_from(low_byte).unwrap_or(0)
}

/// The JetStream subject of an event: `event.<type>.<partition>`.
pub fn subject(event_type: &str, aggregate_id: Uuid) -> String {
    format!("event.{event_type}.{}", partition(aggregate_id))
}

/// The subject filter that takes all events of a type: `event.<type>.*`.
pub fn type_filter(event_type: &str) -> String {
    format!("event.{event_type}.*")
}

/// The subject filter that takes all events of an entity: `event.<entity>.>`.
pub fn entity_filter(entity: &str) -> String {
    format!("event.{entity}.>")
}

/// The type of event that a JetStream subject carries: `booking.created` of `event.booking.created.17`.
pub fn type_of_subject(subject: &str) -> Option<&str> {
    let (event_type, _partition) = subject.strip_prefix("event.")?.rsplit_once('.')?;
    Some(event_type)
}

/// The stream that holds a service's events: `EVENTS_<SERVICE>`.
pub fn stream_name(service: &str) -> String {
    format!("EVENTS_{}", service.to_uppercase())
}

/// Declares event types that share one body: each is a transparent newtype around it.
///
/// ```text
/// events! {
///     service "booking";
///     body BookingState, id booking_id, version version;
///     /// A booking was made.
///     BookingCreated = "booking.created", document "BookingCreated";
/// }
/// ```
#[macro_export]
macro_rules! events {
    (
        service $service:literal;
        body $body:ty, id $id:ident, version $version:ident;
        $( $(#[$meta:meta])* $name:ident = $type:literal $(, document $document:literal)? ; )+
    ) => { $(
        $(#[$meta])*
        $( #[doc = concat!("\n\nThe source documents call it `", $document, "`.")] )?
        #[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub $body);

        impl $crate::event::Event for $name {
            const TYPE: &'static str = $type;
            const SERVICE: &'static str = $service;
            $( const DOCUMENT_NAME: Option<&'static str> = Some($document); )?
            fn aggregate_id(&self) -> uuid::Uuid {
                self.0.$id.into()
            }
            fn version(&self) -> i64 {
                self.0.$version
            }
        }
    )+ };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_stable_and_bounded() {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00d1);
        assert_eq!(partition(id), 0x11);
        assert_eq!(subject("booking.created", id), "event.booking.created.17");
        assert_eq!(type_of_subject("event.booking.created.17"), Some("booking.created"));
        assert!((0..1000).all(|_| partition(Uuid::now_v7()) < PARTITIONS));
    }
}
