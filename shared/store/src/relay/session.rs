//! The relay's own database session: it holds the lock, and all that the relay reads and writes goes over it, so
//! that whoever has lost the lock cannot write either.

use crate::store::Store;
use crate::within::within;
use anyhow::Context as _;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::types::Json;
use sqlx::{Connection as _, FromRow, Row as _};
use std::collections::BTreeMap;
use std::time::Duration;
use uuid::Uuid;

/// How long a statement may take before the session is given up.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The argument of `pg_advisory_lock` that a service's relay holds. Whoever holds it in the same database keeps the
/// relay from working.
pub fn relay_lock_key(service: &str) -> i64 {
    let digest = Sha256::digest(format!("petpro relay {service}"));
    digest.iter().take(8).fold(0_i64, |key, byte| (key << 8) | i64::from(*byte))
}

/// An event that waits to be published.
#[derive(Debug)]
pub(super) struct Waiting {
    pub id: Uuid,
    pub event_type: String,
    pub aggregate_id: Uuid,
    pub headers: BTreeMap<String, String>,
    /// JSON.
    pub body: String,
    pub created_at: DateTime<Utc>,
}

impl<'r> FromRow<'r, PgRow> for Waiting {
    fn from_row(row: &'r PgRow) -> sqlx::Result<Waiting> {
        let Json(headers) = row.try_get("headers")?;
        Ok(Waiting {
            id: row.try_get("id")?,
            event_type: row.try_get("type")?,
            aggregate_id: row.try_get("aggregate_id")?,
            headers,
            body: row.try_get("body")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

/// An event that JetStream has taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Acknowledged {
    pub id: Uuid,
    pub sequence: i64,
}

#[derive(Debug)]
pub(super) struct Backlog {
    pub unpublished: i64,
    pub oldest_age_seconds: f64,
}

pub(super) struct Session {
    connection: PgConnection,
    lock_key: i64,
}

/// The oldest unpublished event of each of the aggregates that have waited longest: one an aggregate, so that the next
/// one goes out when this one is acknowledged. Versions decide about the order within an aggregate, since ids of
/// several replicas follow several clocks.
const NEXT_BATCH: &str = "\
    with oldest as (
        select id, aggregate_id from outbox where published_at is null order by id limit 1024
    ), aggregates as (
        select distinct on (aggregate_id) aggregate_id, id as oldest_id from oldest order by aggregate_id, id
    ), longest_waiting as (
        select aggregate_id, oldest_id from aggregates order by oldest_id limit 256
    )
    select next.id, next.type, next.aggregate_id, next.headers, next.body::text as body, next.created_at
    from longest_waiting cross join lateral (
        select * from outbox
        where outbox.published_at is null and outbox.aggregate_id = longest_waiting.aggregate_id
        order by outbox.version, outbox.id limit 1
    ) as next
    order by longest_waiting.oldest_id";

const NOTE_PUBLISHED: &str = "\
    update outbox set published_at = clock_timestamp(), stream = $1, incarnation = $2, sequence = acknowledged.sequence
    from unnest($3::uuid[], $4::bigint[]) as acknowledged(id, sequence)
    where outbox.id = acknowledged.id and outbox.published_at is null";

const PUT_BACK_LOST: &str = "\
    update outbox set published_at = null, stream = null, incarnation = null, sequence = null
    where stream = $1 and incarnation = $2 and sequence = any($4) and id <> all($3)";

impl Session {
    pub(super) async fn connect(store: &Store) -> anyhow::Result<Session> {
        let pool = store.read().get_postgres_connection_pool();
        let name = format!("petpro-{}-relay", store.inner().service);
        // A holder whose machine is gone is noticed within half a minute, so that its lock is free again.
        let keepalive =
            [("tcp_keepalives_idle", "10"), ("tcp_keepalives_interval", "5"), ("tcp_keepalives_count", "3")];
        let options = pool.connect_options().as_ref().clone().application_name(&name).options(keepalive);
        let connection = within(TIMEOUT, PgConnection::connect_with(&options), "no connection for the relay").await?;
        Ok(Session { connection, lock_key: relay_lock_key(store.inner().service) })
    }

    pub(super) async fn try_lock(&mut self) -> anyhow::Result<bool> {
        let query = sqlx::query_scalar("select pg_try_advisory_lock($1)").bind(self.lock_key);
        within(TIMEOUT, query.fetch_one(&mut self.connection), "asking for the relay's lock").await
    }

    pub(super) async fn backlog(&mut self) -> anyhow::Result<Backlog> {
        let query = sqlx::query_as(
            "select count(*), coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8
            from outbox where published_at is null",
        );
        let measured = within(TIMEOUT, query.fetch_one(&mut self.connection), "measuring the outbox").await?;
        let (unpublished, oldest_age_seconds) = measured;
        Ok(Backlog { unpublished, oldest_age_seconds })
    }

    pub(super) async fn next_batch(&mut self) -> anyhow::Result<Vec<Waiting>> {
        let query = sqlx::query_as(NEXT_BATCH);
        within(TIMEOUT, query.fetch_all(&mut self.connection), "reading the outbox").await
    }

    /// Stores where JetStream keeps the events. False, and nothing stored: another row has such a place already.
    pub(super) async fn note_published(
        &mut self,
        stream: &str,
        incarnation: DateTime<Utc>,
        acknowledged: &[Acknowledged],
    ) -> anyhow::Result<bool> {
        let query = places(NOTE_PUBLISHED, stream, incarnation, acknowledged).execute(&mut self.connection);
        match tokio::time::timeout(TIMEOUT, query).await.context("noting what was published takes too long")? {
            Ok(_) => Ok(true),
            Err(sqlx::Error::Database(error)) if error.constraint() == Some("outbox_position_key") => Ok(false),
            Err(error) => Err(error).context("noting what was published"),
        }
    }

    /// Likewise, where other rows stand in these places: the stream has lost their events, since it gives a place only
    /// once, and they wait to be published again.
    pub(super) async fn note_in_place_of_lost(
        &mut self,
        stream: &str,
        incarnation: DateTime<Utc>,
        acknowledged: &[Acknowledged],
    ) -> anyhow::Result<()> {
        let noting = async {
            let mut transaction = self.connection.begin().await?;
            let put_back = places(PUT_BACK_LOST, stream, incarnation, acknowledged).execute(&mut *transaction).await?;
            places(NOTE_PUBLISHED, stream, incarnation, acknowledged).execute(&mut *transaction).await?;
            transaction.commit().await?;
            if put_back.rows_affected() > 0 {
                tracing::warn!(
                    stream,
                    events = put_back.rows_affected(),
                    "the stream has lost events, they are published again"
                );
            }
            Ok::<(), sqlx::Error>(())
        };
        within(TIMEOUT, noting, "noting what was published in place of lost events").await
    }
}

fn places<'q>(
    sql: &'static str,
    stream: &'q str,
    incarnation: DateTime<Utc>,
    acknowledged: &[Acknowledged],
) -> sqlx::query::Query<'q, sqlx::Postgres, sqlx::postgres::PgArguments> {
    let ids: Vec<Uuid> = acknowledged.iter().map(|event| event.id).collect();
    let sequences: Vec<i64> = acknowledged.iter().map(|event| event.sequence).collect();
    sqlx::query(sql).bind(stream).bind(incarnation).bind(ids).bind(sequences)
}
