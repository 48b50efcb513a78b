//! Three ways to give events to JetStream, all with headers and bodies as the relay's.

use crate::load::percentile;
use anyhow::{Context as _, ensure};
use async_nats::jetstream::{self, publish::PublishAck};
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use futures::future::try_join_all;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// How many events the relay has under way at a time.
const BATCH: usize = 256;
/// About the size of a booking's event.
const BODY_BYTES: usize = 500;
/// How long JetStream may take for one event or one batch.
const TIMEOUT: Duration = Duration::from_secs(30);

/// How events are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// The next one when the last one is acknowledged.
    OneByOne,
    /// A batch at once, the next batch when all of it is acknowledged: as the relay does.
    Pipelined,
    /// A batch that is stored as a whole or not at all, and acknowledged once (ADR-50).
    Atomic,
}

/// What came of it.
pub struct Published {
    /// Acknowledged events.
    pub per_second: f64,
    /// From sending an event until its acknowledgement, or that of its batch.
    pub p50: Duration,
    /// Likewise.
    pub p99: Duration,
    /// Likewise.
    pub longest: Duration,
}

impl Way {
    /// All of them, in the order of the table.
    pub const ALL: [Way; 3] = [Way::OneByOne, Way::Pipelined, Way::Atomic];

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Way::OneByOne => "one by one",
            Way::Pipelined => "256 in flight",
            Way::Atomic => "atomic batches of 256",
        }
    }

    /// Publishes for so long.
    ///
    /// # Errors
    /// JetStream does not take an event.
    pub async fn publish(
        self,
        client: &Client,
        jetstream: &jetstream::Context,
        length: Duration,
    ) -> anyhow::Result<Published> {
        let body = Bytes::from(format!("{{\"filling\":\"{}\"}}", "x".repeat(BODY_BYTES)));
        let started = Instant::now();
        let mut latencies = Vec::new();
        while started.elapsed() < length {
            match self {
                Way::OneByOne => latencies.push(one(jetstream, &body).await?),
                Way::Pipelined => {
                    latencies.extend(try_join_all((0..BATCH).map(|_| one(jetstream, &body))).await?);
                }
                Way::Atomic => latencies.extend(atomic_batch(client, &body).await?),
            }
        }
        let per_second = latencies.len() as f64 / started.elapsed().as_secs_f64();
        latencies.sort_unstable();
        Ok(Published {
            per_second,
            p50: percentile(&latencies, 50.0),
            p99: percentile(&latencies, 99.0),
            longest: latencies.last().copied().unwrap_or_default(),
        })
    }
}

async fn one(jetstream: &jetstream::Context, body: &Bytes) -> anyhow::Result<Duration> {
    let (subject, headers) = event();
    let sent_at = Instant::now();
    let acknowledged = async { jetstream.publish_with_headers(subject, headers, body.clone()).await?.await };
    tokio::time::timeout(TIMEOUT, acknowledged).await.context("an event is not acknowledged")??;
    Ok(sent_at.elapsed())
}

/// Only the last message of a batch is answered. What would be wrong with an earlier one shows there too.
async fn atomic_batch(client: &Client, body: &Bytes) -> anyhow::Result<Vec<Duration>> {
    let batch = Uuid::now_v7().simple().to_string();
    let mut sent_at = Vec::with_capacity(BATCH);
    for place in 1..BATCH {
        let (subject, mut headers) = event();
        headers.insert("Nats-Batch-Id", batch.as_str());
        headers.insert("Nats-Batch-Sequence", place.to_string());
        sent_at.push(Instant::now());
        client.publish_with_headers(subject, headers, body.clone()).await?;
    }
    let (subject, mut headers) = event();
    headers.insert("Nats-Batch-Id", batch.as_str());
    headers.insert("Nats-Batch-Sequence", BATCH.to_string());
    headers.insert("Nats-Batch-Commit", "1");
    sent_at.push(Instant::now());
    let committing = client.request_with_headers(subject, headers, body.clone());
    let answer = tokio::time::timeout(TIMEOUT, committing).await.context("a batch is not acknowledged")??;
    let text = String::from_utf8_lossy(&answer.payload).into_owned();
    let taken: jetstream::response::Response<PublishAck> =
        serde_json::from_slice(&answer.payload).with_context(|| format!("a batch is answered with {text}"))?;
    ensure!(matches!(taken, jetstream::response::Response::Ok(_)), "a batch is refused: {text}");
    Ok(sent_at.into_iter().map(|sent_at| sent_at.elapsed()).collect())
}

/// Where an event goes, and the headers that the relay gives it.
fn event() -> (String, HeaderMap) {
    let id = Uuid::now_v7().to_string();
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Msg-Id", id.as_str());
    headers.insert("content-type", "application/json");
    headers.insert("ce-specversion", "1.0");
    headers.insert("ce-id", id.as_str());
    headers.insert("ce-type", "measured.told");
    headers.insert("ce-source", "/services/measured");
    headers.insert("ce-subject", id.as_str());
    headers.insert("ce-time", "2026-01-01T00:00:00.000000Z");
    headers.insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    headers.insert("x-correlation-id", id.as_str());
    ("event.measured.told.17".to_owned(), headers)
}
