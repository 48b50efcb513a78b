//! A lease as its watcher has it: how it is asked for, and how its answers are read.

use super::wire::{
    COUNT, CREDIT, FROM, ITEM, KIND, Kind, LEASE_MS, LeaseHeaders, MAX_CREDIT, MAX_LEASE, PLACE, REASON, RENEWAL,
};
use super::wire::{StreamPlace, TO, lease_inbox};
use crate::client::{Client, RawCall};
use crate::codec::ContentType;
use crate::meta::Meta;
use async_nats::{HeaderMap, HeaderName, HeaderValue, Message, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;
use std::sync::Arc;
use std::time::Duration;
use subjects::Fault;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a responder may say nothing: longer than it leaves between two signs of life.
const SILENCE: Duration = Duration::from_secs(8);

pub(super) struct Lease {
    messages: Subscriber,
    heard: u64,
    heard_at: Instant,
}

/// The question for a lease. It owns all that it needs, so that whoever waits for the answer may look away meanwhile.
pub(super) struct Question {
    pub client: Client,
    pub subject: &'static str,
    pub body: Bytes,
    pub user_token: Option<Arc<str>>,
    pub meta: Meta,
    pub from: Option<StreamPlace>,
    /// There was a lease of this stream before.
    pub is_renewal: bool,
}

impl Question {
    pub(super) async fn ask(self, deadline: Instant) -> Result<Lease, Fault> {
        let service = self.client.service_of(self.subject).unwrap_or("unknown");
        let inbox = lease_inbox(self.client.name(), service);
        // Subscribed over the same connection as the request goes, and before it.
        let subscribing = self.client.nats().subscribe(inbox.clone());
        let messages = match tokio::time::timeout_at(deadline, subscribing).await {
            Ok(Ok(messages)) => messages,
            _ => return Err(Fault::unavailable(1_000)),
        };
        let call = RawCall {
            content_type: ContentType::Json,
            body: self.body,
            user_token: self.user_token,
            deadline,
            meta: &self.meta,
        };
        let asked = LeaseHeaders { from: self.from, is_renewal: self.is_renewal, to: inbox };
        self.client.ask_lease(self.subject, call, asked).await?;
        Ok(Lease { messages, heard: 0, heard_at: Instant::now() })
    }
}

/// An answer as it came.
pub(super) struct Answer {
    pub kind: Kind,
    pub place: Option<StreamPlace>,
    pub item: Option<(Uuid, i64)>,
    pub reason: Option<String>,
    pub body: Bytes,
}

impl Lease {
    /// The next answer. None: the responder is dead, or the connection was, and nobody knows what was lost. Dropping the
    /// future loses nothing, not even how long nothing has come.
    pub(super) async fn next(&mut self) -> Option<Answer> {
        let message = tokio::time::timeout_at(self.heard_at + SILENCE, self.messages.next()).await.ok().flatten()?;
        self.heard_at = Instant::now();
        self.read(message)
    }

    /// None: it cannot be read, or one before it is missing.
    fn read(&mut self, message: Message) -> Option<Answer> {
        let headers = message.headers?;
        let header = |name: &'static str| headers.get(HeaderName::from_static(name)).map(HeaderValue::as_str);
        if header(COUNT)?.parse() != Ok(self.heard) {
            return None;
        }
        self.heard += 1;
        let place = match header(PLACE) {
            Some(place) => Some(place.parse().ok()?),
            None => None,
        };
        let item = match header(ITEM) {
            Some(item) => {
                let (id, version) = item.split_once(' ')?;
                Some((id.parse().ok()?, version.parse().ok()?))
            }
            None => None,
        };
        let kind = Kind::parse(header(KIND)?)?;
        Some(Answer { kind, place, item, reason: header(REASON).map(str::to_owned), body: message.payload })
    }
}

impl LeaseHeaders {
    pub(crate) fn insert_into(&self, map: &mut HeaderMap) {
        let mut insert = |name: &'static str, value: String| {
            map.insert(HeaderName::from_static(name), HeaderValue::from(value));
        };
        if let Some(from) = self.from {
            insert(FROM, from.to_string());
        }
        if self.is_renewal {
            insert(RENEWAL, "true".to_owned());
        }
        insert(CREDIT, MAX_CREDIT.to_string());
        insert(LEASE_MS, MAX_LEASE.as_millis().to_string());
        insert(TO, self.to.clone());
    }
}
