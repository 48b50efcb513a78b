//! Event consumers as a service declares them.

use crate::app::App;
use crate::background::Run;
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use subjects::{EventType, catalogue, event};

/// How often a handler is tried with an event at the most, unless its consumer says otherwise.
const ATTEMPTS: u32 = 8;

/// Which events of its source a consumer takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Takes {
    /// Those of one type, for example `booking.created`.
    Type(&'static str),
    /// All those of an entity, for example `booking`.
    Entity(&'static str),
}

/// A durable consumer, as `provision` keeps it: one per service and handler, shared by the replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConsumerDeclaration {
    /// The service that consumes.
    pub service: &'static str,
    /// The handler's name, unique in its service.
    pub handler: &'static str,
    /// The service whose stream it reads.
    pub source: &'static str,
    /// What it takes of it.
    pub takes: Takes,
    /// Whether the events of an aggregate are handled one after the other, in their order. One replica at a time is then
    /// given events.
    pub ordered: bool,
}

impl ConsumerDeclaration {
    /// The group of pull requests in which JetStream pins one replica of an ordered consumer.
    pub const ORDERED_GROUP: &'static str = "ordered";

    /// The durable's name: `<service>_<handler>`.
    pub fn durable_name(&self) -> String {
        format!("{}_{}", self.service, self.handler)
    }

    /// The stream that it reads.
    pub fn stream(&self) -> String {
        event::stream_name(self.source)
    }

    /// The subjects that it takes.
    pub fn filter(&self) -> String {
        match self.takes {
            Takes::Type(event_type) => event::type_filter(event_type),
            Takes::Entity(entity) => event::entity_filter(entity),
        }
    }

    /// The event types that it takes, as far as the contract has them.
    pub fn event_types(&self) -> Vec<&'static str> {
        match self.takes {
            Takes::Type(event_type) => vec![event_type],
            Takes::Entity(entity) => {
                let is_taken = |event: &&EventType| event.service == self.source && event.entity() == entity;
                catalogue::events().filter(is_taken).map(|event| event.event_type).collect()
            }
        }
    }

    /// How long it may take for an event before JetStream gives it out again. An ordered one says that it is still at work
    /// more often: whoever takes over from a replica that is gone waits for so long.
    pub const fn ack_wait(&self) -> Duration {
        if self.ordered { Duration::from_secs(15) } else { Duration::from_secs(30) }
    }
}

/// What a consumer is given beside its [`Run`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConsumerSettings {
    /// How often its handler is tried with an event at the most before that becomes a dead letter.
    pub attempts: u32,
    /// Whether each event is handled in a transaction of its own.
    pub one_by_one: bool,
}

impl Default for ConsumerSettings {
    fn default() -> ConsumerSettings {
        ConsumerSettings { attempts: ATTEMPTS, one_by_one: false }
    }
}

/// A consumer with its code: the declaration, and the loop that runs until shutdown.
pub struct EventConsumer<A: App> {
    /// What `provision` keeps and permissions allow.
    pub declaration: ConsumerDeclaration,
    /// What the loop is given.
    pub settings: ConsumerSettings,
    /// The loop.
    pub run: ConsumerLoop<A>,
}

impl<A: App> EventConsumer<A> {
    /// The same consumer, whose handler is tried with an event so often at the most: at least once.
    #[must_use]
    pub fn attempts(mut self, attempts: u32) -> EventConsumer<A> {
        self.settings.attempts = attempts.max(1);
        self
    }

    /// The same consumer, each of whose events is handled in a transaction of its own: its handler locks more than the
    /// rows of the event's aggregate, so that two transactions of many events could wait for each other.
    #[must_use]
    pub fn one_by_one(mut self) -> EventConsumer<A> {
        self.settings.one_by_one = true;
        self
    }

    /// The consumer as a background task.
    pub(crate) fn into_task(self) -> Arc<dyn Fn(Run<A>) -> BoxFuture<'static, ()> + Send + Sync> {
        let EventConsumer { settings, run: consume, .. } = self;
        Arc::new(move |run| consume(run, settings))
    }
}

/// A consumer's loop: runs until [`Run::shutdown`] and has then finished what it had begun.
pub type ConsumerLoop<A> = Arc<dyn Fn(Run<A>, ConsumerSettings) -> BoxFuture<'static, ()> + Send + Sync>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_consumer_of_an_entity_takes_all_that_the_contract_tells_of_it() {
        let declaration = ConsumerDeclaration {
            service: "profile",
            handler: "bookings",
            source: "booking",
            takes: Takes::Entity("booking"),
            ordered: true,
        };
        assert_eq!(declaration.filter(), "event.booking.>");
        let types = declaration.event_types();
        assert!(types.contains(&"booking.created") && types.contains(&"booking.cancelled"), "{types:?}");
        assert!(types.iter().all(|event_type| event_type.starts_with("booking.")), "{types:?}");
        let of_type = ConsumerDeclaration { takes: Takes::Type("booking.created"), ..declaration };
        assert_eq!(of_type.event_types(), ["booking.created"]);
        assert_eq!(of_type.filter(), "event.booking.created.*");
    }
}
