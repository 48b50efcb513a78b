//! An audit: a stream is read from one end to the other, without bodies, and compared with the rows that are noted at it.

use super::places::Place;
use super::session::Session;
use super::stream::{self, Seen};
use crate::within::within;
use anyhow::{Context as _, ensure};
use async_nats::jetstream;
use async_nats::jetstream::consumer::push::Messages;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, push};
use futures::StreamExt as _;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// How many events of the stream are compared at a time.
const CHUNK: usize = 2_000;
/// How many rows are read at a time.
const ROWS: i64 = 5_000;
/// How many lost events are gathered at the most; the rest is found by reading on.
const MAX_LOST: usize = 100_000;
/// How long JetStream may be silent.
const SILENCE: Duration = Duration::from_secs(10);
const HEARTBEAT: Duration = Duration::from_secs(2);
/// After how long the server forgets a consumer that nobody listens to.
const INACTIVE: Duration = Duration::from_secs(5);

/// What an audit, or a part of one, has found.
#[derive(Debug, Default)]
pub(super) struct Examined {
    /// How many rows were compared.
    pub rows: u64,
    /// Rows whose events the stream does not have in their places.
    pub lost: Vec<Place>,
    /// The sequence at which it is to go on. None: all of the stream that was seen is compared.
    pub next: Option<i64>,
}

/// Compares all from a sequence on to the end of what was `seen`, or until `give_up` is over. What the stream's limits may
/// have dropped is not lost.
pub(super) async fn audit(
    session: &mut Session,
    jetstream: &jetstream::Context,
    seen: &Seen,
    from: i64,
    give_up: Option<Instant>,
) -> anyhow::Result<Examined> {
    let mut found = Examined::default();
    let mut next = from.max(1);
    if next < seen.first_sequence {
        let nothing = HashMap::new();
        next = found.compare(session, seen, next, seen.first_sequence - 1, &nothing, give_up).await?;
        if next < seen.first_sequence {
            found.next = Some(next);
            return Ok(found);
        }
    }
    if next > seen.last_sequence {
        return Ok(found);
    }
    let (mut messages, pending) = open(jetstream, seen, next).await?;
    let mut is_at_its_end = pending == 0;
    let mut heard = 0;
    while next <= seen.last_sequence {
        let mut chunk = HashMap::with_capacity(CHUNK);
        let mut last = next - 1;
        while chunk.len() < CHUNK && !is_at_its_end {
            let message = tokio::time::timeout(SILENCE, messages.next()).await.context("JetStream is silent")?;
            let message = message.context("the subscription ended")??;
            let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
            heard += 1;
            ensure!(info.consumer_sequence == heard, "events were missed");
            last = i64::try_from(info.stream_sequence)?;
            is_at_its_end = info.pending == 0 || last >= seen.last_sequence;
            chunk.insert(last, message.headers.as_ref().and_then(stream::event_id));
        }
        if is_at_its_end {
            last = seen.last_sequence;
        }
        next = found.compare(session, seen, next, last, &chunk, give_up).await?;
        if next <= last || found.is_to_pause(give_up) {
            found.next = Some(next).filter(|next| *next <= seen.last_sequence);
            break;
        }
    }
    Ok(found)
}

impl Examined {
    /// Compares the rows from `first` to `last` with what the stream has there, and answers where it is to go on: behind
    /// `last`, unless there is too much of it for once.
    async fn compare(
        &mut self,
        session: &mut Session,
        seen: &Seen,
        first: i64,
        last: i64,
        in_the_stream: &HashMap<i64, Option<Uuid>>,
        give_up: Option<Instant>,
    ) -> anyhow::Result<i64> {
        let mut next = first;
        loop {
            let rows = session.between(&seen.keeper, next, last, ROWS).await?;
            let is_last = i64::try_from(rows.len())? < ROWS;
            for place in &rows {
                next = place.sequence + 1;
                let is_there = in_the_stream.get(&place.sequence).is_some_and(|id| *id == Some(place.id));
                let is_dropped = place.sequence < seen.first_sequence && seen.may_have_dropped(place.published_at);
                if !is_there && !is_dropped {
                    self.lost.push(*place);
                }
            }
            self.rows += u64::try_from(rows.len())?;
            if is_last {
                return Ok(last + 1);
            }
            if self.is_to_pause(give_up) {
                return Ok(next);
            }
        }
    }

    fn is_to_pause(&self, give_up: Option<Instant>) -> bool {
        self.lost.len() >= MAX_LOST || give_up.is_some_and(|at| Instant::now() >= at)
    }
}

/// A consumer of its own, which is forgotten soon after. Also answers how many events it has to give.
async fn open(jetstream: &jetstream::Context, seen: &Seen, from: i64) -> anyhow::Result<(Messages, u64)> {
    let opening = async {
        let stream = jetstream.get_stream_no_info(&seen.keeper.stream).await?;
        let config = push::Config {
            deliver_subject: jetstream.client().new_inbox(),
            name: Some(format!("audit_{}", Uuid::now_v7().simple())),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: u64::try_from(from)? },
            ack_policy: AckPolicy::None,
            headers_only: true,
            idle_heartbeat: HEARTBEAT,
            flow_control: true,
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..push::Config::default()
        };
        let consumer = stream.create_consumer(config).await?;
        let pending = consumer.cached_info().num_pending;
        Ok::<_, anyhow::Error>((consumer.messages().await?, pending))
    };
    within(stream::TIMEOUT, opening, "reading the stream").await
}
