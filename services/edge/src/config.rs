//! The section `edge`.

use garde::Validate;
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How the edge listens and what it takes. `PETPRO_EDGE__LISTEN` and so on.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeConfig {
    /// Where HTTP is answered.
    #[garde(skip)]
    pub listen: SocketAddr,
    /// The largest body that is taken, in bytes.
    #[garde(range(min = 1_024, max = 16_777_216))]
    pub body_limit_bytes: usize,
    /// How long a request may take, in milliseconds, from its headers to its answer.
    #[garde(range(min = 100, max = 60_000))]
    pub request_timeout_ms: u64,
    /// How long the edge goes on taking requests after it has said that it is not ready any more, in milliseconds:
    /// the time that a load balancer needs to notice.
    #[garde(range(max = 60_000))]
    pub leave_after_ms: u64,
}

impl Default for EdgeConfig {
    fn default() -> EdgeConfig {
        EdgeConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            body_limit_bytes: 256 * 1024,
            request_timeout_ms: 5_000,
            leave_after_ms: 200,
        }
    }
}

impl EdgeConfig {
    /// [`EdgeConfig::request_timeout_ms`] as a duration.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// [`EdgeConfig::leave_after_ms`] as a duration.
    pub fn leave_after(&self) -> Duration {
        Duration::from_millis(self.leave_after_ms)
    }
}
