//! What those who run the platform ask every service that keeps an event log: how its outbox, its consumers and its read
//! models are, what became of an event, and what to do about it.
//!
//! Each question is declared once and asked of each service under a subject of its own: where [`Request::SUBJECT`] of a
//! type here has a `*`, the subject has the service's name. `ops.booking.outboxStatus` is [`FindOutboxStatus`] to the
//! booking service.

mod consumers;
mod dead_letters;
mod error;
mod events;
mod outbox;
mod read_models;
#[cfg(test)]
mod tests;

pub use consumers::{ConsumerDelivery, ConsumerStatus, FindConsumers, PauseConsumer, PausedConsumer, ResumeConsumer};
pub use dead_letters::{
    DeadLetter, DeadLetterDetails, DeadLetterReason, DropDeadLetters, DropOutcome, FailedReplay, FindDeadLetter,
    FindDeadLetters, ReplayDeadLetters, ReplayOutcome,
};
pub use error::OpsError;
pub use events::{
    EventDetails, EventEffects, FindEvent, FindEventEffects, FindLineage, HandledEvent, Lineage, ToldEvent,
};
pub use outbox::{FindOutboxStatus, OutboxDay, OutboxStatus, RefillMode, RefillOutbox, RefillOutcome, StreamStatus};
pub use read_models::{FindReadModels, ReadModelStatus, RebuildOutcome, RebuildReadModel};

use crate::operation::Operation;
use crate::request::Request;

/// The subject of a question to a service: the `*` of its pattern is the service's name.
pub fn subject_of<R: Request>(service: &str) -> String {
    R::SUBJECT.replace('*', service)
}

/// The operations of each service that keeps an event log.
macro_rules! operations {
    ($( $service:literal ),+ $(,)?) => {
        /// Every operation for operators, of every service.
        pub const OPERATIONS: &[Operation] = &[ $(
            Operation::of::<FindOutboxStatus>($service).at(concat!("ops.", $service, ".outboxStatus")),
            Operation::of::<RefillOutbox>($service).at(concat!("ops.", $service, ".outboxRefill")),
            Operation::of::<FindEvent>($service).at(concat!("ops.", $service, ".eventFind")),
            Operation::of::<FindEventEffects>($service).at(concat!("ops.", $service, ".eventEffects")),
            Operation::of::<FindLineage>($service).at(concat!("ops.", $service, ".lineage")),
            Operation::of::<FindDeadLetters>($service).at(concat!("ops.", $service, ".deadLetterFindAll")),
            Operation::of::<FindDeadLetter>($service).at(concat!("ops.", $service, ".deadLetterFindOne")),
            Operation::of::<ReplayDeadLetters>($service).at(concat!("ops.", $service, ".deadLetterReplay")),
            Operation::of::<DropDeadLetters>($service).at(concat!("ops.", $service, ".deadLetterDrop")),
            Operation::of::<FindConsumers>($service).at(concat!("ops.", $service, ".consumerFindAll")),
            Operation::of::<PauseConsumer>($service).at(concat!("ops.", $service, ".consumerPause")),
            Operation::of::<ResumeConsumer>($service).at(concat!("ops.", $service, ".consumerResume")),
            Operation::of::<FindReadModels>($service).at(concat!("ops.", $service, ".readModelFindAll")),
            Operation::of::<RebuildReadModel>($service).at(concat!("ops.", $service, ".readModelRebuild")),
        )+ ];
    };
}

operations!("auth", "profile", "vendor", "booking", "catalog");
