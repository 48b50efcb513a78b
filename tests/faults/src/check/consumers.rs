//! Who consumes what: the durable consumers of the platform and of the ledger.

use platform::ConsumerDeclaration;

/// A consumer as the database shows it.
#[derive(Debug, Clone)]
pub struct Consumer {
    /// `<service>_<handler>`.
    pub name: String,
    /// The schema of its inbox.
    pub service: &'static str,
    /// Its name there.
    pub handler: &'static str,
    /// The schema of the outbox.
    pub source: &'static str,
    /// The types of events that it takes.
    pub event_types: Vec<String>,
    /// Events of an aggregate come in their order.
    pub ordered: bool,
}

/// All of them.
pub fn all() -> Vec<Consumer> {
    petpro::services::consumers().into_iter().map(Consumer::of).collect()
}

impl Consumer {
    fn of(declaration: ConsumerDeclaration) -> Consumer {
        Consumer {
            name: declaration.durable_name(),
            service: declaration.service,
            handler: declaration.handler,
            source: declaration.source,
            event_types: declaration.event_types().into_iter().map(str::to_owned).collect(),
            ordered: declaration.ordered,
        }
    }
}
