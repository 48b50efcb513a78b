//! The section `edge.streams`.

use garde::Validate;
use serde::Deserialize;
use std::time::Duration;

/// What streams of events may take. `PETPRO_EDGE__STREAMS__PER_USER` and so on.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct StreamsConfig {
    /// How many a user may have open at this edge.
    #[garde(range(min = 1, max = 100_000))]
    pub per_user: usize,
    /// How many may be open at this edge in all: fewer than it has connections, or they would keep out everybody else.
    #[garde(range(min = 1, max = 1_000_000))]
    pub total: usize,
    /// How long nothing is sent at the most, in milliseconds: less than what proxies on the way close a silent
    /// connection after.
    #[garde(range(min = 100, max = 60_000))]
    pub keep_alive_ms: u64,
    /// After what pause a client that lost its stream is to ask for it again, in milliseconds.
    #[garde(range(min = 100, max = 60_000))]
    pub retry_ms: u64,
    /// For how long after a snapshot a client that comes back gets a new one, in milliseconds: the events of what the
    /// snapshot has told may still be on their way, and would tell it twice.
    #[garde(range(max = 600_000))]
    pub settle_ms: u64,
}

impl Default for StreamsConfig {
    fn default() -> StreamsConfig {
        StreamsConfig { per_user: 20, total: 8_000, keep_alive_ms: 15_000, retry_ms: 2_000, settle_ms: 10_000 }
    }
}

impl StreamsConfig {
    pub(super) fn keep_alive(&self) -> Duration {
        Duration::from_millis(self.keep_alive_ms)
    }

    pub(super) fn settle(&self) -> Duration {
        Duration::from_millis(self.settle_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connections::ConnectionsConfig;

    #[test]
    fn streams_leave_connections_to_others() {
        assert!(StreamsConfig::default().total < ConnectionsConfig::default().max);
    }
}
