//! A service: its handlers, consumers and background tasks, as a list.

use crate::app::App;
use crate::background::{Background, Run};
use crate::codec::ContentType;
use crate::cx::Cx;
use crate::endpoint::Endpoint;
use crate::events::{ConsumerDeclaration, EventConsumer};
use crate::streams::{self, Feed, Leases, Watch};
use bytes::Bytes;
use std::sync::Arc;
use subjects::{Fault, Operation, Request, Stream};

/// A service under construction.
///
/// ```text
/// Service::new().on(bookings::create).on(bookings::cancel)
///     .consume(store::work("hours_updated", read_models::hours_updated))
///     .event_log()
/// ```
pub struct Service<A: App> {
    pub(crate) endpoints: Vec<Endpoint<A>>,
    pub(crate) consumers: Vec<EventConsumer<A>>,
    pub(crate) background: Vec<Background<A>>,
    pub(crate) publishes_events: bool,
    pub(crate) follows: Vec<Followed>,
    pub(crate) leases: Arc<Leases>,
}

impl<A: App> Default for Service<A> {
    fn default() -> Service<A> {
        Service::new()
    }
}

impl<A: App> Service<A> {
    /// A service that does nothing yet.
    pub fn new() -> Service<A> {
        Service {
            endpoints: Vec::new(),
            consumers: Vec::new(),
            background: Vec::new(),
            publishes_events: false,
            follows: Vec::new(),
            leases: Arc::default(),
        }
    }

    /// Answers the subject of the handler's request type, and its aliases.
    pub fn on<R, F, Fut>(self, handler: F) -> Service<A>
    where
        R: Request,
        F: Fn(Cx<A>, R) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R::Reply, R::Error>> + Send + 'static,
    {
        self.on_operation(Operation::of::<R>(A::NAME), handler)
    }

    /// Answers the subject of an operation rather than that of its request type: what several services are asked alike is
    /// asked of each at a subject of its own.
    pub fn on_operation<R, F, Fut>(mut self, operation: Operation, handler: F) -> Service<A>
    where
        R: Request,
        F: Fn(Cx<A>, R) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R::Reply, R::Error>> + Send + 'static,
    {
        self.endpoints.push(Endpoint::new(operation, handler));
        self
    }

    /// Answers the subject of the handler's stream type, and its aliases, with what there is and with each change of it,
    /// as the service's own events tell them. The handler is asked at every lease.
    pub fn stream<S, F, Fut>(mut self, handler: F) -> Service<A>
    where
        S: Stream,
        F: Fn(Cx<A>, S) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Watch<S::Item>, S::Error>> + Send + 'static,
    {
        let entity = S::SUBJECT.split('.').next().unwrap_or(S::SUBJECT);
        let feed = Feed::<S::Item>::new(entity);
        let leases = self.leases.clone();
        self.endpoints.push(streams::endpoint::<A, S, F, Fut>(handler, feed.clone(), leases.clone()));
        self.follows(A::NAME, entity).background("stream feed", move |run| {
            let (feed, leases) = (feed.clone(), leases.clone());
            async move { feed.follow(run, &leases).await }
        })
    }

    /// Reacts to durable events.
    pub fn consume(mut self, consumer: EventConsumer<A>) -> Service<A> {
        self.consumers.push(consumer);
        self
    }

    /// Runs beside the handlers. The task returns soon after [`Run::shutdown`].
    pub fn background<F, Fut>(mut self, name: &'static str, task: F) -> Service<A>
    where
        F: Fn(Run<A>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.background.push(Background { name, run: Arc::new(move |run| Box::pin(task(run))) });
        self
    }

    /// Says that the service has an outbox, so that it may publish its own events.
    pub fn publishes_events(mut self) -> Service<A> {
        self.publishes_events = true;
        self
    }

    /// Says that every replica follows the events of an `entity` of the service `source`, with
    /// [`Run::tail`](crate::Run::tail).
    pub fn follows(mut self, source: &'static str, entity: &'static str) -> Service<A> {
        self.follows.push(Followed { source, entity });
        self
    }

    /// Everything that can be asked of it, each with how the dispatcher reads it: a body is validated, and written again as
    /// it was understood. For tests of what may come from outside.
    ///
    /// # Errors
    /// The schema of a request is not valid.
    pub fn readers(&self) -> anyhow::Result<Vec<RequestReader<'_>>> {
        self.endpoints.iter().try_for_each(Endpoint::prepare)?;
        let readers = self.endpoints.iter().map(|endpoint| {
            let read = Box::new(|content_type, body: &[u8]| endpoint.reread(content_type, body));
            RequestReader { operation: endpoint.operation, read: read as _ }
        });
        Ok(readers.collect())
    }

    /// What permissions and provisioning need to know, without connecting to anything.
    pub fn declaration(&self) -> Declaration {
        Declaration {
            name: A::NAME,
            operations: self.endpoints.iter().map(|endpoint| endpoint.operation).collect(),
            calls: A::declared_calls(),
            consumers: self.consumers.iter().map(|consumer| consumer.declaration).collect(),
            publishes_events: self.publishes_events,
            follows: self.follows.clone(),
        }
    }
}

/// How a body is read, and written again.
pub type Read<'a> = dyn Fn(ContentType, &[u8]) -> Result<Bytes, Fault> + 'a;

/// How the requests of an operation are read.
pub struct RequestReader<'a> {
    /// The operation.
    pub operation: Operation,
    /// Reads a body, and writes it again as it was understood.
    pub read: Box<Read<'a>>,
}

/// What a service answers, calls and consumes.
#[derive(Debug, Clone)]
pub struct Declaration {
    /// The service's name.
    pub name: &'static str,
    /// What it answers.
    pub operations: Vec<Operation>,
    /// The subjects that it calls.
    pub calls: Vec<&'static str>,
    /// Its durable consumers.
    pub consumers: Vec<ConsumerDeclaration>,
    /// Whether it publishes events of its own.
    pub publishes_events: bool,
    /// The entities whose events each of its replicas follows.
    pub follows: Vec<Followed>,
}

/// An entity whose events every replica of a service hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Followed {
    /// The service whose events they are.
    pub source: &'static str,
    /// The entity: the first token of the events' types.
    pub entity: &'static str,
}
