//! The call to the service that answers.

use crate::cache::status::Told;
use crate::context::Context;
use crate::identify::Identified;
use bytes::Bytes;
use platform::Meta;
use platform::client::{Client, RawCall};
use platform::codec::ContentType;
use serde_json::Value;
use subjects::{Fallback, Fault, Operation};

/// What a request brings beside its fields.
pub struct Conditions {
    /// See [`crate::conditions::idempotency_key`].
    pub idempotency_key: Option<String>,
    /// See [`crate::conditions::expected_version`].
    pub expected_version: Option<i64>,
}

/// What came back.
pub struct Answer {
    /// JSON.
    pub body: Bytes,
    /// Whether it is an answer that was stored before.
    pub replayed: bool,
    /// What it is instead of a better one.
    pub fallback: Option<Fallback>,
    /// What the cache had to do with it, where that keeps answers of the operation.
    pub cache: Option<Told>,
}

/// Calls the operation as the identified user; again where there is no answer and the operation may be repeated. The
/// edge alone does that, for all hops behind it.
///
/// # Errors
/// What the service refuses, or why it could not be asked.
pub async fn call(
    client: &Client,
    operation: &Operation,
    request: &Value,
    identified: Identified,
    conditions: Conditions,
    context: &Context,
) -> Result<Answer, Fault> {
    let meta = Meta {
        correlation_id: context.correlation_id.clone(),
        traceparent: Some(context.traceparent.clone()),
        subject: operation.subject.to_owned(),
        idempotency_key: conditions.idempotency_key,
        if_match: conditions.expected_version,
        cause: None,
        client_address: context.client().map(|client| client.to_string()),
    };
    let call = RawCall {
        content_type: ContentType::Json,
        body: Bytes::from(serde_json::to_vec(request).map_err(Fault::internal)?),
        user_token: identified.user_token,
        deadline: context.deadline,
        meta: &meta,
    };
    let reply = client.resending().request_raw(operation.subject, call).await?;
    Ok(Answer { body: reply.body, replayed: reply.replayed, fallback: reply.fallback, cache: None })
}
