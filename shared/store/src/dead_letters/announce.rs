//! Tells the stream `DEAD_LETTERS` of dead letters, and again where it has forgotten them.
//!
//! Every replica does it. Where two tell of the same one, it has the same message id.

use super::announcement::Announcement;
use super::letter::{COLUMNS, Letter};
use crate::query::statement;
use crate::store::Store;
use crate::within::within;
use anyhow::{Context as _, ensure};
use async_nats::connection::State;
use async_nats::jetstream;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use chrono::{DateTime, Utc};
use platform::provision::DEAD_LETTERS;
use sea_orm::ConnectionTrait as _;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often it is looked without having been told that there is one.
const POLL: Duration = Duration::from_secs(2);
/// How often it is looked whether the stream is still the same.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How many are told of before it is looked again.
const BATCH: i64 = 32;
/// How long JetStream may take.
const TIMEOUT: Duration = Duration::from_secs(6);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_secs(2);

const FORGOTTEN: &str = "\
    update dead_letters set announced_at = null, announced_incarnation = null
    where announced_at is not null and announced_incarnation <> $1";

const NOTE: &str = "\
    update dead_letters set announced_at = clock_timestamp(), announced_incarnation = $3
    where handler = $1 and event_id = $2";

/// For ever.
pub(crate) async fn announce(store: &Store, jetstream: &jetstream::Context) {
    let mut announcer = Announcer { store, jetstream, incarnation: None };
    let mut is_healthy = true;
    loop {
        match announcer.round().await {
            Ok(true) => is_healthy = true,
            Ok(false) => {
                is_healthy = true;
                tokio::select! {
                    () = store.inner().handlers.parked.notified() => {}
                    () = sleep(POLL.mul_f64(0.5 + rand::random::<f64>() / 2.0)) => {}
                }
            }
            Err(error) => {
                let (service, error) = (store.inner().service, format!("{error:#}"));
                if is_healthy {
                    tracing::warn!(service, error, "dead letters cannot be told of right now, trying again");
                } else {
                    tracing::debug!(service, error, "dead letters cannot be told of yet");
                }
                is_healthy = false;
                sleep(PAUSE).await;
            }
        }
    }
}

struct Announcer<'a> {
    store: &'a Store,
    jetstream: &'a jetstream::Context,
    /// Of the stream, and when it was looked at.
    incarnation: Option<(DateTime<Utc>, Instant)>,
}

impl Announcer<'_> {
    /// Whether there may be more.
    async fn round(&mut self) -> anyhow::Result<bool> {
        if !self.has_any().await? {
            return Ok(false);
        }
        let incarnation = self.look().await?;
        let letters = self.unannounced().await?;
        let mut failure = None;
        for letter in &letters {
            match self.tell(letter).await {
                Ok(()) => self.note(letter, incarnation).await?,
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(i64::try_from(letters.len()).is_ok_and(|count| count == BATCH)),
        }
    }

    async fn has_any(&self) -> anyhow::Result<bool> {
        let asking = statement("select from dead_letters limit 1", Vec::new());
        Ok(self.store.read().query_one_raw(asking).await?.is_some())
    }

    /// When the stream was made. What another one was told, this one does not know.
    async fn look(&mut self) -> anyhow::Result<DateTime<Utc>> {
        if let Some((incarnation, looked_at)) = self.incarnation
            && looked_at.elapsed() < LOOK_EVERY
        {
            return Ok(incarnation);
        }
        // A request would be kept for later, and block once there are many.
        ensure!(self.jetstream.client().connection_state() == State::Connected, "NATS is away");
        let stream = within(TIMEOUT, self.jetstream.get_stream(DEAD_LETTERS), "looking at the dead letters").await?;
        let created = stream.cached_info().created;
        let incarnation = DateTime::from_timestamp(created.unix_timestamp(), created.nanosecond())
            .context("the stream's time of creation cannot be read")?;
        // Postgres keeps microseconds.
        let incarnation = chrono::SubsecRound::trunc_subsecs(incarnation, 6);
        if self.incarnation.is_none_or(|(known, _)| known != incarnation) {
            self.store.read().execute_raw(statement(FORGOTTEN, vec![incarnation.into()])).await?;
        }
        self.incarnation = Some((incarnation, Instant::now()));
        Ok(incarnation)
    }

    async fn unannounced(&self) -> anyhow::Result<Vec<Letter>> {
        let sql = format!("select {COLUMNS} from dead_letters where announced_at is null order by parked_at limit $1");
        let rows = self.store.read().query_all_raw(statement(&sql, vec![BATCH.into()])).await?;
        Ok(rows.iter().map(Letter::read).collect::<Result<_, _>>()?)
    }

    async fn tell(&self, letter: &Letter) -> anyhow::Result<()> {
        let service = self.store.inner().service;
        match self.publish(Announcement::whole(service, letter)).await {
            Err(error) if is_too_large(&error) => self.publish(Announcement::short(service, letter)).await,
            told => told,
        }
    }

    async fn publish(&self, announcement: Announcement) -> anyhow::Result<()> {
        ensure!(self.jetstream.client().connection_state() == State::Connected, "NATS is away");
        let Announcement { subject, headers, body } = announcement;
        let sending = self.jetstream.publish_with_headers(subject, headers, body);
        let sent = within(TIMEOUT, sending, "telling of a dead letter").await?;
        within(TIMEOUT, sent.into_future(), "JetStream did not take a dead letter").await?;
        Ok(())
    }

    async fn note(&self, letter: &Letter, incarnation: DateTime<Utc>) -> anyhow::Result<()> {
        let values = vec![letter.handler.as_str().into(), letter.event_id.into(), incarnation.into()];
        self.store.read().execute_raw(statement(NOTE, values)).await?;
        Ok(())
    }
}

fn is_too_large(error: &anyhow::Error) -> bool {
    error.downcast_ref::<PublishError>().is_some_and(|error| error.kind() == PublishErrorKind::MaxPayloadExceeded)
}
