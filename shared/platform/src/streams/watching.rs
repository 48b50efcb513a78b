//! The other side: one lease after the other, and everything told once.

use super::wire::{
    COUNT, CREDIT, FROM, ITEM, KIND, Kind, LEASE_MS, LeaseHeaders, MAX_CREDIT, MAX_LEASE, PLACE, REASON,
};
use super::wire::{EndReason, StreamPlace, TO, lease_inbox};
use crate::client::{Client, RawCall};
use crate::codec::ContentType;
use crate::meta::Meta;
use async_nats::{HeaderMap, HeaderName, HeaderValue, Message, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use subjects::Fault;
use tokio::time::Instant;
use uuid::Uuid;

/// How long a responder may say nothing: longer than it leaves between two signs of life.
const SILENCE: Duration = Duration::from_secs(8);
/// How long the next lease may take to begin.
const RENEWAL: Duration = Duration::from_secs(5);
/// How long it is tried to get the next lease before the stream is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause after the first failure; it doubles up to a second.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// Of how many aggregates the versions are remembered, once the snapshot is over.
const MAX_REMEMBERED: usize = 4_096;

/// Who the watcher is, asked before each lease: a token does not live as long as a stream.
type Identify = Box<dyn FnMut() -> Result<Option<Arc<str>>, Fault> + Send>;

/// What to watch.
pub struct WatchCall {
    /// The stream's subject.
    pub subject: &'static str,
    /// The request, JSON.
    pub body: Bytes,
    /// The place to go on from. None: everything is told first.
    pub from: Option<StreamPlace>,
    /// The circumstances that travel on.
    pub meta: Meta,
    /// The internal user token of the watching user; an error ends the stream.
    pub identify: Identify,
    /// For how long after a snapshot the place is not offered as one to go on from: the events of what the snapshot
    /// told may still be on their way, and would tell it again to whoever does not remember it.
    pub settle: Duration,
}

/// What a watcher hears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heard {
    /// Never [`Kind::End`]: another lease follows by itself.
    pub kind: Kind,
    /// The item, JSON; empty where there is none.
    pub body: Bytes,
}

/// A stream as its consumer has it: it goes on over leases, replicas that die, and reconnects, and no version of an
/// item is told twice.
///
/// Memory is bounded: no more than a lease's credit waits to be heard.
pub struct Watching {
    client: Client,
    call: WatchCall,
    lease: Option<Lease>,
    place: Option<StreamPlace>,
    told: HashMap<Uuid, i64>,
    phase: Phase,
    failing_since: Option<Instant>,
    pause: Duration,
}

/// How far a snapshot is behind.
#[derive(Debug, Clone, Copy)]
enum Phase {
    /// It is being told.
    Snapshot,
    /// The events of what it told may still come.
    Settling(Instant),
    /// Only changes come.
    Settled,
}

struct Lease {
    messages: Subscriber,
    heard: u64,
}

impl Client {
    /// Begins to watch. The service must have declared that it calls the stream's subject.
    ///
    /// # Errors
    /// What the service refuses, or why it could not be asked until the deadline.
    pub async fn watch(&self, call: WatchCall, deadline: Instant) -> Result<Watching, Fault> {
        let mut watching = Watching {
            client: self.clone(),
            place: call.from,
            call,
            lease: None,
            told: HashMap::new(),
            phase: Phase::Settled,
            failing_since: None,
            pause: FIRST_PAUSE,
        };
        watching.lease = Some(watching.ask(deadline).await?);
        Ok(watching)
    }
}

impl Watching {
    /// The next that there is to hear; something comes at least every 8 s while all is well. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// The stream is over: the service refuses to go on, or nobody was there to go on for a minute.
    pub async fn next(&mut self) -> Result<Heard, Fault> {
        loop {
            let Some(lease) = &mut self.lease else {
                self.renew().await?;
                continue;
            };
            let message = tokio::time::timeout(SILENCE, lease.messages.next()).await.ok().flatten();
            match message.and_then(|message| lease.read(message)) {
                Some(answer) => {
                    if let Some(heard) = self.take(answer) {
                        return Ok(heard);
                    }
                }
                None => {
                    // It is dead, or the connection was, and nobody knows what was lost.
                    self.client.metrics().streams().gave_up(self.call.subject);
                    self.lease = None;
                }
            }
        }
    }

    /// The place from which whoever has heard everything so far can go on, also without remembering any of it.
    pub fn place(&self) -> Option<StreamPlace> {
        let place = self.place?;
        let is_settled = match self.phase {
            Phase::Snapshot => false,
            Phase::Settling(until) => until <= Instant::now(),
            Phase::Settled => true,
        };
        // A place in a snapshot that has told nothing: it is begun anew there.
        Some(if is_settled { place } else { StreamPlace { after: place.after.or(Some(Uuid::nil())), ..place } })
    }

    fn take(&mut self, answer: Answer) -> Option<Heard> {
        if answer.kind != Kind::End {
            self.failing_since = None;
            self.pause = FIRST_PAUSE;
        }
        let is_news = answer.item.is_none_or(|(id, version)| self.remember(id, version));
        match answer.kind {
            Kind::Reset => {
                self.told.clear();
                self.place = None;
                self.phase = Phase::Snapshot;
            }
            Kind::Ready => {
                self.phase = Phase::Settling(Instant::now() + self.call.settle);
                self.place = answer.place;
            }
            Kind::Snapshot | Kind::Change | Kind::Alive => self.place = answer.place.or(self.place),
            Kind::End => {
                self.place = answer.place.or(self.place);
                self.lease = None;
                if answer.reason.as_deref() == Some(EndReason::Failed.as_str()) {
                    self.failing_since.get_or_insert_with(Instant::now);
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                }
                return None;
            }
        }
        if let Phase::Settling(until) = self.phase
            && until <= Instant::now()
        {
            self.phase = Phase::Settled;
            self.told = HashMap::new();
        }
        is_news.then_some(Heard { kind: answer.kind, body: answer.body })
    }

    /// Whether a version is newer than what was told.
    fn remember(&mut self, id: Uuid, version: i64) -> bool {
        if self.told.get(&id).is_some_and(|told| *told >= version) {
            return false;
        }
        if matches!(self.phase, Phase::Settled) && self.told.len() >= MAX_REMEMBERED {
            self.told.clear();
        }
        self.told.insert(id, version);
        true
    }

    async fn renew(&mut self) -> Result<(), Fault> {
        if self.failing_since.is_some() {
            tokio::time::sleep(self.pause.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        }
        match self.ask(Instant::now() + RENEWAL).await {
            Ok(lease) => {
                self.lease = Some(lease);
                Ok(())
            }
            Err(fault) => {
                let failing_since = *self.failing_since.get_or_insert_with(Instant::now);
                if !fault.code.is_ours() || failing_since.elapsed() >= PATIENCE {
                    return Err(fault);
                }
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                Ok(())
            }
        }
    }

    async fn ask(&mut self, deadline: Instant) -> Result<Lease, Fault> {
        let user_token = (self.call.identify)()?;
        let service = self.client.service_of(self.call.subject).unwrap_or("unknown");
        let inbox = lease_inbox(self.client.name(), service);
        // Subscribed over the same connection as the request goes, and before it.
        let subscribing = self.client.nats().subscribe(inbox.clone());
        let messages = match tokio::time::timeout_at(deadline, subscribing).await {
            Ok(Ok(messages)) => messages,
            _ => return Err(Fault::unavailable(1_000)),
        };
        let call = RawCall {
            content_type: ContentType::Json,
            body: self.call.body.clone(),
            user_token,
            deadline,
            meta: &self.call.meta,
        };
        let asked = LeaseHeaders { from: self.place, to: inbox };
        self.client.ask_lease(self.call.subject, call, asked).await?;
        Ok(Lease { messages, heard: 0 })
    }
}

/// An answer as it came.
struct Answer {
    kind: Kind,
    place: Option<StreamPlace>,
    item: Option<(Uuid, i64)>,
    reason: Option<String>,
    body: Bytes,
}

impl Lease {
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
        insert(CREDIT, MAX_CREDIT.to_string());
        insert(LEASE_MS, MAX_LEASE.as_millis().to_string());
        insert(TO, self.to.clone());
    }
}
