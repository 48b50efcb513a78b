//! Events that nobody can read, put into the streams by a service gone mad: parked with their cause, later events of the
//! same aggregate behind them where order was asked for, all else flowing.

use super::Stage;
use anyhow::{Context as _, ensure};
use async_nats::HeaderMap;
use platform::nats::NatsConfig;
use std::time::{Duration, Instant};
use subjects::event;
use uuid::Uuid;

/// How long it may take until a poisoned event is parked.
const PATIENCE: Duration = Duration::from_secs(120);

/// A poisoned event.
struct Poison {
    /// Whose stream it goes into.
    source: &'static str,
    event_type: &'static str,
    spec_version: &'static str,
    body: &'static str,
}

const POISONS: [Poison; 4] = [
    Poison { source: "catalog", event_type: "inventory.changed", spec_version: "1.0", body: "not JSON {" },
    Poison { source: "booking", event_type: "booking.updated", spec_version: "1.0", body: "\u{0}\u{1}\u{2}" },
    Poison { source: "booking", event_type: "booking.updated", spec_version: "1.0", body: "{\"wrong\": \"shape\"}" },
    Poison { source: "booking", event_type: "booking.updated", spec_version: "7.0", body: "{}" },
];

/// Poisons an event of a stock that keeps moving, and some of bookings; then looks where they are.
///
/// # Errors
/// One of them is not parked, or more than what has to wait does.
pub async fn poison(stage: &Stage) -> anyhow::Result<()> {
    let fault = Instant::now();
    let written = stage.load.record().written();
    let stock = written.iter().rev().find(|write| write.event_type == "inventory.changed");
    let stock = stock.context("no stock has moved yet")?.aggregate_id;
    let mut ids = Vec::new();
    for poison in &POISONS {
        let aggregate = if poison.source == "catalog" { stock } else { Uuid::now_v7() };
        let id = Uuid::now_v7();
        stage.planned.spoiled(id);
        stage.planned.spoiled_aggregate(aggregate);
        publish(stage, poison, id, aggregate).await?;
        ids.push(id);
    }
    until_parked(stage, "profile", &ids, 3).await?;
    // One handler of the type and one in order, for each.
    until_parked(stage, "ledger", &ids, 8).await?;
    stage.report.say(format_args!(
        "{} events poisoned: parked after {:.1} s",
        ids.len(),
        fault.elapsed().as_secs_f64()
    ));
    until_some_wait_behind(stage, stock).await?;
    stage.until_normal("poisoned events", fault).await;
    stage.until_heard("all but what waits behind a poisoned event", fault).await?;

    for id in ids.iter().skip(1) {
        let dropped = stage.world.petpro(&["dlq", "drop", &id.to_string(), "--why", "poisoned on purpose"]).await?;
        stage.report.say(format_args!("petpro dlq drop {id}: {}", dropped.trim()));
    }
    let left = letters(stage, "profile", &ids).await?;
    ensure!(left == 0, "{left} dropped dead letters are still there");
    Ok(())
}

async fn publish(stage: &Stage, poison: &Poison, id: Uuid, aggregate: Uuid) -> anyhow::Result<()> {
    let host = &stage.world.host;
    let config: NatsConfig = host.settings.section("nats")?;
    let (nats, _signals) = platform::nats::connect(&config, poison.source, &host.keys, host.metrics.clone()).await?;
    let id_text = id.to_string();
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", id_text.as_str());
    headers.insert("content-type", "application/json");
    headers.insert("ce-specversion", poison.spec_version);
    headers.insert("ce-id", id_text.as_str());
    headers.insert("ce-type", poison.event_type);
    headers.insert("ce-source", format!("/services/{}", poison.source).as_str());
    headers.insert("ce-subject", aggregate.to_string().as_str());
    let subject = event::subject(poison.event_type, aggregate);
    // The connection ends with its last clone.
    let jetstream = platform::nats::jetstream(nats);
    let taken = jetstream.publish_with_headers(subject, headers, poison.body.into()).await?;
    taken.await.context("JetStream does not take a poisoned event")?;
    Ok(())
}

async fn letters(stage: &Stage, service: &str, ids: &[Uuid]) -> anyhow::Result<i64> {
    // The ledger's handlers in order take any JSON, and refuse what they cannot write down.
    let query = format!(
        "select count(*) from {service}.dead_letters where event_id = any($1) and reason in ('unreadable', 'refused')"
    );
    let mut database = stage.world.database().await?;
    Ok(sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(ids).fetch_one(&mut database).await?)
}

async fn until_parked(stage: &Stage, service: &str, ids: &[Uuid], expected: i64) -> anyhow::Result<()> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let parked = letters(stage, service, ids).await?;
        if parked == expected {
            return Ok(());
        }
        ensure!(Instant::now() < give_up, "{service} has parked {parked} of {expected} poisoned events");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The stock moves on; its later events are not lost and not handled, but behind the poisoned one.
async fn until_some_wait_behind(stage: &Stage, stock: Uuid) -> anyhow::Result<()> {
    let query = "select count(*) from ledger.dead_letters
        where handler = 'stock_in_order' and aggregate_id = $1 and reason = 'behind'";
    let give_up = Instant::now() + PATIENCE;
    loop {
        let mut database = stage.world.database().await?;
        let behind: i64 = sqlx::query_scalar(query).bind(stock).fetch_one(&mut database).await?;
        if behind > 0 {
            stage.report.say(format_args!("{behind} later events of the poisoned stock wait behind it"));
            return Ok(());
        }
        ensure!(Instant::now() < give_up, "no event of stock {stock} waits behind the poisoned one");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
