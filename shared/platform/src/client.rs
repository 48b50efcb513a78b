//! Requests to other services.

use crate::answers::{Answers, Heard, Unsent};
use crate::codec::ContentType;
use crate::headers;
use crate::meta::Meta;
use crate::metrics::Metrics;
use crate::nats::ServerSignals;
use crate::resending::{ClientConfig, Resending, may_repeat};
use crate::spans::Span;
use crate::streams::LeaseHeaders;
use crate::targets::{Class, Targets};
use crate::versions::{STABLE, version_subject};
use async_nats::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use identity::ServiceTokens;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use subjects::{ErrorCode, Fallback, Fault, Operation, Request, catalogue};
use tokio::sync::watch;
use tokio::time::Instant;

/// How long a caller waits who has not said how long (document 003: 5000 ms).
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
/// Pauses before a request is sent again that nobody was there to take: it has not started anywhere, so sending it
/// again is safe whatever it does. They bridge the moment in which a replica leaves and another arrives.
const NO_RESPONDER_PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_millis(80)];
/// The pause before each further time that a request which is sent again finds nobody to take it, after NATS was away
/// for example: services need not be back as soon as their callers.
const RESEND_PAUSE: Duration = Duration::from_millis(250);
/// The reason of a refusal of the calling service's own token.
pub(crate) const SERVICE_NOT_RECOGNISED: &str = "service_not_recognised";
/// How long a request waits for a lost connection to come back before it is refused.
const RECONNECT_PATIENCE: Duration = Duration::from_secs(1);
/// After how long a caller of a service that is away should try again.
const RETRY_AFTER_MS: u64 = 1_000;

/// Sends requests over one NATS connection. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    sends_again: bool,
}

struct Inner {
    /// The service that calls.
    name: &'static str,
    nats: async_nats::Client,
    answers: Answers,
    signals: ServerSignals,
    tokens: ServiceTokens,
    metrics: Metrics,
    operations: HashMap<&'static str, &'static Operation>,
    resending: Resending,
    targets: Targets,
}

/// A request whose body is already written.
pub struct RawCall<'a> {
    /// How the body is written; the reply comes likewise.
    pub content_type: ContentType,
    /// The body.
    pub body: Bytes,
    /// The internal user token of the user for whom the call is made.
    pub user_token: Option<Arc<str>>,
    /// When the caller gives up.
    pub deadline: Instant,
    /// The circumstances that travel on.
    pub meta: &'a Meta,
}

/// A call as it is sent, once or again.
pub(crate) struct Attempt<'a> {
    subject: &'a str,
    call: &'a RawCall<'a>,
    span: &'a Span,
    lease: Option<&'a LeaseHeaders>,
    is_resend: bool,
}

impl<'a> Attempt<'a> {
    pub(crate) fn deadline(&self) -> Instant {
        self.call.deadline
    }

    /// The same, once more. It waits as long as there is time for somebody to take it: another is awaited meanwhile.
    pub(crate) fn again(&self) -> Attempt<'a> {
        Attempt { is_resend: true, ..*self }
    }
}

/// What became of a request that was sent.
enum Sent {
    Answered(async_nats::Message),
    /// Nobody answers the subject.
    ToNobody,
    /// NATS has sent it to a version of the service of which no replica takes requests.
    ToNobodyOfAVersion,
}

/// An answer whose body is not yet read.
#[derive(Debug, Clone)]
pub struct RawReply {
    /// How the body is written.
    pub content_type: ContentType,
    /// The body.
    pub body: Bytes,
    /// Whether it is an answer that was stored before.
    pub replayed: bool,
    /// What it is instead of a better one.
    pub fallback: Option<Fallback>,
}

impl Client {
    /// A client of the service `name` over its connection, which shows the service tokens of `tokens`.
    pub fn new(
        name: &'static str,
        nats: async_nats::Client,
        signals: ServerSignals,
        tokens: ServiceTokens,
        metrics: Metrics,
        config: &ClientConfig,
    ) -> Client {
        let operations = catalogue::operations()
            .flat_map(|operation| operation.subjects().map(move |subject| (subject, operation)))
            .collect();
        let resending = Resending::new(config, metrics.clone());
        let targets = Targets::new(name, config, &metrics);
        let answers = Answers::new(name);
        let inner = Inner { name, nats, answers, signals, tokens, metrics, operations, resending, targets };
        Client { inner: Arc::new(inner), sends_again: false }
    }

    /// The same client, which sends a request again that has had no answer for a while, where its effect and its key
    /// allow that: see [`ClientConfig`]. For the outermost hop alone, which is the edge: where each hop sent again what
    /// the next one left unanswered, one failure would become many requests. A request that a service makes while it
    /// handles another one is never sent again by itself.
    #[must_use]
    pub fn resending(&self) -> Client {
        Client { inner: self.inner.clone(), sends_again: true }
    }

    /// Sends a typed request and reads the typed answer. Handlers use [`Cx::call`](crate::Cx::call), which knows
    /// what the service has declared.
    pub(crate) async fn call<R: Request>(
        &self,
        request: &R,
        user_token: Option<Arc<str>>,
        meta: &Meta,
        ordinal: u32,
        deadline: Instant,
    ) -> Result<R::Reply, Fault> {
        let content_type = ContentType::MessagePack;
        let body = content_type.encode(request).map_err(Fault::internal)?;
        // An idempotency key belongs to the request that came in; each call made on the way gets one derived from it,
        // so that a replayed request replays its calls, too.
        let idempotency_key = meta.idempotency_key.as_ref().map(|key| format!("{}#{ordinal}>{key}", meta.subject));
        let meta = Meta { idempotency_key, if_match: None, client_address: None, ..meta.clone() };
        let call = RawCall { content_type, body, user_token, deadline, meta: &meta };
        let reply = self.request_raw(R::SUBJECT, call).await?;
        reply.content_type.decode(&reply.body).map_err(Fault::internal)
    }

    /// Sends a request and waits for its answer until the deadline.
    ///
    /// # Errors
    /// What the service refused; `unavailable` when nobody answers the subject; `deadline_exceeded`; `internal`
    /// when NATS forbids this identity to publish to the subject.
    pub async fn request_raw(&self, subject: &str, call: RawCall<'_>) -> Result<RawReply, Fault> {
        let started = Instant::now();
        let registered =
            self.inner.operations.get_key_value(subject).map(|(subject, operation)| (*subject, *operation));
        let span = Span::calling(self.inner.name, subject, call.meta.traceparent.as_deref());
        let attempt = Attempt { subject, call: &call, span: &span, lease: None, is_resend: false };
        let outcome = match registered {
            Some((_, operation))
                if self.sends_again && may_repeat(operation.effect, call.meta.idempotency_key.is_some()) =>
            {
                self.inner.resending.ask(self, &attempt, operation).await
            }
            _ => self.attempt(&attempt).await,
        };
        let code = match &outcome {
            Ok(_) => "ok",
            Err(fault) => fault.code.as_str(),
        };
        span.answered(code);
        self.inner.metrics.called(registered.map_or("other", |(subject, _)| subject), code, started.elapsed());
        outcome
    }

    /// Asks for a lease of a stream, once. Its answers come to the inbox that the headers name.
    pub(crate) async fn ask_lease(&self, subject: &str, call: RawCall<'_>, lease: LeaseHeaders) -> Result<(), Fault> {
        let started = Instant::now();
        let span = Span::calling(self.inner.name, subject, call.meta.traceparent.as_deref());
        let attempt = Attempt { subject, call: &call, span: &span, lease: Some(&lease), is_resend: false };
        let outcome = self.attempt(&attempt).await;
        let code = outcome.as_ref().map_or_else(|fault| fault.code.as_str(), |_granted| "ok");
        span.answered(code);
        let registered = self.inner.operations.get_key_value(subject).map_or("other", |(subject, _)| *subject);
        self.inner.metrics.called(registered, code, started.elapsed());
        outcome.map(|_granted| ())
    }

    /// Counts an answer to `subject` that the one who asks gives instead of a better one.
    pub fn fell_back(&self, subject: &str, fallback: Fallback) {
        self.inner.metrics.fell_back(subject, fallback);
    }

    /// The service that calls.
    pub(crate) fn name(&self) -> &'static str {
        self.inner.name
    }

    /// The service that answers a subject.
    pub(crate) fn service_of(&self, subject: &str) -> Option<&'static str> {
        self.inner.operations.get(subject).map(|operation| operation.service)
    }

    pub(crate) fn nats(&self) -> &async_nats::Client {
        &self.inner.nats
    }

    /// The circuits that are not closed.
    pub(crate) fn troubled(&self) -> BTreeMap<String, &'static str> {
        self.inner.targets.troubled()
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    /// Whether what the service of a subject has refused for want of room would only be refused once more.
    pub(crate) fn is_crowded(&self, operation: &Operation) -> bool {
        self.inner.targets.is_crowded(operation.service, Class::of(operation))
    }

    /// Sends once: more often only where nobody was there to take it.
    pub(crate) async fn attempt(&self, attempt: &Attempt<'_>) -> Result<RawReply, Fault> {
        let deadline = attempt.deadline();
        let mut pauses = NO_RESPONDER_PAUSES.iter();
        let mut place = match self.inner.operations.get(attempt.subject) {
            Some(operation) => self.inner.targets.enter(operation.service, Class::of(operation))?,
            None => None,
        };
        let mut to_stable = false;
        loop {
            self.until_connected(deadline).await?;
            let sent = self.send_once(attempt, to_stable).await;
            if sent.as_ref().is_err_and(|fault| fault.code == ErrorCode::DeadlineExceeded)
                && let Some(place) = place.take()
            {
                place.silent();
            }
            match sent? {
                Sent::Answered(reply) => {
                    let reply = read_reply(reply);
                    if let Some(place) = place {
                        place.answered(reply.as_ref().err());
                    }
                    return reply;
                }
                // No replica of that version is there any more, or none of them well enough.
                Sent::ToNobodyOfAVersion => to_stable = true,
                Sent::ToNobody => {
                    to_stable = false;
                    match pauses.next().or(attempt.is_resend.then_some(&RESEND_PAUSE)) {
                        Some(pause) if Instant::now() + *pause < deadline => tokio::time::sleep(*pause).await,
                        _ => return Err(Fault::unavailable(RETRY_AFTER_MS)),
                    }
                }
            }
        }
    }

    /// Changes each time that the connection was made anew.
    pub(crate) fn connections(&self) -> watch::Receiver<u64> {
        self.inner.signals.connections()
    }

    /// What is sent while the connection is away would wait in the client, and run when nobody waits for it any more.
    async fn until_connected(&self, deadline: Instant) -> Result<(), Fault> {
        let mut connections = self.connections();
        if self.is_connected() {
            return Ok(());
        }
        let give_up = deadline.min(Instant::now() + RECONNECT_PATIENCE);
        let waited = tokio::time::timeout_at(give_up, connections.changed()).await;
        if waited.is_ok() || self.is_connected() { Ok(()) } else { Err(Fault::unavailable(RETRY_AFTER_MS)) }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.inner.nats.connection_state() == async_nats::connection::State::Connected
    }

    /// `to_stable`: whatever share of the requests goes to other versions.
    async fn send_once(&self, attempt: &Attempt<'_>, to_stable: bool) -> Result<Sent, Fault> {
        let Attempt { subject, call, .. } = *attempt;
        let since = std::time::Instant::now();
        let headers = self.headers(attempt)?;
        let service = self.service_of(subject).unwrap_or("unknown");
        let sent_to = if to_stable { version_subject(service, STABLE, subject) } else { subject.to_owned() };
        let asked = self.inner.answers.ask(&self.inner.nats, service, sent_to.clone(), headers, call.body.clone());
        // The outer deadline also covers the time in which a disconnected client takes no more messages.
        tokio::select! {
            biased;
            outcome = asked => match outcome {
                Ok(Heard::Answer(message)) => Ok(Sent::Answered(message)),
                Ok(Heard::NobodyAt(Some(at))) if !to_stable && at != sent_to => {
                    self.inner.metrics.found_no_version(service);
                    Ok(Sent::ToNobodyOfAVersion)
                }
                Ok(Heard::NobodyAt(_)) => Ok(Sent::ToNobody),
                Err(Unsent::TooLarge) => Err(Fault::new(ErrorCode::PayloadTooLarge, "the request is too large")),
                Err(Unsent::Failed(error)) => Err(Fault::unavailable(RETRY_AFTER_MS).with_source(error)),
            },
            () = self.inner.signals.refused_publish(subject, since) => Err(Fault::internal(format!(
                "NATS does not permit this service to call {subject}: declare the call (`platform::calls!`) and \
                 write the permissions anew (`petpro nats-config`)"
            )).with_reason("call_not_permitted")),
            () = tokio::time::sleep_until(call.deadline) => {
                if self.is_connected() { Err(Fault::deadline_exceeded()) } else { Err(Fault::unavailable(RETRY_AFTER_MS)) }
            }
        }
    }

    fn headers(&self, attempt: &Attempt<'_>) -> Result<HeaderMap, Fault> {
        let Attempt { subject, call, span, .. } = *attempt;
        let remaining = call.deadline.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            return Err(Fault::deadline_exceeded());
        }
        let deadline = chrono::Utc::now() + remaining;
        let mut map = HeaderMap::new();
        map.insert(HeaderName::from_static(headers::CONTENT_TYPE), call.content_type.as_str());
        map.insert(HeaderName::from_static(headers::TIMEOUT_MS), HeaderValue::from(remaining.as_millis().to_string()));
        map.insert(
            HeaderName::from_static(headers::DEADLINE),
            HeaderValue::from(deadline.timestamp_millis().to_string()),
        );
        insert(&mut map, headers::CORRELATION_ID, &call.meta.correlation_id)?;
        let child = || call.meta.traceparent.as_deref().map(crate::trace::child_of);
        if let Some(traceparent) = span.traceparent().or_else(child) {
            insert(&mut map, headers::TRACEPARENT, &traceparent)?;
        }
        if let Some(key) = &call.meta.idempotency_key {
            insert(&mut map, headers::IDEMPOTENCY_KEY, key)?;
        }
        if let Some(version) = call.meta.if_match {
            map.insert(HeaderName::from_static(headers::IF_MATCH), HeaderValue::from(version.to_string()));
        }
        if let Some(cause) = call.meta.cause {
            map.insert(HeaderName::from_static(headers::CAUSE), HeaderValue::from(cause.to_string()));
        }
        if let Some(address) = &call.meta.client_address {
            insert(&mut map, headers::CLIENT_ADDRESS, address)?;
        }
        if let Some(lease) = attempt.lease {
            lease.insert_into(&mut map);
        }
        if let Some(token) = &call.user_token {
            insert(&mut map, headers::AUTHORIZATION, &format!("Bearer {token}"))?;
        }
        if let Some(operation) = self.inner.operations.get(subject) {
            let token = self.inner.tokens.for_audience(operation.service);
            insert(&mut map, headers::SERVICE_TOKEN, &token)?;
        }
        Ok(map)
    }
}

/// A value from outside could hold a line break, which `HeaderMap::insert` of a `&str` panics on.
fn insert(map: &mut HeaderMap, name: &'static str, value: &str) -> Result<(), Fault> {
    let value: HeaderValue = value.parse().map_err(|error: async_nats::header::ParseHeaderValueError| {
        Fault::internal(format!("header {name}: {error}"))
    })?;
    map.insert(HeaderName::from_static(name), value);
    Ok(())
}

fn read_reply(message: async_nats::Message) -> Result<RawReply, Fault> {
    let header =
        |name: &'static str| message.headers.as_ref().and_then(|headers| headers.get(HeaderName::from_static(name)));
    let content_type =
        header(headers::CONTENT_TYPE).and_then(|value| ContentType::parse(value.as_str())).unwrap_or_default();
    if header(headers::SERVICE_ERROR_CODE).is_some() {
        let fault = content_type.decode::<Fault>(&message.payload);
        let fault = fault.unwrap_or_else(|error| Fault::internal(format!("unreadable error reply: {error}")));
        if fault.reason == SERVICE_NOT_RECOGNISED {
            return Err(Fault::internal("the called service does not recognise this service's token"));
        }
        return Err(fault);
    }
    let replayed = header(headers::IDEMPOTENCY_REPLAYED).is_some();
    let fallback = header(headers::FALLBACK).and_then(|name| Fallback::parse(name.as_str()));
    Ok(RawReply { content_type, body: message.payload, replayed, fallback })
}
