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
    /// The aggregate from which on the next batch is taken.
    next_aggregate: Uuid,
}

/// How many events a batch holds at the most.
const BATCH: usize = 256;

/// The next unpublished event of each of 256 aggregates: one an aggregate, so that the next one goes out when this one
/// is acknowledged. Versions decide about the order within an aggregate, since ids of several replicas follow several
/// clocks.
///
/// The aggregates come in turn, found by stepping through the index from one to the next: an aggregate with many events
/// takes up one place like all others.
const NEXT_BATCH: &str = "\
    with recursive aggregates (aggregate_id) as (
        (
            select aggregate_id from outbox where published_at is null and aggregate_id >= $1
            order by aggregate_id limit 1
        )
        union all
        select (
            select outbox.aggregate_id from outbox
            where outbox.published_at is null and outbox.aggregate_id > aggregates.aggregate_id
            order by outbox.aggregate_id limit 1
        )
        from aggregates where aggregates.aggregate_id is not null
    ), chosen as (
        select aggregate_id from aggregates where aggregate_id is not null and aggregate_id <> all($2) limit $3
    )
    select next.id, next.type, next.aggregate_id, next.headers, next.body::text as body, next.created_at
    from chosen cross join lateral (
        select * from outbox
        where outbox.published_at is null and outbox.aggregate_id = chosen.aggregate_id
        order by outbox.version, outbox.id limit 1
    ) as next
    order by next.aggregate_id";

/// Two ranges, in the order of the unique index over the position, so that it alone finds these rows: usually there are
/// none, among all that was published in a week.
const PUT_BACK_OF_OTHER_INCARNATIONS: &str = "\
    update outbox set published_at = null, stream = null, incarnation = null, sequence = null
    where id = any(array(
        (
            select id from outbox where stream = $1 and incarnation < $2
            order by stream, incarnation, sequence limit 5000
        )
        union all
        (
            select id from outbox where stream = $1 and incarnation > $2
            order by stream, incarnation, sequence limit 5000
        )
    ))";

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
        Ok(Session { connection, lock_key: relay_lock_key(store.inner().service), next_aggregate: Uuid::nil() })
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

    /// Empty: nothing waits but events of the aggregates that are `resting`.
    pub(super) async fn next_batch(&mut self, resting: &[Uuid]) -> anyhow::Result<Vec<Waiting>> {
        let mut batch = self.batch_from(self.next_aggregate, resting).await?;
        if batch.is_empty() && !self.next_aggregate.is_nil() {
            batch = self.batch_from(Uuid::nil(), resting).await?;
        }
        let last = batch.last().filter(|_| batch.len() == BATCH);
        self.next_aggregate =
            last.map_or(Uuid::nil(), |last| Uuid::from_u128(last.aggregate_id.as_u128().wrapping_add(1)));
        Ok(batch)
    }

    /// Whether the last batch was full, so that more waits behind it.
    pub(super) fn has_more(&self) -> bool {
        !self.next_aggregate.is_nil()
    }

    async fn batch_from(&mut self, aggregate: Uuid, resting: &[Uuid]) -> anyhow::Result<Vec<Waiting>> {
        let query = sqlx::query_as(NEXT_BATCH).bind(aggregate).bind(resting).bind(i64::try_from(BATCH)?);
        within(TIMEOUT, query.fetch_all(&mut self.connection), "reading the outbox").await
    }

    /// Lets all events that another stream of the name keeps, or kept, wait to be published again, and answers how
    /// many. In several statements, all of which must be through before anything else is published.
    pub(super) async fn put_back_of_other_incarnations(
        &mut self,
        stream: &str,
        incarnation: DateTime<Utc>,
    ) -> anyhow::Result<u64> {
        let mut put_back = 0;
        loop {
            let query = sqlx::query(PUT_BACK_OF_OTHER_INCARNATIONS).bind(stream).bind(incarnation);
            let updating = query.execute(&mut self.connection);
            let batch = within(TIMEOUT, updating, "putting back what an earlier stream kept").await?.rows_affected();
            if batch == 0 {
                return Ok(put_back);
            }
            put_back += batch;
        }
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
