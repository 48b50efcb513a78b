//! Whether the relay can work.

use std::time::Duration;

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Says once that the relay cannot work, and once that it can again.
#[derive(Default)]
pub(super) struct Health {
    failures: u32,
}

impl Health {
    /// How long to pause.
    pub(super) fn failed(&mut self, service: &str, error: &anyhow::Error) -> Duration {
        let text = format!("{error:#}");
        if self.failures == 0 {
            tracing::warn!(service, error = text, "the outbox cannot be relayed right now, it will grow");
        } else {
            tracing::debug!(service, error = text, "the outbox cannot be relayed yet");
        }
        self.failures = self.failures.saturating_add(1);
        let longest = FIRST_BACKOFF.saturating_mul(1 << self.failures.min(6)).min(MAX_BACKOFF);
        longest.mul_f64(0.5 + rand::random::<f64>() / 2.0)
    }

    pub(super) fn succeeded(&mut self, service: &str) {
        if self.failures > 0 {
            tracing::info!(service, "the outbox is relayed again");
        }
        self.failures = 0;
    }
}
