//! The relay's own database session: it holds the lock, and all that the relay writes goes over it, so that whoever has
//! lost the lock cannot write either.

use crate::store::Store;
use crate::within::within;
use sha2::{Digest, Sha256};
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use std::time::Duration;
use uuid::Uuid;

/// How long a statement may take before the session is given up.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// What Postgres may choose. Every question of the relay has an index that answers it in no time, over all days. A day's
/// partition is empty when Postgres first thinks about it and holds a million rows some hours later; a plan that was good
/// for the former would stay for a while. And it is thought about once: twenty partitions take longer to plan for than to
/// ask.
const BY_INDEX_ONLY: [(&str, &str); 7] = [
    ("plan_cache_mode", "force_generic_plan"),
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("enable_sort", "off"),
    ("jit", "off"),
];

/// A holder whose machine is gone is noticed within half a minute, so that its lock is free again.
const KEEPALIVE: [(&str, &str); 3] =
    [("tcp_keepalives_idle", "10"), ("tcp_keepalives_interval", "5"), ("tcp_keepalives_count", "3")];

/// The argument of `pg_advisory_lock` that a service's relay holds. Whoever holds it in the same database keeps the
/// relay from working.
pub fn relay_lock_key(service: &str) -> i64 {
    let digest = Sha256::digest(format!("petpro relay {service}"));
    digest.iter().take(8).fold(0_i64, |key, byte| (key << 8) | i64::from(*byte))
}

/// One connection; what is asked over it stands in the modules beside.
pub(super) struct Session {
    pub(super) connection: PgConnection,
    lock_key: i64,
    /// The aggregate from which on the next batch is taken.
    pub(super) next_aggregate: Uuid,
}

impl Session {
    /// A connection that shows as `petpro-<service>-<purpose>` in Postgres.
    pub(super) async fn connect(store: &Store, purpose: &str) -> anyhow::Result<Session> {
        let pool = store.read().get_postgres_connection_pool();
        let name = format!("petpro-{}-{purpose}", store.inner().service);
        let options = pool.connect_options().as_ref().clone().application_name(&name);
        let options = options.options(KEEPALIVE).options(BY_INDEX_ONLY);
        let connection = within(TIMEOUT, PgConnection::connect_with(&options), "no connection for the relay").await?;
        Ok(Session { connection, lock_key: relay_lock_key(store.inner().service), next_aggregate: Uuid::nil() })
    }

    pub(super) async fn try_lock(&mut self) -> anyhow::Result<bool> {
        let query = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(self.lock_key);
        within(TIMEOUT, query.fetch_one(&mut self.connection), "asking for the relay's lock").await
    }
}
