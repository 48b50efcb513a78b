//! The section `edge.cache`.

use garde::Validate;
use serde::Deserialize;
use std::time::Duration;

/// What the edge keeps of public answers, and for how long. `PETPRO_EDGE__CACHE__ENABLED` and so on.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// Whether anything is kept at all.
    #[garde(skip)]
    pub enabled: bool,
    /// How much is kept in this process, in bytes. What has not been asked for is dropped first.
    #[garde(range(min = 65_536, max = 17_179_869_184))]
    pub max_bytes: u64,
    /// For how long an answer is used, in milliseconds, where no event says that it is old.
    #[garde(range(min = 1, max = 3_600_000))]
    pub ttl_ms: u64,
    /// For how long after that it may still be used while the service that made it is away, in milliseconds; 0: never.
    #[garde(range(max = 86_400_000))]
    pub stale_ms: u64,
    /// How long a request waits for a service, in milliseconds, before it is given an answer that may be stale.
    #[garde(range(min = 1, max = 60_000))]
    pub stale_after_ms: u64,
    /// How long a request waits for Redis at the most, in milliseconds, before the service is asked.
    #[garde(range(min = 1, max = 5_000))]
    pub redis_timeout_ms: u64,
}

impl Default for CacheConfig {
    fn default() -> CacheConfig {
        CacheConfig {
            enabled: true,
            max_bytes: 64 * 1024 * 1024,
            ttl_ms: 60_000,
            stale_ms: 300_000,
            stale_after_ms: 1_000,
            redis_timeout_ms: 10,
        }
    }
}

impl CacheConfig {
    /// [`CacheConfig::ttl_ms`] as a duration.
    pub fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl_ms)
    }

    /// How old an answer may be in any case: [`CacheConfig::ttl_ms`] and [`CacheConfig::stale_ms`].
    pub fn longest(&self) -> Duration {
        Duration::from_millis(self.ttl_ms + self.stale_ms)
    }

    /// [`CacheConfig::stale_after_ms`] as a duration.
    pub fn stale_after(&self) -> Duration {
        Duration::from_millis(self.stale_after_ms)
    }

    /// [`CacheConfig::redis_timeout_ms`] as a duration.
    pub fn redis_timeout(&self) -> Duration {
        Duration::from_millis(self.redis_timeout_ms)
    }
}
