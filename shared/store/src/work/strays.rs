//! Events that the NATS client cannot take: their headers are not text, or look like a message of the server. The client
//! gives up its connection over the first and passes over the others, so that no consumer ever sees them.
//!
//! They are found by what they leave behind: JetStream waits for them again and again while nobody works on them. Then
//! they are read in another way and parked.

use super::answer::delivery_subject;
use super::consume::{Consumer, OPEN_TIMEOUT};
use super::incoming::{Incoming, Place};
use super::one::{self, Ending};
use crate::store::Store;
use crate::within::within;
use anyhow::Context as _;
use async_nats::HeaderMap;
use async_nats::header::{HeaderName, HeaderValue};
use async_nats::jetstream::consumer::{Info, PullConsumer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::HashMap;
use std::str::FromStr as _;
use std::time::Duration;
use subjects::ops::DeadLetterReason;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How many events are looked at in one go.
const AT_A_TIME: usize = 64;
const ERROR: &str = "the headers are not what headers can be, so that no client takes the event";

/// Looks every so often, for ever.
pub(super) async fn find(store: &Store, shutdown: &CancellationToken, every: Duration) {
    let mut floors: HashMap<&'static str, u64> = HashMap::new();
    loop {
        sleep(every).await;
        for handler in store.inner().handlers.all() {
            let name = handler.name();
            let consumer = Consumer::new(store.clone(), handler, shutdown.clone());
            match look(&consumer, floors.get(name).copied()).await {
                Ok(Some(floor)) => floors.insert(name, floor),
                Ok(None) => floors.remove(name),
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::debug!(handler = name, error, "it could not be looked for events that nobody takes");
                    None
                }
            };
        }
    }
}

/// Answers up to where all is dealt with, where something after it has come again already. Where that has been so before,
/// what comes after it is looked at.
async fn look(consumer: &Consumer, floor_before: Option<u64>) -> anyhow::Result<Option<u64>> {
    let declaration = &consumer.handler.declaration;
    let asking = consumer.handler.jetstream.get_consumer_from_stream(declaration.durable_name(), declaration.stream());
    let found: PullConsumer = within(OPEN_TIMEOUT, asking, "looking at the consumer").await?;
    let info = found.cached_info();
    let floor = info.ack_floor.stream_sequence;
    if info.num_ack_pending == 0 || info.num_redelivered == 0 {
        return Ok(None);
    }
    if floor_before == Some(floor) {
        park_strays(consumer, info).await?;
    }
    Ok(Some(floor))
}

async fn park_strays(consumer: &Consumer, info: &Info) -> anyhow::Result<()> {
    let jetstream = &consumer.handler.jetstream;
    let stream = &info.stream_name;
    let created =
        within(OPEN_TIMEOUT, jetstream.get_stream(stream), "looking at the stream").await?.cached_info().created;
    let incarnation =
        DateTime::from_timestamp(created.unix_timestamp(), created.nanosecond()).context("created when")?;
    let mut sequence = info.ack_floor.stream_sequence + 1;
    for _ in 0..AT_A_TIME {
        let Some(kept) = next_kept(consumer, stream, sequence).await? else { return Ok(()) };
        if kept.seq > info.delivered.stream_sequence {
            return Ok(());
        }
        sequence = kept.seq + 1;
        let headers = STANDARD.decode(kept.hdrs.as_deref().unwrap_or_default())?;
        if headers.is_empty() || is_taken(&headers) {
            continue;
        }
        let place = Place { stream: stream.as_str().into(), incarnation, sequence: i64::try_from(kept.seq)? };
        let body = STANDARD.decode(kept.data.as_deref().unwrap_or_default())?;
        let incoming = Incoming::new(place, kept.time, kept.subject, legible(&headers), body.into());
        let parked = one::park(consumer, &incoming, DeadLetterReason::Unreadable, ERROR, 1).await;
        if matches!(parked, Ending::Parked) {
            let answer = delivery_subject(&consumer.handler.declaration, kept.seq, 1);
            let _told: async_nats::Message =
                within(OPEN_TIMEOUT, jetstream.client().request(answer, "+TERM".into()), "ending its delivery").await?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Kept {
    subject: String,
    seq: u64,
    hdrs: Option<String>,
    data: Option<String>,
    time: DateTime<Utc>,
}

/// The event at this place, or the next one that the consumer takes.
async fn next_kept(consumer: &Consumer, stream: &str, sequence: u64) -> anyhow::Result<Option<Kept>> {
    #[derive(Deserialize)]
    struct Answer {
        message: Option<Kept>,
    }
    let request = serde_json::json!({ "seq": sequence, "next_by_subj": consumer.handler.declaration.filter() });
    let asking = consumer.handler.jetstream.request(format!("STREAM.MSG.GET.{stream}"), &request);
    let answer: Answer = within(OPEN_TIMEOUT, asking, "reading the stream").await?;
    Ok(answer.message)
}

/// Whether the client takes a message with these headers as one.
fn is_taken(headers: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(headers) else { return false };
    let mut lines = text.lines();
    if lines.next().map(str::trim) != Some("NATS/1.0") {
        return false;
    }
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(char::is_whitespace))
        .all(|line| line.split_once(':').is_some_and(|(name, _)| HeaderName::from_str(name).is_ok()))
}

/// What can be read of them.
fn legible(headers: &[u8]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for line in String::from_utf8_lossy(headers).lines().skip(1) {
        let Some((name, value)) = line.split_once(':') else { continue };
        if let (Ok(name), Ok(value)) = (HeaderName::from_str(name), HeaderValue::from_str(value.trim())) {
            map.append(name, value);
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::mangled::check_reading;

    #[test]
    fn headers_are_read_as_far_as_they_can_be() {
        let samples = [&b"NATS/1.0\r\nce-id: 1\r\nce-id: 2\r\nname: a: b\r\n\r\n"[..], b"NATS/1.0\r\n\r\n"];
        let write = |headers: &HeaderMap| {
            let values = |(name, values): (&HeaderName, &Vec<HeaderValue>)| {
                values.iter().map(|value| format!("{name}: {value}\r\n")).collect::<String>()
            };
            format!("NATS/1.0\r\n{}\r\n", headers.iter().map(values).collect::<String>()).into_bytes()
        };
        let read = |headers: &[u8]| {
            let read = legible(headers);
            is_taken(headers).then_some(read)
        };
        check_reading(&samples.map(<[u8]>::to_vec), read, write);
    }

    #[test]
    fn what_the_client_does_not_take_is_known() {
        assert!(is_taken(b"NATS/1.0\r\nce-id: 1\r\n\r\n"));
        for strange in [
            &b"NATS/1.0\r\nce-id: \xff\xfe\r\n\r\n"[..],
            b"NATS/1.0 503\r\n\r\n",
            b"NATS/1.0 100 Idle Heartbeat\r\nce-id: 1\r\n\r\n",
            b"NATS/1.0\r\nno colon\r\n\r\n",
            b"HTTP/1.1\r\na: b\r\n\r\n",
        ] {
            assert!(!is_taken(strange), "{strange:?}");
        }
        let legible = legible(b"NATS/1.0\r\nce-id: 1\r\nname: \xff\r\n\r\n");
        assert_eq!(legible.get("ce-id").map(|value| value.as_str()), Some("1"));
        assert_eq!(legible.get("name").map(|value| value.as_str()), Some("\u{fffd}"));
    }
}
