//! The event of a booking, as whoever listens to JetStream sees it.

use super::story::text;
use crate::output::say;
use anyhow::Context as _;
use identity::keys::OPERATOR;
use platform::Settings;
use platform::metrics::Metrics;
use platform::nats::NatsConfig;
use platform::setup::KeysConfig;
use serde_json::Value;
use std::time::Duration;
use subjects::event;
use subjects::ids::BookingId;

/// How long the event may take to reach JetStream.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn see_confirmed(booking: &Value) -> anyhow::Result<()> {
    let id: BookingId = text(booking, "/id")?.parse()?;
    let settings = Settings::load()?;
    let nats: NatsConfig = settings.section("nats")?;
    let keys: KeysConfig = settings.section("keys")?;
    let metrics = Metrics::register(&prometheus::Registry::new())?;
    let (client, _signals) = platform::nats::connect(&nats, OPERATOR, &keys.open()?, metrics).await?;
    let jetstream = platform::nats::jetstream(client);
    let stream = jetstream.get_stream_no_info(event::stream_name("booking")).await?;
    let subject = event::subject("booking.confirmed", id.0);
    let look = async {
        loop {
            if let Ok(message) = stream.get_last_raw_message_by_subject(&subject).await
                && let Ok(body) = serde_json::from_slice::<Value>(&message.payload)
                && body.get("bookingId").and_then(Value::as_str) == Some(&id.to_string())
            {
                return (message.sequence, body);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (sequence, body) = tokio::time::timeout(PATIENCE, look)
        .await
        .with_context(|| format!("no {subject} for this booking within {} s", PATIENCE.as_secs()))?;
    say!("   {subject}, sequence {sequence}")?;
    say!("   {body}")?;
    Ok(())
}
