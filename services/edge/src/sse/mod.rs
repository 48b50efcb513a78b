//! Streams of the contract as Server-Sent Events.
//!
//! The events are those of the stream: `reset`, `snapshot`, `ready` and `change`, each with its place as its `id`, so that
//! a client that comes back with `Last-Event-ID` goes on there, at any edge. The caller's token is looked at again at each
//! lease: a stream ends within half a minute of it.

mod body;
mod config;
mod frames;
mod places;

pub use config::StreamsConfig;

use crate::context::{Context, single};
use crate::identify::{Identified, Identities};
use crate::respond::{NO_STORE, VARY};
use axum::body::Body;
use axum::response::Response;
use body::Events;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use places::Places;
use platform::Meta;
use platform::client::Client;
use platform::streams::{StreamPlace, WatchCall};
use prometheus::{IntGauge, Registry};
use serde_json::Value;
use std::sync::Arc;
use subjects::{Fault, Operation, Violation};
use tokio_util::sync::CancellationToken;

/// The media type of streams.
pub const EVENT_STREAM: &str = "text/event-stream";

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Asks a proxy that buffers answers not to (nginx).
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The streams of this edge.
pub struct Streams {
    config: StreamsConfig,
    client: Client,
    identities: Arc<Identities>,
    places: Arc<Places>,
    leaving: CancellationToken,
}

/// What was asked for.
pub struct Asked<'a> {
    /// The method: HEAD is answered without a stream.
    pub method: &'a Method,
    /// The request's headers.
    pub headers: &'a HeaderMap,
    /// The stream.
    pub operation: &'a Operation,
    /// The message.
    pub request: &'a Value,
    /// Who asks.
    pub identified: &'a Identified,
    /// The request's context.
    pub context: &'a Context,
}

impl Streams {
    /// As the section `edge.streams` says.
    ///
    /// # Errors
    /// The registry has the metric already.
    pub fn new(
        config: &StreamsConfig,
        client: Client,
        identities: Arc<Identities>,
        registry: &Registry,
    ) -> anyhow::Result<Streams> {
        let open = IntGauge::new("petpro_http_streams", "Streams of events that are open at the edge.")?;
        registry.register(Box::new(open.clone()))?;
        Ok(Streams {
            config: config.clone(),
            client,
            identities,
            places: Places::new(config.per_user, config.total, open),
            leaving: CancellationToken::new(),
        })
    }

    /// Ends every stream, so that its client comes back elsewhere.
    pub fn leave(&self) {
        self.leaving.cancel();
    }

    /// Begins a stream: it is answered once the service has granted the first lease.
    ///
    /// # Errors
    /// What the service refuses, a place that is none, or too many streams.
    pub async fn answer(&self, asked: Asked<'_>) -> Result<Response, Fault> {
        let user = asked.identified.caller.user()?;
        let from = resumed_from(asked.headers)?;
        if *asked.method == Method::HEAD {
            return Ok(response(Body::empty()));
        }
        let place = self.places.take(user.id)?;
        let call = WatchCall {
            subject: asked.operation.subject,
            body: Bytes::from(serde_json::to_vec(asked.request).map_err(Fault::internal)?),
            from,
            meta: Meta {
                correlation_id: asked.context.correlation_id.clone(),
                traceparent: Some(asked.context.traceparent.clone()),
                subject: asked.operation.subject.to_owned(),
                client_address: asked.context.client().map(|client| client.to_string()),
                ..Meta::default()
            },
            identify: self.identify_again(asked.operation, asked.headers),
            settle: self.config.settle(),
        };
        let watching = self.client.watch(call, asked.context.deadline).await?;
        let events = Events { watching, leaving: self.leaving.clone() };
        Ok(response(events.into_body(&self.config, place)))
    }

    /// Whether the caller's token still holds, and the user token of now.
    fn identify_again(
        &self,
        operation: &Operation,
        headers: &HeaderMap,
    ) -> Box<dyn FnMut() -> Result<Option<Arc<str>>, Fault> + Send> {
        let (identities, access) = (self.identities.clone(), operation.access);
        // A copy: the value as it came would keep the buffer in which the whole request was read.
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
        Box::new(move || {
            let shown = HeaderMap::from_iter(shown.clone().map(|value| (header::AUTHORIZATION, value)));
            let identified = identities.identify(&shown)?;
            identity::may_ask(access, &identified.caller)?;
            Ok(identified.user_token)
        })
    }
}

/// Where the client was. None: it begins, or it was in the middle of a snapshot, of which it does not know the rest.
pub fn resumed_from(headers: &HeaderMap) -> Result<Option<StreamPlace>, Fault> {
    if headers.get(&LAST_EVENT_ID).is_none_or(HeaderValue::is_empty) {
        return Ok(None);
    }
    let place: Option<StreamPlace> = single(headers, &LAST_EVENT_ID).and_then(|place| place.parse().ok());
    let place = place.ok_or_else(|| {
        Fault::invalid(vec![Violation::new("", "Last-Event-ID is not the id of an event of this stream")])
    })?;
    Ok(Some(place).filter(|place| place.after.is_none()))
}

fn response(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.insert(header::VARY, VARY);
    headers.insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_place_among_the_changes_is_one_to_go_on_from() {
        let from =
            |value: &str| resumed_from(&HeaderMap::from_iter([(LAST_EVENT_ID, HeaderValue::from_str(value).unwrap())]));
        assert_eq!(resumed_from(&HeaderMap::new()).unwrap(), None);
        assert_eq!(from("").unwrap(), None);
        assert_eq!(from("1-2").unwrap(), Some("1-2".parse().unwrap()));
        assert_eq!(from("1-2-0190a000000070008000000000000001").unwrap(), None);
        for wrong in ["1", "x", "1-2-3", "-1-2", "1-2,1-3"] {
            assert_eq!(from(wrong).unwrap_err().code, subjects::ErrorCode::BadRequest, "{wrong}");
        }
    }
}
