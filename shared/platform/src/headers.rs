//! The names of headers on NATS messages.

/// `Bearer <internal user token>`.
pub const AUTHORIZATION: &str = "Authorization";
/// The calling service's own token.
pub const SERVICE_TOKEN: &str = "Petpro-Service-Token";
/// When the caller gives up: Unix time in milliseconds.
pub const DEADLINE: &str = "Petpro-Deadline";
/// How many milliseconds were left when the request was sent.
pub const TIMEOUT_MS: &str = "Petpro-Timeout-Ms";
/// The id under which a request and all that follows from it are logged.
pub const CORRELATION_ID: &str = "x-correlation-id";
/// W3C Trace Context.
pub const TRACEPARENT: &str = "traceparent";
/// A key under which a changing request has its effect once.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// Set on an answer that was stored before.
pub const IDEMPOTENCY_REPLAYED: &str = "Idempotency-Replayed";
/// Set on an answer that stands in for a better one: which of [`subjects::Fallback`].
pub const FALLBACK: &str = "Fallback";
/// The version that a change is based on.
pub const IF_MATCH: &str = "If-Match";
/// The event that led to a request or another event.
pub const CAUSE: &str = "Petpro-Cause";
/// Where the client is that the edge passes a request on for. Only the edge's word on it counts.
pub const CLIENT_ADDRESS: &str = "Petpro-Client-Address";
/// What told an event: the canonical subject of the request, or the durable name of the consumer.
pub const ORIGIN: &str = "petpro-origin";
/// The body's media type.
pub const CONTENT_TYPE: &str = "Content-Type";
/// A service error's description (ADR-32).
pub const SERVICE_ERROR: &str = "Nats-Service-Error";
/// A service error's code (ADR-32).
pub const SERVICE_ERROR_CODE: &str = "Nats-Service-Error-Code";
/// Marks a message that only fills up a subscription which is about to end; see the dispatcher.
pub const NUDGE: &str = "Petpro-Nudge";
