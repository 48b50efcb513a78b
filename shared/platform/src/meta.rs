//! What travels with a request beside its body.

use uuid::Uuid;

/// The circumstances of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meta {
    /// The id under which this request and all that follows from it are logged.
    pub correlation_id: String,
    /// W3C Trace Context of the span that the request runs in.
    pub traceparent: Option<String>,
    /// The canonical subject, also where an alias was used.
    pub subject: String,
    /// A key under which a changing request has its effect once.
    pub idempotency_key: Option<String>,
    /// The version that a change is based on.
    pub if_match: Option<i64>,
    /// The event that led here.
    pub cause: Option<Uuid>,
    /// Where the client is, as the edge knows it: an IPv4 address, or the /64 network of an IPv6 address. It goes no
    /// further than to the service that the edge asks, and nobody else's word on it is taken.
    pub client_address: Option<String>,
}

impl Meta {
    /// The circumstances of work that nobody asked for: a sweep, a relay, a consumer.
    pub fn background(subject: &str) -> Meta {
        Meta {
            correlation_id: Uuid::now_v7().to_string(),
            traceparent: Some(crate::trace::new_traceparent()),
            subject: subject.to_owned(),
            ..Meta::default()
        }
    }
}
