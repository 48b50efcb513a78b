//! One delivery of one event.

use super::Consumer;
use crate::error::Error;
use crate::outbox::Origin;
use crate::store::HasStore;
use crate::tx::Tx;
use async_nats::HeaderMap;
use async_nats::jetstream::{AckKind, Message};
use futures::FutureExt as _;
use platform::{ConsumerDeclaration, Meta, headers, trace};
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, Value};
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use subjects::Fault;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;
use uuid::Uuid;

/// How long a handler may take; below the consumer's ack wait of 30 s.
const TIMEOUT: Duration = Duration::from_secs(20);
const FIRST_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);

/// No row: this handler has had the event.
const INTO_INBOX: &str = "insert into inbox (handler, event_id) values ($1, $2) on conflict do nothing";

pub(super) struct Delivery {
    declaration: ConsumerDeclaration,
    event_id: Option<Uuid>,
    meta: Meta,
    body: bytes::Bytes,
    /// The how manieth delivery it is, from one on.
    number: u32,
}

/// What became of an event that was handled without a failure.
enum Handled {
    Now,
    Before,
}

impl Delivery {
    pub(super) fn of(declaration: &ConsumerDeclaration, message: &Message) -> Delivery {
        let nothing = HeaderMap::new();
        let message_headers = message.headers.as_ref().unwrap_or(&nothing);
        let header = |name: &'static str| message_headers.get(name).map(|value| value.as_str());
        let event_id = header("ce-id").or_else(|| header("Nats-Msg-Id")).and_then(|id| id.parse().ok());
        let background = Meta::background(&declaration.durable_name());
        let correlation_id = header(headers::CORRELATION_ID).filter(|id| trace::is_safe_correlation_id(id));
        let meta = Meta {
            correlation_id: correlation_id.map_or(background.correlation_id, str::to_owned),
            traceparent: header(headers::TRACEPARENT)
                .map_or(background.traceparent, |parent| Some(trace::child_of(parent))),
            cause: event_id,
            subject: background.subject,
            ..Meta::default()
        };
        let number = message.info().map_or(1, |info| u32::try_from(info.delivered).unwrap_or(1));
        Delivery { declaration: *declaration, event_id, meta, body: message.payload.clone(), number }
    }

    /// Handles the event and says what JetStream is to be told.
    pub(super) async fn handle<A: HasStore>(&self, consumer: &Consumer<A>) -> AckKind {
        let span = tracing::info_span!(
            "event",
            correlation.id = self.meta.correlation_id,
            event.id = self.event_id.map(tracing::field::display),
            event.r#type = self.declaration.event_type,
            handler = self.declaration.handler,
        );
        let handled = AssertUnwindSafe(self.handle_once(consumer)).catch_unwind().instrument(span.clone()).await;
        let handled = handled.unwrap_or_else(|_panic| Err(Fault::internal("the handler panicked")));
        let outcome = match &handled {
            Ok(Handled::Now) => "handled",
            Ok(Handled::Before) => "repeated",
            Err(_) => "failed",
        };
        let metrics = &consumer.run.app.store().inner().metrics;
        metrics.events_consumed.with_label_values(&[self.declaration.handler, outcome]).inc();
        match handled {
            Ok(_) => AckKind::Ack,
            Err(fault) => {
                let delay = delay(self.number);
                let (cause, delay_ms) = (cause(&fault), u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
                span.in_scope(|| {
                    tracing::warn!(
                        delivery = self.number,
                        delay_ms,
                        error = cause,
                        "an event was not handled, it will come again"
                    );
                });
                AckKind::Nak(Some(delay))
            }
        }
    }

    async fn handle_once<A: HasStore>(&self, consumer: &Consumer<A>) -> Result<Handled, Fault> {
        let event_id = self.event_id.ok_or_else(|| Fault::internal("the event has no id"))?;
        let deadline = Instant::now() + TIMEOUT;
        let app = &consumer.run.app;
        let origin = Origin::of(&self.meta);
        let handling = app.store().transaction(&origin, deadline, |tx| async move {
            if !enter_inbox(&tx, self.declaration.handler, event_id).await? {
                return Ok(Handled::Before);
            }
            (consumer.handle)(app.clone(), tx.clone(), &self.body).await?;
            Ok(Handled::Now)
        });
        timeout_at(deadline, handling).await.unwrap_or_else(|_elapsed| Err(Fault::deadline_exceeded()))
    }
}

/// False: it is there already. While another replica's transaction has the same event, this waits for its end.
async fn enter_inbox(tx: &Tx, handler: &str, event_id: Uuid) -> Result<bool, Fault> {
    let values: [Value; 2] = [handler.into(), event_id.into()];
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, INTO_INBOX, values);
    let inserted = tx.execute_raw(statement).await.map_err(Error::from)?;
    Ok(inserted.rows_affected() == 1)
}

/// Doubles with each delivery from a second to a minute, and is spread by half.
fn delay(delivery: u32) -> Duration {
    let longest = FIRST_DELAY.saturating_mul(1 << delivery.saturating_sub(1).min(6)).min(MAX_DELAY);
    longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

fn cause(fault: &Fault) -> String {
    match &fault.source {
        Some(source) => format!("{fault}: {source}"),
        None => fault.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_and_is_bounded() {
        for delivery in 1..200 {
            assert!(delay(delivery) >= FIRST_DELAY / 2, "{delivery}");
            assert!(delay(delivery) <= MAX_DELAY, "{delivery}");
        }
        assert!(delay(20) >= MAX_DELAY / 2);
    }
}
