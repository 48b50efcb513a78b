//! Counting in Redis, for all instances together.

use super::config::RedisConfig;
use super::{Outcome, Share};
use crate::redis_link::{Prepare, RedisLink};
use prometheus::IntGauge;
use redis::Script;
use redis::aio::MultiplexedConnection;

const TAKE: &str = include_str!("take.lua");

/// The counts in Redis. While they cannot be had, nobody waits for them.
pub struct Shared {
    link: RedisLink,
    script: Script,
}

impl Shared {
    /// The counts in the Redis that is configured, if any. Does not connect.
    ///
    /// # Errors
    /// The address is none.
    pub fn new(config: &RedisConfig, is_shared: IntGauge) -> anyhow::Result<Option<Shared>> {
        let link = RedisLink::new(config, config.timeout(), is_shared, "this instance counts requests for itself")?;
        Ok(link.map(|link| Shared { link, script: Script::new(TAKE) }))
    }

    /// Takes one request from every budget, or from none of them. None: Redis is away or too slow.
    pub async fn take(&self, shares: &[Share]) -> Option<Outcome> {
        let mut invocation = self.script.prepare_invoke();
        for share in shares {
            invocation.key(&share.key).arg(share.policy.share_us()).arg(share.policy.capacity_us());
        }
        let answered = self.link.invoke(&invocation, None, |answer: Vec<i64>| {
            let (taken, backlogs) = answer.split_first().filter(|(_, backlogs)| backlogs.len() == shares.len())?;
            Some(Outcome { taken: *taken == 1, backlogs_us: backlogs.to_vec() })
        });
        answered.await.map(|answered| answered.answer)
    }

    /// Connects, and again whenever the connection is lost.
    pub async fn keep_connected(&self) {
        self.link.keep_connected(self).await;
    }

    /// Connects where there is no connection. Whether there is one then.
    pub async fn connect(&self) -> bool {
        self.link.connect(self).await
    }
}

impl Prepare for Shared {
    /// The first request need not send the script.
    async fn prepare(&self, connection: &mut MultiplexedConnection) -> anyhow::Result<()> {
        self.script.load_async(connection).await?;
        tracing::info!("requests are counted in redis, for all instances together");
        Ok(())
    }
}
