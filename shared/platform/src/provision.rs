//! Keeps streams and durable consumers as the code declares them, for as long as the platform runs.
//!
//! What is not there is made. What is there is changed only where the declaration has changed since it was last applied,
//! which its metadata tell, and only in what is declared: whatever an operator or the server has set stays as it is.

mod declared;
mod kept;

pub use crate::ejection::AWAY;
use crate::events::ConsumerDeclaration;
use crate::nats::NatsConfig;
use async_nats::jetstream;
use declared::{Declared, away_stream, consumer, dead_letter_stream, event_stream};
use kept::Outcome;
use std::collections::BTreeSet;
use std::time::Duration;
use subjects::catalogue;
use tokio_util::sync::CancellationToken;

/// The stream that tells of the dead letters of all services.
pub const DEAD_LETTERS: &str = "DEAD_LETTERS";

/// How often all is looked over.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// The subject on which a handler's dead letters are told of: `dead_letter.<service>.<handler>`.
pub fn dead_letter_subject(service: &str, handler: &str) -> String {
    format!("dead_letter.{service}.{handler}")
}

/// Makes or mends every stream and consumer once. One that cannot be kept holds up no other.
///
/// # Errors
/// JetStream is away or refuses: the first of its refusals.
pub async fn provision(
    jetstream: &jetstream::Context,
    config: &NatsConfig,
    consumers: &[ConsumerDeclaration],
) -> anyhow::Result<()> {
    let mut declared: Vec<Declared> = catalogue::SERVICES.iter().map(|service| event_stream(config, service)).collect();
    declared.push(dead_letter_stream(config));
    declared.push(away_stream(config));
    let consumers: BTreeSet<&ConsumerDeclaration> = consumers.iter().collect();
    declared.extend(consumers.into_iter().map(consumer));
    let mut refused = None;
    for declared in &declared {
        match kept::keep(jetstream, declared).await {
            Ok(Outcome::AsDeclared) => {}
            Ok(Outcome::Made) => tracing::info!(name = declared.name, "made"),
            Ok(Outcome::Changed) => tracing::info!(name = declared.name, "changed to what is declared now"),
            Err(error) => {
                // Whoever is away does not answer for the others either.
                let is_away = kept::is_away(&error);
                refused.get_or_insert(error);
                if is_away {
                    break;
                }
            }
        }
    }
    refused.map_or(Ok(()), Err)
}

/// Looks all over every five seconds until shutdown, so that what JetStream has forgotten is there again.
pub async fn keep(
    jetstream: &jetstream::Context,
    config: &NatsConfig,
    consumers: &[ConsumerDeclaration],
    shutdown: CancellationToken,
) {
    let mut healthy = true;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
        let looked = tokio::select! {
            () = shutdown.cancelled() => return,
            looked = provision(jetstream, config, consumers) => looked,
        };
        match looked {
            Ok(()) if healthy => {}
            Ok(()) => {
                healthy = true;
                tracing::info!("streams and consumers are as declared again");
            }
            Err(error) => {
                if healthy {
                    tracing::warn!(error = format!("{error:#}"), "streams and consumers cannot be kept right now");
                }
                healthy = false;
            }
        }
    }
}
