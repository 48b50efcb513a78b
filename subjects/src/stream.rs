//! Request-streams: one question, many answers over time (document 003, the third message pattern).

use crate::access::Access;
use crate::error::ServiceError;
use crate::request::Rest;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A question that is answered by a series of items, given out in leases of at most 30 s, each with a cursor and
/// a credit, so that any replica can give the next lease.
///
/// No service declares one yet; the trait fixes the shape that `booking.watch` and `inventory.watch` will take.
pub trait Stream:
    Serialize + DeserializeOwned + JsonSchema + garde::Validate<Context = ()> + Send + Sync + 'static
{
    /// The NATS subject, `<entity>.watch`.
    const SUBJECT: &'static str;
    /// Older names of the subject (document 003).
    const ALIASES: &'static [&'static str] = &[];
    /// Who may ask.
    const ACCESS: Access;
    /// The routes that lead here; the answer is `text/event-stream`.
    const REST: &'static [Rest] = &[];
    /// One answer.
    type Item: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static;
    /// What can be refused, and why.
    type Error: ServiceError;
}
