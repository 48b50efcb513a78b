//! Event consumers as a service declares them.

use crate::app::App;
use crate::background::Run;
use futures::future::BoxFuture;
use std::sync::Arc;

/// A durable consumer, as `provision` keeps it: one per service and handler, shared by the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsumerDeclaration {
    /// The service that consumes.
    pub service: &'static str,
    /// The handler's name, unique in its service.
    pub handler: &'static str,
    /// The service whose stream it reads.
    pub source: &'static str,
    /// The type of event that it takes.
    pub event_type: &'static str,
}

impl ConsumerDeclaration {
    /// The durable's name: `<service>_<handler>`.
    pub fn durable_name(&self) -> String {
        format!("{}_{}", self.service, self.handler)
    }

    /// The stream that it reads.
    pub fn stream(&self) -> String {
        subjects::event::stream_name(self.source)
    }

    /// The subjects that it takes.
    pub fn filter(&self) -> String {
        subjects::event::type_filter(self.event_type)
    }
}

/// A consumer with its code: the declaration, and the loop that runs until shutdown.
pub struct EventConsumer<A: App> {
    /// What `provision` keeps and permissions allow.
    pub declaration: ConsumerDeclaration,
    /// The loop.
    pub run: ConsumerLoop<A>,
}

/// A consumer's loop: runs until [`Run::shutdown`] and has then finished what it had begun.
pub type ConsumerLoop<A> = Arc<dyn Fn(Run<A>) -> BoxFuture<'static, ()> + Send + Sync>;
