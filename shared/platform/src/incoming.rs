//! A request as it came in: what the message says, and how long its caller still waits.

use crate::codec::ContentType;
use crate::headers;
use crate::meta::Meta;
use crate::nest::{self, PacketId};
use crate::spans::Span;
use async_nats::{HeaderName, Message};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// No caller may keep a handler for longer.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest network of IPv6: 39 characters, a slash and three digits.
const MAX_ADDRESS_BYTES: usize = 43;

/// A message, read as far as dispatch needs it.
pub(crate) struct Request {
    pub(crate) canonical_subject: &'static str,
    pub(crate) reply_to: Option<async_nats::Subject>,
    pub(crate) body: bytes::Bytes,
    /// None: a media type that is not ours.
    pub(crate) content_type: Option<ContentType>,
    /// A NestJS client asks, and is answered in packets that name this.
    pub(crate) packet: Option<PacketId>,
    pub(crate) user_token: Option<Arc<str>>,
    pub(crate) service_token: Option<Arc<str>>,
    pub(crate) meta: Meta,
    pub(crate) span: Span,
    pub(crate) received_at: Instant,
    pub(crate) deadline: Instant,
}

impl Request {
    /// Reads a message to `service`. What cannot be read is as if it had not been said; dispatch refuses what it needs.
    pub(crate) fn receive(
        message: Message,
        service: &'static str,
        canonical_subject: &'static str,
        received_at: Instant,
    ) -> Request {
        let headers = message.headers.unwrap_or_default();
        let header = |name: &'static str| headers.get(HeaderName::from_static(name)).map(|value| value.as_str());
        // What is none would go on from here into events and logs.
        let parent = header(headers::TRACEPARENT).filter(|parent| crate::trace::trace_id(parent).is_some());
        let span = Span::handling(service, canonical_subject, parent);
        let own_or_parent = span.traceparent().or_else(|| parent.map(str::to_owned));
        let meta = Meta {
            correlation_id: header(headers::CORRELATION_ID)
                .filter(|id| crate::trace::is_safe_correlation_id(id))
                .map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned),
            traceparent: Some(own_or_parent.unwrap_or_else(crate::trace::new_traceparent)),
            subject: canonical_subject.to_owned(),
            idempotency_key: header(headers::IDEMPOTENCY_KEY).filter(|key| !key.is_empty()).map(str::to_owned),
            if_match: header(headers::IF_MATCH).and_then(|version| version.trim_matches('"').parse().ok()),
            cause: header(headers::CAUSE).and_then(|cause| cause.parse().ok()),
            client_address: header(headers::CLIENT_ADDRESS).filter(|text| is_address(text)).map(str::to_owned),
        };
        let content_type = match header(headers::CONTENT_TYPE) {
            Some(media_type) => ContentType::parse(media_type),
            None => Some(ContentType::Json),
        };
        let opened = nest::open(&message.payload).filter(|_| content_type == Some(ContentType::Json));
        let (packet, body) = match opened {
            Some((id, request)) => (Some(id), request),
            None => (None, message.payload),
        };
        let bearer = |value: &str| value.strip_prefix("Bearer ").map(|token| Arc::from(token.trim()));
        Request {
            canonical_subject,
            content_type,
            packet,
            user_token: header(headers::AUTHORIZATION).and_then(bearer),
            service_token: header(headers::SERVICE_TOKEN).map(Arc::from),
            meta,
            span,
            deadline: received_at + time_left(header(headers::TIMEOUT_MS), header(headers::DEADLINE)),
            received_at,
            reply_to: message.reply,
            body,
        }
    }
}

/// Whether a text may be an address or a network; what it is exactly, nobody here needs to know.
fn is_address(text: &str) -> bool {
    let is_of_addresses = |byte: u8| byte.is_ascii_hexdigit() || b".:/".contains(&byte);
    (1..=MAX_ADDRESS_BYTES).contains(&text.len()) && text.bytes().all(is_of_addresses)
}

/// How long the caller still waits: the milliseconds that were left when it sent the request, less the time that the
/// request was under way as the two clocks tell it. A sender's clock that runs ahead of ours gives it no more time than
/// it had; one that runs behind takes time from it, so clocks have to agree to well within a deadline.
fn time_left(timeout_ms: Option<&str>, deadline_ms: Option<&str>) -> Duration {
    let left_at_sending = timeout_ms
        .and_then(|text| text.parse().ok())
        .map_or(crate::client::DEFAULT_TIMEOUT, Duration::from_millis)
        .min(MAX_TIMEOUT);
    let Some(deadline_ms) = deadline_ms.and_then(|text| text.parse::<i64>().ok()) else { return left_at_sending };
    let left_by_clock = deadline_ms.saturating_sub(chrono::Utc::now().timestamp_millis()).max(0);
    left_at_sending.min(Duration::from_millis(left_by_clock.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_be_an_address_is_taken_for_one() {
        for address in ["203.0.113.9", "2001:db8:1:2::/64"] {
            assert!(is_address(address), "{address}");
        }
        for other in ["", "somewhere", "203.0.113.9 ", &"1".repeat(44)] {
            assert!(!is_address(other), "{other}");
        }
    }

    #[test]
    fn the_time_left_is_the_shorter_of_both_and_bounded() {
        let now = chrono::Utc::now().timestamp_millis();
        let (past, soon, late) = ((now - 1).to_string(), (now + 500).to_string(), (now + 9_000_000).to_string());
        assert_eq!(time_left(None, None), crate::client::DEFAULT_TIMEOUT);
        assert_eq!(time_left(Some("1000"), None), Duration::from_secs(1));
        assert_eq!(time_left(Some("1000"), Some(&past)), Duration::ZERO);
        assert!(time_left(Some("1000"), Some(&soon)) <= Duration::from_millis(500));
        assert_eq!(time_left(Some("1000"), Some(&late)), Duration::from_secs(1));
        assert_eq!(time_left(Some("99999999"), None), MAX_TIMEOUT);
        assert_eq!(time_left(Some("soon"), Some("never")), crate::client::DEFAULT_TIMEOUT);
    }
}
