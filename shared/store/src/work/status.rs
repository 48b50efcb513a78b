//! How far consumers are.

use super::consume::OPEN_TIMEOUT;
use super::handler::Handler;
use crate::error::Error;
use crate::query::statement;
use crate::store::Store;
use crate::within::within;
use async_nats::jetstream::consumer::PullConsumer;
use chrono::{DateTime, Utc};
use futures::future::join_all;
use sea_orm::ConnectionTrait as _;
use std::collections::BTreeMap;
use std::time::Duration;
use subjects::ops::{ConsumerDelivery, ConsumerStatus, PausedConsumer};
use tokio::time::sleep;

/// Every consumer of this service, by the handler's name.
///
/// # Errors
/// The database's. That JetStream is away is told in the answer.
pub async fn consumers_status(store: &Store) -> Result<Vec<ConsumerStatus>, Error> {
    let mut paused = paused(store).await?;
    let dead_letters = dead_letters(store).await?;
    let handlers = store.inner().handlers.all();
    let deliveries = join_all(handlers.iter().map(delivery)).await;
    let statuses = handlers.iter().zip(deliveries).map(|(handler, delivery)| ConsumerStatus {
        handler: handler.name().to_owned(),
        source: handler.declaration.source.to_owned(),
        takes: handler.declaration.filter(),
        ordered: handler.declaration.ordered,
        paused: paused.remove(handler.name()),
        delivery,
        dead_letters: dead_letters.get(handler.name()).copied().unwrap_or_default(),
    });
    Ok(statuses.collect())
}

/// Shows how far the consumers are as metrics, for ever.
pub(super) async fn measure(store: &Store, every: Duration) {
    let metrics = &store.inner().metrics.consumers;
    loop {
        sleep(every.mul_f64(0.5 + rand::random::<f64>() / 2.0)).await;
        match consumers_status(store).await {
            Ok(statuses) => metrics.show(&statuses),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(service = store.inner().service, error, "consumers could not be measured");
            }
        }
    }
}

async fn delivery(handler: &Handler) -> Option<ConsumerDelivery> {
    let declaration = &handler.declaration;
    let asking = handler.jetstream.get_consumer_from_stream(declaration.durable_name(), declaration.stream());
    let consumer: PullConsumer = within(OPEN_TIMEOUT, asking, "looking at the consumer").await.ok()?;
    let info = consumer.cached_info();
    let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    Some(ConsumerDelivery {
        pending: info.num_pending,
        ack_pending: number(info.num_ack_pending),
        redelivered: number(info.num_redelivered),
        waiting: number(info.num_waiting),
    })
}

async fn paused(store: &Store) -> Result<BTreeMap<String, PausedConsumer>, Error> {
    let sql = "select handler, paused_at, reason from paused_handlers";
    let mut paused = BTreeMap::new();
    for row in store.read().query_all_raw(statement(sql, Vec::new())).await? {
        let paused_at: DateTime<Utc> = row.try_get("", "paused_at")?;
        paused.insert(row.try_get("", "handler")?, PausedConsumer { paused_at, reason: row.try_get("", "reason")? });
    }
    Ok(paused)
}

async fn dead_letters(store: &Store) -> Result<BTreeMap<String, i64>, Error> {
    let sql = "select handler, count(*) as letters from dead_letters group by handler";
    let mut counts = BTreeMap::new();
    for row in store.read().query_all_raw(statement(sql, Vec::new())).await? {
        counts.insert(row.try_get("", "handler")?, row.try_get("", "letters")?);
    }
    Ok(counts)
}
