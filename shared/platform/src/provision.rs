//! Keeps streams and durable consumers as the code declares them, for as long as the platform runs.

use crate::events::ConsumerDeclaration;
use crate::nats::NatsConfig;
use anyhow::Context as _;
use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType};
use std::collections::BTreeSet;
use std::time::Duration;
use subjects::catalogue;
use subjects::event::stream_name;
use tokio_util::sync::CancellationToken;

/// How long events are kept in JetStream.
const STREAM_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
/// In which time a message id that comes again is not stored again.
const DUPLICATE_WINDOW: Duration = Duration::from_secs(120);
/// How long a consumer may take for an event before it is given out again.
const ACK_WAIT: Duration = Duration::from_secs(30);
/// How many events a consumer may have out at a time.
const MAX_ACK_PENDING: i64 = 256;
/// How often all is looked over.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Makes or mends every stream and consumer once.
///
/// # Errors
/// JetStream is away or refuses.
pub async fn provision(
    jetstream: &jetstream::Context,
    config: &NatsConfig,
    consumers: &[ConsumerDeclaration],
) -> anyhow::Result<()> {
    for service in catalogue::SERVICES {
        keep_stream(jetstream, config, service).await?;
    }
    let declared: BTreeSet<&ConsumerDeclaration> = consumers.iter().collect();
    for consumer in declared {
        keep_consumer(jetstream, consumer).await?;
    }
    Ok(())
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

async fn keep_stream(jetstream: &jetstream::Context, nats: &NatsConfig, service: &str) -> anyhow::Result<()> {
    let name = stream_name(service);
    let config = Config {
        name: name.clone(),
        description: Some(format!("Events of the {service} service")),
        subjects: catalogue::stream_subjects(service),
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        max_age: STREAM_MAX_AGE,
        max_bytes: nats.stream_bytes,
        duplicate_window: DUPLICATE_WINDOW,
        num_replicas: nats.replicas,
        allow_direct: true,
        ..Config::default()
    };
    jetstream.create_or_update_stream(config).await.with_context(|| format!("stream {name}"))?;
    Ok(())
}

async fn keep_consumer(jetstream: &jetstream::Context, declaration: &ConsumerDeclaration) -> anyhow::Result<()> {
    let durable = declaration.durable_name();
    let config = pull::Config {
        durable_name: Some(durable.clone()),
        description: Some(format!("{} in {}", declaration.handler, declaration.service)),
        filter_subject: declaration.filter(),
        deliver_policy: DeliverPolicy::All,
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        max_ack_pending: MAX_ACK_PENDING,
        // Until dead letters exist, events are given out without end.
        max_deliver: -1,
        ..pull::Config::default()
    };
    jetstream
        .create_consumer_on_stream(config, declaration.stream())
        .await
        .with_context(|| format!("consumer {durable}"))?;
    Ok(())
}
