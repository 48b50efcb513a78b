//! Tails: every replica hears every event of a type, from some time back on.

mod entity;
mod place;

use crate::nats::ServerSignals;
use anyhow::{Context as _, ensure};
use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, push};
use futures::StreamExt as _;
use std::time::Duration;
use subjects::{Event, event};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub use entity::{Begin, EntityTail, Listener, Told};
pub use place::{NotAPlace, Place};

/// The pause before a tail that broke off is taken up again.
const RESUME_PAUSE: Duration = Duration::from_millis(200);
/// How often the server says that it is there when there is nothing to tell. Twice as long without a word means that
/// the consumer is gone, for example with its stream.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// After how long the server forgets a consumer that nobody listens to.
const INACTIVE: Duration = Duration::from_secs(30);

/// Follows an event type until shutdown.
///
/// Whatever breaks it off (a reconnect, a gap, a stream that was made anew), it begins again as far back as it did at
/// first, by time: sequences mean nothing in a stream that was made anew. So events may be told more than once.
pub struct Tail {
    /// The service's connection.
    pub nats: async_nats::Client,
    /// JetStream over it.
    pub jetstream: jetstream::Context,
    /// Tells when the connection was made anew.
    pub signals: ServerSignals,
    /// How far back it begins.
    pub back: Duration,
    /// Until when.
    pub shutdown: CancellationToken,
}

impl Tail {
    /// Calls `on_event` for each `E`, at least once and in order. `caught_up` fires once all events that were there at
    /// the start have been told.
    ///
    /// An event that cannot be read is logged and passed over: no later one would make it readable.
    pub async fn follow<E: Event>(self, caught_up: oneshot::Sender<()>, on_event: impl Fn(E) + Send + Sync) {
        let mut caught_up = Some(caught_up);
        while !self.shutdown.is_cancelled() {
            let mut connections = self.signals.connections();
            let broke_off = tokio::select! {
                () = self.shutdown.cancelled() => return,
                outcome = self.follow_once(&mut caught_up, &on_event) => outcome,
                _ = connections.changed() => Ok(()),
            };
            if let Err(error) = broke_off {
                tracing::debug!(event.r#type = E::TYPE, error = format!("{error:#}"), "tail broke off, resuming");
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(RESUME_PAUSE) => {}
            }
        }
    }

    async fn follow_once<E: Event>(
        &self,
        caught_up: &mut Option<oneshot::Sender<()>>,
        on_event: &(impl Fn(E) + Send + Sync),
    ) -> anyhow::Result<()> {
        let stream = self.jetstream.get_stream_no_info(event::stream_name(E::SERVICE)).await?;
        let config = push::Config {
            deliver_subject: self.nats.new_inbox(),
            // With a name, the filter stands in the request's subject, where permissions can see it.
            name: Some(format!("tail_{}", uuid::Uuid::now_v7().simple())),
            filter_subject: event::type_filter(E::TYPE),
            deliver_policy: DeliverPolicy::ByStartTime { start_time: time::OffsetDateTime::now_utc() - self.back },
            ack_policy: AckPolicy::None,
            idle_heartbeat: HEARTBEAT,
            flow_control: true,
            inactive_threshold: INACTIVE,
            memory_storage: true,
            num_replicas: 1,
            ..push::Config::default()
        };
        let consumer = stream.create_consumer(config).await.context("no consumer yet")?;
        let mut pending = consumer.cached_info().num_pending;
        let mut messages = consumer.messages().await?;
        let mut heard: u64 = 0;
        loop {
            if pending == 0
                && let Some(caught_up) = caught_up.take()
            {
                let _nobody_waits_any_more = caught_up.send(());
            }
            let Some(message) = messages.next().await else { return Ok(()) };
            let message = message?;
            let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
            ensure!(info.consumer_sequence == heard + 1, "events were missed after {heard}");
            heard = info.consumer_sequence;
            pending = info.pending;
            match serde_json::from_slice::<E>(&message.payload) {
                Ok(event) => on_event(event),
                Err(error) => {
                    tracing::error!(event.r#type = E::TYPE, sequence = info.stream_sequence, error = %error, "unreadable event");
                }
            }
        }
    }
}
