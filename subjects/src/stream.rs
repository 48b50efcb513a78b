//! Request-streams: one question, many answers over time (document 003, the third message pattern).

use crate::access::Access;
use crate::request::Rest;
use crate::service_error::ServiceError;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// A question that is answered by what there is, and then by every change of it, for as long as the caller listens.
///
/// The answers are given out in leases of at most 30 s, each with a place to go on from and a credit, so that any replica
/// can give the next one: one mechanism for flow control, resuming, a responder that dies, and rolling restarts.
pub trait Stream:
    Serialize + DeserializeOwned + JsonSchema + garde::Validate<Context = ()> + Send + Sync + 'static
{
    /// The NATS subject, `<entity>.watch`.
    const SUBJECT: &'static str;
    /// Older names of the subject that are answered too (document 003).
    const ALIASES: &'static [&'static str] = &[];
    /// Who may ask.
    const ACCESS: Access;
    /// See [`Request::PERMISSION`](crate::Request::PERMISSION).
    const PERMISSION: &'static str = Self::SUBJECT;
    /// The routes that lead here; the answer is `text/event-stream`.
    const REST: &'static [Rest] = &[];
    /// One answer: the state of one aggregate.
    type Item: StreamItem;
    /// What can be refused, and why.
    type Error: ServiceError;
}

/// The state of an aggregate as a stream tells it.
pub trait StreamItem: Serialize + DeserializeOwned + JsonSchema + Send + Sync + Sized + 'static {
    /// The aggregate.
    fn id(&self) -> Uuid;
    /// The state that an event of the entity tells: its body, unless it is written otherwise. None: the event is nothing
    /// to watchers.
    ///
    /// # Errors
    /// The body is none of this event's.
    fn from_event(_event_type: &str, body: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        serde_json::from_slice(body).map(Some)
    }
    /// The aggregate's version: what is not newer than what was told before is not told again.
    fn version(&self) -> i64;
}
