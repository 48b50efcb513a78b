//! From a NATS message to a handler and back: admission, deadline, identity, reply.

use crate::admission::{Admission, Asked, Entry, Place, Turned};
use crate::app::App;
use crate::audit::Audited;
use crate::cx::{Cx, Marks};
use crate::discovery::EndpointStats;
use crate::ejection::{Condition, Handled};
use crate::endpoint::Endpoint;
pub(crate) use crate::fault_log::chain;
use crate::fault_log::{log_fault, panic_text};
use crate::headers;
use crate::incoming::Request;
use crate::meta::Meta;
use crate::nats::is_inbox;
use crate::queue_subscription::{QueueSubscription, is_nudge};
use crate::refusals::{DEPENDENCY_UNAVAILABLE, OVERLOADED, SESSION_REVOKED, was_refused_early};
use crate::setup::Setup;
use crate::streams::LeaseAsk;
use async_nats::{HeaderMap, HeaderName, Message};
use futures::FutureExt as _;
use garde::Validate;
use identity::keys::EDGE;
use identity::{Caller, User};
use serde::Deserialize;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use subjects::{Audit, ErrorCode, Fault, Operation};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::client::SERVICE_NOT_RECOGNISED;

/// After how long a caller that was shed should try again.
const SHED_RETRY_AFTER_MS: u64 = 250;

/// The section `dispatcher`: the bounds of each service's queue.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct DispatcherConfig {
    /// Requests in a handler at a time, at the most. While requests only make each other slow there are fewer. No
    /// operation has more than three quarters of them; operations of critical priority have an eighth of it beside them.
    #[garde(range(min = 1, max = 10_000))]
    pub running: usize,
    /// How many of these there are at first, and at the least; more as soon as somebody has to wait for one.
    #[garde(range(min = 1, max = 10_000))]
    pub running_at_first: usize,
    /// Requests that wait for a handler until their deadline; more are refused at once, the least urgent first.
    #[garde(range(min = 0, max = 1_000_000))]
    pub waiting: usize,
    /// After how many milliseconds in which everybody had to wait the queue stands: it is no burst any more, and whoever
    /// has waited for more than some 40 ms is refused.
    #[garde(range(min = 10, max = 600_000))]
    pub standing_ms: u64,
}

impl Default for DispatcherConfig {
    fn default() -> DispatcherConfig {
        DispatcherConfig { running: 64, running_at_first: 16, waiting: 2_048, standing_ms: 500 }
    }
}

pub(crate) struct Dispatcher<A: App> {
    app: Arc<A>,
    setup: Arc<Setup>,
    admission: Arc<Admission>,
    condition: Arc<Condition>,
    tasks: TaskTracker,
}

impl<A: App> Dispatcher<A> {
    /// `condition` is told how the handlers do.
    pub(crate) fn new(
        app: Arc<A>,
        setup: Arc<Setup>,
        config: &DispatcherConfig,
        condition: Arc<Condition>,
    ) -> Arc<Dispatcher<A>> {
        Arc::new(Dispatcher {
            admission: Admission::new(A::NAME, config, &setup.metrics),
            condition,
            tasks: TaskTracker::new(),
            app,
            setup,
        })
    }

    /// Takes messages until `leave`, then leaves the queue group without losing one.
    pub(crate) async fn serve(
        self: Arc<Self>,
        endpoint: Arc<Endpoint<A>>,
        stats: Arc<EndpointStats>,
        mut subscription: QueueSubscription,
        leave: CancellationToken,
    ) {
        while let Some(message) = subscription.next(&leave).await {
            self.accept(&endpoint, &stats, message);
        }
    }

    /// Waits until every request that was taken has its reply.
    pub(crate) async fn finish(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    fn accept(self: &Arc<Self>, endpoint: &Arc<Endpoint<A>>, stats: &Arc<EndpointStats>, message: Message) {
        if is_nudge(&message) {
            return;
        }
        if message.reply.as_ref().is_none_or(|reply| !is_inbox(reply)) {
            // Nobody could learn the outcome, or somebody would have this service publish where only it may.
            self.setup.metrics.nats_event("request_without_inbox");
            return;
        }
        let received_at = Instant::now();
        let (dispatcher, endpoint, stats) = (self.clone(), endpoint.clone(), stats.clone());
        let Operation { subject, priority, .. } = endpoint.operation;
        let entry = self.admission.enter(Asked { subject, priority }, received_at);
        self.tasks.spawn(async move {
            let ask = endpoint.is_stream().then(|| LeaseAsk::of(&message));
            let request = Request::receive(message, A::NAME, subject, received_at);
            match dispatcher.until_placed(entry, &request).await {
                Ok(place) => dispatcher.handle(&endpoint, &stats, request, ask, place).await,
                Err(fault) => {
                    if fault.reason == OVERLOADED {
                        dispatcher.setup.metrics.shed([A::NAME, priority.as_str()]);
                    }
                    dispatcher
                        .reply(&request, &stats, Err(fault), Marks::default())
                        .instrument(log_span(&request, None))
                        .await;
                }
            }
        });
    }

    /// A place in a handler. What nobody waits for any more is not begun.
    async fn until_placed(&self, entry: Entry, request: &Request) -> Result<Place, Fault> {
        let overloaded = || Fault::unavailable(SHED_RETRY_AFTER_MS).with_reason(OVERLOADED);
        let place = match entry {
            Entry::Place(place) => place,
            Entry::Waiting(waiting) => waiting.place(request.deadline).await.map_err(|turned| match turned {
                Turned::Late => Fault::deadline_exceeded(),
                Turned::Away => overloaded(),
            })?,
            Entry::Refused => return Err(overloaded()),
        };
        if request.deadline <= Instant::now() { Err(Fault::deadline_exceeded()) } else { Ok(place) }
    }

    async fn handle(
        self: &Arc<Self>,
        endpoint: &Endpoint<A>,
        stats: &EndpointStats,
        mut request: Request,
        ask: Option<LeaseAsk>,
        place: Place,
    ) {
        let identified = self.identify(&request);
        // All fields at once: one that is recorded later has the others read and written again.
        let span = log_span(&request, identified.as_ref().ok().and_then(|(caller, _)| caller.user.as_ref()));
        let is_told_in_reply = ask.as_ref().is_some_and(LeaseAsk::is_told_in_reply);
        let (outcome, marks) = self.run(endpoint, &request, ask, identified).instrument(span.clone()).await;
        if outcome.is_ok() && is_told_in_reply {
            // The lease answers there.
            request.reply_to = None;
        }
        drop(place);
        self.reply(&request, stats, outcome, marks).instrument(span).await;
    }

    async fn run(
        &self,
        endpoint: &Endpoint<A>,
        request: &Request,
        ask: Option<LeaseAsk>,
        identified: Result<(Caller, Option<Arc<str>>), Fault>,
    ) -> (Result<bytes::Bytes, Fault>, Marks) {
        let (mut caller, user_token) = match identified {
            Ok(identified) => identified,
            Err(fault) => return (Err(fault), Marks::default()),
        };
        let mut meta = request.meta.clone();
        // Whoever else asks would choose from where.
        meta.client_address = meta.client_address.filter(|_| caller.service.as_deref() == Some(EDGE));
        let admitting = self.admit(&endpoint.operation, &mut caller);
        let admitted = match tokio::time::timeout_at(request.deadline, admitting).await {
            Ok(admitted) => admitted,
            Err(_elapsed) => Err(Fault::deadline_exceeded()),
        };
        let Some(content_type) = request.content_type else {
            let fault = Fault::new(ErrorCode::UnsupportedMediaType, "send application/json or application/msgpack");
            return (admitted.and(Err(fault)), Marks::default());
        };
        // A stream is one request, however many leases it takes. That it goes on is a service's word alone: of whoever else
        // asks each lease is a request.
        let goes_on = ask.as_ref().is_some_and(LeaseAsk::is_renewal) && caller.service.is_some();
        let audit = if goes_on { Audit::Never } else { endpoint.operation.audit };
        let permitted = caller.is_permitted();
        let audited = |caller: &Caller, meta: &Meta| {
            let subject_id = endpoint.subject_id(content_type, &request.body);
            Audited::new(&endpoint.operation, caller, meta, subject_id)
        };
        if let Err(fault) = admitted {
            // Who is not signed in is nobody in particular.
            if caller.user.is_some() && audit.keeps(permitted, Some(fault.code)) {
                self.write_down(&audited(&caller, &meta), Some(&fault));
            }
            return (Err(fault), Marks::default());
        }
        let client = self.setup.client.clone();
        let followed = audit.follows(permitted).then(|| audited(&caller, &meta));
        let cx = Cx::new(self.app.clone(), client, caller, user_token, meta, request.deadline, followed);
        let ask = ask.map(|ask| ask.in_packets(request.packet.clone()));
        let handled = endpoint.handle(cx.clone(), content_type, request.body.clone(), ask);
        let caught = AssertUnwindSafe(handled).catch_unwind();
        let began = Instant::now();
        let outcome = tokio::time::timeout_at(request.deadline, caught).await;
        let ended = Instant::now();
        let (outcome, handled) = match outcome {
            Ok(Ok(outcome)) => {
                let handled = Handled::answered(&outcome, cx.leant_on_others());
                (outcome, handled)
            }
            Ok(Err(panic)) => {
                let text = panic_text(panic.as_ref());
                (Err(Fault::internal(format!("the handler panicked: {text}"))), Handled::PANICKED)
            }
            Err(_elapsed) => {
                (Err(Fault::deadline_exceeded()), Handled::ran_out_of_time(ended - began, cx.leant_on_others()))
            }
        };
        let outcome = outcome.map_err(|fault| if cx.leant_on_others() { told_of_another(fault) } else { fault });
        self.condition.record(handled, ended);
        // What was waited for elsewhere says nothing of this service.
        if let Some(own) = (ended - began).checked_sub(cx.time_in_calls()).filter(|_| outcome.is_ok()) {
            self.admission.took(endpoint.operation.subject, own, ended);
        }
        let marks = cx.marks();
        if let Some(undeclared) = marks.fallback.filter(|fallback| !endpoint.operation.fallbacks.contains(fallback)) {
            tracing::error!(fallback = undeclared.as_str(), "an answer stands in that its operation has not declared");
        }
        let refusal = outcome.as_ref().err();
        match cx.audited() {
            // It was written down when it was answered first.
            _ if marks.replayed => {}
            Some(audited) => self.write_down(audited, refusal),
            None if audit.keeps(permitted, refusal.map(|fault| fault.code)) => {
                self.write_down(&audited(cx.caller(), cx.meta()), refusal);
            }
            None => {}
        }
        (outcome, marks)
    }

    /// Has the audit log keep a request that has ended, unless it does already.
    fn write_down(&self, audited: &Audited, refusal: Option<&Fault>) {
        if let Some(row) = audited.row(refusal) {
            self.setup.audit.push(row);
        }
    }

    /// Notes whether one of the caller's roles has the operation's permission, and says whether the access rule lets it in.
    /// What roles allow that were made is looked up each time: it holds at once. Most callers have none.
    async fn admit(&self, operation: &Operation, caller: &mut Caller) -> Result<(), Fault> {
        if let (Some(permission), Some(user)) = (operation.permission, &caller.user) {
            let roles = user.made_roles();
            caller.permitted = !roles.is_empty() && self.app.allows(&roles, permission).await?;
        }
        identity::check_access(operation.access, caller)
    }

    fn identify(&self, request: &Request) -> Result<(Caller, Option<Arc<str>>), Fault> {
        let service = match &request.service_token {
            Some(token) => Some(self.setup.verifier.verify_service(token).map_err(refuse_service_token)?),
            None => None,
        };
        let (user, signed_by) = match &request.user_token {
            Some(token) => Some(self.setup.verifier.verify_user(token).map_err(refuse_token)?).unzip(),
            None => (None, None),
        };
        if user.as_ref().is_some_and(|user| self.setup.revocations.is_revoked(user.session)) {
            return Err(Fault::unauthenticated().with_reason(SESSION_REVOKED));
        }
        Ok((Caller { user, signed_by, service, permitted: false }, request.user_token.clone()))
    }

    async fn reply(
        &self,
        request: &Request,
        stats: &EndpointStats,
        outcome: Result<bytes::Bytes, Fault>,
        marks: Marks,
    ) {
        let took = request.received_at.elapsed();
        let content_type = request.content_type.unwrap_or_default();
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(headers::CONTENT_TYPE), content_type.as_str());
        if marks.replayed {
            headers.insert(HeaderName::from_static(headers::IDEMPOTENCY_REPLAYED), "true");
        }
        if let Some(fallback) = marks.fallback.filter(|_| outcome.is_ok()) {
            headers.insert(HeaderName::from_static(headers::FALLBACK), fallback.as_str());
            self.setup.metrics.fell_back(request.canonical_subject, fallback);
        }
        let (code, body) = match outcome {
            Ok(body) => ("ok", request.packet.as_ref().map_or_else(|| body.clone(), |packet| packet.answer(&body))),
            Err(fault) => {
                log_fault(&fault, took);
                (fault.code.as_str(), refusal(request, &fault, &mut headers))
            }
        };
        request.span.answered(code);
        stats.record(code, took);
        self.setup.metrics.answered(request.canonical_subject, code, took);
        let Some(reply_to) = request.reply_to.clone() else { return };
        if let Err(error) = self.setup.nats.publish_with_headers(reply_to, headers, body).await {
            // Too large, as a rule: the caller must learn of it all the same.
            tracing::error!(error = %error, "the reply could not be sent");
            self.reply_too_large(request).await;
        }
    }

    async fn reply_too_large(&self, request: &Request) {
        let Some(reply_to) = request.reply_to.clone() else { return };
        let fault = Fault::new(ErrorCode::Internal, "the answer is too large").with_reason("reply_too_large");
        let mut headers = HeaderMap::new();
        let content_type = request.content_type.unwrap_or_default();
        headers.insert(HeaderName::from_static(headers::CONTENT_TYPE), content_type.as_str());
        let body = refusal(request, &fault, &mut headers);
        if let Err(error) = self.setup.nats.publish_with_headers(reply_to, headers, body).await {
            tracing::error!(error = %error, "the error reply could not be sent either");
        }
    }
}

/// The body that tells the asker of a refusal, with its headers (ADR-32).
fn refusal(request: &Request, fault: &Fault, headers: &mut HeaderMap) -> bytes::Bytes {
    headers.insert(HeaderName::from_static(headers::SERVICE_ERROR), fault.code.as_str());
    headers.insert(HeaderName::from_static(headers::SERVICE_ERROR_CODE), fault.code.status().to_string().as_str());
    let body = request.content_type.unwrap_or_default().encode(fault).unwrap_or_else(|error| {
        tracing::error!(error = %error, "an error reply could not be written");
        bytes::Bytes::new()
    });
    match &request.packet {
        Some(packet) => packet.refusal(&body),
        None => body,
    }
}

/// What somebody who was asked on the way refused is not passed on as if this service had: it was asked, and it began. Its
/// caller would leave it alone for that, or send the request again to another replica that leans on the same.
fn told_of_another(fault: Fault) -> Fault {
    if was_refused_early(&fault) { fault.with_reason(DEPENDENCY_UNAVAILABLE) } else { fault }
}

/// Under which a request is logged.
fn log_span(request: &Request, user: Option<&User>) -> tracing::Span {
    tracing::info_span!(
        "request",
        subject = request.canonical_subject,
        correlation.id = request.meta.correlation_id,
        trace.id = request.meta.traceparent.as_deref().and_then(crate::trace::trace_id),
        user.id = user.map(|user| tracing::field::display(user.id)),
    )
}

/// The user is not to blame, so the caller must be able to tell this from a refused user token.
fn refuse_service_token(error: identity::TokenError) -> Fault {
    Fault::unauthenticated().with_reason(SERVICE_NOT_RECOGNISED).with_source(error)
}

fn refuse_token(error: identity::TokenError) -> Fault {
    Fault::unauthenticated().with_source(error)
}
