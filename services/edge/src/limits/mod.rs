//! How much a caller may ask for.
//!
//! Every request of an operation is taken from the general budget of its user, or of its address where nobody is signed
//! in or the token does not hold; some are taken from a tighter budget of the address, too. All instances count together
//! in Redis. While it is away, each counts for itself: a client may then have a quota at every instance, but no request
//! fails and none is free.

pub mod config;
mod gcra;
mod local;
mod shared;
mod standing;

use crate::clients::{ClientAddress, Clients};
use crate::config::EdgeConfig;
use crate::context::Context;
use crate::identify::Identified;
use crate::metrics::EdgeMetrics;
use axum::extract::{ConnectInfo, Request};
use config::RedisConfig;
use gcra::Policy;
use local::Local;
use prometheus::IntCounterVec;
use shared::Shared;
pub use standing::Standing;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use subjects::ids::UserId;
use subjects::{Budget, ErrorCode, Fault};

/// What a request takes from one budget.
#[derive(Debug)]
struct Share {
    budget: &'static str,
    /// Budget and caller.
    key: String,
    policy: Policy,
}

/// Whether a request was taken from its budgets, and how full each is now, in the order of the shares.
#[derive(Debug)]
struct Outcome {
    taken: bool,
    backlogs_us: Vec<i64>,
}

/// The limits of all callers.
pub struct Limits {
    clients: Clients,
    general: Option<Policy>,
    user: Option<Policy>,
    credentials: Option<Policy>,
    codes: Option<Policy>,
    shared: Option<Shared>,
    local: Local,
    refusals: IntCounterVec,
}

impl Limits {
    /// As the sections `edge` and `redis` say.
    ///
    /// # Errors
    /// The address of Redis is none.
    pub fn new(config: &EdgeConfig, redis: &RedisConfig, metrics: &EdgeMetrics) -> anyhow::Result<Limits> {
        let policy = |quota| config.limits_profile.policy(quota);
        Ok(Limits {
            clients: Clients::new(config.trusted_proxies.clone()),
            general: policy(config.limits.general),
            user: policy(config.limits.user),
            credentials: policy(config.limits.credentials),
            codes: policy(config.limits.codes),
            shared: Shared::new(redis, metrics.limits_shared.clone())?,
            local: Local::new(),
            refusals: metrics.refusals.clone(),
        })
    }

    /// Connects to Redis; without success, [`Limits::keep_shared`] goes on trying.
    pub async fn connect(&self) {
        if let Some(shared) = &self.shared
            && !shared.connect().await
        {
            tracing::warn!("redis cannot be reached: this instance counts requests for itself");
        }
    }

    /// Keeps the connection to Redis for as long as it is polled.
    pub async fn keep_shared(&self) {
        match &self.shared {
            Some(shared) => shared.keep_connected().await,
            None => std::future::pending().await,
        }
    }

    /// Takes a request from its budgets, and leaves in its context where the client is and how the caller stands.
    ///
    /// # Errors
    /// `rate_limited`, with the time after which one more would pass.
    pub fn check<'a>(
        &'a self,
        budget: Budget,
        request: &Request,
        identified: Option<&Identified>,
        context: &'a Context,
    ) -> impl Future<Output = Result<(), Fault>> + use<'a> {
        // Requests that no connection brought: there are none outside of tests.
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map_or(nowhere, |ConnectInfo(peer)| *peer);
        let address = self.clients.address(peer, request.headers());
        context.comes_from(address);
        let user = identified.and_then(|identified| identified.caller.user.as_ref()).map(|user| user.id);
        let shares = self.shares(budget, address, user);
        // The body of a request cannot be shared between threads, so nothing of it is held while Redis is asked.
        async move { self.take(&shares, context).await }
    }

    async fn take(&self, shares: &[Share], context: &Context) -> Result<(), Fault> {
        if shares.is_empty() {
            return Ok(());
        }
        let together = match &self.shared {
            Some(shared) => shared.take(shares).await,
            None => None,
        };
        let outcome = together.unwrap_or_else(|| self.local.take(shares));
        if let Some(standing) = Standing::of(shares, &outcome) {
            context.stands(standing);
        }
        match outcome.taken {
            true => Ok(()),
            false => Err(self.refusal(shares, &outcome, context)),
        }
    }

    fn shares(&self, budget: Budget, address: ClientAddress, user: Option<UserId>) -> Vec<Share> {
        let share = |budget: Budget, policy: Option<Policy>, who: String| {
            let budget = budget.as_str();
            policy.map(|policy| Share { budget, key: format!("rl:{budget}:{who}"), policy })
        };
        let tighter = match budget {
            Budget::General => None,
            Budget::Credentials => share(budget, self.credentials, address.to_string()),
            Budget::Codes => share(budget, self.codes, address.to_string()),
        };
        let general = match user {
            Some(user) => share(Budget::General, self.user, user.to_string()),
            None => share(Budget::General, self.general, address.to_string()),
        };
        tighter.into_iter().chain(general).collect()
    }

    fn refusal(&self, shares: &[Share], outcome: &Outcome, context: &Context) -> Fault {
        let waits = shares.iter().zip(&outcome.backlogs_us);
        let waits = waits.map(|(share, backlog_us)| (share.policy.retry_after(*backlog_us), share.budget));
        let (longest, budget) = waits.max().unwrap_or_default();
        context.was_refused_by(budget);
        self.refusals.with_label_values(&[budget]).inc();
        let mut fault = Fault::new(ErrorCode::RateLimited, "too many requests: wait for a while");
        fault.retry_after_ms = u64::try_from(longest.as_millis()).ok().map(|milliseconds| milliseconds.max(1));
        fault
    }
}
