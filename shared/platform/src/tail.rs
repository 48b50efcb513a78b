//! Tails: every replica hears every event of a type, in order, from a known time on.

use anyhow::Context as _;
use async_nats::jetstream;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::push::OrderedConfig;
use futures::StreamExt as _;
use std::time::Duration;
use subjects::{Event, event};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// The pause before a tail that broke off is taken up again.
const RESUME_PAUSE: Duration = Duration::from_millis(500);

/// Follows an event type until shutdown, calling `on_event` for each event from `since` on.
pub struct Tail {
    /// The service's connection.
    pub nats: async_nats::Client,
    /// JetStream over it.
    pub jetstream: jetstream::Context,
    /// From when on.
    pub since: time::OffsetDateTime,
    /// Until when.
    pub shutdown: CancellationToken,
}

impl Tail {
    /// Follows `E`. `caught_up` fires once all events that were there at the start have been told.
    ///
    /// An event that cannot be read is logged and passed over: no later one would make it readable.
    pub async fn follow<E: Event>(self, caught_up: oneshot::Sender<()>, on_event: impl Fn(E) + Send + Sync) {
        let mut caught_up = Some(caught_up);
        let mut after_sequence: Option<u64> = None;
        while !self.shutdown.is_cancelled() {
            let followed = self.follow_once(&mut after_sequence, &mut caught_up, &on_event);
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                outcome = followed => {
                    if let Err(error) = outcome {
                        tracing::debug!(event.r#type = E::TYPE, error = format!("{error:#}"), "tail broke off, resuming");
                    }
                }
            }
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = tokio::time::sleep(RESUME_PAUSE) => {}
            }
        }
    }

    async fn follow_once<E: Event>(
        &self,
        after_sequence: &mut Option<u64>,
        caught_up: &mut Option<oneshot::Sender<()>>,
        on_event: &(impl Fn(E) + Send + Sync),
    ) -> anyhow::Result<()> {
        let stream = self.jetstream.get_stream_no_info(event::stream_name(E::SERVICE)).await?;
        let deliver_policy = match *after_sequence {
            Some(sequence) => DeliverPolicy::ByStartSequence { start_sequence: sequence + 1 },
            None => DeliverPolicy::ByStartTime { start_time: self.since },
        };
        let config = OrderedConfig {
            deliver_subject: self.nats.new_inbox(),
            // With a name, the filter stands in the request's subject, where permissions can see it.
            name: Some(format!("tail_{}", uuid::Uuid::now_v7().simple())),
            filter_subject: event::type_filter(E::TYPE),
            deliver_policy,
            ..OrderedConfig::default()
        };
        let consumer = stream.create_consumer(config).await.context("no consumer yet")?;
        let mut pending = consumer.cached_info().num_pending;
        let mut messages = consumer.messages().await?;
        loop {
            if pending == 0
                && let Some(caught_up) = caught_up.take()
            {
                let _nobody_waits_any_more = caught_up.send(());
            }
            let Some(message) = messages.next().await else { return Ok(()) };
            let message = message?;
            let info = message.info().map_err(|error| anyhow::anyhow!("{error}"))?;
            pending = info.pending;
            *after_sequence = Some(info.stream_sequence);
            match serde_json::from_slice::<E>(&message.payload) {
                Ok(event) => on_event(event),
                Err(error) => {
                    tracing::error!(event.r#type = E::TYPE, sequence = info.stream_sequence, error = %error, "unreadable event");
                }
            }
        }
    }
}
