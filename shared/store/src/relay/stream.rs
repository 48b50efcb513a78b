//! The service's stream, as the relay sees it.

use super::places::Keeper;
use crate::within::within;
use anyhow::{Context as _, ensure};
use async_nats::connection::State;
use async_nats::jetstream::stream::{Info, RawMessageErrorKind};
use async_nats::{HeaderMap, jetstream};
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use subjects::event;
use tokio::time::Instant;
use uuid::Uuid;

/// How long JetStream may take to answer.
pub(super) const TIMEOUT: Duration = Duration::from_secs(6);
/// How long it is believed that the stream is still as it was seen, before something is published; it is looked at again
/// before that is noted.
const HOLDS: Duration = Duration::from_secs(5);
/// By which JetStream knows an event that comes again.
pub(super) const MESSAGE_ID: &str = "Nats-Msg-Id";
/// A stream that has dropped its oldest event for its size has less room left than the largest message needs.
const LARGEST_MESSAGE: u64 = 2 << 20;
/// How far the clocks of JetStream and Postgres may be apart.
const CLOCKS: TimeDelta = TimeDelta::minutes(1);

/// A stream at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub keeper: Keeper,
    pub first_sequence: i64,
    pub last_sequence: i64,
    pub messages: i64,
    /// It may have dropped events for its size.
    is_full: bool,
    /// How long it keeps an event; zero is for ever.
    max_age: TimeDelta,
}

impl Seen {
    fn of(name: &str, info: &Info) -> anyhow::Result<Seen> {
        let state = &info.state;
        let created = DateTime::from_timestamp(info.created.unix_timestamp(), info.created.nanosecond());
        let incarnation = created.context("the stream's time of creation cannot be read")?;
        let limit = u64::try_from(info.config.max_bytes).ok().filter(|limit| *limit > 0);
        Ok(Seen {
            keeper: Keeper { stream: name.to_owned(), incarnation },
            first_sequence: i64::try_from(state.first_sequence)?,
            last_sequence: i64::try_from(state.last_sequence)?,
            messages: i64::try_from(state.messages)?,
            is_full: limit.is_some_and(|limit| state.bytes.saturating_add(LARGEST_MESSAGE) >= limit),
            max_age: TimeDelta::from_std(info.config.max_age).unwrap_or(TimeDelta::zero()),
        })
    }

    /// How many events are missing between the first and the last one. The limits drop from the front only.
    pub(super) fn holes(&self) -> i64 {
        if self.messages == 0 { 0 } else { self.last_sequence - self.first_sequence + 1 - self.messages }
    }

    /// Whether the stream's limits may have dropped, from its front, what was published then.
    pub(super) fn may_have_dropped(&self, published_at: DateTime<Utc>) -> bool {
        let is_old = !self.max_age.is_zero() && published_at + self.max_age < Utc::now() + CLOCKS;
        self.is_full || is_old
    }
}

/// Looks at the stream of one service.
pub(super) struct Stream {
    name: String,
    nats: async_nats::Client,
    jetstream: jetstream::Context,
    seen: Option<(Seen, Instant)>,
}

impl Stream {
    pub(super) fn of(service: &str, nats: async_nats::Client, jetstream: jetstream::Context) -> Stream {
        Stream { name: event::stream_name(service), nats, jetstream, seen: None }
    }

    /// As it was some seconds ago at the most.
    pub(super) async fn seen(&mut self) -> anyhow::Result<Seen> {
        self.check_connection()?;
        match &self.seen {
            Some((seen, at)) if at.elapsed() < HOLDS => Ok(seen.clone()),
            _ => self.look().await,
        }
    }

    /// As it is now.
    pub(super) async fn look(&mut self) -> anyhow::Result<Seen> {
        self.seen = None;
        self.check_connection()?;
        let seen = look(&self.jetstream, &self.name).await?;
        self.seen = Some((seen.clone(), Instant::now()));
        Ok(seen)
    }

    /// Which event stands at a sequence. None: nothing, or nothing of ours.
    pub(super) async fn id_at(&self, sequence: i64) -> anyhow::Result<Option<Uuid>> {
        self.check_connection()?;
        id_at(&self.jetstream, &self.name, sequence).await
    }

    pub(super) fn jetstream(&self) -> &jetstream::Context {
        &self.jetstream
    }

    /// What is sent while NATS is away would be kept for later, and block once there is much of it.
    fn check_connection(&self) -> anyhow::Result<()> {
        ensure!(self.nats.connection_state() == State::Connected, "NATS is away");
        Ok(())
    }
}

/// The stream of this name as it is now.
pub(super) async fn look(jetstream: &jetstream::Context, name: &str) -> anyhow::Result<Seen> {
    let stream = within(TIMEOUT, jetstream.get_stream(name), "looking at the stream").await?;
    Seen::of(name, stream.cached_info())
}

/// Which event stands at a sequence of a stream, as its leader says. None: nothing, or nothing of ours.
pub(super) async fn id_at(jetstream: &jetstream::Context, name: &str, sequence: i64) -> anyhow::Result<Option<Uuid>> {
    let sequence = u64::try_from(sequence)?;
    let reading = async {
        let stream = jetstream.get_stream_no_info(name).await?;
        match stream.get_raw_message(sequence).await {
            Ok(message) => Ok(event_id(&message.headers)),
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(anyhow::Error::from(error)),
        }
    };
    within(TIMEOUT, reading, "reading an event of the stream").await
}

/// The event's id, by the headers that the relay gives it.
pub(super) fn event_id(headers: &HeaderMap) -> Option<Uuid> {
    headers.get(MESSAGE_ID).and_then(|id| id.as_str().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(first_sequence: i64, last_sequence: i64, messages: i64) -> Seen {
        let keeper = Keeper { stream: "EVENTS_VENDOR".to_owned(), incarnation: Utc::now() };
        Seen { keeper, first_sequence, last_sequence, messages, is_full: false, max_age: TimeDelta::days(7) }
    }

    #[test]
    fn a_hole_is_what_is_missing_in_between() {
        assert_eq!(seen(0, 0, 0).holes(), 0);
        assert_eq!(seen(11, 10, 0).holes(), 0);
        assert_eq!(seen(11, 20, 10).holes(), 0);
        assert_eq!(seen(11, 20, 7).holes(), 3);
    }

    #[test]
    fn limits_explain_what_is_old_and_all_of_a_full_stream() {
        let now = Utc::now();
        assert!(!seen(1, 1, 1).may_have_dropped(now));
        assert!(seen(1, 1, 1).may_have_dropped(now - TimeDelta::days(7)));
        assert!(Seen { is_full: true, ..seen(1, 1, 1) }.may_have_dropped(now));
        assert!(!Seen { max_age: TimeDelta::zero(), ..seen(1, 1, 1) }.may_have_dropped(now - TimeDelta::days(70)));
    }
}
