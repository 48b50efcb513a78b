//! Where the answers of one lease go.

use super::ask::Terms;
use super::wire::{COUNT, EndReason, ITEM, KIND, Kind, NO_SNAPSHOT, PLACE, REASON, StreamPlace};
use crate::codec::ContentType;
use crate::headers;
use crate::nest::PacketId;
use async_nats::{HeaderMap, HeaderName, HeaderValue, Subject};
use bytes::Bytes;
use subjects::{Fault, StreamItem};

/// NATS is away, or will not take an answer: the watcher will notice that nothing comes any more.
#[derive(Debug, thiserror::Error)]
#[error("an answer of a stream could not be sent: {0}")]
pub(super) struct Unsent(#[from] async_nats::PublishError);

pub(super) struct Outlet {
    nats: async_nats::Client,
    to: Subject,
    packet: Option<PacketId>,
    count: u64,
}

impl Outlet {
    pub(super) fn new(nats: async_nats::Client, terms: &Terms) -> Outlet {
        Outlet { nats, to: terms.to.clone(), packet: terms.packet.clone(), count: 0 }
    }

    /// An answer without an item. NestJS clients know none of them.
    pub(super) async fn say(&mut self, kind: Kind, place: StreamPlace) -> Result<(), Unsent> {
        if self.packet.is_some() {
            return Ok(());
        }
        let headers = self.headers(kind, place);
        self.send(headers, Bytes::new()).await
    }

    /// An answer with an item, which is written as JSON whatever the request was written as.
    pub(super) async fn tell(
        &mut self,
        kind: Kind,
        place: StreamPlace,
        item: &impl StreamItem,
        json: &Bytes,
    ) -> Result<(), Unsent> {
        let mut headers = self.headers(kind, place);
        headers.insert(name(ITEM), HeaderValue::from(format!("{} {}", item.id(), item.version())));
        headers.insert(name(headers::CONTENT_TYPE), ContentType::Json.as_str());
        let body = self.packet.as_ref().map_or_else(|| json.clone(), |packet| packet.item(json));
        self.send(headers, body).await
    }

    /// The last answer.
    pub(super) async fn end(&mut self, reason: EndReason, place: Option<StreamPlace>) -> Result<(), Unsent> {
        let mut headers = HeaderMap::new();
        headers.insert(name(KIND), Kind::End.as_str());
        headers.insert(name(REASON), reason.as_str());
        headers.insert(name(COUNT), HeaderValue::from(self.count.to_string()));
        if let Some(place) = place {
            headers.insert(name(PLACE), HeaderValue::from(place.to_string()));
        }
        let body = match (&self.packet, reason) {
            (None, _) => Bytes::new(),
            // To whom no `ready` is told, the end would be that of a whole snapshot.
            (Some(packet), EndReason::Failed) => ContentType::Json
                .encode(&Fault::unavailable(1_000).with_reason(NO_SNAPSHOT))
                .map_or_else(|_unwritable| packet.end(), |fault| packet.refusal(&fault)),
            (Some(packet), _) => packet.end(),
        };
        self.send(headers, body).await
    }

    fn headers(&self, kind: Kind, place: StreamPlace) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name(KIND), kind.as_str());
        headers.insert(name(PLACE), HeaderValue::from(place.to_string()));
        headers.insert(name(COUNT), HeaderValue::from(self.count.to_string()));
        headers
    }

    async fn send(&mut self, headers: HeaderMap, body: Bytes) -> Result<(), Unsent> {
        self.count += 1;
        Ok(self.nats.publish_with_headers(self.to.clone(), headers, body).await?)
    }
}

fn name(header: &'static str) -> HeaderName {
    HeaderName::from_static(header)
}
