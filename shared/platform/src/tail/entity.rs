//! All events of an entity, told to every replica, with their places.

use super::place::Place;
use crate::nats::ServerSignals;
use crate::tail::{HEARTBEAT, INACTIVE, RESUME_PAUSE};
use anyhow::{Context as _, bail, ensure};
use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, push};
use async_nats::jetstream::stream::Info;
use async_nats::{Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures::StreamExt as _;
use std::time::Duration;
use subjects::event;
use tokio_util::sync::CancellationToken;

/// Without a word from the server for so long, its consumer is gone.
const SILENCE: Duration = Duration::from_secs(2);

/// An event as a tail tells it.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its type, for example `booking.created`.
    pub event_type: String,
    /// Where it stands.
    pub place: Place,
    /// Its body, JSON.
    pub body: Bytes,
}

/// Who listens to a tail. All of it is called from one task, one after the other, so none of it may take long.
pub trait Listener: Send + Sync {
    /// What follows comes after `place`. Called first, and again wherever the tail could not go on where it was: the
    /// stream was made anew, has lost its end, or has dropped what was next. What lies between was not told.
    fn begins(&self, place: Place);
    /// An event, in the order of the stream. None is told twice, unless its service published it twice.
    fn told(&self, event: Told);
    /// All that was there when the tail began, or went on, has been told.
    fn caught_up(&self) {}
    /// The server has given a sign of life, which it does every second. Not called while the tail is broken off.
    fn alive(&self) {}
    /// Nothing is heard until [`Listener::caught_up`].
    fn broke_off(&self) {}
}

/// Where a tail begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// With what comes from now on.
    Now,
    /// As many messages back from the end of the stream as this, whichever entities they are about.
    Back(u64),
}

/// Follows an entity's events until shutdown. Background tasks get one from [`Run::tail`](crate::Run::tail); the service
/// declares it with [`Service::follows`](crate::Service::follows).
pub struct EntityTail {
    pub(crate) nats: async_nats::Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) signals: ServerSignals,
    pub(crate) source: &'static str,
    pub(crate) entity: &'static str,
    pub(crate) begin: Begin,
    pub(crate) shutdown: CancellationToken,
}

impl EntityTail {
    /// Tells `listener` all that there is to hear, until shutdown.
    ///
    /// Whatever breaks it off (a reconnect, a gap, a stream that was made anew), it goes on after the last event that it
    /// told, where that is still possible; otherwise it begins again, and says so.
    pub async fn run(self, listener: &impl Listener) {
        let mut last = None;
        while !self.shutdown.is_cancelled() {
            let mut connections = self.signals.connections();
            let broke_off = tokio::select! {
                () = self.shutdown.cancelled() => return,
                outcome = self.run_once(&mut last, listener) => outcome,
                _ = connections.changed() => Ok(()),
            };
            listener.broke_off();
            if let Err(error) = broke_off {
                tracing::debug!(entity = self.entity, error = format!("{error:#}"), "tail broke off, resuming");
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(RESUME_PAUSE) => {}
            }
        }
    }

    async fn run_once(&self, last: &mut Option<Place>, listener: &impl Listener) -> anyhow::Result<()> {
        let name = event::stream_name(self.source);
        let stream = self.jetstream.get_stream(&name).await.context("no stream yet")?;
        let begin = self.begin_at(stream.cached_info(), *last);
        let inbox = self.nats.new_inbox();
        let mut messages = self.nats.subscribe(inbox.clone()).await?;
        let consumer = stream.create_consumer(self.consumer(inbox, begin)).await.context("no consumer yet")?;
        let incarnation = incarnation(self.jetstream.get_stream(&name).await?.cached_info());
        ensure!(incarnation == begin.incarnation, "the stream was made anew");
        if *last != Some(begin) {
            *last = Some(begin);
            listener.begins(begin);
        }
        let mut pending = Some(consumer.cached_info().num_pending);
        let mut heard: u64 = 0;
        loop {
            if pending == Some(0) {
                pending = None;
                listener.caught_up();
            }
            let message = self.next(&mut messages).await?;
            if message.status.is_some() {
                self.answer_status(message).await?;
                listener.alive();
                continue;
            }
            let message = jetstream::Message { message, context: self.jetstream.clone() };
            let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
            ensure!(info.consumer_sequence == heard + 1, "events were missed after {heard}");
            heard = info.consumer_sequence;
            let place = Place { incarnation, sequence: info.stream_sequence };
            let still_pending = info.pending;
            let event_type = event::type_of_subject(&message.subject).unwrap_or_default().to_owned();
            listener.alive();
            listener.told(Told { event_type, place, body: message.message.payload });
            *last = Some(place);
            pending = pending.map(|_before| still_pending);
        }
    }

    async fn next(&self, messages: &mut Subscriber) -> anyhow::Result<Message> {
        match tokio::time::timeout(SILENCE, messages.next()).await {
            Ok(Some(message)) => Ok(message),
            Ok(None) => bail!("the subscription ended"),
            Err(_elapsed) => bail!("the server is silent"),
        }
    }

    /// The server waits for an answer before it sends more: at a flow control request, and where a heartbeat says that
    /// it has stalled.
    async fn answer_status(&self, message: Message) -> anyhow::Result<()> {
        ensure!(message.status == Some(StatusCode::IDLE_HEARTBEAT), "the server ended the consumer");
        let stalled = message.headers.as_ref().and_then(|headers| headers.get("Nats-Consumer-Stalled"));
        let stalled = stalled.map(|subject| subject.as_str().to_owned());
        if let Some(subject) = message.reply.map(|reply| reply.to_string()).or(stalled) {
            self.nats.publish(subject, Bytes::new()).await?;
        }
        Ok(())
    }

    /// After which place it goes on.
    fn begin_at(&self, stream: &Info, last: Option<Place>) -> Place {
        let incarnation = incarnation(stream);
        let state = &stream.state;
        // Before the first message that there still is, some may have been dropped.
        let dropped = state.first_sequence.saturating_sub(1);
        let can_go_on =
            |last: &Place| last.incarnation == incarnation && (dropped..=state.last_sequence).contains(&last.sequence);
        last.filter(can_go_on).unwrap_or_else(|| {
            let sequence = match self.begin {
                Begin::Now => state.last_sequence,
                Begin::Back(messages) => state.last_sequence.saturating_sub(messages).max(dropped),
            };
            Place { incarnation, sequence }
        })
    }

    fn consumer(&self, inbox: String, begin: Place) -> push::Config {
        push::Config {
            deliver_subject: inbox,
            // With a name, the filter stands in the request's subject, where permissions can see it.
            name: Some(format!("tail_{}", uuid::Uuid::now_v7().simple())),
            filter_subject: event::entity_filter(self.entity),
            deliver_policy: DeliverPolicy::ByStartSequence { start_sequence: begin.sequence + 1 },
            ack_policy: AckPolicy::None,
            idle_heartbeat: HEARTBEAT,
            flow_control: true,
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..push::Config::default()
        }
    }
}

fn incarnation(stream: &Info) -> i64 {
    i64::try_from(stream.created.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX)
}
