//! The section `edge`.

use crate::cache::config::CacheConfig;
use crate::connections::ConnectionsConfig;
use crate::limits::config::{LimitsConfig, LimitsProfile};
use crate::shedding::SheddingConfig;
use crate::sse::StreamsConfig;
use garde::Validate;
use ipnet::IpNet;
use serde::Deserialize;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// How the edge listens and what it takes. `PETPRO_EDGE__LISTEN` and so on; lists are written
/// `PETPRO_EDGE__CORS_ORIGINS='["https://app.example.org"]'`.
#[derive(Debug, Clone, Deserialize, Validate)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeConfig {
    /// Where HTTP is answered.
    #[garde(skip)]
    pub listen: SocketAddr,
    /// The largest body that is taken, in bytes.
    #[garde(range(min = 1_024, max = 16_777_216))]
    pub body_limit_bytes: usize,
    /// How long a client may take for its body, in milliseconds: less than `request_timeout_ms`, so that time is left to
    /// answer.
    #[garde(range(min = 100, max = 60_000))]
    pub body_timeout_ms: u64,
    /// The longest path with its query that is taken, in bytes.
    #[garde(range(min = 256, max = 65_536))]
    pub uri_limit_bytes: usize,
    /// How long a request may take, in milliseconds, from its headers to its answer.
    #[garde(range(min = 100, max = 60_000))]
    pub request_timeout_ms: u64,
    /// How long the edge goes on taking requests after it has said that it is not ready any more, in milliseconds:
    /// the time that a load balancer needs to notice.
    #[garde(range(max = 60_000))]
    pub leave_after_ms: u64,
    /// Connections.
    #[garde(dive)]
    pub connections: ConnectionsConfig,
    /// Answers that are kept.
    #[garde(dive)]
    pub cache: CacheConfig,
    /// Streams of events.
    #[garde(dive)]
    pub streams: StreamsConfig,
    /// What is refused while there is too much to do.
    #[garde(dive)]
    pub shedding: SheddingConfig,
    /// Networks of proxies whose `X-Forwarded-For` tells where a request comes from; nobody else's is read.
    #[garde(length(max = 1_000))]
    pub trusted_proxies: Vec<IpNet>,
    /// How many requests each budget grants.
    #[garde(dive)]
    pub limits: LimitsConfig,
    /// How seriously the limits are taken: `standard`, `wide` or `bench`.
    #[garde(skip)]
    pub limits_profile: LimitsProfile,
    /// Origins whose pages may use the API, for example `https://app.example.org`.
    #[garde(length(max = 100), inner(custom(is_origin)))]
    pub cors_origins: Vec<String>,
    /// Whether browsers are told to come by HTTPS alone from now on (RFC 6797). Only where they can.
    #[garde(skip)]
    pub hsts: bool,
}

impl Default for EdgeConfig {
    fn default() -> EdgeConfig {
        EdgeConfig {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            body_limit_bytes: 256 * 1024,
            body_timeout_ms: 4_000,
            uri_limit_bytes: 8_192,
            request_timeout_ms: 5_000,
            leave_after_ms: 200,
            connections: ConnectionsConfig::default(),
            cache: CacheConfig::default(),
            streams: StreamsConfig::default(),
            shedding: SheddingConfig::default(),
            trusted_proxies: Vec::new(),
            limits: LimitsConfig::default(),
            limits_profile: LimitsProfile::Standard,
            cors_origins: Vec::new(),
            hsts: false,
        }
    }
}

impl EdgeConfig {
    /// [`EdgeConfig::request_timeout_ms`] as a duration.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// [`EdgeConfig::body_timeout_ms`] as a duration.
    pub fn body_timeout(&self) -> Duration {
        Duration::from_millis(self.body_timeout_ms)
    }

    /// [`EdgeConfig::leave_after_ms`] as a duration.
    pub fn leave_after(&self) -> Duration {
        Duration::from_millis(self.leave_after_ms)
    }
}

/// Scheme, host and port as browsers write an origin: anything else would never match, `*` would match everybody.
fn is_origin(text: &str, _context: &()) -> garde::Result {
    let uri: Option<http::Uri> = text.parse().ok();
    let is_origin = uri.is_some_and(|uri| {
        let parts = (uri.scheme_str(), uri.authority());
        let (Some(scheme), Some(authority)) = parts else { return false };
        format!("{scheme}://{authority}") == text
            && matches!(scheme, "http" | "https")
            && !authority.as_str().contains(['@', '*'])
            && authority.as_str() == authority.as_str().to_lowercase()
    });
    is_origin.then_some(()).ok_or_else(|| garde::Error::new("is not an origin, such as https://app.example.org"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platform::Settings;

    fn complaint(toml: &str) -> String {
        Settings::from_toml(toml).section::<EdgeConfig>("edge").unwrap_err().to_string()
    }

    #[test]
    fn limits_are_set_one_by_one() {
        let config: EdgeConfig = Settings::from_toml(
            "[edge]\nlimits_profile = 'bench'\ntrusted_proxies = ['10.0.0.0/8']\n\
             cors_origins = ['https://app.example.org', 'http://localhost:3000']\n\
             [edge.limits.codes]\nquota = 3\nwindow_s = 60",
        )
        .section("edge")
        .unwrap();
        assert_eq!((config.limits.codes.quota, config.limits.general.quota), (3, 100));
        assert_eq!(config.limits_profile, LimitsProfile::Bench);
    }

    #[test]
    fn what_makes_no_sense_names_its_variable() {
        assert!(complaint("[edge.limits.general]\nquota = 0\nwindow_s = 1").contains("PETPRO_EDGE__LIMITS__GENERAL"));
        assert!(complaint("[edge.cache]\nttl_ms = 0").contains("PETPRO_EDGE__CACHE__TTL_MS"));
        assert!(complaint("[edge.connections]\nmax = 0").contains("PETPRO_EDGE__CONNECTIONS__MAX"));
        assert!(complaint("[edge]\ntrusted_proxies = ['everybody']").contains("PETPRO_EDGE__TRUSTED_PROXIES"));
        for origin in ["*", "https://*.example.org", "https://a.example/", "app.example", "file://x", "https://A.b"] {
            let complaint = complaint(&format!("[edge]\ncors_origins = ['{origin}']"));
            assert!(complaint.contains("is not an origin"), "{origin}: {complaint}");
        }
    }
}
